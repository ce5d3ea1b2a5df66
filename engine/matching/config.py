"""How an engine is sized, and what it does when a pool runs dry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from lowlat.engine.matching.instrument import Instrument
from lowlat.errors import UsageError

ORDERS_MAX = 1 << 30
TRADES_MAX = 1 << 32


class PoolPolicy(IntEnum):
    """What a pool that has no record left does. Each time is counted.

    REFUSE: the command is rejected, the book untouched. GROW: the pool doubles (this allocates).
    RECYCLE (trade tape only): the oldest record is overwritten.
    """

    REFUSE = 0
    GROW = 1
    RECYCLE = 2


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What an engine is made with.

    `orders`: resting orders over all symbols. `trades`: records kept on the trade tape.
    """

    instruments: tuple[Instrument, ...]
    orders: int = 50_000
    trades: int = 100_000
    when_orders_dry: PoolPolicy = PoolPolicy.REFUSE
    when_trades_dry: PoolPolicy = PoolPolicy.RECYCLE

    def __post_init__(self) -> None:
        for name in ("orders", "trades"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise UsageError(f"{name}: {value!r} is no whole number")
        for name in ("when_orders_dry", "when_trades_dry"):
            if not isinstance(getattr(self, name), PoolPolicy):
                raise UsageError(f"{name}: {getattr(self, name)!r} is no PoolPolicy")
        if not 1 <= self.orders <= ORDERS_MAX:
            raise UsageError(f"orders: {self.orders} is outside 1..{ORDERS_MAX}")
        if not 1 <= self.trades <= TRADES_MAX:
            raise UsageError(f"trades: {self.trades} is outside 1..{TRADES_MAX}")
        if self.when_orders_dry is PoolPolicy.RECYCLE:
            raise UsageError("when_orders_dry: a resting order cannot be recycled; use REFUSE or GROW")
