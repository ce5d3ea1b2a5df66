"""Distributions of whole numbers, as a profile writes them: rows of a value and the share of draws up to that value.

    [[99, 0.36], [100, 0.88], [1000, 1]]

says that 36% are at most 99, that 52% are exactly 100, and that the rest is above 100 and at most 1,000. Between two
rows every value is equally likely; below the first row too, down to the smallest value that the key allows. A
distribution of lifetimes may end below 1: the rest has no end.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from lowlat.bounded import Share
from lowlat.errors import InputError

Row: TypeAlias = tuple[int, Share]
"""A value, and the share of draws that are at most this value."""
ROWS_MAX: Final = 256
Quantiles: TypeAlias = Annotated[tuple[Row, ...], Meta(min_length=1, max_length=ROWS_MAX)]

VALUE_MAX: Final = 1_000_000_000
"""Largest value of any row; a key may allow less."""
_ONE: Final = 1 << 32


def check_quantiles(key: str, rows: Quantiles, *, least: int, most: int, complete: bool = True) -> None:
    """Raises `InputError` that names the key and the row unless values lie in `least`..`most` and ascend, and shares
    ascend too, to 1 if `complete`.
    """
    before, below = least - 1, 0.0
    for at, (value, share) in enumerate(rows):
        where = f"{key}[{at}]"
        if not least <= value <= most:
            raise InputError(f"{where}: {value} is outside {least}..{most}")
        if value <= before and at:
            raise InputError(f"{where}: {value} follows {before}; values must ascend")
        if share < below:
            raise InputError(f"{where}: a share of {share:g} follows {below:g}; shares are of all values up to here")
        before, below = value, share
    if complete and below != 1:
        raise InputError(f"{key}: the last share is {below:g}; it must be 1")


def mean(rows: Quantiles, least: int) -> float:
    """Mean of the values that have an end: the expected value times the last share."""
    before, below, total = least - 1, 0.0, 0.0
    for value, share in rows:
        total += (share - below) * (before + 1 + value) / 2
        before, below = value, share
    return total


def native_share(share: float) -> int:
    """A share in units of 2^-32. A float times a power of two is exact on every machine."""
    return int(share * _ONE)


def native_rows(rows: Quantiles) -> NDArray[np.uint64]:
    """Values, and shares in units of 2^-32: shape (n, 2)."""
    return np.array([(value, native_share(share)) for value, share in rows], dtype=np.uint64).reshape(-1, 2)
