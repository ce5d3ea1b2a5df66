"""Volume-weighted average prices over arrays of records: exact, whatever the prices.

Sums of price times quantity need up to 191 bits. The core splits both factors into 32-bit halves, whose products fit
64 bits, and adds those up in base 2^32; Python puts the digits together. The loops that multiply are vectorized by the
compiler, which `tests/unit/engine/analytics/test_vectorized.py` asks it to confirm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.matching.aligned import check_plain
from lowlat.engine.matching.records import EVENT, LEVEL, TRADE
from lowlat.errors import ArrayError

Digits: TypeAlias = Sequence[int]

_BIAS: Final = 2**63
"""Added to each price by the core, so that its digits are unsigned."""
_SUMS: Final[dict[np.dtype[Any], Callable[[Any, Any], tuple[Digits, Digits]]]] = {
    np.dtype(np.uint32): _core.price_sums32,
    np.dtype(np.uint64): _core.price_sums64,
}


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
    Raises `ArrayError` for other dtypes or shapes, and for masked arrays.
    """
    return _notional_and_volume(prices, quantities)[0]


def vwap(records: NDArray[np.void]) -> Vwap:
    """The average price of records: `EVENT` (only trades count), `TRADE` or `LEVEL`, one-dimensional.

    Raises `ArrayError` if their quantities sum to 0, and for other arrays.
    """
    check_plain("records", records)
    if records.ndim == 1 and records.dtype == EVENT:
        sums = _core.trade_sums(records["price"], records["quantity"], records["kind"])
        return _average(*_exact(*sums))
    if records.ndim == 1 and records.dtype in (TRADE, LEVEL):
        return vwap_of(records["price"], records["quantity"])
    raise ArrayError(
        f"records are {records.dtype} of shape {records.shape}; expected EVENT, TRADE or LEVEL of one dimension"
    )


def vwap_of(prices: NDArray[np.int64], quantities: NDArray[np.uint32] | NDArray[np.uint64]) -> Vwap:
    """The average price of two columns. Takes the arguments of `notional` and raises the errors of `vwap`."""
    return _average(*_notional_and_volume(prices, quantities))


def _notional_and_volume(prices: NDArray[Any], quantities: NDArray[Any]) -> tuple[int, int]:
    check_plain("prices", prices)
    check_plain("quantities", quantities)
    if prices.dtype != np.int64 or quantities.dtype not in _SUMS:
        raise ArrayError(
            f"prices are {prices.dtype}, quantities {quantities.dtype}; expected int64 and uint32 or uint64"
        )
    if prices.ndim != 1 or prices.shape != quantities.shape:
        raise ArrayError(
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
        raise ArrayError("no volume: the quantities sum to 0, so there is no average price; check for trades first")
    return Vwap(total, volume)
