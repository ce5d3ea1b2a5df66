"""`BookBuilder`: the order books of a feed, rebuilt from its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat.arguments import checked_number, is_integer
from lowlat.engine import _core
from lowlat.engine.feed.records import ORDER_EVENT, DepthMoment, EventFault, OrderAction, OrderEvents
from lowlat.engine.matching.aligned import aligned_copy, aligned_empty, is_masked
from lowlat.engine.matching.interface import TopOfBook, checked_depth
from lowlat.engine.matching.records import LEVEL, ORDER, ORDERS_MAX, QUANTITY_MAX, Levels, Orders, Side
from lowlat.errors import ArrayError, BusyError, UsageError
from lowlat.text import shown
from lowlat.uncopied import Uncopied

Ints: TypeAlias = NDArray[np.int64]

BOOKS_MAX: Final[int] = _core.BOOKS_MAX
"""Symbols are numbered below this."""

BLOCK_EVENTS: Final = 1 << 16
"""Between so many events, signals are handled: some milliseconds."""

ORDERS: Final = 1 << 22
"""The default room for orders. It is address space: memory is used as orders come to rest, about 100 bytes for each."""

LEVELS_MAX: Final = 10_000
"""The most levels that `BookBuilder.record` records."""

STATES_LEVELS: Final = 1 << 20
"""So many levels of states are recorded at one time, 32 MiB, where it is not known how many come."""

NAMING_AN_ORDER: Final = (OrderAction.REDUCE, OrderAction.CANCEL, OrderAction.EXECUTE, OrderAction.REPLACE)
"""The actions that are about an order that is in the book."""

STATE_COLUMNS: Final = ("ask_price", "ask_quantity", "bid_price", "bid_quantity")
"""The last axis of `DepthStates.levels`, in the order of LOBSTER's order book files."""


@dataclass(frozen=True, eq=False)
class DepthStates:
    """The best levels of a book after events.

    `events`: int64 (m,), which events, as indices of the array that was applied. `levels`: int64 (m, n, 4), of each
    event's symbol, best level first: ask price, ask quantity, bid price, bid quantity (`STATE_COLUMNS`), in the
    stream's units; zeros where there is no such level. `levels.reshape(m, 4 * n)` has the columns of a LOBSTER order
    book file, and `levels[:, 0]` the best ask and bid.
    """

    events: Ints
    levels: Ints


@dataclass(frozen=True, slots=True)
class QueuedOrder:
    """A resting order: side, price and quantity, and how many orders, and how much quantity, are ahead of it at its
    price.
    """

    side: Side
    price: int
    quantity: int
    orders_ahead: int
    quantity_ahead: int


@dataclass(frozen=True, slots=True)
class BuilderCounts:
    """What a builder has applied since its creation or last reset.

    `events`: by action. `live_orders` and `levels` are those now, over all symbols; `live_orders_max` and `levels_max`
    the most there were at once.

    Contradictions, each of which was believed. `unknown_orders`: events of an order that is not in the book, by action;
    they changed nothing. `overfilled`: reductions and executions of more than the order had; it is gone.
    `repeated_ids`: orders entered with the id of another one, which is gone. `empty_orders`: orders of quantity 0,
    which did not enter.
    """

    events: Mapping[OrderAction, int]
    live_orders: int
    levels: int
    live_orders_max: int
    levels_max: int
    unknown_orders: Mapping[OrderAction, int]
    overfilled: int
    repeated_ids: int
    empty_orders: int

    @property
    def contradictions(self) -> int:
        """All of them."""
        return sum(self.unknown_orders.values()) + self.overfilled + self.repeated_ids + self.empty_orders


