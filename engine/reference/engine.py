"""The reference engine: `docs/matching.md` in plain Python. It is the oracle of the native engine and the interpreted
baseline.

Each file is a layer on the previous one: `book` (orders and queues), `state` (pools, tape and events), `stops`,
`dry_run` (what an order would trade with), `matching`, `auction`, `validation` (why a command is rejected), and this
file (what each command does). It is slow and short on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.matching.interface import AuctionIndicative, MatchingEngine, checked_commands
from lowlat.engine.matching.records import (
    EVENT,
    LEVEL,
    ORDER,
    STOP,
    STOP_KINDS,
    TRADE,
    Commands,
    CommandType,
    Events,
    ExecInst,
    ExecType,
    Levels,
    Orders,
    Reason,
    Side,
    Stops,
    TimeInForce,
    Trades,
    TradingPhase,
)
from lowlat.engine.reference.book import RESTING_TIMES, Book, Command, Order
from lowlat.engine.reference.validation import Validation
from lowlat.errors import UsageError
from lowlat.text import shown


class ReferenceEngine(Validation, MatchingEngine):
    """The contract of `Engine` in plain Python, as its oracle; about a hundred times slower.

    It preallocates no memory; its pools are only counters.
    """

    def __copy__(self) -> NoReturn:
        """A shallow copy would share its books."""
        raise UsageError("a copy.copy of this ReferenceEngine would share its books; use copy.deepcopy")

    def process(self, commands: Commands) -> Events:
        """See `MatchingEngine.process`."""
        return _records([event for row in checked_commands(commands).tolist() for event in self.execute(row)], EVENT)

    def execute(self, row: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Execute one command, a tuple of `COMMAND` or `EXTENDED_COMMAND` fields; its events as tuples of `EVENT`.

        For loops that are measured: the fields have to be integers of their ranges, as `process` makes sure. Raises
        `UsageError` for another number of fields.
        """
        try:
            command = Command(*row)
        except TypeError as error:
            raise UsageError(f"{shown(row)} is not the fields of a command") from error
        self._events = []
        self._execute(command)
        self._sequence += 1
        return self._events

    # -- what commands do ----------------------------------------------------------------------------------------

    def _execute(self, command: Command) -> None:
        self._command = command.kind
        if reason := self._check(command):
            self._reject(command, reason)
            return
        book = self._books[command.symbol]
        match command.kind:
            case CommandType.CANCEL:
                self._cancel(book.orders[command.order_id], book, Reason.REQUESTED)
            case CommandType.REDUCE:
                self._reduce(command, book.orders[command.order_id], book)
            case CommandType.REPLACE:
                self._replace(command, book.orders[command.order_id], book)
            case CommandType.ADVANCE_TIME:
                self._advance_time(command)
                return
            case CommandType.PHASE:
                self._enter_phase(command, book)
            case _:
                self._enter(command, book)
        self._settle(book)

    def _enter(self, command: Command, book: Book) -> None:
        order = self._make_order(command, book)
        self._emit_order(ExecType.ACCEPTED, order, order.price, command.quantity)
        if command.kind in STOP_KINDS:
            self._add_stop(order, book)
        else:
            self._match_and_rest(order, book)

    def _reduce(self, command: Command, order: Order, book: Book) -> None:
        """Reduce an order; an iceberg's hidden part first."""
        order.reserve_quantity = max(order.reserve_quantity - command.quantity, 0)
        self._deduct(order, book, command.quantity)
        self._emit_order(ExecType.REDUCED, order, order.price, command.quantity)

    def _replace(self, command: Command, order: Order, book: Book) -> None:
        price = self._round_price(command.price, order.side, book)
        keeps_place = self._keeps_priority(order, price, command.quantity)
        if keeps_place:
            order.reserve_quantity = max(command.quantity - order.shown, 0)
        else:
            self._remove(order, book)
            order.reserve_quantity = 0
        order.price, order.quantity = price, command.quantity
        self._emit_order(ExecType.REPLACED, order, price, command.quantity)
        if not keeps_place:
            self._match_and_rest(order, book)

    def _advance_time(self, command: Command) -> None:
        self.clock = command.quantity
        self._emit(ExecType.ACCEPTED, command.order_id, command.symbol, 0, 0, 0, 0)
        while expired := [order for order in self._expiring.values() if self._is_expired(order)]:
            order = min(expired, key=lambda each: (each.command.expiry, each.accepted))
            book = self._books[order.command.symbol]
            self._cancel(order, book, Reason.EXPIRED)
            self._settle(book)

    def _is_expired(self, order: Order) -> bool:
        return order.command.expiry <= self.clock

    def _enter_phase(self, command: Command, book: Book) -> None:
        book.phase = TradingPhase(command.quantity)
        self._emit(ExecType.ACCEPTED, command.order_id, command.symbol, 0, 0, 0, 0)
        if book.phase == TradingPhase.CONTINUOUS:
            self._uncross(book)
        elif book.phase == TradingPhase.CLOSED:
            for order in [order for ladder in (*book.ladders, *book.stops) for order in ladder.orders()]:
                if order.command.time_in_force == TimeInForce.DAY:
                    self._cancel(order, book, Reason.EXPIRED)

    # -- what follows from them ----------------------------------------------------------------------------------

    def _match_and_rest(self, order: Order, book: Book) -> None:
        """Trade, then rest the remainder or cancel it."""
        self._match(order, book)
        if order.quantity and self._rests(order):
            self._rest(order, book)
        elif order.quantity:
            self._cancel_rest(order, Reason.MARKET_REMAINDER if order.limit is None else Reason.IOC_REMAINDER)

    def _rests(self, order: Order) -> bool:
        return order.limit is not None and order.command.time_in_force in RESTING_TIMES

    def _settle(self, book: Book) -> None:
        """Execute due stops, then all-or-none orders that can trade now, until there are none of either."""
        while book.due or book.all_or_none:
            if book.due:
                self._trigger(self._next_due(book), book)
            elif order := self._next_fillable(book):
                self._remove(order, book)
                self._emit_order(ExecType.TRIGGERED, order, order.price, order.quantity)
                self._match_and_rest(order, book)
            else:
                return

    def _next_due(self, book: Book) -> Order:
        return book.due.popleft()

    def _trigger(self, order: Order, book: Book) -> None:
        self._unregister(order, book)
        self._emit_order(ExecType.TRIGGERED, order, order.trigger, order.quantity)
        if not self._tape_refuses() or self._has_trade_room(self._reach(order, book).records):
            self._match_and_rest(order, book)
        else:
            self._cancel_rest(order, Reason.TRADE_POOL_FULL)

    def _next_fillable(self, book: Book) -> Order | None:
        """The first all-or-none order that can fill completely now."""
        if book.phase != TradingPhase.CONTINUOUS:
            return None
        across = (order for side in Side for order in book.across(side) if order.all_or_none)
        return next((order for order in across if self._can_trade(order, book)), None)

    def _can_trade(self, order: Order, book: Book) -> bool:
        found = self._reach(order, book)
        return found.whole and self._has_trade_room(found.records)

    # -- queries -------------------------------------------------------------------------------------------------

    def _depth(self, side: Side, levels: int, symbol: int) -> Levels:
        ladder = self._books[symbol].ladders[side]
        rows = []
        for price in islice(ladder.prices(), levels):
            queue = ladder.queues[price]
            rows.append((price, sum(order.shown for order in queue.values()), len(queue)))
        return _records(rows, LEVEL)

    def _orders(self, symbol: int) -> Orders:
        rows = [
            (
                order.order_id,
                order.price,
                order.shown,
                symbol,
                order.side,
                ExecInst.ALL_OR_NONE if order.all_or_none else 0,
                order.reserve_quantity,
            )
            for ladder in self._books[symbol].ladders
            for order in ladder.orders()
        ]
        return _records(rows, ORDER)

    def _stops(self, symbol: int) -> Stops:
        rows = [
            (order.order_id, order.price, order.trigger, order.quantity, symbol, order.command.kind, order.side)
            for ladder in self._books[symbol].stops
            for order in ladder.orders()
        ]
        return _records(rows, STOP)

    def _indicative(self, symbol: int) -> AuctionIndicative | None:
        return self._clearing(self._books[symbol])

    def trades(self) -> Trades:
        """See `MatchingEngine.trades`."""
        return _records(list(self._tape), TRADE)

    def drain_trades(self) -> int:
        """See `MatchingEngine.drain_trades`."""
        held = len(self._tape)
        self._tape.clear()
        return held


def _records(rows: Sequence[tuple[int, ...]], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Zeros first: padding is part of the digest of events, and of what two books of the same orders have in common."""
    records = np.zeros(len(rows), dtype)
    records[:] = rows
    return records
