"""`Engine`: the native matching engine behind the common contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import _core
from engine.arrays import aligned_copy, aligned_empty
from engine.contract import MatchingEngine, checked_commands
from engine.instrument import Instrument
from engine.records import EVENT, LEVEL, ORDER, TRADE, Commands, Events, Levels, Orders, Side, Trades
from engine.settings import Settings, WhenDry, settings


@dataclass(frozen=True, slots=True)
class Counters:
    """What an engine counted since it was made or reset.

    `order_refusals`, `trade_refusals`: commands rejected because a pool was dry; `growths`: times a pool grew;
    `trades_recycled`: tape records overwritten; `index_rehashes`: times the id index changed its hash.
    """

    commands: int
    trades: int
    live_orders: int
    order_refusals: int
    trade_refusals: int
    trades_held: int
    trades_recycled: int
    growths: int
    index_rehashes: int


@dataclass(frozen=True, slots=True)
class MemoryPart:
    """One mapping an engine took: its purpose, where it lies, and what the system granted.

    `locked` is None when the pages are locked in memory, else the error of `mlock` (an errno name).
    """

    part: str
    address: int
    size_bytes: int
    huge_pages_asked: bool
    lock_error: int


class Engine(MatchingEngine):
    """The native engine. One thread at a time may use it; `process` releases the GIL.

    `symbols`: how many, or their `Instrument` rules. `orders`: resting orders it has room for. `trades`: records on
    the tape. `when_orders_dry`, `when_trades_dry`: see `WhenDry`. All memory is taken, touched and, where the limits
    permit, locked here. Raises `UsageError` for sizes out of range, `MemoryError` when the system has not that much.
    """

    def __init__(
        self,
        symbols: int | Sequence[Instrument] = 1,
        *,
        orders: int = 50_000,
        trades: int = 100_000,
        when_orders_dry: WhenDry = WhenDry.REFUSE,
        when_trades_dry: WhenDry = WhenDry.RECYCLE,
    ) -> None:
        self.settings = settings(
            symbols, orders=orders, trades=trades, when_orders_dry=when_orders_dry, when_trades_dry=when_trades_dry
        )
        self.matcher = _matcher(self.settings)
        """The native object, for `_core`'s measured passes."""

    def process(self, commands: Commands) -> Events:
        """See `MatchingEngine.process`."""
        ready = checked_commands(commands)
        if ready.ctypes.data % 8:
            ready = aligned_copy(ready)
        events = aligned_empty(self.matcher.events_at_most(len(ready)), EVENT)
        return events[: self.matcher.process(ready, events)]

    def _depth(self, side: Side, levels: int, symbol: int) -> Levels:
        rows = aligned_empty(min(levels, self.counters.live_orders), LEVEL)
        return rows[: self.matcher.depth(symbol, side, rows)]

    def _orders(self, symbol: int) -> Orders:
        rows = aligned_empty(self.counters.live_orders, ORDER)
        return rows[: self.matcher.orders(symbol, rows)]

    def trades(self) -> Trades:
        """See `MatchingEngine.trades`."""
        rows = aligned_empty(self.counters.trades_held, TRADE)
        return rows[: self.matcher.trades(rows)]

    def drain_trades(self) -> int:
        """See `MatchingEngine.drain_trades`."""
        return self.matcher.drain_trades()

    def reset(self) -> None:
        """Empty every book, the tape and the counters; the memory stays."""
        self.matcher.reset()

    def check_invariants(self) -> None:
        """Walk every book, level, order and index entry; abort the process on the first rule that does not hold."""
        self.matcher.check_invariants()

    @property
    def counters(self) -> Counters:
        """What was counted so far."""
        return Counters(**self.matcher.counters())

    @property
    def memory(self) -> list[MemoryPart]:
        """The mappings that hold pools, index, tape and ladders."""
        return [MemoryPart(*part) for part in self.matcher.memory()]


def _matcher(sized: Settings) -> _core.Matcher:
    """The native object that `sized` describes."""
    rules = np.array([(i.tick, i.lot, i.price_min, i.price_max) for i in sized.instruments], dtype=np.int64)
    return _core.Matcher(rules, sized.orders, sized.trades, sized.when_orders_dry, sized.when_trades_dry)


