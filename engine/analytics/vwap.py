"""Price statistics and bulk level updates over arrays of records: exact, whatever the prices.

Sums of price times quantity need up to 191 bits. The core splits both factors into 32-bit halves, whose products fit
64 bits, and adds those up in base 2^32; Python puts the digits together. The loops that multiply are vectorised by the
compiler, which `test_vectorised.py` asks it to confirm; runs of level updates are added with vector
types, a level at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.analytics.records import LEVEL_UPDATE, LevelTrouble, LevelUpdateRows
from lowlat.engine.matching.aligned import aligned_empty
from lowlat.engine.matching.records import EVENT, LEVEL, TRADE, Levels, Side
from lowlat.errors import LowlatError

Digits: TypeAlias = Sequence[int]

_BIAS: Final = 2**63
"""Added to each price by the core, so that its digits have no sign."""
_SUMS: Final[dict[np.dtype[Any], Callable[[Any, Any], tuple[Digits, Digits]]]] = {
    np.dtype(np.uint32): _core.price_sums32,
    np.dtype(np.uint64): _core.price_sums64,
}


class PriceArrayError(LowlatError):
    """An array whose dtype, shape or length these functions do not take."""


class NoVolumeError(LowlatError):
    """No quantity traded or resting: there is no average price."""


class LevelUpdateError(LowlatError):
    """Level updates that cannot be applied; `price` is where. Nothing was changed."""

    def __init__(self, problem: str, price: int) -> None:
        super().__init__(f"level {price}: {problem}")
        self.price = price


class UnsortedLevelsError(LevelUpdateError):
    """Levels that do not come best first, each price once."""


class UnknownLevelError(LevelUpdateError):
    """An update of a price that has no level."""


class LevelRangeError(LevelUpdateError):
    """A sum below zero or above 2^64 - 1, or orders left where no quantity is."""


@dataclass(frozen=True, slots=True)
class Vwap:
    """Volume-weighted average price: `notional` / `volume`, both exact.

    `notional`: sum of price times quantity, in price units times lots. `volume`: sum of quantities, above 0.
    """

    notional: int
    volume: int

    @property
    def ticks(self) -> Fraction:
        """The average in price units, exact."""
        return Fraction(self.notional, self.volume)

    def as_float(self) -> float:
        """The average in price units, rounded once, to the nearest double."""
        return self.notional / self.volume  # Python rounds the quotient of two integers correctly


def notional(prices: NDArray[np.int64], quantities: NDArray[np.uint32] | NDArray[np.uint64]) -> int:
    """The exact sum of price times quantity.

    `prices`: int64 (n,), `quantities`: uint32 or uint64 (n,), of any stride: fields of records are read in place.
    Raises `PriceArrayError` for other dtypes or shapes.
    """
    return _notional_and_volume(prices, quantities)[0]


def vwap(records: NDArray[np.void]) -> Vwap:
    """The average price of records: `EVENT` (of which only trades count), `TRADE` or `LEVEL`, one-dimensional.

    Raises `NoVolumeError` when their quantities sum to 0, `PriceArrayError` for other arrays.
    """
    if records.ndim == 1 and records.dtype == EVENT:
        sums = _core.trade_sums(records["price"], records["quantity"], records["kind"])
        return _average(*_exact(*sums))
    if records.ndim == 1 and records.dtype in (TRADE, LEVEL):
        return vwap_of(records["price"], records["quantity"])
    raise PriceArrayError(
        f"records are {records.dtype} of shape {records.shape}; expected EVENT, TRADE or LEVEL of one dimension"
    )


def vwap_of(prices: NDArray[np.int64], quantities: NDArray[np.uint32] | NDArray[np.uint64]) -> Vwap:
    """The average price of two columns; see `notional` for what they are and `vwap` for what is raised."""
    return _average(*_notional_and_volume(prices, quantities))


def level_updates(*rows: tuple[int, int, int]) -> LevelUpdateRows:
    """An array of `LEVEL_UPDATE` from (price, quantity, orders): shape (n,)."""
    return np.array(list(rows), dtype=LEVEL_UPDATE)


def apply_level_updates(levels: Levels, updates: LevelUpdateRows, side: Side, *, insert: bool = False) -> Levels:
    """The levels of one side after `updates`: a new `LEVEL` array.

    `levels`: `LEVEL` (n,), best first as `depth` gives them: descending prices for BUY, ascending for SELL.
    `updates`: `LEVEL_UPDATE` (m,), in any order (sorted ones are quicker); those of one price count as their sum. A
    level whose quantity becomes 0 is dropped. With `insert`, a price without a level gets one.

    Raises, leaving `levels` as they are: `UnsortedLevelsError`; `UnknownLevelError` for a price without a level
    unless `insert`; `LevelRangeError` where a quantity or an order count would leave 0..2^64 - 1, or orders would be
    left without quantity; `PriceArrayError` for other dtypes or shapes.
    """
    _check_records("levels", levels, LEVEL)
    _check_records("updates", updates, LEVEL_UPDATE)
    after = aligned_empty(len(levels) + (len(updates) if insert else 0), LEVEL)
    outcome = _core.apply_level_updates(_aligned(levels), _aligned(updates), after, Side(side) is Side.BUY, insert)
    count, trouble, price = outcome
    if trouble:
        raise _trouble(trouble, price, side)
    return after[:count]


def _trouble(trouble: int, price: int, side: Side) -> LevelUpdateError:
    if trouble == LevelTrouble.LEVELS_UNSORTED:
        way = "descending" if side == Side.BUY else "ascending"
        return UnsortedLevelsError(f"out of order; {Side(side).name} levels come with {way} prices, each once", price)
    if trouble == LevelTrouble.UNKNOWN_PRICE:
        return UnknownLevelError("no such level to update; pass insert=True to make it", price)
    return LevelRangeError(
        "the updates would take its quantity or orders out of 0..2^64 - 1, or leave orders without quantity", price
    )


def _aligned(records: NDArray[np.void]) -> NDArray[np.void]:
    """The records as the core reads them: without gaps, on 8-byte boundaries."""
    if records.flags.c_contiguous and records.ctypes.data % 8 == 0:
        return records
    copy = aligned_empty(len(records), records.dtype)
    # As bytes: numpy copies records field by field, which takes several times as long.
    copy.view(np.uint8)[:] = np.ascontiguousarray(records).view(np.uint8)
    return copy


def _check_records(name: str, records: NDArray[np.void], dtype: np.dtype[np.void]) -> None:
    if records.dtype != dtype or records.ndim != 1:
        raise PriceArrayError(
            f"{name} are {records.dtype} of shape {records.shape}; expected {dtype.names} records of one dimension"
        )


def _notional_and_volume(prices: NDArray[Any], quantities: NDArray[Any]) -> tuple[int, int]:
    if prices.dtype != np.int64 or quantities.dtype not in _SUMS:
        raise PriceArrayError(
            f"prices are {prices.dtype}, quantities {quantities.dtype}; expected int64 and uint32 or uint64"
        )
    if prices.ndim != 1 or prices.shape != quantities.shape:
        raise PriceArrayError(
            f"prices have shape {prices.shape}, quantities {quantities.shape}; expected one dimension, equally long"
        )
    return _exact(*_SUMS[quantities.dtype](prices, quantities))


def _exact(products: Digits, quantities: Digits) -> tuple[int, int]:
    volume = _number(quantities)
    return _number(products) - _BIAS * volume, volume


def _number(digits: Digits) -> int:
    return sum(digit << (32 * place) for place, digit in enumerate(digits))


def _average(total: int, volume: int) -> Vwap:
    if not volume:
        raise NoVolumeError("no volume: the quantities sum to 0, so there is no average price; check for trades first")
    return Vwap(total, volume)
