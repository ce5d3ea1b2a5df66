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

    def take(self) -> Histogram:
        """
        What it holds now, which it then forgets, in one step even while other threads record.
        """

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

class IntervalHistograms:
    """
    Histograms by interval: one thread records, at full speed and without waiting, another takes.
    """

    def __init__(self, count: int, interval_ticks: int) -> None: ...

    def start(self, now_ticks: int) -> None:
        """
        The recording thread's: the first interval begins. Once, before anything else.
        """

    def record(self, k: int, value: int) -> None:
        """The recording thread's: count one value in histogram k."""

    def tick(self, now_ticks: int) -> None:
        """
        The recording thread's, between two records: ends the interval when it is over and the one before was taken.
        """

    def finish(self, now_ticks: int) -> None:
        """
        The recording thread's: ends the last interval. Nothing is recorded after it.
        """

    def take(self) -> tuple[int, int, list[Histogram]] | None:
        """
        The reading thread's: begin and end in ticks and the histograms of the oldest interval that is over, each interval once; None when there is none.
        """

    def total(self, k: int) -> Histogram:
        """
        The reading thread's: a copy of everything that was taken of histogram k.
        """

def record_lines(histogram: Histogram, text: bytes, start: int, power: int, skip: int) -> tuple[int, int, int]:
    """
    Record the number of each line from offset `start`, times 10**power nanoseconds, but the first `skip`. Stops at a line without a latency. Returns its offset, lines read and latencies skipped.
    """
