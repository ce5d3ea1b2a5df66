"""One symbol's events, one by one, as changes of its market: the walk that the native one must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Final

from lowlat.engine.feed.records import OrderAction, OrderEventFlag
from lowlat.engine.flow.recording.changes import (
    BUST,
    CROSS,
    ELSEWHERE,
    HIDDEN,
    NO_ORDER,
    REFILLED,
    UNKNOWN_ACTION,
    UNKNOWN_ORDER,
    UNKNOWN_PHASE,
    Changes,
)
from lowlat.engine.flow.recording.columns import EventColumns
from lowlat.engine.flow.recording.lives import lives_of
from lowlat.engine.flow.recording.model import Bursts, Ints, RecordedAuction
from lowlat.engine.flow.recording.quantities import too_much
from lowlat.engine.flow.recording.venue_book import VenueBook
from lowlat.engine.matching.records import QUANTITY_MAX, TradingPhase
from tests.plain_recording.auctions import AuctionRecorder
from tests.plain_recording.bursts import BurstRecorder, Execution, Incoming
from tests.plain_recording.command_log import CommandLog
from tests.plain_recording.market import CONTINUOUS, RecordedMarket
from tests.plain_recording.undisplayed import UndisplayedOrders

_NO_COMMAND: Final[Mapping[int, str]] = {OrderAction.TRADE: HIDDEN, OrderAction.CROSS: CROSS, OrderAction.BUST: BUST}
_PHASES: Final = frozenset(TradingPhase)


def events_of(columns: EventColumns) -> Iterator[tuple[int, int, int, int, int, int, int, int, int]]:
    """Index, action, order id, price, quantity, side, flags, time and other id of each event."""
    names = ("action", "order_id", "price", "quantity", "side", "flags", "time_ns", "other_id")
    yield from zip(range(len(columns)), *(getattr(columns, name).tolist() for name in names), strict=True)


class Walk:
    """Goes through one symbol's events once."""

    def __init__(
        self, events: EventColumns, changes: Changes, path: Path, *, by_arrival: bool, book: VenueBook | None
    ) -> None:
        lives = lives_of(events, by_arrival=by_arrival)
        self.events = events
        self.market = RecordedMarket(events, lives, changes, by_arrival=by_arrival)
        self.bursts = BurstRecorder(self.market, path, events.row, events.largest_id() + 1)
        self.auctions = AuctionRecorder(self.market)
        self._changes = changes
        self._entering = [
            (order.index, n, order) for n, order in enumerate(lives.unseen) if order.quantity and order.price
        ]
        for order in lives.unseen:
            if order.quantity > QUANTITY_MAX:
                whose = f"the executions and cancels of order {order.order_id} sum to {order.quantity}"
                raise too_much(path, int(events.row[order.first]), whose)
        heapify(self._entering)
        changes.never_added += len(self._entering)
        self._aggressors = events.aggressors()
        self._undisplayed = UndisplayedOrders(book, self.market) if book is not None else None
        self._reached = -1

    def run(self, walked: Callable[[int], None]) -> None:
        """Go through all events; `walked` is told how many are done. Raises `InputError` if the executions of a burst
        sum to more than an order holds.
        """
        market, bursts, auctions, entering = self.market, self.bursts, self.auctions, self._entering
        done, handlers = market.done, self._handlers()
        for index, action, order_id, price, quantity, side, flags, time, other in events_of(self.events):
            if action == OrderAction.EXECUTE:
                self._execute(Execution(index, order_id, price, quantity), side, flags, other or time)
                continue
            handler = handlers.get(action)
            if handler is None:
                self._changes.left_out[_NO_COMMAND.get(action, UNKNOWN_ACTION)] += 1
                continue
            if bursts.open or bursts.incoming is not None:
                bursts.close()
            if auctions.open:
                auctions.settle()
            if self._undisplayed is not None:
                self._undisplayed.take_out(self._reached, index)
                self._reached = index
            if entering and entering[0][0] <= index:
                self._enter_unseen(index)
            if done and index in done:
                done.discard(index)
                continue
            handler(index, order_id, price, quantity, side, other)
            if market.engine_phase != market.venue_phase:
                market.reopen(index)
        bursts.close()
        auctions.settle()
        walked(len(self.events))

    def log(self) -> CommandLog:
        """The commands."""
        return self.market.log

    def sent(self, position: Ints) -> Bursts:
        """The bursts."""
        return self.bursts.log.bursts(position)

    def settled(self, position: Ints) -> list[RecordedAuction]:
        """The auctions that an engine settles."""
        return [replace(each, command=int(position[each.command])) for each in self.auctions.log]

    def _handlers(self) -> dict[int, Callable[..., None]]:
        """What is done for each action. Not kept: an object that holds its own methods is not freed at once."""
        return {
            OrderAction.ADD: self._add,
            OrderAction.REDUCE: self._reduce,
            OrderAction.CANCEL: self._cancel,
            OrderAction.REPLACE: self._replace,
            OrderAction.UPSERT: self._upsert,
            OrderAction.CLEAR: self._clear,
            OrderAction.PHASE: self._phase,
        }

    def _enter_unseen(self, index: int) -> None:
        """Enter the orders that no event adds and that are due."""
        executions = self.bursts.open or self.auctions.open
        at = executions[0].at if executions else index
        while self._entering and self._entering[0][0] <= index:
            due, number, order = heappop(self._entering)
            if not self.market.enter_unseen(at if due else 0, order, may_wait=order.first > index):
                heappush(self._entering, (order.first, number, order))

    # -- one event --------------------------------------------------------------------------------------------------

    def _add(self, index: int, order_id: int, price: int, quantity: int, side: int, _other: int) -> None:
        market = self.market
        if not (order_id and quantity):
            self._changes.left_out[NO_ORDER] += 1
        elif order_id in self._aggressors and market.engine_phase == CONTINUOUS and market.book.crossed_by(side, price):
            self.bursts.hold(Incoming(index, order_id, side, price, quantity))
        else:
            market.add(index, order_id, side, price, quantity)

    def _reduce(self, index: int, order_id: int, price: int, quantity: int, side: int, _other: int) -> None:
        self._cut(index, order_id, (side, price, quantity), whole=False)

    def _cancel(self, index: int, order_id: int, price: int, quantity: int, side: int, _other: int) -> None:
        self._cut(index, order_id, (side, price, quantity), whole=True)

    def _cut(self, index: int, order_id: int, event: tuple[int, int, int], *, whole: bool) -> None:
        order = self.market.book.orders.get(order_id)
        if order is None:
            self._changes.left_out[UNKNOWN_ORDER] += 1
        else:
            self.market.told_cut(index, order, event, whole=whole)

    def _replace(self, index: int, order_id: int, price: int, quantity: int, side: int, other: int) -> None:
        order = self.market.book.orders.get(order_id)
        if order is None:
            self._changes.left_out[UNKNOWN_ORDER] += 1
        else:
            side = order.side
            self.market.cut(index, order, order.quantity)
        if other and quantity:
            self.market.add(index, other, side, price, quantity)
        else:
            self._changes.left_out[NO_ORDER] += 1

    def _upsert(self, index: int, order_id: int, price: int, quantity: int, side: int, _other: int) -> None:
        order = self.market.book.orders.get(order_id)
        if order is not None and (order.side, order.price) == (side, price) and 0 < quantity <= order.quantity:
            if quantity < order.quantity:
                self.market.cut(index, order, order.quantity - quantity)
            return
        if quantity and self.bursts.traded(order_id, index):
            self._changes.explained[REFILLED] += 1
        if order is not None:
            self.market.cut(index, order, order.quantity)
        if quantity:
            self.market.add(index, order_id, side, price, quantity)

    def _clear(self, index: int, *_: int) -> None:
        for order in list(self.market.book.orders.values()):
            self.market.cut(index, order, order.quantity)

    def _phase(self, index: int, _id: int, _price: int, phase: int, *_: int) -> None:
        if phase in _PHASES:
            self.market.announce(index, phase)
        else:
            self._changes.left_out[UNKNOWN_PHASE] += 1

    def _execute(self, execution: Execution, side: int, flags: int, aggressor: int) -> None:
        """An execution: of an aggressive order, or in an auction, whose trades are the venue's."""
        order = self.market.book.orders.get(execution.order_id)
        key = (aggressor, side if order is None else order.side)
        auction = flags & OrderEventFlag.AUCTION or self.market.venue_phase != CONTINUOUS
        if auction or not self.bursts.continues(key):
            self.bursts.close()
        if self.auctions.open and not (auction and self.market.same_time(self.auctions.open[0].at, execution.at)):
            self.auctions.settle()
        if self._undisplayed is not None:
            if not self.bursts.open:
                self._undisplayed.take_out(self._reached, execution.at)
            self._reached = execution.at
        if self._entering and self._entering[0][0] <= execution.at:
            self._enter_unseen(execution.at)
        order = self.market.book.orders.get(execution.order_id)
        elsewhere = order is not None and execution.price not in (0, order.price)
        if not auction and not elsewhere:
            self.bursts.add(execution, key)
            return
        self.bursts.close()
        if auction:
            self.auctions.open.append(execution)
        else:
            self.market.apply(execution.at, execution.order_id, execution.quantity, ELSEWHERE)
