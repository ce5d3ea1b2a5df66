"""Converts the rows of a LOBSTER file to commands; `engine/flow/readers/lobster/__init__.py` states the rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from lowlat.engine.flow.readers.lobster.book import Fills, LobsterBook, Place, restoring
from lowlat.engine.flow.readers.lobster.file import TICK, UNIT, Messages, MessageType
from lowlat.engine.flow.recording import FILL, Bursts, Ints, Origin, RecordedFlow
from lowlat.engine.matching.records import COMMAND, QUANTITY_MAX, CommandType, Side, TimeInForce
from lowlat.errors import LobsterError

HIDDEN_EXECUTION: Final = "hidden execution"
CROSS_TRADE: Final = "cross trade"
HALT: Final = "halt"
UNKNOWN_ORDER: Final = "order is not in the book"
DUPLICATE_ORDER: Final = "order is already in the book"
CONTRADICTION: Final = "differs from its order"

_NO_COMMAND: Final[Mapping[int, str]] = {
    MessageType.HIDDEN_EXECUTION: HIDDEN_EXECUTION,
    MessageType.CROSS_TRADE: CROSS_TRADE,
    MessageType.HALT: HALT,
}
_BEFORE, _AT = 0, 1
"""Rank of a command within one row: entered before the row (by order id), or the row's own and those after it."""


@dataclass(slots=True)
class Unseen:
    """An order that the file names but never adds. It is entered before `row` (from 0)."""

    order_id: int
    row: int
    size: int
    place: Place


