"""The interface of every matching engine of this package, native and reference."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from lowlat.arguments import checked_flag
from lowlat.engine import _core
from lowlat.engine.matching.aligned import aligned_copy, is_masked
from lowlat.engine.matching.arguments import checked_levels, checked_side, checked_symbol
from lowlat.engine.matching.commands import one_command
from lowlat.engine.matching.config import ORDERS, EngineConfig
from lowlat.engine.matching.instrument import Instrument, instruments
from lowlat.engine.matching.records import (
    COMMAND,
    EXTENDED_COMMAND,
    ORDERS_MAX,
    Commands,
    CommandType,
    Events,
    ExecInst,
    Levels,
    Orders,
    PoolPolicy,
    SelfTradePrevention,
    Side,
    Stops,
    TimeInForce,
    Trades,
    TradingPhase,
)
from lowlat.errors import ArrayError, UsageError
from lowlat.text import shown


@dataclass(frozen=True, slots=True)
class TopOfBook:
    """Best bid and ask of a book: price and the level's quantity, None if a side is empty."""

    bid: int | None
    bid_quantity: int | None
    ask: int | None
    ask_quantity: int | None


@dataclass(frozen=True, slots=True)
class AuctionIndicative:
    """What an uncross would do now: its price, its volume in lots, and buy minus sell quantity at that price."""

    price: int
    volume: int
    imbalance: int


class Executes(Protocol):
    """Whatever gives the events of commands."""

    def process(self, commands: Commands) -> Events:
        """As `MatchingEngine.process`."""


