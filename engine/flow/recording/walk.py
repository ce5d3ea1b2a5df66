"""One symbol's events, one by one, as commands. The rules are in `build.py`; the walk itself is native
(`engine/native/flow/recording/`), and `tests/plain_recording` is the plain one that it must agree with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.flow.recording import changes as why
from lowlat.engine.flow.recording.changes import Changes
from lowlat.engine.flow.recording.columns import EventColumns
from lowlat.engine.flow.recording.command_log import CommandLog
from lowlat.engine.flow.recording.lives import Unseen, lives_of
from lowlat.engine.flow.recording.model import FILL, Bursts, Fill, Ints, RecordedAuction
from lowlat.engine.flow.recording.quantities import too_much
from lowlat.engine.flow.recording.venue_book import VenueBook
from lowlat.engine.matching.records import QUANTITY_MAX
from lowlat.errors import InputError

_STEP_MS: Final = 50
"""Milliseconds between which signals are handled."""

_COUNTED: Final = (
    *[("left_out", reason) for reason in (why.UNKNOWN_ORDER, why.HIDDEN, why.CROSS, why.BUST, why.NO_ORDER)],
    *[("left_out", reason) for reason in (why.UNKNOWN_ACTION, why.UNKNOWN_PHASE)],
    *[("explained", reason) for reason in (why.REFILLED, why.RESERVE, why.PASSED)],
    *[("believed", reason) for reason in (why.DUPLICATE, why.DIFFERS, why.MORE_THAN_SHOWN, why.LOCKED)],
    *[("removed", reason) for reason in (why.CROSSED, why.AHEAD, why.NOT_SHOWN)],
    *[("applied", reason) for reason in (why.AUCTION, why.ELSEWHERE, why.HELD)],
)
"""Field of `Changes` and reason, in the order of `Change` (`engine/native/flow/recording/recorded_log.hpp`), which ends
with `moved_up` and `departures`.
"""


class Walk:
    """Goes through one symbol's events once."""

    def __init__(
        self, events: EventColumns, changes: Changes, path: Path, *, by_arrival: bool, book: VenueBook | None
    ) -> None:
        """Raises `InputError` for an order that the file never adds and whose events sum to more than one holds; for an
        id so large that none is left for aggressive orders.
        """
        lives = lives_of(events, by_arrival=by_arrival)
        self._rows, self._changes, self._path, self._by_arrival = events.row, changes, path, by_arrival
        for order in lives.unseen:
            if order.quantity > QUANTITY_MAX:
                whose = f"the executions and cancels of order {order.order_id} sum to {order.quantity}"
                raise too_much(path, int(events.row[order.first]), whose)
        entering = [order for order in lives.unseen if order.quantity and order.price]
        changes.never_added += len(entering)
        columns = (events.action, events.order_id, events.price, events.quantity, events.side, events.flags)
        self._native = _core.RecordedWalk(
            [*map(np.ascontiguousarray, (*columns, events.time_ns, events.other_id, lives.last, lives.again))],
            _rows_of(entering),
            np.array(sorted(events.aggressors()), np.uint64),
            self._first_aggressor(events),
            by_arrival,
        )
        if book is not None:
            wider, displayed = map(np.ascontiguousarray, (book.wider, book.displayed))
            self._native.compare_with(wider, displayed, book.levels)

    def _first_aggressor(self, events: EventColumns) -> int:
        """Aggressive orders are numbered from here, above all ids of the file."""
        largest = events.largest_id()
        if largest + len(events) >= 1 << 64:
            row = int(events.row[np.argmax((events.order_id == largest) | (events.other_id == largest))])
            raise InputError(
                f"{self._path}, row {row}: order id {largest} leaves no ids above it, which aggressive orders get; "
                "use --mode rebuild"
            )
        return largest + 1

    def run(self, walked: Callable[[int], None]) -> None:
        """Go through all events; `walked` is told how many are done. Raises `InputError` if the executions of a burst
        sum to more than an order holds.
        """
        left = len(self._rows)
        for still_left in iter(partial(self._native.run, _STEP_MS), 0):
            walked(left - still_left)
            left = still_left
        walked(left)
        if (found := self._native.too_much()) is not None:
            event, quantity = found
            whose = f"the executions of this burst sum to {quantity}"
            raise too_much(self._path, int(self._rows[event]), whose)
        self._count()
        self._native.release()

    def log(self) -> CommandLog:
        """The commands. Can be asked for once."""
        return CommandLog(self._native, by_arrival=self._by_arrival)

    def sent(self, position: Ints) -> Bursts:
        """The bursts. `position`: of each logged command, where it stands in the flow."""
        count, filled = self._native.burst_sizes()
        command, counts, fills = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(filled, FILL)
        self._native.bursts(command, counts, fills)
        return Bursts(position[command], fills, np.concatenate(([0], np.cumsum(counts))))

    def settled(self, position: Ints) -> list[RecordedAuction]:
        """The auctions that an engine settles."""
        return [
            RecordedAuction(int(position[command]), (_fills_of(bids), _fills_of(asks)))
            for command, bids, asks in self._native.auctions()
        ]

    def _count(self) -> None:
        *counts, moved_up, departures, orders = self._native.changes()
        changes = self._changes
        for (field, reason), count in zip(_COUNTED, counts, strict=True):
            if count:
                counter: Counter[str] = getattr(changes, field)
                counter[reason] += count
        changes.moved_up += moved_up
        changes.departures += departures
        changes.orders = max(changes.orders, orders)


def _rows_of(orders: list[Unseen]) -> NDArray[np.uint64]:
    """As `UnseenOrder`: seven numbers of eight bytes each."""
    rows = [
        (order.order_id, order.index, order.first, order.last, order.side, order.price, order.quantity)
        for order in orders
    ]
    table = np.empty((len(rows), 7), np.uint64)
    for column in range(7):
        signed = column not in (0, 6)
        table[:, column] = np.array([row[column] for row in rows], np.int64 if signed else np.uint64).view(np.uint64)
    return table


def _fills_of(rows: list[tuple[int, int, int]]) -> tuple[Fill, ...]:
    return tuple(Fill(*row) for row in rows)
