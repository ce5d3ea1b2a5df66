"""The grid that prices are on: where it is coarser than the tick, an engine works harder than it must."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.matching.instrument import PRICE_MAX, Instrument
from lowlat.engine.matching.records import Commands, CommandType
from lowlat.errors import PriceGridWarning


def tick_of(prices: NDArray[np.int64]) -> int:
    """The largest number of price units that all prices are multiples of; 1 if there is no price but 0."""
    tick = abs(int(np.gcd.reduce(np.unique(prices), initial=0)))
    return tick if 1 <= tick <= PRICE_MAX else 1


_EVIDENCE_BITS_MIN: Final = 32
"""As much as an engine wants (`engine/native/bindings/price_grid.cpp`)."""
_NEAR_TICKS: Final = 256
"""Prices within so many ticks are in a book's fast window whatever their grid."""


def grid_notes(commands: Commands, instruments: Sequence[Instrument]) -> Iterator[str]:
    """What a user of these commands with these instruments is told: the first symbol whose prices are on a coarser grid
    than its tick, in words.
    """
    orders = commands[commands["kind"] == CommandType.LIMIT][["symbol", "price"]]
    for symbol, instrument in enumerate(instruments):
        prices = np.unique(orders["price"][orders["symbol"] == symbol])
        grid = tick_of(prices)
        bits = (grid // instrument.tick).bit_length() - 1
        wide = len(prices) > 1 and int(prices[-1]) - int(prices[0]) > _NEAR_TICKS * instrument.tick
        if wide and bits * len(prices) >= _EVIDENCE_BITS_MIN:
            yield _told(symbol, instrument.tick, grid)
            return


def _told(symbol: int, tick: int, grid: int) -> str:
    return (
        f"symbol {symbol}: all its prices are multiples of {grid}, and its tick is {tick}, so that most of its price "
        f"levels are outside of the book's fast window; use Instrument(tick={grid}) if that is its tick"
    )


def warn(symbol: int, tick: int, grid: int) -> None:
    """Tell the user of an engine that its prices are on a coarser grid than the tick."""
    warnings.warn(_told(symbol, tick, grid), PriceGridWarning, stacklevel=3)
