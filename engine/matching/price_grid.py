"""The grid that prices are on: where it is coarser than the tick, an engine works harder than it must."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.matching.instrument import PRICE_MAX
from lowlat.errors import PriceGridWarning


def tick_of(prices: NDArray[np.int64]) -> int:
    """The largest number of price units that all prices are multiples of; 1 if there is no price but 0."""
    tick = abs(int(np.gcd.reduce(np.unique(prices), initial=0)))
    return tick if 1 <= tick <= PRICE_MAX else 1


def warn(symbol: int, tick: int, grid: int) -> None:
    """Tell the user of an engine that its prices are on a coarser grid than the tick."""
    warnings.warn(
        f"symbol {symbol}: all its prices are multiples of {grid}, and its tick is {tick}, so that most of its price "
        f"levels are outside of the book's fast window; use Instrument(tick={grid}) if that is its tick",
        PriceGridWarning,
        stacklevel=3,
    )
