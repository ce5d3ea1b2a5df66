"""The rules of a symbol: tick, lot, price band. Decimal prices are converted to integers here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from lowlat.arguments import checked_number
from lowlat.engine.matching.records import QUANTITY_MAX, SYMBOLS_MAX, MatchAlgorithm, TickRounding
from lowlat.errors import OffTickError, UsageError
from lowlat.text import cut, shown

_SHOWN_MAX: Final = 80
"""Characters of a price in a message."""
_DIGITS_PLAIN: Final = 100
"""Of a price that exact arithmetic takes as it is: with more, it takes time that grows with their square."""
_DECIMAL: Final = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|s?nan[0-9]*)", re.ASCII | re.IGNORECASE
)
"""A number as `Decimal` reads it, but without digits of other scripts, spaces and underscores."""
PRICE_MIN = -(2**63)
PRICE_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol's rules.

    `tick`: prices are multiples of it, in price units. `lot`: quantities are multiples of it, in lots.
    `price_min`, `price_max`: the band, both ends included; an order outside it is rejected.
    `algorithm`: how the orders at one price share an incoming one. `off_tick`: what to do with a price between two
    ticks. `unit`: the decimal value of one price unit, used only to read and print decimals.
    """

    tick: int = 1
    lot: int = 1
    price_min: int = PRICE_MIN
    price_max: int = PRICE_MAX
    unit: Decimal = Decimal("0.01")
    algorithm: MatchAlgorithm = MatchAlgorithm.FIFO
    off_tick: TickRounding = TickRounding.REJECT

    def __post_init__(self) -> None:
        for name in ("tick", "lot", "price_min", "price_max"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise UsageError(f"instrument: {name} {shown(value)} is not an integer number of price units or lots")
        for name, kind in (("algorithm", MatchAlgorithm), ("off_tick", TickRounding)):
            if not isinstance(getattr(self, name), kind):
                raise UsageError(f"instrument: {name} {shown(getattr(self, name))} is not a {kind.__name__}")
        unit: object = self.unit
        if not isinstance(unit, Decimal) or not self.unit.is_finite() or self.unit <= 0:
            raise UsageError(f"instrument: unit {shown(self.unit)} is not a positive Decimal; use e.g. Decimal('0.01')")
        if not 1 <= self.tick <= PRICE_MAX:
            raise UsageError(f"instrument: tick {shown(self.tick)} is not a positive 64-bit integer; use 1 or more")
        if not 1 <= self.lot <= QUANTITY_MAX:
            raise UsageError(f"instrument: lot {shown(self.lot)} is outside 1..{QUANTITY_MAX}")
        if not PRICE_MIN <= self.price_min <= self.price_max <= PRICE_MAX:
            raise UsageError(
                f"instrument: band {shown(self.price_min)}..{shown(self.price_max)} is empty or outside int64; "
                "price_min must not exceed price_max"
            )

    def price(self, decimal: str | Decimal) -> int:
        """Convert a decimal price to an integer one, e.g. `"585.33"` -> 58533 with a unit of 0.01.

        Raises `OffTickError` if it is not a whole multiple of `tick` units, or does not fit 64 bits; `UsageError` for a
        float, which cannot hold most decimal prices.
        """
        given: object = decimal
        if not isinstance(given, (str, int, Decimal)) or isinstance(given, bool):
            hint = f"use price({str(decimal)!r})" if isinstance(given, float) else "pass a string such as '585.33'"
            raise UsageError(f"price {shown(decimal)} is neither a string nor a Decimal; {hint}")
        if isinstance(decimal, str) and not _DECIMAL.fullmatch(decimal):
            raise OffTickError(f"price {shown(decimal)} is not a decimal number")
        try:
            value = Decimal(decimal)
        except InvalidOperation:
            raise OffTickError(f"price {shown(decimal)} is not a decimal number") from None
        if not value.is_finite():
            raise OffTickError(f"price {shown(decimal)} is not a finite number")
        if value and value.adjusted() - self.unit.adjusted() > 19:  # 10**19 > 2**63: not worth exact arithmetic
            raise self._too_large(value)
        if value and value.adjusted() < self.unit.adjusted() - 1:
            raise self._off_tick(value)
        if len(value.as_tuple().digits) > _DIGITS_PLAIN:
            value = self._without_zeros(value)
        units = Fraction(value) / Fraction(self.unit)  # exact, unlike Decimal, which rounds to 28 digits
        if units.denominator != 1 or units.numerator % self.tick:
            raise self._off_tick(value)
        if not PRICE_MIN <= units <= PRICE_MAX:
            raise self._too_large(value)
        return units.numerator

    def _without_zeros(self, price: Decimal) -> Decimal:
        """The same of few digits: a multiple of the unit that fits has 20 more than the unit."""
        short = price.normalize(Context(prec=len(price.as_tuple().digits)))
        if len(short.as_tuple().digits) > 20 + len(self.unit.as_tuple().digits):
            raise self._off_tick(price)
        return short

    def _off_tick(self, price: Decimal) -> OffTickError:
        return OffTickError(
            f"price {cut(str(price), _SHOWN_MAX)} is not a multiple of the tick, {self.tick * self.unit}"
        )

    def _too_large(self, price: Decimal) -> OffTickError:
        return OffTickError(f"price {cut(str(price), _SHOWN_MAX)} does not fit 64 bits in units of {self.unit}")

    def decimal(self, price: int) -> Decimal:
        """The decimal value of an integer price. Raises `UsageError` for what is not a 64-bit integer."""
        return checked_number("price", price, PRICE_MIN, PRICE_MAX) * self.unit


def instruments(symbols: int | Sequence[Instrument]) -> tuple[Instrument, ...]:
    """The instruments of an engine: that many with default rules, or the given ones."""
    if isinstance(symbols, int):
        _check_number(symbols)
        return (Instrument(),) * symbols
    check_instruments(symbols)
    return tuple(symbols)


def check_instruments(given: object) -> None:
    """Raise `UsageError` for what are not the instruments of an engine."""
    if not isinstance(given, Sequence) or not all(isinstance(each, Instrument) for each in given):
        raise UsageError(f"symbols: {shown(given)} is neither a number of symbols nor a list of Instrument")
    _check_number(len(given))


def _check_number(symbols: int) -> None:
    if not 1 <= symbols <= SYMBOLS_MAX:
        raise UsageError(f"an engine holds 1 to {SYMBOLS_MAX} symbols, not {shown(symbols)}")
