"""What every matching engine of this package offers; the native and the reference engine differ in how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from lowlat.engine.matching.config import Settings, WhenDry
from lowlat.engine.matching.instrument import Instrument, instruments
from lowlat.engine.matching.records import (
    COMMAND,
    WIDE_COMMAND,
    Commands,
    CommandValueError,
    Events,
    Flag,
    Kind,
    Levels,
    Orders,
    Phase,
    SelfTrade,
    Side,
    Stops,
    TimeInForce,
    Trades,
    wide_command,
)
from lowlat.errors import LowlatError


class UnknownSymbolError(LowlatError):
    """A query names a symbol that the engine does not hold."""


class UnknownSideError(LowlatError):
    """A query names a side that there is not."""


class CommandArrayError(LowlatError):
    """An array that is not a contiguous, one-dimensional array of `COMMAND` or `WIDE_COMMAND` records."""


@dataclass(frozen=True, slots=True)
class Best:
    """Best bid and ask of a book: price and the level's quantity, None where a side is empty."""

    bid: int | None
    bid_quantity: int | None
    ask: int | None
    ask_quantity: int | None


@dataclass(frozen=True, slots=True)
class Indicative:
    """What an uncross would do now: its price, the volume it trades, and buy less sell quantity at that price."""

    price: int
    volume: int
    imbalance: int


