"""One symbol's book and the commands that give an engine the same, kept in step."""

from __future__ import annotations

from typing import Final

from lowlat.engine.feed.records import OrderAction
from lowlat.engine.flow.recording.changes import (
    CROSSED,
    DIFFERS,
    DUPLICATE,
    LOCKED,
    MORE_THAN_SHOWN,
    UNKNOWN_ORDER,
    Changes,
)
from lowlat.engine.flow.recording.columns import EventColumns
from lowlat.engine.flow.recording.lives import Lives, Unseen
from lowlat.engine.flow.recording.model import Origin
from lowlat.engine.matching.records import CommandType, Side, TradingPhase
from tests.plain_recording.book import RecordedBook, Resting
from tests.plain_recording.command_log import AT, BEFORE, CLEAR, CommandLog

CONTINUOUS: Final = TradingPhase.CONTINUOUS
_TAKE_NO_ORDER: Final = (TradingPhase.HALTED, TradingPhase.CLOSED)
_CUTS: Final = (OrderAction.CANCEL, OrderAction.REDUCE)


class RecordedMarket:
    """Changes the book as events say, and logs the command for each change.

    `venue_phase`: the phase that the venue has announced. `engine_phase`: the one that the commands put an engine into:
    another while the venue shows a locked or crossed book, which an engine can hold only where nothing trades.
    """

    def __init__(self, events: EventColumns, lives: Lives, changes: Changes, *, by_arrival: bool) -> None:
        self.book = RecordedBook()
        self.log = CommandLog(by_arrival=by_arrival)
        self.changes = changes
        self.venue_phase = self.engine_phase = int(CONTINUOUS)
        self.settled: tuple[dict[int, int], dict[int, int]] = ({}, {})
        """Of each side, by price, the last event up to which no order may be placed any more, as when it traded."""
        self.done: set[int] = set()
        """Events that were applied before their turn."""
        self._events, self._lives, self._by_arrival = events, lives, by_arrival
        self._newest_id = 0
        self._reused: set[int] = set()
        self._cuts: dict[int, list[int]] = {}
        self._upserts: dict[int, int] = {}
        self._step_end = 0

    # -- orders that enter ------------------------------------------------------------------------------------------

    def add(self, index: int, order_id: int, side: int, price: int, quantity: int) -> None:
        """Enter the order of an event, where its id says that it belongs."""
        self._end_present(index, order_id)
        order = Resting(order_id, side, price, quantity, index, int(self._lives.last[index]))
        if self._lives.again[index]:
            self._reused.add(order_id)
        elif order_id < self._newest_id and self._by_arrival and self._moves_up(order):
            return
        self._enter_new(index, order, CLEAR)

    def add_rest(self, index: int, event: int, order_id: int, side: int, price: int, quantity: int) -> None:
        """Enter what is left of the order of an event, after what event `index` did to it."""
        self._end_present(index, order_id)
        self._enter_new(index, Resting(order_id, side, price, quantity, index, int(self._lives.last[event])), AT)

    def _end_present(self, index: int, order_id: int) -> None:
        """The newest add of an id counts."""
        present = self.book.orders.get(order_id)
        if present is not None:
            self.changes.believed[DUPLICATE] += 1
            self.cut(index, present, present.quantity)

    def _enter_new(self, index: int, order: Resting, room: int) -> None:
        """Queue an order at the back, once there is room for it, which is made at rank `room`."""
        if not self._clear_way(index, order, AT, room):
            self._lock(index, room)
        self._take_orders(index, room)
        self.enter(order, index)

    def enter(
        self,
        order: Resting,
        index: int,
        *,
        rank: int = AT,
        origin: Origin = Origin.RECORDED,
        before: int | None = None,
    ) -> None:
        """Queue an order, at the back or ahead of the order `before`."""
        self.book.enter(order, before)
        if order.order_id > self._newest_id and order.order_id not in self._reused:
            self._newest_id = order.order_id
        self.changes.orders = max(self.changes.orders, len(self.book.orders))
        self.log.add(
            index,
            CommandType.LIMIT,
            order.order_id,
            order.quantity,
            order.side,
            order.price,
            rank=rank,
            origin=origin,
        )

    def _moves_up(self, order: Resting) -> bool:
        """Enter an order ahead of younger ones at its price, at the time when the first of them came."""
        level = self.book.level(order.side, order.price)
        younger = next((other for other in level if other > order.order_id and other not in self._reused), None)
        if younger is None:
            return False
        entered = level[younger].entered
        if self.settled[order.side].get(order.price, -1) >= entered:
            return False
        order.entered = entered
        self.enter(order, entered, rank=BEFORE, origin=_origin_before(entered), before=younger)
        self.changes.moved_up += 1
        return True

    def enter_unseen(self, index: int, unseen: Unseen, *, may_wait: bool) -> bool:
        """Enter an order that no event adds. False if it would lock the book and may wait for its own first event."""
        order = Resting(unseen.order_id, unseen.side, unseen.price, unseen.quantity, index, unseen.last)
        if unseen.order_id in self.book.orders:
            return True
        if not self._clear_way(index, order, BEFORE, CLEAR):
            if may_wait:
                return False
            self._lock(index, CLEAR)
        self._take_orders(index, CLEAR)
        self.enter(order, index, rank=BEFORE, origin=_origin_before(index), before=self._younger_here(order))
        return True

    def _younger_here(self, order: Resting) -> int | None:
        """The first order with a larger id at its price that enters before the same event: they enter by id."""
        younger = None
        for other in reversed(self.book.level(order.side, order.price).values()) if self._by_arrival else ():
            if other.entered != order.entered or other.order_id < order.order_id:
                break
            younger = other.order_id
        return younger

    def _clear_way(self, index: int, order: Resting, rank: int, room: int) -> bool:
        """Make room at rank `room` for an order that enters at `rank`. False if it would lock the book all the same."""
        if self.engine_phase != CONTINUOUS:
            return True
        other_side = 1 - order.side
        while self.book.crossed_by(order.side, order.price):
            level = self.book.level(other_side, self.book.best(other_side))
            for other in list(level.values()):
                ahead = max(room, self._rank_ahead(index, other))
                if ahead > rank:
                    return False
                if ahead == AT:
                    self.settled[order.side][order.price] = index
                if other.last < index:
                    self.ghost(index, other, other.quantity, CROSSED, ahead)
                elif (later := self.next_cut(index, other)) is not None:
                    self.cut_early(index, other, later, other.quantity, ahead)
            if level:
                return False
        return True

    def _take_orders(self, index: int, rank: int) -> None:
        """Leave a phase in which an engine takes no order: the venue has taken one."""
        if self.engine_phase in _TAKE_NO_ORDER:
            self.set_engine_phase(index, TradingPhase.CALL, rank=rank)

    def _lock(self, index: int, rank: int) -> None:
        """Let both sides stand: in a call phase nothing trades."""
        self.changes.believed[LOCKED] += 1
        self.set_engine_phase(index, TradingPhase.CALL, rank=rank)

    # -- orders that shrink or go -----------------------------------------------------------------------------------

    def told_cut(self, index: int, order: Resting, event: tuple[int, int, int], *, whole: bool) -> None:
        """Apply the reduction or cancel of an event with this side, price and quantity. What it says is believed."""
        side, price, quantity = event
        if price and (price != order.price or side != order.side):
            self.changes.believed[DIFFERS] += 1
        if not whole and quantity > order.quantity:
            self.changes.believed[MORE_THAN_SHOWN] += 1
        self.cut(index, order, order.quantity if whole else min(quantity, order.quantity))

    def cut(
        self, index: int, order: Resting, quantity: int, *, rank: int = AT, origin: Origin = Origin.RECORDED
    ) -> None:
        """Take `quantity` off an order."""
        if quantity == order.quantity:
            self.log.add(index, CommandType.CANCEL, order.order_id, 0, rank=rank, origin=origin)
        else:
            self.log.add(index, CommandType.REDUCE, order.order_id, quantity, rank=rank, origin=origin)
        self.book.take(order, quantity)

    def apply(self, index: int, order_id: int, quantity: int, why: str) -> None:
        """Take an execution off its order without sending an aggressive one."""
        order = self.book.orders.get(order_id)
        if order is None:
            self.changes.left_out[UNKNOWN_ORDER] += 1
            return
        self.changes.applied[why] += 1
        if quantity > order.quantity:
            self.changes.believed[MORE_THAN_SHOWN] += 1
        self.cut(index, order, min(quantity, order.quantity), origin=Origin.APPLIED)
        self.reopen(index)

    def ghost(self, index: int, order: Resting, quantity: int, reason: str, rank: int = CLEAR) -> None:
        """Take out what an order no longer had at an event, before the event's own commands if it can be."""
        self.changes.removed[reason] += 1
        self.cut(index, order, quantity, rank=max(rank, self._rank_ahead(index, order)), origin=Origin.REMOVED)

    def same_time(self, one: int, other: int) -> bool:
        """Whether two events have the same time: they are one step of the venue."""
        return bool(self._events.time_ns[one] == self._events.time_ns[other])

    def next_cut(self, index: int, order: Resting) -> int | None:
        """The next reduction or cancel of an order behind an event that has the same time.

        Rows of one time are one step of the venue, which may tell of it in any order.
        """
        self._look_ahead(index)
        return next((at for at in self._cuts.get(order.order_id, ()) if at > index and at not in self.done), None)

    def told_anew(self, index: int, order_id: int) -> bool:
        """Whether an event behind this one, of the same time, says what the order is afterward."""
        self._look_ahead(index)
        return self._upserts.get(order_id, -1) > index

    def cut_early(self, index: int, order: Resting, later: int, most: int, rank: int = CLEAR) -> None:
        """Apply the reduction or cancel of event `later` at an earlier one, up to a quantity."""
        self.done.add(later)
        whole = self._events.action[later] == OrderAction.CANCEL
        quantity = most if whole else min(most, int(self._events.quantity[later]))
        self.cut(index, order, quantity, rank=max(rank, self._rank_ahead(index, order)), origin=Origin.PLACED)

    def _look_ahead(self, index: int) -> None:
        """Find the reductions, cancels and upserts behind an event that have its time, by order."""
        if index < self._step_end:
            return
        events, time = self._events, self._events.time_ns[index]
        self._cuts, self._upserts, at = {}, {}, index + 1
        while at < len(events) and events.time_ns[at] == time:
            if events.action[at] in _CUTS:
                self._cuts.setdefault(int(events.order_id[at]), []).append(at)
            elif events.action[at] == OrderAction.UPSERT:
                self._upserts[int(events.order_id[at])] = at
            at += 1
        self._step_end = at

    def _rank_ahead(self, index: int, order: Resting) -> int:
        return CLEAR if order.entered < index else AT

    # -- phases -----------------------------------------------------------------------------------------------------

    def announce(self, index: int, phase: int) -> None:
        """The venue enters a phase."""
        self.venue_phase = phase
        if phase != CONTINUOUS:
            self.set_engine_phase(index, phase)
            return
        for side in (Side.BUY, Side.SELL):
            while self.book.crossed():
                level = self.book.level(side, self.book.best(side))
                for order in [order for order in level.values() if order.last <= index]:
                    self.ghost(index, order, order.quantity, CROSSED)
                if level:
                    break
        if self.book.crossed():
            self._lock(index, CLEAR)
        self.reopen(index)

    def reopen(self, index: int) -> None:
        """Let an engine trade again once the venue does and the book is neither locked nor crossed."""
        if self.venue_phase == CONTINUOUS and not self.book.crossed():
            self.set_engine_phase(index, CONTINUOUS)

    def set_engine_phase(self, index: int, phase: int, *, rank: int = AT) -> None:
        """Put an engine into a phase."""
        if phase != self.engine_phase:
            self.engine_phase = phase
            self.log.add(index, CommandType.PHASE, 0, phase, rank=rank, origin=Origin.APPLIED)


def _origin_before(index: int) -> Origin:
    """The origin of an order that enters before an event."""
    return Origin.PLACED if index else Origin.SEEDED
