"""Native half of `reports`."""

from typing import Annotated, overload

import numpy
from numpy.typing import NDArray


class Histogram:
    """
    Records nanoseconds; 3 significant digits, 0 to 2**42. `reports.histogram` reads it.
    """

    def __init__(self) -> None: ...

    def record(self, value: int) -> None:
        """
        Count one value; a negative one or one above 2**42 counts as out of range.
        """

    @overload
    def record_many(self, values: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None:
        """
        Count every value of a contiguous array, shape (n,), uint64 or int64; releases the GIL on long ones.
        """

    @overload
    def record_many(self, values: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None: ...

    def add(self, other: Histogram) -> None:
        """Add every sample of another, out-of-range ones included."""

    def copy(self) -> Histogram:
        """What it holds now, in one step even while other threads record."""

    def reset(self) -> None:
        """Forget everything; keeps the memory."""

    @property
    def counts(self) -> Annotated[NDArray[numpy.uint64], dict(shape=(None,))]:
        """A copy of the counts, uint64, shape (34816,)."""

    @property
    def total(self) -> int:
        """Values counted, without those out of range."""

    @property
    def out_of_range(self) -> int:
        """Values that were negative or above 2**42."""

    @property
    def min(self) -> int | None:
        """Smallest value, exact; None when empty."""

    @property
    def max(self) -> int | None:
        """Largest value, exact; None when empty."""