class LobsterFlow:
    """Walks the rows once, maintains the book they describe, and collects commands with their rows."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._rows = list(messages.rows())
        self._book = LobsterBook()
        self._commands: list[tuple[int, ...]] = []
        self._keys: list[tuple[int, int, int, int]] = []  # row, rank, order within the rank, origin
        self._entered: dict[int, int] = {}  # row at which an order was entered
        self._executed: dict[Place, int] = {}  # row of the last execution at a price
        self._newest_id = 0
        self._next_id = int(messages.order_id.max()) + 1
        self._burst: list[int] = []
        self._burst_commands: list[int] = []
        self._fills: list[Fills] = []
        self._left_out: Counter[str] = Counter()
        self._moved_up = 0
        self._live_max = 0
        self._departures = 0

    def build(self) -> RecordedFlow:
        """The flow. Raises `LobsterError` if sizes sum to more than one order can hold."""
        unseen = never_added(self._messages)
        self._walk(unseen)
        keys = np.array(self._keys, dtype=np.int64).reshape(-1, 4)
        order = np.lexsort((keys[:, 2], keys[:, 1], keys[:, 0]))
        keys = keys[order]
        types = Counter(self._messages.type.tolist())
        return RecordedFlow(
            path=self._messages.path,
            commands=np.array(self._commands, dtype=COMMAND)[order],
            seeded=int(np.count_nonzero(keys[:, 3] == Origin.SEEDED)),
            origin=keys[:, 3].astype(np.uint8),
            row=keys[:, 0] + 1,
            time_ns=self._messages.time[keys[:, 0]],
            bursts=self._bursts(order),
            rows={kind.name.lower(): types[kind] for kind in MessageType},
            left_out=dict(self._left_out),
            never_added=len(unseen),
            moved_up=self._moved_up,
            departures=self._departures,
            orders=self._live_max + len(unseen) + self._moved_up,
            tick=TICK,
            unit=UNIT,
        )

    def _bursts(self, order: Ints) -> Bursts:
        position = np.empty_like(order)
        position[order] = np.arange(len(order))
        fills = [fill for burst in self._fills for fill in burst]
        counts = [len(burst) for burst in self._fills]
        return Bursts(
            command=position[np.array(self._burst_commands, dtype=np.int64)],
            fills=np.array(fills, dtype=FILL),
            first_fill=np.cumsum([0, *counts], dtype=np.int64),
        )

    def _walk(self, unseen: list[Unseen]) -> None:
        entering: defaultdict[int, list[Unseen]] = defaultdict(list)
        for order in unseen:
            entering[order.row].append(order)
        for row, (_, kind, *_) in enumerate(self._rows):
            if kind in _NO_COMMAND:
                self._left_out[_NO_COMMAND[kind]] += 1
                continue
            self._live_max = max(self._live_max, len(self._book) + 1)
            if self._burst and not (kind == MessageType.EXECUTION and self._continues_burst(row)):
                self._close_burst()
            for order in entering.pop(row, ()):
                self._enter_unseen(order, self._burst[0] if self._burst else row)
            if kind == MessageType.EXECUTION:
                self._burst.append(row)
            elif kind == MessageType.ADD:
                self._add(row)
            else:
                self._cut(row, kind)
        if self._burst:
            self._close_burst()

    # -- resting orders -----------------------------------------------------------------------------------------

    def _enter_unseen(self, order: Unseen, row: int) -> None:
        self._enter(order.order_id, order.size, order.place, row, _BEFORE)
        self._book.enter(order.order_id, order.size, order.place)

    def _add(self, row: int) -> None:
        order_id, size, place = self._order(row)
        if self._book.place(order_id):
            self._left_out[DUPLICATE_ORDER] += 1
            return
        late = order_id < self._newest_id
        overtaken = self._first_newer(order_id, place) if late else None
        if overtaken is not None and self._executed.get(place, -1) < self._entered[overtaken]:
            self._enter(order_id, size, place, self._entered[overtaken], _BEFORE)
            self._book.enter(order_id, size, place, before=overtaken)
            self._moved_up += 1
        else:
            self._enter(order_id, size, place, row, _AT)
            self._book.enter(order_id, size, place)

    def _first_newer(self, order_id: int, place: Place) -> int | None:
        return next((other for other in self._book.level(place) if other > order_id), None)

    def _cut(self, row: int, kind: int) -> None:
        order_id, size, place = self._order(row)
        left = self._book.remaining(order_id)
        whole = kind == MessageType.DELETE
        if reason := self._why_not(order_id, 0 if whole else size, place, left):
            self._left_out[reason] += 1
        elif whole or size == left:
            self._book.take(order_id, left)
            self._emit(CommandType.CANCEL, order_id, row)
        else:
            self._book.take(order_id, size)
            self._emit(CommandType.REDUCE, order_id, row, quantity=size)

    def _why_not(self, order_id: int, size: int, place: Place, left: int) -> str | None:
        """Why `size` cannot be taken off an order that has `left`."""
        if not left:
            return UNKNOWN_ORDER
        if size > left or self._book.place(order_id) != place:
            return CONTRADICTION
        return None

    # -- bursts -------------------------------------------------------------------------------------------------

    def _continues_burst(self, row: int) -> bool:
        time, *_, direction = self._rows[row]
        burst_time, *_, burst_direction = self._rows[self._burst[0]]
        return time == burst_time and direction == burst_direction

    def _close_burst(self) -> None:
        rows, self._burst = self._burst, []
        fills = self._expected(rows)
        if not fills:
            return
        direction = self._rows[rows[0]][5]
        size = sum(fill[2] for fill in fills)
        if size > QUANTITY_MAX:
            raise _too_large(self._messages, rows[0], f"the executions of this burst sum to {size}")
        worst = min(direction * fill[1] for fill in fills) * direction
        self._burst_commands.append(len(self._commands))
        self._fills.append(fills)
        taker = Side.SELL if direction == 1 else Side.BUY
        self._emit(
            CommandType.LIMIT, self._next_id, rows[0], side=taker, price=worst, quantity=size, tif=TimeInForce.IOC
        )
        self._next_id += 1
        self._execute(fills, self._book.fills(direction, size, worst), direction, rows[-1])

    def _expected(self, rows: list[int]) -> Fills:
        """The fills recorded in a burst's rows."""
        fills: Fills = []
        taken: Counter[int] = Counter()
        for row in rows:
            order_id, size, place = self._order(row)
            if reason := self._why_not(order_id, size, place, self._book.remaining(order_id) - taken[order_id]):
                self._left_out[reason] += 1
                continue
            taken[order_id] += size
            if fills and fills[-1][0] == order_id:
                size += fills.pop()[2]
            fills.append((order_id, place[1], size))
        return fills

    def _execute(self, fills: Fills, predicted: Fills, direction: int, row: int) -> None:
        """Apply the file's fills; where price-time priority predicts others, restore an engine's book by commands."""
        places = {(direction, price) for _, price, _ in fills + predicted}
        departs = fills != predicted
        levels = {place: dict(self._book.level(place)) for place in places} if departs else {}
        for order_id, _, size in fills:
            self._book.take(order_id, size)
        self._executed.update(dict.fromkeys(places, row))
        if departs:
            self._departures += 1
            for order_id, price, size in predicted:
                levels[direction, price][order_id] -= size
            for place in sorted(levels):
                self._restore(place, levels[place], row)

    def _restore(self, place: Place, engine: dict[int, int], row: int) -> None:
        present = {order_id: size for order_id, size in engine.items() if size}
        for kind, order_id, quantity in restoring(present, self._book.level(place)):
            if kind == CommandType.LIMIT:
                self._enter(order_id, quantity, place, row, _AT, Origin.RESTORED)
            else:
                self._emit(kind, order_id, row, quantity=quantity, origin=Origin.RESTORED)

    # -- commands -----------------------------------------------------------------------------------------------

    def _order(self, row: int) -> tuple[int, int, Place]:
        _, _, order_id, size, price, direction = self._rows[row]
        return order_id, size, (direction, price)

    def _enter(
        self, order_id: int, size: int, place: Place, row: int, rank: int, origin: Origin = Origin.RECORDED
    ) -> None:
        if rank == _BEFORE:
            origin = Origin.PLACED if row else Origin.SEEDED
        direction, price = place
        side = Side.BUY if direction == 1 else Side.SELL
        self._entered[order_id] = row
        self._newest_id = max(self._newest_id, order_id)
        self._emit(CommandType.LIMIT, order_id, row, side=side, price=price, quantity=size, rank=rank, origin=origin)

    def _emit(
        self,
        kind: CommandType,
        order_id: int,
        row: int,
        *,
        side: Side = Side.BUY,
        price: int = 0,
        quantity: int = 0,
        tif: TimeInForce = TimeInForce.GTC,
        rank: int = _AT,
        origin: Origin = Origin.RECORDED,
    ) -> None:
        self._keys.append((row, rank, order_id if rank == _BEFORE else len(self._keys), origin))
        self._commands.append((order_id, price, quantity, 0, kind, side, tif, 0))


