"""The reference engine: what `docs/matching.md` says, in plain Python. It is the oracle of the native engine, and the
interpreted baseline.

Each file is a layer that stands on the one before, down to what a command does: `book` (what is kept), `state` (what is
emitted), `stops`, `dry_run` (what an order would find), `matching`, `auction`, `validation` (what is rejected), and
this one. Slow and short on purpose.
"""

from __future__ import annotations

from itertools import islice

import numpy as np

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
from lowlat.engine.reference.book import RESTING_TIMES, Ask, Book, Order
from lowlat.engine.reference.validation import Checks


class ReferenceEngine(Checks, MatchingEngine):
    """The contract of `Engine` in plain Python: the oracle that it is compared with, some hundred times slower.

    It takes no memory in advance; its pools only count.
    """

    def process(self, commands: Commands) -> Events:
        """See `MatchingEngine.process`."""
        rows = [event for row in checked_commands(commands).tolist() for event in self.execute(row)]
        events = np.zeros(len(rows), dtype=EVENT)  # the bytes behind the last field are zero, and are digested
        events[:] = rows
        return events

    def execute(self, row: tuple[int, ...]) -> list[tuple[int, ...]]:
        """One command as a tuple in the order of `COMMAND` or `EXTENDED_COMMAND`; its events as tuples of `EVENT`."""
        self._events = []
        self._execute(Ask(*row))
        self._sequence += 1
        return self._events

    # -- what commands do ----------------------------------------------------------------------------------------

    def _execute(self, ask: Ask) -> None:
        self._command = ask.kind
        if reason := self._why_not(ask):
            self._reject(ask, reason)
            return
        book = self._books[ask.symbol]
        match ask.kind:
            case CommandType.CANCEL:
                self._cancel(book.orders[ask.order_id], book, Reason.REQUESTED)
            case CommandType.REDUCE:
                self._reduce(ask, book.orders[ask.order_id], book)
            case CommandType.REPLACE:
                self._replace(ask, book.orders[ask.order_id], book)
            case CommandType.ADVANCE_TIME:
                self._set_clock(ask)
                return
            case CommandType.PHASE:
                self._enter_phase(ask, book)
            case _:
                self._enter(ask, book)
        self._settle(book)

    def _enter(self, ask: Ask, book: Book) -> None:
        order = self._incoming(ask, book)
        self._tell(ExecType.ACCEPTED, order, order.price, ask.quantity)
        if ask.kind in STOP_KINDS:
            self._wait(order, book)
        else:
            self._come_in(order, book)

    def _reduce(self, ask: Ask, order: Order, book: Book) -> None:
        """The hidden part of an iceberg goes first."""
        order.reserve_quantity = max(order.reserve_quantity - ask.quantity, 0)
        self._take_off(order, book, ask.quantity)
        self._tell(ExecType.REDUCED, order, order.price, ask.quantity)

    def _replace(self, ask: Ask, order: Order, book: Book) -> None:
        price = self._rounded(ask.price, order.side, book)
        keeps_place = self._keeps_place(order, price, ask.quantity)
        if keeps_place:
            order.reserve_quantity = max(ask.quantity - order.shown, 0)
        else:
            self._take_out(order, book)
            order.reserve_quantity = 0
        order.price, order.quantity = price, ask.quantity
        self._tell(ExecType.REPLACED, order, price, ask.quantity)
        if not keeps_place:
            self._come_in(order, book)

    def _set_clock(self, ask: Ask) -> None:
        self.clock = ask.quantity
        self._emit(ExecType.ACCEPTED, ask.order_id, ask.symbol, 0, 0, 0, 0)
        while expired := [order for order in self._dated.values() if self._is_past(order)]:
            order = min(expired, key=lambda each: (each.terms.expiry, each.accepted))
            book = self._books[order.terms.symbol]
            self._cancel(order, book, Reason.EXPIRED)
            self._settle(book)

    def _is_past(self, order: Order) -> bool:
        return order.terms.expiry <= self.clock

    def _enter_phase(self, ask: Ask, book: Book) -> None:
        book.phase = TradingPhase(ask.quantity)
        self._emit(ExecType.ACCEPTED, ask.order_id, ask.symbol, 0, 0, 0, 0)
        if book.phase == TradingPhase.CONTINUOUS:
            self._uncross(book)
        elif book.phase == TradingPhase.CLOSED:
            for order in [order for ladder in (*book.ladders, *book.stops) for order in ladder.orders()]:
                if order.terms.time_in_force == TimeInForce.DAY:
                    self._cancel(order, book, Reason.EXPIRED)

    # -- what follows from them ----------------------------------------------------------------------------------

    def _come_in(self, order: Order, book: Book) -> None:
        """Trade, then rest with what is left, or lose it."""
        self._match(order, book)
        if order.quantity and self._rests(order):
            self._rest(order, book)
        elif order.quantity:
            self._drop(order, Reason.MARKET_REMAINDER if order.limit is None else Reason.IOC_REMAINDER)

    def _rests(self, order: Order) -> bool:
        return order.limit is not None and order.terms.time_in_force in RESTING_TIMES

    def _settle(self, book: Book) -> None:
        """Stops that are due, then all-or-none orders that can trade now, until there are neither."""
        while book.due or book.all_or_none:
            if book.due:
                self._carry_out(self._next_due(book), book)
            elif order := self._ready(book):
                self._take_out(order, book)
                self._tell(ExecType.TRIGGERED, order, order.price, order.quantity)
                self._come_in(order, book)
            else:
                return

    def _next_due(self, book: Book) -> Order:
        return book.due.popleft()

    def _carry_out(self, order: Order, book: Book) -> None:
        self._forget(order, book)
        self._tell(ExecType.TRIGGERED, order, order.trigger, order.quantity)
        if not self._tape_refuses() or self._has_trade_room(self._reach(order, book).records):
            self._come_in(order, book)
        else:
            self._drop(order, Reason.TRADE_POOL_FULL)

    def _ready(self, book: Book) -> Order | None:
        """The first all-or-none order that can trade whole now."""
        if book.phase != TradingPhase.CONTINUOUS:
            return None
        across = (order for side in Side for order in book.across(side) if order.all_or_none)
        return next((order for order in across if self._can_trade(order, book)), None)

    def _can_trade(self, order: Order, book: Book) -> bool:
        found = self._reach(order, book)
        return found.whole and self._has_trade_room(found.records)

    # -- what can be asked ---------------------------------------------------------------------------------------

    def _depth(self, side: Side, levels: int, symbol: int) -> Levels:
        ladder = self._books[symbol].ladders[side]
        rows = []
        for price in islice(ladder.prices(), levels):
            queue = ladder.queues[price]
            rows.append((price, sum(order.shown for order in queue.values()), len(queue)))
        return np.array(rows, dtype=LEVEL)

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
        return np.array(rows, dtype=ORDER)

    def _stops(self, symbol: int) -> Stops:
        rows = [
            (order.order_id, order.price, order.trigger, order.quantity, symbol, order.terms.kind, order.side)
            for ladder in self._books[symbol].stops
            for order in ladder.orders()
        ]
        return np.array(rows, dtype=STOP)

    def _indicative(self, symbol: int) -> AuctionIndicative | None:
        return self._clearing(self._books[symbol])

    def trades(self) -> Trades:
        """See `MatchingEngine.trades`."""
        return np.array(list(self._tape), dtype=TRADE)

    def drain_trades(self) -> int:
        """See `MatchingEngine.drain_trades`."""
        held = len(self._tape)
        self._tape.clear()
        return held
