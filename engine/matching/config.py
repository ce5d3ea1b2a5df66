"""The sizes of an engine's pools, and what it does when one is exhausted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lowlat.engine.matching.instrument import Instrument, check_instruments
from lowlat.engine.matching.records import ORDERS_MAX, TRADES_MAX, PoolPolicy
from lowlat.errors import UsageError
from lowlat.text import shown

ORDERS: Final = 50_000
"""Resting orders for which an engine has room if nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The settings of an engine.

    `orders`: resting orders over all symbols. `trades`: records kept on the trade tape.
    """

    instruments: tuple[Instrument, ...]
    orders: int = ORDERS
    trades: int = 100_000
    when_orders_dry: PoolPolicy = PoolPolicy.REJECT
    when_trades_dry: PoolPolicy = PoolPolicy.RECYCLE

    def __post_init__(self) -> None:
        if not isinstance(self.instruments, tuple):
            raise UsageError(f"instruments: {shown(self.instruments)} is not a tuple of Instrument")
        check_instruments(self.instruments)
        for name in ("orders", "trades"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise UsageError(f"{name}: {shown(value)} is not an integer")
        for name in ("when_orders_dry", "when_trades_dry"):
            if not isinstance(getattr(self, name), PoolPolicy):
                raise UsageError(f"{name}: {shown(getattr(self, name))} is not a PoolPolicy")
        if not 1 <= self.orders <= ORDERS_MAX:
            raise UsageError(f"orders: {shown(self.orders)} is outside 1..{ORDERS_MAX}")
        if not 1 <= self.trades <= TRADES_MAX:
            raise UsageError(f"trades: {shown(self.trades)} is outside 1..{TRADES_MAX}")
        if self.when_orders_dry is PoolPolicy.RECYCLE:
            raise UsageError("when_orders_dry: a resting order cannot be recycled; use REJECT or GROW")
