"""What every matching engine of this package offers; the native and the reference engine differ in how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from lowlat.engine.matching.config import EngineConfig, PoolPolicy
from lowlat.engine.matching.instrument import Instrument, instruments
from lowlat.engine.matching.records import (
    COMMAND,
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    CommandValueError,
    Events,
    ExecInst,
    Levels,
    Orders,
    SelfTradePrevention,
    Side,
    Stops,
    TimeInForce,
    Trades,
    TradingPhase,
    extended_command,
)
from lowlat.errors import LowlatError


class UnknownSymbolError(LowlatError):
    """A query names a symbol that the engine does not hold."""


class UnknownSideError(LowlatError):
    """A query names a side that there is not."""


class CommandArrayError(LowlatError):
    """An array that is not a contiguous, one-dimensional array of `COMMAND` or `EXTENDED_COMMAND` records."""


@dataclass(frozen=True, slots=True)
class TopOfBook:
    """Best bid and ask of a book: price and the level's quantity, None where a side is empty."""

    bid: int | None
    bid_quantity: int | None
    ask: int | None
    ask_quantity: int | None


@dataclass(frozen=True, slots=True)
class AuctionIndicative:
    """What an uncross would do now: its price, the volume it trades, and buy less sell quantity at that price."""

    price: int
    volume: int
    imbalance: int


class MatchingEngine(ABC):
    """A limit-order-book matching engine of one or many symbols. `docs/matching.md` states the contract."""

    settings: EngineConfig

    def __init__(
        self,
        symbols: int | Sequence[Instrument] = 1,
        *,
        orders: int = 50_000,
        trades: int = 100_000,
        when_orders_dry: PoolPolicy = PoolPolicy.REFUSE,
        when_trades_dry: PoolPolicy = PoolPolicy.RECYCLE,
    ) -> None:
        """Make an engine with empty books.

        `symbols`: how many, or their `Instrument` rules. `orders`: resting orders it has room for. `trades`: records
        on the trade tape. `when_orders_dry`, `when_trades_dry`: see `PoolPolicy`. Raises `UsageError` for sizes out of
        range, `MemoryError` when the system has not that much.
        """
        self._open(EngineConfig(instruments(symbols), orders, trades, when_orders_dry, when_trades_dry))

    @classmethod
    def of(cls, settings: EngineConfig) -> Self:
        """An engine sized by `settings`."""
        engine = cls.__new__(cls)
        engine._open(settings)
        return engine

    @abstractmethod
    def _open(self, settings: EngineConfig) -> None: ...

    @abstractmethod
    def process(self, commands: Commands) -> Events:
        """Execute an array of `COMMAND` or `EXTENDED_COMMAND`, contiguous, shape (n,), in order; returns `EVENT`s.

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
    def _indicative(self, symbol: int) -> AuctionIndicative | None: ...

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

    def indicative(self, symbol: int = 0) -> AuctionIndicative | None:
        """What an uncross would do now, in any phase; None where nothing would trade."""
        return self._indicative(self._known(symbol))

    def best(self, symbol: int = 0) -> TopOfBook:
        """Best bid and ask."""
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
        """A limit order at `price`, or a market order where there is none. `docs/matching.md` says what each term does;
        `price_slide` includes `post_only`.
        """
        return self._one(
            extended_command(
                CommandType.MARKET if price is None else CommandType.LIMIT,
                order_id,
                side=side,
                price=price or 0,
                quantity=quantity,
                symbol=symbol,
                time_in_force=time_in_force,
                flags=(
                    ExecInst.POST_ONLY * (post_only or price_slide)
                    | ExecInst.PRICE_SLIDE * price_slide
                    | ExecInst.ALL_OR_NONE * all_or_none
                ),
                display_quantity=display_quantity,
                expiry=expiry,
                participant_id=participant_id,
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
        participant_id: int = 0,
        self_trade: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> Events:
        """A stop that a trade at `trigger` or beyond makes a limit order at `price`, or a market order."""
        return self._one(
            extended_command(
                CommandType.STOP if price is None else CommandType.STOP_LIMIT,
                order_id,
                side=side,
                price=price or 0,
                quantity=quantity,
                symbol=symbol,
                time_in_force=time_in_force,
                trigger=trigger,
                expiry=expiry,
                participant_id=participant_id,
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
        participant_id: int = 0,
        self_trade: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> Events:
        """A stop whose trigger follows the best trade price since it came, `distance` away: price units, or 1/10,000
        of that price with `basis_points`.
        """
        return self._one(
            extended_command(
                CommandType.TRAILING_STOP,
                order_id,
                side=side,
                quantity=quantity,
                symbol=symbol,
                time_in_force=time_in_force,
                flags=ExecInst.TRAIL_BASIS_POINTS if basis_points else 0,
                trigger=distance,
                expiry=expiry,
                participant_id=participant_id,
                self_trade=self_trade,
            )
        )

    def advance_time(self, time: int) -> Events:
        """Move the engine's clock to `time`, in whatever unit the expiries are; good-till-date orders go when due."""
        return self._one(extended_command(CommandType.ADVANCE_TIME, quantity=time))

    def set_phase(self, phase: TradingPhase, *, symbol: int = 0) -> Events:
        """Let a symbol enter a phase; `CONTINUOUS` uncrosses what was collected."""
        return self._one(extended_command(CommandType.PHASE, quantity=phase, symbol=symbol))

    def cancel(self, order_id: int, *, symbol: int = 0) -> Events:
        """Take a resting order out of the book."""
        return self._one(extended_command(CommandType.CANCEL, order_id, symbol=symbol))

    def reduce(self, order_id: int, quantity: int, *, symbol: int = 0) -> Events:
        """Take `quantity` off a resting order, which keeps its place."""
        return self._one(extended_command(CommandType.REDUCE, order_id, quantity=quantity, symbol=symbol))

    def replace(self, order_id: int, quantity: int, price: int, *, symbol: int = 0, post_only: bool = False) -> Events:
        """Give a resting order a new remaining quantity and price; see the contract for what keeps its place."""
        flags = ExecInst.POST_ONLY if post_only else 0
        row = extended_command(
            CommandType.REPLACE, order_id, price=price, quantity=quantity, symbol=symbol, flags=flags
        )
        return self._one(row)

    def _one(self, row: tuple[int, ...]) -> Events:
        try:
            record = np.array([row], dtype=EXTENDED_COMMAND)
        except OverflowError:
            raise CommandValueError(
                f"a command's number does not fit its field: {row} for {EXTENDED_COMMAND.names}; "
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
    if seen not in (COMMAND, EXTENDED_COMMAND):
        raise CommandArrayError(
            f"commands are {seen or type(commands).__name__}; make them an array of engine.COMMAND or EXTENDED_COMMAND"
        )
    if commands.ndim != 1 or not commands.flags.c_contiguous:
        raise CommandArrayError(
            f"commands have shape {commands.shape} and strides {commands.strides}; "
            "pass one dimension without gaps (numpy.ascontiguousarray)"
        )
    return commands