class MatchingEngine(ABC):
    """A limit-order-book matching engine of one or many symbols. `docs/matching.md` states the contract."""

    settings: Settings

    def __init__(
        self,
        symbols: int | Sequence[Instrument] = 1,
        *,
        orders: int = 50_000,
        trades: int = 100_000,
        when_orders_dry: WhenDry = WhenDry.REFUSE,
        when_trades_dry: WhenDry = WhenDry.RECYCLE,
    ) -> None:
        """Make an engine with empty books.

        `symbols`: how many, or their `Instrument` rules. `orders`: resting orders it has room for. `trades`: records
        on the trade tape. `when_orders_dry`, `when_trades_dry`: see `WhenDry`. Raises `UsageError` for sizes out of
        range, `MemoryError` when the system has not that much.
        """
        self._open(Settings(instruments(symbols), orders, trades, when_orders_dry, when_trades_dry))

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """An engine sized by `settings`."""
        engine = cls.__new__(cls)
        engine._open(settings)
        return engine

    @abstractmethod
    def _open(self, settings: Settings) -> None: ...

    @abstractmethod
    def process(self, commands: Commands) -> Events:
        """Execute an array of `COMMAND` or `WIDE_COMMAND`, contiguous, shape (n,), in order; its events, as `EVENT`s.

        Each command gives at least one event; a command that cannot be done gives REJECTED with its reason and
        changes nothing. The array must not change meanwhile. Raises `CommandArrayError` for another dtype, shape or
        layout, before anything is executed.
        """

    @abstractmethod
    def _depth(self, side: Side, levels: int, symbol: int) -> Levels: ...

    @abstractmethod
    def _orders(self, symbol: int) -> Orders: ...

    @abstractmethod
    def _stops(self, symbol: int) -> Stops: ...

    @abstractmethod
    def _indicative(self, symbol: int) -> Indicative | None: ...

    @abstractmethod
    def trades(self) -> Trades:
        """The records on the trade tape, oldest first: a `TRADE` array, at most `settings.trades` long."""

    @abstractmethod
    def drain_trades(self) -> int:
        """Release the records on the tape; how many there were."""

    def depth(self, side: Side, levels: int, symbol: int = 0) -> Levels:
        """The best `levels` levels of a side, best first: a `LEVEL` array, shorter where there are fewer."""
        if side not in frozenset(Side):
            raise UnknownSideError(f"side {side!r} is neither Side.BUY nor Side.SELL")
        return self._depth(Side(side), max(levels, 0), self._known(symbol))

    def orders(self, symbol: int = 0) -> Orders:
        """Level-3 listing, an `ORDER` array: bids best first, then asks best first; oldest first within a level."""
        return self._orders(self._known(symbol))

    def stops(self, symbol: int = 0) -> Stops:
        """Stops that wait, a `STOP` array: buys lowest trigger first, then sells highest first; oldest first at one."""
        return self._stops(self._known(symbol))

    def indicative(self, symbol: int = 0) -> Indicative | None:
        """What an uncross would do now, in any phase; None where nothing would trade."""
        return self._indicative(self._known(symbol))

    def best(self, symbol: int = 0) -> Best:
        """Best bid and ask."""
        sides: list[int | None] = []
        for side in Side:
            top = self.depth(side, 1, symbol)
            sides += [int(top[0]["price"]), int(top[0]["quantity"])] if len(top) else [None, None]
        return Best(*sides)

    def instrument(self, symbol: int = 0) -> Instrument:
        """The rules of a symbol."""
        return self.settings.instruments[self._known(symbol)]

    # One command at a time, for interactive use; each returns its events. Runs use `process`.

    def submit(
        self,
        order_id: int,
        side: Side,
        quantity: int,
        price: int | None = None,
        *,
        symbol: int = 0,
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        slide: bool = False,
        all_or_none: bool = False,
        display: int = 0,
        expiry: int = 0,
        owner: int = 0,
        self_trade: SelfTrade = SelfTrade.NONE,
    ) -> Events:
        """A limit order at `price`, or a market order where there is none. `docs/matching.md` says what each term does;
        `slide` includes `post_only`.
        """
        return self._one(
            wide_command(
                Kind.MARKET if price is None else Kind.LIMIT,
                order_id,
                side=side,
                price=price or 0,
                quantity=quantity,
                symbol=symbol,
                time_in_force=time_in_force,
                flags=(Flag.POST_ONLY * (post_only or slide) | Flag.SLIDE * slide | Flag.ALL_OR_NONE * all_or_none),
                display=display,
                expiry=expiry,
                owner=owner,
                self_trade=self_trade,
            )
        )

    def stop(
        self,
        order_id: int,
        side: Side,
        quantity: int,
        trigger: int,
        price: int | None = None,
        *,
        symbol: int = 0,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expiry: int = 0,
        owner: int = 0,
        self_trade: SelfTrade = SelfTrade.NONE,
    ) -> Events:
        """A stop that a trade at `trigger` or beyond makes a limit order at `price`, or a market order."""
        return self._one(
            wide_command(
                Kind.STOP if price is None else Kind.STOP_LIMIT,
                order_id,
                side=side,
                price=price or 0,
                quantity=quantity,
                symbol=symbol,
                time_in_force=time_in_force,
                trigger=trigger,
                expiry=expiry,
                owner=owner,
                self_trade=self_trade,
            )
        )

    def trailing_stop(
        self,
        order_id: int,
        side: Side,
        quantity: int,
        distance: int,
        *,
        basis_points: bool = False,
        symbol: int = 0,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expiry: int = 0,
        owner: int = 0,
        self_trade: SelfTrade = SelfTrade.NONE,
    ) -> Events:
        """A stop whose trigger follows the best trade price since it came, `distance` away: price units, or 1/10,000
        of that price with `basis_points`.
        """
        return self._one(
            wide_command(
                Kind.TRAILING_STOP,
                order_id,
                side=side,
                quantity=quantity,
                symbol=symbol,
                time_in_force=time_in_force,
                flags=Flag.TRAIL_BASIS_POINTS if basis_points else 0,
                trigger=distance,
                expiry=expiry,
                owner=owner,
                self_trade=self_trade,
            )
        )

    def set_clock(self, time: int) -> Events:
        """Move the engine's clock to `time`, in whatever unit the expiries are; good-till-date orders go when due."""
        return self._one(wide_command(Kind.CLOCK, quantity=time))

    def set_phase(self, phase: Phase, *, symbol: int = 0) -> Events:
        """Let a symbol enter a phase; `CONTINUOUS` uncrosses what was collected."""
        return self._one(wide_command(Kind.PHASE, quantity=phase, symbol=symbol))

    def cancel(self, order_id: int, *, symbol: int = 0) -> Events:
        """Take a resting order out of the book."""
        return self._one(wide_command(Kind.CANCEL, order_id, symbol=symbol))

    def reduce(self, order_id: int, quantity: int, *, symbol: int = 0) -> Events:
        """Take `quantity` off a resting order, which keeps its place."""
        return self._one(wide_command(Kind.REDUCE, order_id, quantity=quantity, symbol=symbol))

    def replace(self, order_id: int, quantity: int, price: int, *, symbol: int = 0, post_only: bool = False) -> Events:
        """Give a resting order a new remaining quantity and price; see the contract for what keeps its place."""
        flags = Flag.POST_ONLY if post_only else 0
        row = wide_command(Kind.REPLACE, order_id, price=price, quantity=quantity, symbol=symbol, flags=flags)
        return self._one(row)

    def _one(self, row: tuple[int, ...]) -> Events:
        try:
            record = np.array([row], dtype=WIDE_COMMAND)
        except OverflowError:
            raise CommandValueError(
                f"a command's number does not fit its field: {row} for {WIDE_COMMAND.names}; "
                "ids are uint64, prices and quantities int64, symbols uint32"
            ) from None
        return self.process(record)

    def _known(self, symbol: int) -> int:
        if not 0 <= symbol < len(self.settings.instruments):
            raise UnknownSymbolError(
                f"symbol {symbol} is unknown; this engine holds 0..{len(self.settings.instruments) - 1}"
            )
        return symbol


def checked_commands(commands: Commands) -> Commands:
    """`commands` itself if it can be executed as it lies in memory, else a `CommandArrayError`."""
    seen = getattr(commands, "dtype", None)
    if seen not in (COMMAND, WIDE_COMMAND):
        raise CommandArrayError(
            f"commands are {seen or type(commands).__name__}; make them an array of engine.COMMAND or WIDE_COMMAND"
        )
    if commands.ndim != 1 or not commands.flags.c_contiguous:
        raise CommandArrayError(
            f"commands have shape {commands.shape} and strides {commands.strides}; "
            "pass one dimension without gaps (numpy.ascontiguousarray)"
        )
    return commands