class MatchingEngine(ABC):
    """A limit-order-book matching engine of one or many symbols. `docs/matching.md` states the contract.

    Symbols are numbered from 0. Prices are integers in a symbol's price unit, quantities are integers in lots. Queries
    read the live book; all raise `UsageError` for an unknown symbol.
    """

    settings: EngineConfig

    def __init__(
        self,
        symbols: int | Sequence[Instrument] = 1,
        *,
        orders: int = ORDERS,
        trades: int = 100_000,
        when_orders_dry: PoolPolicy = PoolPolicy.REJECT,
        when_trades_dry: PoolPolicy = PoolPolicy.RECYCLE,
    ) -> None:
        """Make an engine with empty books.

        `symbols`: how many (1 to 65,536), or their `Instrument` rules. `orders`: capacity for resting and waiting
        orders over all symbols, 1 to 2^30. `trades`: capacity of the trade tape in records, 1 to 2^32.
        `when_orders_dry`, `when_trades_dry`: what happens on exhaustion, see `PoolPolicy`. Raises `UsageError` for
        sizes out of range, `MemoryError` if the system does not have enough memory.
        """
        self._open(EngineConfig(instruments(symbols), orders, trades, when_orders_dry, when_trades_dry))

    @classmethod
    def of(cls, settings: EngineConfig) -> Self:
        """Make an engine with `settings`. Raises what the constructor does."""
        if not isinstance(settings, EngineConfig):
            raise UsageError(f"settings: {shown(settings)} is not an EngineConfig")
        engine = cls.__new__(cls)
        engine._open(settings)
        return engine

    @abstractmethod
    def _open(self, settings: EngineConfig) -> None: ...

    @abstractmethod
    def process(self, commands: Commands) -> Events:
        """Execute commands in order: a contiguous array of `COMMAND` or `EXTENDED_COMMAND`, shape (n,).

        Returns an `EVENT` array of shape (m,), m >= n: each command emits at least one event. A command that cannot be
        executed emits `ExecType.REJECTED` with a `Reason`, and changes nothing. Raises `ArrayError` for another
        dtype, shape or layout and for a masked array, before any command is executed.
        """

    @abstractmethod
    def _depth(self, side: Side, levels: int, symbol: int) -> Levels: ...

    @abstractmethod
    def _orders(self, symbol: int) -> Orders: ...

    @abstractmethod
    def _stops(self, symbol: int) -> Stops: ...

    @abstractmethod
    def _indicative(self, symbol: int) -> AuctionIndicative | None: ...

    @abstractmethod
    def trades(self) -> Trades:
        """The records on the trade tape, oldest first: a `TRADE` array, shape (n,), n <= `settings.trades`."""

    @abstractmethod
    def drain_trades(self) -> int:
        """Release the records on the trade tape. Returns how many there were."""

    def depth(self, side: Side, levels: int, symbol: int = 0) -> Levels:
        """The best price levels of a side, best first: a `LEVEL` array, shape (n,), n <= `levels`.

        Raises `UsageError` if `side` is not a `Side`, or `levels` not an integer.
        """
        return self._depth(*checked_depth(side, levels), self._known(symbol))

    def orders(self, symbol: int = 0) -> Orders:
        """All resting orders (level 3): an `ORDER` array, shape (n,).

        Bids best first, then asks best first; in queue order within a level.
        """
        return self._orders(self._known(symbol))

    def stops(self, symbol: int = 0) -> Stops:
        """All waiting stops: a `STOP` array, shape (n,).

        Buys with the lowest trigger first, then sells with the highest first; oldest first at one trigger.
        """
        return self._stops(self._known(symbol))

    def indicative(self, symbol: int = 0) -> AuctionIndicative | None:
        """What an uncross would do now, in any phase; None if nothing would trade."""
        return self._indicative(self._known(symbol))

    def best(self, symbol: int = 0) -> TopOfBook:
        """Best bid and ask with their quantities."""
        sides: list[int | None] = []
        for side in Side:
            top = self.depth(side, 1, symbol)
            sides += [int(top[0]["price"]), int(top[0]["quantity"])] if len(top) else [None, None]
        return TopOfBook(*sides)

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
        price_slide: bool = False,
        all_or_none: bool = False,
        display_quantity: int = 0,
        expiry: int = 0,
        participant_id: int = 0,
        self_trade: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> Events:
        """Enter a limit order at `price`, or a market order without one. Returns its events, an `EVENT` array.

        `price` is in price units, `quantity` and `display_quantity` in lots. `expiry`: for a `TimeInForce.GTD` order,
        on the clock of `advance_time`. `participant_id`: 0 for nobody. `price_slide` implies `post_only`.
        `docs/matching.md` specifies each. Raises `UsageError` for a number that is not an integer or does not fit its
        field, and for a flag that is neither True nor False, as do all methods that enter or change an order.
        """
        flags = 0
        if post_only is not False or price_slide is not False or all_or_none is not False:
            flags = _entry_flags(post_only, price_slide, all_or_none)
        return self._one(
            CommandType.MARKET if price is None else CommandType.LIMIT,
            order_id,
            side=side,
            price=0 if price is None else price,
            quantity=quantity,
            symbol=symbol,
            time_in_force=time_in_force,
            flags=flags,
            display_quantity=display_quantity,
            expiry=expiry,
            participant_id=participant_id,
            self_trade=self_trade,
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
        participant_id: int = 0,
        self_trade: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> Events:
        """Enter a stop: a trade at `trigger` or beyond turns it into a limit order at `price`, or a market order.

        Returns its events. Units are those of `submit`.
        """
        return self._one(
            CommandType.STOP if price is None else CommandType.STOP_LIMIT,
            order_id,
            side=side,
            price=0 if price is None else price,
            quantity=quantity,
            symbol=symbol,
            time_in_force=time_in_force,
            trigger=trigger,
            expiry=expiry,
            participant_id=participant_id,
            self_trade=self_trade,
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
        participant_id: int = 0,
        self_trade: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> Events:
        """Enter a stop whose trigger follows the best trade price since its entry at a `distance`.

        `distance` is in price units, or with `basis_points` in 1/10,000 of that price. Returns its events.
        """
        return self._one(
            CommandType.TRAILING_STOP,
            order_id,
            side=side,
            quantity=quantity,
            symbol=symbol,
            time_in_force=time_in_force,
            flags=ExecInst.TRAIL_BASIS_POINTS if checked_flag("basis_points", basis_points) else 0,
            trigger=distance,
            expiry=expiry,
            participant_id=participant_id,
            self_trade=self_trade,
        )

    def advance_time(self, time: int) -> Events:
        """Advance the engine's clock to `time`, in the unit of `expiry`. Returns the events of expired orders."""
        return self._one(CommandType.ADVANCE_TIME, quantity=time)

    def set_phase(self, phase: TradingPhase, *, symbol: int = 0) -> Events:
        """Move a symbol to a phase; `TradingPhase.CONTINUOUS` uncrosses the collected orders. Returns the events."""
        return self._one(CommandType.PHASE, quantity=phase, symbol=symbol)

    def cancel(self, order_id: int, *, symbol: int = 0) -> Events:
        """Cancel a resting or waiting order. Returns its events."""
        return self._one(CommandType.CANCEL, order_id, symbol=symbol)

    def reduce(self, order_id: int, quantity: int, *, symbol: int = 0) -> Events:
        """Reduce an order by `quantity` lots; it keeps its place in the queue. Returns its events."""
        return self._one(CommandType.REDUCE, order_id, quantity=quantity, symbol=symbol)

    def replace(self, order_id: int, quantity: int, price: int, *, symbol: int = 0, post_only: bool = False) -> Events:
        """Give a resting order a new remaining quantity and price. Returns its events.

        If the price is unchanged and the quantity does not grow, it keeps its place in the queue; otherwise it is
        entered again.
        """
        flags = ExecInst.POST_ONLY if checked_flag("post_only", post_only) else 0
        return self._one(CommandType.REPLACE, order_id, price=price, quantity=quantity, symbol=symbol, flags=flags)

    def _one(
        self,
        kind: CommandType,
        order_id: int = 0,
        *,
        side: Side = Side.BUY,
        price: int = 0,
        quantity: int = 0,
        symbol: int = 0,
        time_in_force: TimeInForce = TimeInForce.GTC,
        flags: int = 0,
        trigger: int = 0,
        expiry: int = 0,
        display_quantity: int = 0,
        participant_id: int = 0,
        self_trade: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> Events:
        row = (
            order_id,
            price,
            quantity,
            symbol,
            kind,
            side,
            time_in_force,
            flags,
            trigger,
            expiry,
            display_quantity,
            participant_id,
            self_trade,
        )
        return self.process(one_command(row))

    def _known(self, symbol: int) -> int:
        return checked_symbol(symbol, len(self.settings.instruments))


def _entry_flags(post_only: bool, price_slide: bool, all_or_none: bool) -> int:
    """Return the `ExecInst` flags of an order. Raises `UsageError` for what is neither True nor False."""
    flags = ExecInst.POST_ONLY if checked_flag("post_only", post_only) else 0
    if checked_flag("price_slide", price_slide):
        flags |= ExecInst.POST_ONLY | ExecInst.PRICE_SLIDE
    return flags | (ExecInst.ALL_OR_NONE if checked_flag("all_or_none", all_or_none) else 0)


def checked_depth(side: Side, levels: int) -> tuple[Side, int]:
    """Return what `depth` is asked for, as many levels as there can be at most.

    Raises `UsageError` if `side` is not a `Side`, or `levels` not an integer.
    """
    # No book has more levels than orders can rest.
    return checked_side(side), checked_levels(levels, ORDERS_MAX)


def checked_commands(commands: Commands) -> Commands:
    """Return `commands`, or a copy if its records are not aligned, as an array that can be executed in place.

    Raises `ArrayError` for what is no such array.
    """
    if _core.is_in_place(commands):
        return commands
    seen = getattr(commands, "dtype", None)
    if seen not in (COMMAND, EXTENDED_COMMAND):
        raise ArrayError(
            f"commands are {seen or type(commands).__name__}; make them an array of engine.COMMAND or EXTENDED_COMMAND"
        )
    if is_masked(commands):
        raise ArrayError("commands are a masked array, whose masked records would be executed too; pass .compressed()")
    if commands.ndim != 1 or not commands.flags.c_contiguous:
        raise ArrayError(
            f"commands have shape {commands.shape} and strides {commands.strides}; "
            "pass one dimension without gaps (numpy.ascontiguousarray)"
        )
    plain = np.asarray(commands)
    return plain if _core.is_in_place(plain) else aligned_copy(plain)
