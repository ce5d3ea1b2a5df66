"""`Engine`: the native matching engine behind the common contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.matching.aligned import aligned_empty
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import native_rules, pools
from lowlat.engine.matching.interface import AuctionIndicative, MatchingEngine, checked_commands
from lowlat.engine.matching.records import (
    LEVEL,
    ORDER,
    STOP,
    TRADE,
    Commands,
    Events,
    Levels,
    Orders,
    Side,
    Stops,
    Trades,
)
from lowlat.errors import UsageError
from lowlat.uncopied import Uncopied

RELEASE_FROM: Final = 1_000
"""From this many commands in a batch, `process` releases the GIL.

Measured by `python tools/measure/python_threads.py 150` on two busy CPUs, in M commands/s: with batches of 100, two
threads did 41 with the GIL released and 42 with it held, less than one thread alone (43); with batches of 700, 80 and
45; of 10,000, 79 and 48.
"""


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of an engine since its creation or last reset.

    `commands`, `trades`: executed. `live_orders`: resting and waiting now, over all symbols. `order_refusals`,
    `trade_refusals`: commands rejected because a pool was exhausted. `trades_held`: records on the trade tape now.
    `trades_recycled`: records overwritten. `growths`: times a pool grew since the engine's creation (a reset keeps the
    capacity). `index_rehashes`: times the order index changed its hash.
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
    """One memory mapping of an engine: its purpose, address, size in bytes, and what the system granted.

    `lock_error` is 0 if the pages are locked in memory, else the `errno` of `mlock`.
    """

    part: str
    address: int
    size_bytes: int
    huge_pages_asked: bool
    lock_error: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What a batch did that ended early: how many of its commands were executed, and their events."""

    commands: int
    events: Events


class Engine(Uncopied, MatchingEngine):
    """The native engine.

    `process` releases the GIL for batches of `RELEASE_FROM` commands and more. Only one thread at a time may use an
    engine; a concurrent call raises `BusyError`. The constructor allocates all memory, touches it and, if limits
    permit, locks it.

    After a `MemoryError` inside a command the books are inconsistent, and every call but `reset` raises
    `NotValidError`. That can only happen where one command has more events than the engine holds orders, as when
    icebergs refill many times: for all others, memory is reserved beforehand.
    """

    matcher: _core.Matcher
    """The native object, for the measured passes in `_core`."""

    def _open(self, settings: EngineConfig) -> None:
        self.settings = settings
        _check_memory(settings)
        self.matcher = _core.Matcher(native_rules(settings), **pools(settings))

    def process(self, commands: Commands) -> Events:
        """See `MatchingEngine.process`.

        Each command is copied before it is checked, so another thread that writes to the array meanwhile only changes
        which commands are executed. If a signal's handler raises, as Ctrl-C does, or there is no memory for more
        events, the batch ends between two commands and the exception is raised; `take_interrupted` then gives the
        events so far, and `commands[interrupted.commands :]` can be sent later.

        The result has memory of its own. When it is freed, the process keeps that for the next batch of about the same
        size: up to 16 MiB, and up to 256 MiB if the two large results before were of one size.
        """
        return self.matcher.process(checked_commands(commands), RELEASE_FROM)

    def take_interrupted(self) -> Interrupted | None:
        """What the last `process` had executed when it raised; None if that was nothing, or it ended regularly.

        Gives it once: the next call returns None.
        """
        taken = self.matcher.take_interrupted()
        return None if taken is None else Interrupted(*taken)

    def _depth(self, side: Side, levels: int, symbol: int) -> Levels:
        rows = aligned_empty(min(levels, self.matcher.live_orders), LEVEL)
        return rows[: self.matcher.depth(symbol, rows, side)]

    def _orders(self, symbol: int) -> Orders:
        rows = aligned_empty(self.matcher.live_orders, ORDER)
        return rows[: self.matcher.orders(symbol, rows)]

    def _stops(self, symbol: int) -> Stops:
        rows = aligned_empty(self.matcher.live_orders, STOP)
        return rows[: self.matcher.stops(symbol, rows)]

    def _indicative(self, symbol: int) -> AuctionIndicative | None:
        found = self.matcher.indicative(symbol)
        return None if found is None else AuctionIndicative(*found)

    def trades(self) -> Trades:
        """See `MatchingEngine.trades`."""
        rows = aligned_empty(self.counters.trades_held, TRADE)
        return rows[: self.matcher.trades(rows)]

    def drain_trades(self) -> int:
        """See `MatchingEngine.drain_trades`."""
        return self.matcher.drain_trades()

    def reset(self) -> None:
        """Empty every book, the tape and the counters; keep the memory."""
        self.matcher.reset()

    def check_invariants(self) -> None:
        """Walk every book, level, order and index entry; abort the process on the first violated invariant."""
        self.matcher.check_invariants()

    @property
    def counters(self) -> Counters:
        """The current counters."""
        return Counters(**self.matcher.counters())

    @property
    def memory(self) -> list[MemoryPart]:
        """The mappings that hold pools, index, tape and ladders."""
        return [MemoryPart(*part) for part in self.matcher.memory()]


LARGE_BYTES = 1 << 30
"""Below this size, available memory is not checked first."""


def _check_memory(settings: EngineConfig) -> None:
    """Raise `UsageError` if the pools do not fit in memory: the kernel would overcommit, then kill the process."""
    need = _core.Matcher.pool_bytes(len(settings.instruments), settings.orders, settings.trades)
    if need < LARGE_BYTES:
        return
    available = available_bytes()
    if need > available:
        raise UsageError(
            f"an engine for {units.counted(settings.orders, 'order')} and "
            f"{units.counted(settings.trades, 'trade')} needs about "
            f"{need / LARGE_BYTES:.0f} GiB, and {available / LARGE_BYTES:.0f} GiB are available; use smaller pools"
        )


def available_bytes() -> int:
    """Memory that can be taken without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)
