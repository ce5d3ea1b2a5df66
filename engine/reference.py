"""The contract of the matching engine, in plain Python: the oracle of the native one, and the interpreted baseline.

What a command does
-------------------
Checks come in the order of `_why_not` below; the first that fails gives one REJECTED event with its reason, and
nothing changes. Otherwise:

LIMIT, MARKET  ACCEPTED, then a TRADE for each resting order hit (best price first, then oldest; at the resting
               order's price), then what remains rests (LIMIT and GTC), or is CANCELLED with IOC_REMAINDER or
               MARKET_REMAINDER. FOK trades whole or is rejected. POST_ONLY never trades on arrival.
CANCEL         CANCELLED. Reads order id and symbol only.
REDUCE         REDUCED by `quantity`; the order keeps its place, and is gone when nothing remains.
REPLACE        REPLACED: new price and new remaining quantity under the same id. Same price and no larger: keeps
               its place. Otherwise it is taken out and comes in again, trades included. The side stays.

What an event says
------------------
sequence  ordinal of the command since the engine was made, from 0
order_id  the order of the command; on TRADE the aggressor      maker_id  on TRADE the resting order, else 0
price     ACCEPTED, REPLACED: as asked; TRADE: the print; CANCELLED, REDUCED: the order's; REJECTED: the command's
quantity  ACCEPTED, REPLACED: as asked; TRADE: executed; CANCELLED, REDUCED: taken off; REJECTED: 0
remaining what the order has left afterwards                    maker_remaining  the same of the resting order
trade_id  on TRADE 1, 2, 3 ... since the engine was made        side  of the order; REJECTED: the command's byte
reason    why rejected or cancelled                             command  the command's `kind` byte
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from engine.contract import MatchingEngine, checked_commands
from engine.records import (
    EVENT,
    LEVEL,
    ORDER,
    QUANTITY_MAX,
    TRADE,
    Commands,
    EventKind,
    Events,
    Flag,
    Kind,
    Levels,
    Orders,
    Reason,
    Side,
    TimeInForce,
    Trades,
)
from engine.settings import Settings, WhenDry


@dataclass(slots=True)
class Order:
    """A resting order."""

    order_id: int
    side: int
    price: int
    quantity: int


@dataclass(slots=True)
class Ask:
    """A command, by name."""

    order_id: int
    price: int
    quantity: int
    symbol: int
    kind: int
    side: int
    time_in_force: int
    flags: int


_KINDS, _SIDES, _TIMES_IN_FORCE = frozenset(Kind), frozenset(Side), frozenset(TimeInForce)

Queue = dict[int, Order]
"""The orders of one level, oldest first: a dict keeps the order of insertion."""


class Ladder:
    """One side of one book: a queue for each live price, and the live prices, best first."""

    def __init__(self, side: int) -> None:
        self.sign = -1 if side == Side.BUY else 1
        self.queues: dict[int, Queue] = {}
        self.ranks: list[int] = []  # price * sign, ascending: the best price ranks first

    def queue(self, price: int) -> Queue:
        """The orders at a price; makes the level if there is none."""
        if price not in self.queues:
            self.queues[price] = {}
            insort(self.ranks, price * self.sign)
        return self.queues[price]

    def remove(self, order: Order) -> None:
        """Take an order out, and its level if it was the last."""
        queue = self.queues[order.price]
        del queue[order.order_id]
        if not queue:
            del self.queues[order.price]
            del self.ranks[bisect_left(self.ranks, order.price * self.sign)]

    def prices(self) -> Iterator[int]:
        """Live prices, best first."""
        return (rank * self.sign for rank in self.ranks)

    def reaches(self, limit: int | None) -> bool:
        """Whether an incoming order with this limit (None: market) meets the best price."""
        return bool(self.ranks) and (limit is None or self.ranks[0] <= limit * self.sign)


class Book:
    """One symbol: two ladders, and its live orders by id."""

    def __init__(self) -> None:
        self.ladders = (Ladder(Side.BUY), Ladder(Side.SELL))
        self.orders: dict[int, Order] = {}


class ReferenceEngine(MatchingEngine):
    """The same contract as `engine.Engine`; see the module's text. Slow and short on purpose."""

    def _open(self, settings: Settings) -> None:
        self.settings = settings
        self._books = [Book() for _ in self.settings.instruments]
        self._live = 0
        self._order_room = self.settings.orders
        self._trade_room = self.settings.trades
        self._tape: deque[tuple[int, int, int, int, int]] = deque()
        self._trade_id = 0
        self._sequence = 0
        self._events: list[tuple[int, ...]] = []

    def process(self, commands: Commands) -> Events:
        """See `MatchingEngine.process`."""
        rows = [event for row in checked_commands(commands).tolist() for event in self.execute(row)]
        events = np.zeros(len(rows), dtype=EVENT)  # the bytes behind the last field are zero, and are digested
        events[:] = rows
        return events

    def execute(self, row: tuple[int, ...]) -> list[tuple[int, ...]]:
        """One command as a tuple in the order of `COMMAND`; its events as tuples in the order of `EVENT`."""
        self._events = []
        self._execute(Ask(*row))
        self._sequence += 1
        return self._events

    # -- what commands do ---------------------------------------------------------------------------------------

    def _execute(self, ask: Ask) -> None:
        reason = self._why_not(ask)
        if reason:
            self._emit(EventKind.REJECTED, ask, ask.side, ask.price, 0, 0, reason=reason)
            return
        book = self._books[ask.symbol]
        order = book.orders.get(ask.order_id)
        if order is None:
            self._enter(ask, book)
        elif ask.kind == Kind.CANCEL:
            quantity = order.quantity
            self._take_off(order, book, quantity)
            self._emit(EventKind.CANCELLED, ask, order.side, order.price, quantity, 0, reason=Reason.REQUESTED)
        elif ask.kind == Kind.REDUCE:
            left = self._take_off(order, book, ask.quantity)
            self._emit(EventKind.REDUCED, ask, order.side, order.price, ask.quantity, left)
        else:
            self._replace(ask, order, book)

    def _enter(self, ask: Ask, book: Book) -> None:
        self._emit(EventKind.ACCEPTED, ask, ask.side, ask.price, ask.quantity, ask.quantity)
        left = self._match(ask, ask.side, book)
        if not left:
            return
        if self._rests(ask):
            self._rest(Order(ask.order_id, ask.side, ask.price, left), book)
        else:
            market = ask.kind == Kind.MARKET
            reason = Reason.MARKET_REMAINDER if market else Reason.IOC_REMAINDER
            self._emit(EventKind.CANCELLED, ask, ask.side, ask.price, left, 0, reason=reason)

    def _replace(self, ask: Ask, order: Order, book: Book) -> None:
        self._emit(EventKind.REPLACED, ask, order.side, ask.price, ask.quantity, ask.quantity)
        if self._keeps_place(ask, order):
            order.quantity = ask.quantity
            return
        self._take_off(order, book, order.quantity)
        left = self._match(ask, order.side, book)
        if left:
            self._rest(Order(ask.order_id, order.side, ask.price, left), book)

    def _match(self, ask: Ask, side: int, book: Book) -> int:
        """Trade against the other side; what is left of the order's quantity."""
        ladder = book.ladders[1 - side]
        left = ask.quantity
        for maker in self._makers(ladder, self._limit(ask)):
            if not left:
                break
            quantity = min(left, maker.quantity)
            left -= quantity
            price = self._print(maker, ask)
            maker_left = self._take_off(maker, book, quantity)
            self._trade_id += 1
            self._record((maker.order_id, ask.order_id, price, quantity, ask.symbol))
            self._emit(
                EventKind.TRADE,
                ask,
                side,
                price,
                quantity,
                left,
                maker_id=maker.order_id,
                maker_remaining=maker_left,
                trade_id=self._trade_id,
            )
        return left

    def _makers(self, ladder: Ladder, limit: int | None) -> Iterator[Order]:
        """Resting orders that an incoming one meets: best price first, then oldest; each gone before the next."""
        while ladder.reaches(limit):
            price = next(ladder.prices())
            yield next(iter(ladder.queues[price].values()))

    def _print(self, maker: Order, _taker: Ask) -> int:
        return maker.price

    def _rest(self, order: Order, book: Book) -> None:
        if self._live == self._order_room:
            self._order_room *= 2
        self._live += 1
        book.orders[order.order_id] = order
        book.ladders[order.side].queue(order.price)[order.order_id] = order

    def _take_off(self, order: Order, book: Book, quantity: int) -> int:
        """Take `quantity` off a resting order; what it has left. With nothing left it is gone."""
        order.quantity -= quantity
        if not order.quantity:
            book.ladders[order.side].remove(order)
            del book.orders[order.order_id]
            self._live -= 1
        return order.quantity

    # -- what is refused ----------------------------------------------------------------------------------------

    def _why_not(self, ask: Ask) -> Reason:
        """The first check that fails, or NONE."""
        if ask.kind not in _KINDS:
            return Reason.UNKNOWN_KIND
        if ask.symbol >= len(self._books):
            return Reason.UNKNOWN_SYMBOL
        if ask.kind in (Kind.LIMIT, Kind.MARKET):
            return self._why_not_enter(ask)
        return self._why_not_change(ask)

    def _why_not_enter(self, ask: Ask) -> Reason:
        book = self._books[ask.symbol]
        if ask.side not in _SIDES:
            return Reason.UNKNOWN_SIDE
        if ask.time_in_force not in _TIMES_IN_FORCE:
            return Reason.UNKNOWN_TIME_IN_FORCE
        if reason := self._why_not_terms(ask):
            return reason
        if ask.flags & Flag.POST_ONLY and not self._rests(ask):
            return Reason.POST_ONLY_CONFLICT
        if ask.order_id in book.orders:
            return Reason.DUPLICATE_ORDER_ID
        if self._rests(ask) and self._live >= self._order_room and self._refuses_orders():
            return Reason.ORDER_POOL_FULL
        if ask.time_in_force == TimeInForce.FOK and self._fillable(ask, ask.side) < ask.quantity:
            return Reason.FOK_NOT_FILLABLE
        return self._why_not_trade(ask, ask.side)

    def _why_not_change(self, ask: Ask) -> Reason:
        order = self._books[ask.symbol].orders.get(ask.order_id)
        if ask.kind == Kind.REPLACE and ask.time_in_force != TimeInForce.GTC:
            return Reason.UNKNOWN_TIME_IN_FORCE
        if ask.kind == Kind.REPLACE and (reason := self._why_not_terms(ask)):
            return reason
        if ask.kind == Kind.REDUCE and (reason := self._why_not_quantity(ask)):
            return reason
        if order is None:
            return Reason.UNKNOWN_ORDER_ID
        if ask.kind == Kind.REDUCE and ask.quantity > order.quantity:
            return Reason.REDUCE_EXCEEDS_REMAINING
        if ask.kind == Kind.REPLACE and not self._keeps_place(ask, order):
            return self._why_not_trade(ask, order.side)
        return Reason.NONE

    def _why_not_terms(self, ask: Ask) -> Reason:
        """Flags, quantity and price, each on its own."""
        rules = self.settings.instruments[ask.symbol]
        if ask.flags & ~Flag.POST_ONLY:
            return Reason.UNKNOWN_FLAG
        if reason := self._why_not_quantity(ask):
            return reason
        if ask.kind == Kind.MARKET:
            return Reason.PRICE_ON_MARKET_ORDER if ask.price else Reason.NONE
        if ask.price % rules.tick:
            return Reason.PRICE_OFF_TICK
        if not rules.price_min <= ask.price <= rules.price_max:
            return Reason.PRICE_OUTSIDE_BAND
        return Reason.NONE

    def _why_not_quantity(self, ask: Ask) -> Reason:
        if ask.quantity <= 0:
            return Reason.QUANTITY_NOT_POSITIVE
        if ask.quantity > QUANTITY_MAX:
            return Reason.QUANTITY_TOO_LARGE
        if ask.quantity % self.settings.instruments[ask.symbol].lot:
            return Reason.QUANTITY_OFF_LOT
        return Reason.NONE

    def _why_not_trade(self, ask: Ask, side: int) -> Reason:
        ladder = self._books[ask.symbol].ladders[1 - side]
        if ask.flags & Flag.POST_ONLY and ladder.reaches(self._limit(ask)):
            return Reason.POST_ONLY_WOULD_TRADE
        if self.settings.when_trades_dry is WhenDry.REFUSE:
            room = self.settings.trades - len(self._tape)
            if self._trades_needed(ask, side) > room:
                return Reason.TRADE_POOL_FULL
        return Reason.NONE

    def _refuses_orders(self) -> bool:
        return self.settings.when_orders_dry is WhenDry.REFUSE

    def _rests(self, ask: Ask) -> bool:
        return ask.kind != Kind.MARKET and ask.time_in_force == TimeInForce.GTC

    def _keeps_place(self, ask: Ask, order: Order) -> bool:
        return ask.price == order.price and ask.quantity <= order.quantity

    def _limit(self, ask: Ask) -> int | None:
        return None if ask.kind == Kind.MARKET else ask.price

    def _in_reach(self, ask: Ask, side: int) -> Iterator[Order]:
        ladder, limit = self._books[ask.symbol].ladders[1 - side], self._limit(ask)
        for price in ladder.prices():
            if limit is not None and price * ladder.sign > limit * ladder.sign:
                return
            yield from ladder.queues[price].values()

    def _fillable(self, ask: Ask, side: int) -> int:
        return sum(order.quantity for order in self._in_reach(ask, side))

    def _trades_needed(self, ask: Ask, side: int) -> int:
        left, needed = ask.quantity, 0
        for order in self._in_reach(ask, side):
            if left <= 0:
                break
            left -= order.quantity
            needed += 1
        return needed

    # -- what is told -------------------------------------------------------------------------------------------

    def _emit(
        self,
        kind: EventKind,
        ask: Ask,
        side: int,
        price: int,
        quantity: int,
        remaining: int,
        *,
        reason: Reason = Reason.NONE,
        maker_id: int = 0,
        maker_remaining: int = 0,
        trade_id: int = 0,
    ) -> None:
        self._events.append(
            (
                self._sequence,
                ask.order_id,
                maker_id,
                price,
                quantity,
                remaining,
                maker_remaining,
                ask.symbol,
                trade_id,
                kind,
                side,
                reason,
                ask.kind,
            )
        )

    def _record(self, trade: tuple[int, int, int, int, int]) -> None:
        if len(self._tape) == self._trade_room:
            if self.settings.when_trades_dry is WhenDry.RECYCLE:
                self._tape.popleft()
            else:
                self._trade_room *= 2
        self._tape.append(trade)

    # -- what can be asked --------------------------------------------------------------------------------------

    def _depth(self, side: Side, levels: int, symbol: int) -> Levels:
        ladder = self._books[symbol].ladders[side]
        rows = []
        for price in islice(ladder.prices(), levels):
            queue = ladder.queues[price]
            rows.append((price, sum(order.quantity for order in queue.values()), len(queue)))
        return np.array(rows, dtype=LEVEL)

    def _orders(self, symbol: int) -> Orders:
        rows = []
        for ladder in self._books[symbol].ladders:
            for price in ladder.prices():
                rows += [
                    (order.order_id, order.price, order.quantity, symbol, order.side)
                    for order in ladder.queues[price].values()
                ]
        return np.array(rows, dtype=ORDER)

    def trades(self) -> Trades:
        """See `MatchingEngine.trades`."""
        return np.array(list(self._tape), dtype=TRADE)

    def drain_trades(self) -> int:
        """See `MatchingEngine.drain_trades`."""
        held = len(self._tape)
        self._tape.clear()
        return held