def _too_large(messages: Messages, row: int, problem: str) -> LobsterError:
    """The error for sizes that no single order can hold; `row` counts from 0."""
    expected = f"an order holds at most {QUANTITY_MAX}"
    return LobsterError(messages.path, f"{problem}; {expected}", row=row + 1, column="size")


def never_added(messages: Messages) -> list[Unseen]:
    """Orders that rows of types 2 to 4 name but no row of type 1 adds, by order id.

    Raises `LobsterError` if the reductions of one order sum to more than an order can hold.
    """
    is_add = messages.type == MessageType.ADD
    named = (messages.type > MessageType.ADD) & (messages.type <= MessageType.EXECUTION)
    unseen = np.flatnonzero(named & ~np.isin(messages.order_id, messages.order_id[is_add]))
    orders: dict[int, Unseen] = {}
    deleted: set[int] = set()
    for row, (_, kind, order_id, size, price, direction) in zip(unseen.tolist(), messages.rows(unseen), strict=True):
        place = (direction, price)
        if order_id not in orders:
            orders[order_id] = Unseen(order_id, min(row, _row_by_id(messages, order_id)), 0, place)
        if orders[order_id].place == place and order_id not in deleted:
            orders[order_id].size += size
        if kind == MessageType.DELETE:
            deleted.add(order_id)
    for order_id, order in orders.items():
        if order.size > QUANTITY_MAX:
            raise _too_large(messages, order.row, f"the executions and cancels of order {order_id} sum to {order.size}")
    return [orders[order_id] for order_id in sorted(orders)]


def _row_by_id(messages: Messages, order_id: int) -> int:
    """The row (from 0) of the first add with a larger id; 0 if that is the file's first add, or there is none."""
    adds = np.flatnonzero(messages.type == MessageType.ADD)
    newer = adds[messages.order_id[adds] > order_id]
    if not len(adds) or (len(newer) and newer[0] == adds[0]):
        return 0
    return int(newer[0]) if len(newer) else len(messages.type)
