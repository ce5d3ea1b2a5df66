"""The bucket layout: which nanosecond values share a count. `native/histogram.hpp` is the same in C++.

Values 0 to 2,047 have a bucket each; above that, every doubling has 1,024 buckets, so a bucket is never wider than
1/1,024 of the values in it (3 significant digits). Equal to `HdrHistogram(1, 2**42, 3)`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

LOWEST_NS: Final = 1
"""Smallest value told apart from zero, in nanoseconds."""
HIGHEST_NS: Final = 2**42
"""Largest value counted, in nanoseconds: 73 minutes. Above it a value is out of range."""
SIGNIFICANT_DIGITS: Final = 3
COUNTS_LENGTH: Final = 34_816
"""Length of a counts array."""

_HALF_BITS: Final = 10
_SUB_BUCKETS: Final = 2_048


def index_of(value_ns: int) -> int:
    """The bucket of a value from 0 to `HIGHEST_NS`."""
    shift = max(value_ns, _SUB_BUCKETS - 1).bit_length() - (_HALF_BITS + 1)
    return (shift << _HALF_BITS) + (value_ns >> shift)


def lowest_values(indexes: NDArray[np.intp]) -> NDArray[np.int64]:
    """Smallest value of each bucket in nanoseconds: int64, same shape."""
    shifts = _shifts(indexes)
    values: NDArray[np.int64] = (indexes - (shifts << _HALF_BITS)) << shifts
    return values


def highest_values(indexes: NDArray[np.intp]) -> NDArray[np.int64]:
    """Largest value of each bucket in nanoseconds: int64, same shape."""
    return lowest_values(indexes) + (np.int64(1) << _shifts(indexes)) - 1


def _shifts(indexes: NDArray[np.intp]) -> NDArray[np.int64]:
    """Width of each bucket as a power of two."""
    shifts: NDArray[np.int64] = np.maximum((indexes.astype(np.int64) >> _HALF_BITS) - 1, 0)
    return shifts