class BookBuilder(Uncopied):
    """The order books of a feed: each event is applied as the venue tells it, and nothing is matched.

    Bids and asks may be locked or crossed. An event that contradicts a book is believed, and counted (`counts`). Every
    symbol from 0 to `BOOKS_MAX` - 1 has a book, which is empty until an event names it. Only one thread at a time may
    use a builder; a concurrent call raises `BusyError`.

        builder = BookBuilder()
        for block in stream.blocks:
            builder.apply(block)
        builder.best(symbol)
    """

    def __init__(self, *, orders: int = ORDERS) -> None:
        """Make empty books.

        `orders`: for how many resting orders to reserve address space, over all symbols, 1 to 2^30; beyond it the room
        doubles, and each order costs more time. Raises `UsageError` for a number out of range, `MemoryError` if the
        system does not have the address space.
        """
        self._native = _core.BookBuilder(checked_number("orders", orders, 1, ORDERS_MAX))
        self._use = Lock()

    def apply(self, events: OrderEvents) -> None:
        """Apply events in order: a contiguous array of `ORDER_EVENT`, shape (n,), as an `OrderEventStream` gives them,
        or several of these joined by `numpy.concatenate`.

        The side of an event about an order that the book has need not be set. Signals are handled every `BLOCK_EVENTS`
        events; what was applied by then stays. Raises `ArrayError` for another dtype, shape or layout and for a masked
        array, before any event is applied; and for an event that cannot be applied (`EventFault`), naming it and its
        row, after all before it were. `MemoryError` also comes between two events.
        """
        events = checked_events(events)
        with self._alone():
            for first in range(0, len(events), BLOCK_EVENTS):
                block = events[first : first + BLOCK_EVENTS]
                self._check(events, first, self._native.apply(block), len(block))

    def record(self, events: OrderEvents, levels: int = 1, when: DepthMoment = DepthMoment.EVERY) -> DepthStates:
        """Apply events as `apply` does, and return the best `levels` price levels of each event's symbol after it.

        `levels`: 1 or more. `when`: after every event; after those that change these levels; or after those with
        `OrderEventFlag.LAST`. A state takes 8 + 32 * `levels` bytes. Raises what `apply` does, and `UsageError` for
        another number of levels or moment.
        """
        levels = checked_number("levels", levels, 1, LEVELS_MAX)
        if not is_integer(when) or when not in frozenset(DepthMoment):
            raise UsageError(f"when: {shown(when)} is not a DepthMoment")
        events = checked_events(events)
        with self._alone():
            if when == DepthMoment.EVERY:
                return self._recorded(events, levels)
            parts = [*self._chosen(events, levels, when)]
        return DepthStates(
            np.concatenate([part.events for part in parts]), np.concatenate([part.levels for part in parts])
        )

    def apply_timed(self, events: OrderEvents) -> NDArray[np.uint64]:
        """Apply events as `apply` does, but each alone, between two reads of the processor's counter.

        Returns the time of each, in ticks (`lowlat.probes.clock`): uint64 (n,). Raises what `apply` does.
        """
        events = checked_events(events)
        ticks = np.zeros(len(events), dtype=np.uint64)
        with self._alone():
            for first in range(0, len(events), BLOCK_EVENTS):
                part = slice(first, first + BLOCK_EVENTS)
                self._check(events, first, self._native.apply_timed(events[part], ticks[part]), len(events[part]))
        return ticks

    def _recorded(self, events: OrderEvents, levels: int) -> DepthStates:
        """After every event: written where they stay."""
        states, numbers = _states(len(events), levels)
        for first in range(0, len(events), BLOCK_EVENTS):
            part = slice(first, first + BLOCK_EVENTS)
            block = events[part]
            applied, _ = self._native.record(block, levels, DepthMoment.EVERY, states[part], numbers[part])
            self._check(events, first, applied, len(block))
            numbers[part] += first
        return DepthStates(numbers, states)

    def _chosen(self, events: OrderEvents, levels: int, when: DepthMoment) -> Iterator[DepthStates]:
        """After some: their number is not known before."""
        size = max(1, min(len(events), STATES_LEVELS // levels))
        states, numbers = _states(size, levels)
        yield DepthStates(numbers[:0], states[:0])
        for first in range(0, len(events), size):
            block = events[first : first + size]
            applied, recorded = self._native.record(block, levels, when, states, numbers)
            self._check(events, first, applied, len(block))
            yield DepthStates(first + numbers[:recorded], states[:recorded].copy())

    def _check(self, events: OrderEvents, first: int, applied: int, expected: int) -> None:
        if applied == expected:
            return
        number = first + applied
        event = events[number]
        what = {
            EventFault.ACTION: f"its action {event['action']} is no OrderAction; translate the feed's own actions",
            EventFault.SIDE: f"it enters an order, and its side {event['side']} is neither 0 (buy) nor 1 (sell)",
            EventFault.SYMBOL: f"its symbol {event['symbol']} is above {BOOKS_MAX - 1}; number the symbols from 0",
            EventFault.QUANTITY: (
                f"it enters an order of {event['quantity']}, and an order has at most {QUANTITY_MAX}; "
                "divide the quantities by their lot"
            ),
        }[EventFault(self._native.fault())]
        raise ArrayError(f"event {number} (row {event['row']}) cannot be applied: {what}")

    def find(self, order_id: int, symbol: int = 0) -> QueuedOrder | None:
        """The resting order of an id, and its place in its queue; None if there is none.

        Takes time in proportion to the orders ahead of it. Raises `UsageError` for an id that is not a 64-bit integer.
        """
        order_id = checked_number("order_id", order_id, 0, (1 << 64) - 1)
        with self._alone():
            found = self._native.look_up(order_id, _known(symbol))
        return None if found is None else QueuedOrder(Side(found[0]), *found[1:])

    def depth(self, side: Side, levels: int, symbol: int = 0) -> Levels:
        """The best price levels of a side, best first: a `LEVEL` array, shape (n,), n <= `levels`.

        Raises `UsageError` if `side` is not a `Side`, `levels` not an integer, or the symbol out of range.
        """
        side, levels = checked_depth(side, levels)
        with self._alone():
            rows = aligned_empty(min(levels, self._native.counters()["levels"]), LEVEL)
            return rows[: self._native.depth(_known(symbol), rows, side)]

    def best(self, symbol: int = 0) -> TopOfBook:
        """Best bid and ask with their quantities. Raises `UsageError` for a symbol out of range."""
        sides: list[int | None] = []
        for side in Side:
            top = self.depth(side, 1, symbol)
            sides += [int(top[0]["price"]), int(top[0]["quantity"])] if len(top) else [None, None]
        return TopOfBook(*sides)

    def orders(self, symbol: int = 0) -> Orders:
        """All resting orders: an `ORDER` array, shape (n,); bids best first, then asks best first, each in queue order.

        Raises `UsageError` for a symbol out of range.
        """
        with self._alone():
            rows = aligned_empty(self._native.counters()["live_orders"], ORDER)
            return rows[: self._native.orders(_known(symbol), rows)]

    @property
    def counts(self) -> BuilderCounts:
        """What was applied so far."""
        with self._alone():
            counters, (events, unknown) = self._native.counters(), self._native.events()
        return BuilderCounts(
            events={action: events[action] for action in OrderAction},
            unknown_orders={action: unknown[action] for action in OrderAction if action in NAMING_AN_ORDER},
            **counters,
        )

    def reset(self) -> None:
        """Empty every book and the counts."""
        with self._alone():
            self._native.reset()

    def check_invariants(self) -> None:
        """Walk every book, level, order and index entry; abort the process on the first violated invariant."""
        with self._alone():
            self._native.check_invariants()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._use.acquire(blocking=False):
            raise BusyError("another thread is using this builder; give each thread its own, or take turns")
        try:
            yield
        finally:
            self._use.release()


_PACKED: Final = np.dtype([(name, ORDER_EVENT[name]) for name in ORDER_EVENT.names or ()])
"""The dtype to which `numpy.concatenate` joins arrays of events: it leaves padding out."""


def checked_events(events: OrderEvents) -> OrderEvents:
    """Return `events` as an array that can be applied in place: a copy if its records are packed or not aligned.

    Raises `ArrayError` for what is no such array.
    """
    seen = getattr(events, "dtype", None)
    if seen not in (ORDER_EVENT, _PACKED):
        what = "records of another dtype" if getattr(seen, "names", None) else seen or type(events).__name__
        raise ArrayError(f"events are {what}; make them an array of ORDER_EVENT")
    if is_masked(events):
        raise ArrayError("events are a masked array, whose masked records would be applied too; pass .compressed()")
    if events.ndim != 1 or not events.flags.c_contiguous:
        raise ArrayError(
            f"events have shape {events.shape} and strides {events.strides}; "
            "pass one dimension without gaps (numpy.ascontiguousarray)"
        )
    plain = np.asarray(events).astype(ORDER_EVENT, copy=False)
    return plain if plain.flags.aligned and plain.ctypes.data % 8 == 0 else aligned_copy(plain)


def _states(count: int, levels: int) -> tuple[Ints, Ints]:
    """Room for states, and for the numbers of their events."""
    return np.empty((count, levels, len(STATE_COLUMNS)), dtype=np.int64), np.empty(count, dtype=np.int64)


def _known(symbol: int) -> int:
    return checked_number("symbol", symbol, 0, BOOKS_MAX - 1)
