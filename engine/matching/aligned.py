"""Arrays of records aligned to a cache line, so that no record straddles two."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.errors import ArrayError
from lowlat.text import shown

CACHE_LINE: Final = 64


def aligned_empty(count: int, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """An uninitialized array of `count` records whose address is a multiple of 64.

    numpy itself guarantees only 16; the array is a view of a slightly longer byte array.
    """
    raw = np.empty(count * dtype.itemsize + CACHE_LINE, dtype=np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + count * dtype.itemsize].view(dtype)


def aligned_copy(array: NDArray[np.void]) -> NDArray[np.void]:
    """A copy of a one-dimensional record array that starts on a cache line."""
    copy = aligned_empty(len(array), array.dtype)
    copy[:] = array
    return copy


def is_masked(array: object) -> bool:
    """Whether it is a masked array, whose masked records native code would take for others. Does not load numpy.ma."""
    return type(array) is not np.ndarray and hasattr(array, "filled")


def check_plain(name: str, given: object) -> None:
    """Raise `ArrayError` for what is no array, and for a masked one, whose masked values would count too."""
    if not isinstance(given, np.ndarray) or is_masked(given):
        raise ArrayError(f"{name}: {shown(given)} is not a plain array; make one, of a masked one by .compressed()")
