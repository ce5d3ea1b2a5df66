"""Executions as aggressive orders: which belong to one, what it must fill, and where an engine would differ."""

from __future__ import annotations

from array import array
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.recording.changes import AHEAD, HELD, MORE_THAN_SHOWN, PASSED, RESERVE, UNKNOWN_ORDER
from lowlat.engine.flow.recording.model import FILL, Bursts, Ints, Origin
from lowlat.engine.flow.recording.quantities import too_much
from lowlat.engine.matching.records import QUANTITY_MAX, CommandType, TimeInForce
from tests.plain_recording.book import Fills, Level, restoring
from tests.plain_recording.market import CONTINUOUS, RecordedMarket


class Execution(NamedTuple):
    """An execution of a resting order: event `at`."""

    at: int
    order_id: int
    price: int
    quantity: int


class Incoming(NamedTuple):
    """An order that event `at` adds although it trades at once."""

    at: int
    order_id: int
    side: int
    price: int
    quantity: int


class BurstLog:
    """The bursts that were sent. Numbers are kept in arrays, since a day has millions."""

    def __init__(self) -> None:
        self._command, self._counts = array("q"), array("q")
        self._makers, self._prices, self._quantities = array("Q"), array("q"), array("q")

    def __len__(self) -> int:
        return len(self._command)

    def add(self, command: int, fills: Fills) -> None:
        """Add the burst of a logged command."""
        self._command.append(command)
        self._counts.append(len(fills))
        for order_id, price, quantity in fills:
            self._makers.append(order_id)
            self._prices.append(price)
            self._quantities.append(quantity)

    def bursts(self, position: Ints) -> Bursts:
        """All of them. `position`: of each logged command, where it stands in the flow."""
        fills = np.empty(len(self._makers), FILL)
        fills["maker_id"], fills["price"], fills["quantity"] = self._makers, self._prices, self._quantities
        return Bursts(
            command=position[np.array(self._command, np.int64)],
            fills=fills,
            first_fill=np.concatenate(([0], np.cumsum(np.array(self._counts, np.int64)))),
        )


class BurstRecorder:
    """Collects the executions of one aggressive order, and sends it when the next event is none of them.

    `open`: the executions so far of the burst that has not been sent. `incoming`: the order that makes them, in a file
    that adds an order before it tells what that traded; what did not trade enters when the burst is sent. Aggressive
    orders are numbered from `first_id`.
    """

    def __init__(self, market: RecordedMarket, path: Path, rows: NDArray[np.uint64], first_id: int) -> None:
        self.open: list[Execution] = []
        self.incoming: Incoming | None = None
        self._market, self._path, self._rows = market, path, rows
        self._first_id = first_id
        self.log = BurstLog()
        self._key: tuple[int, int] = (0, 0)
        self._makers: set[int] = set()
        self._last = 0

    def continues(self, key: tuple[int, int]) -> bool:
        """Whether an execution with this key is of the open burst, or of the incoming order."""
        return (bool(self.open) or self.incoming is not None) and key == self._key

    def traded(self, order_id: int, index: int) -> bool:
        """Whether an order traded in the last burst, at the time of this event."""
        return order_id in self._makers and self._market.same_time(self._last, index)

    def hold(self, order: Incoming) -> None:
        """Hold an order back whose executions follow."""
        self.incoming = order
        self._key = order.order_id, 1 - order.side

    def add(self, execution: Execution, key: tuple[int, int]) -> None:
        """Add an execution to the open burst, or begin one."""
        self._key = key
        self.open.append(execution)

    def close(self) -> None:
        """The open burst, if there is one, is complete: send it, and enter what is left of an order held back."""
        executions, self.open = self.open, []
        incoming, self.incoming = self.incoming, None
        if executions:
            self._close(executions)
        if incoming is not None:
            left = incoming.quantity - sum(execution.quantity for execution in executions)
            if left > 0:
                self._market.add_rest(executions[-1].at if executions else incoming.at, *incoming[:-1], left)

    def _close(self, executions: list[Execution]) -> None:
        self._makers = {execution.order_id for execution in executions}
        self._last = executions[-1].at
        fills = self._expected(executions)
        market, index = self._market, executions[0].at
        if market.engine_phase != CONTINUOUS:
            for order_id, _, quantity in fills:
                market.changes.applied[HELD] += 1
                market.cut(index, market.book.orders[order_id], quantity, origin=Origin.APPLIED)
            market.reopen(executions[-1].at)
        elif fills:
            self._send(fills, index, executions[-1].at)

    def _expected(self, executions: list[Execution]) -> Fills:
        """The fills of a burst. What the book cannot fill is believed as far as it goes."""
        market, changes = self._market, self._market.changes
        fills: Fills = []
        taken: Counter[int] = Counter()
        for execution in executions:
            order = market.book.orders.get(execution.order_id)
            if order is None:
                changes.left_out[UNKNOWN_ORDER] += 1
                continue
            left = order.quantity - taken[order.order_id]
            quantity = min(execution.quantity, left)
            if execution.quantity > left and market.told_anew(execution.at, order.order_id):
                changes.explained[RESERVE] += 1
            elif execution.quantity > left:
                changes.believed[MORE_THAN_SHOWN] += 1
            if not quantity:
                continue
            taken[order.order_id] += quantity
            if fills and fills[-1][0] == order.order_id:
                quantity += fills.pop()[2]
            fills.append((order.order_id, order.price, quantity))
        return fills

    def _send(self, fills: Fills, first: int, last: int) -> None:
        """Send the aggressive order. Where an engine would fill others, its book is restored."""
        market = self._market
        side = market.book.orders[fills[0][0]].side
        quantity = sum(fill[2] for fill in fills)
        if quantity > QUANTITY_MAX:
            raise too_much(self._path, int(self._rows[first]), f"the executions of this burst sum to {quantity}")
        limit = (max if side else min)(fill[1] for fill in fills)
        predicted = market.book.fills(side, quantity, limit)
        if predicted != fills and self._clear_ahead(side, fills, first, last):
            predicted = market.book.fills(side, quantity, limit)
        aggressor = self._first_id + len(self.log)
        self.log.add(len(market.log), fills)
        market.log.add(first, CommandType.LIMIT, aggressor, quantity, 1 - side, limit, force=TimeInForce.IOC)
        self._execute(side, fills, predicted, last)

    def _clear_ahead(self, side: int, fills: Fills, first: int, last: int) -> bool:
        """Take out what the venue passed over: ghosts, of which no later event names what is left, and what an event
        of the same time takes out. Ends at an order that was alive. Whether anything was taken out.
        """
        market, wanted = self._market, Counter[int]()
        for order_id, _, quantity in fills:
            wanted[order_id] += quantity
        missing, ghosts, early = set(wanted), [], []
        for order in market.book.queue(side):
            missing.discard(order.order_id)
            if not missing:
                break
            excess = order.quantity - wanted[order.order_id]
            if excess and order.last <= last:
                ghosts.append((order, excess))
            elif excess:
                later = market.next_cut(last, order)
                if later is None:
                    break
                early.append((order, excess, later))
        for order, excess in ghosts:
            market.ghost(first, order, excess, AHEAD)
        for order, excess, later in early:
            market.changes.explained[PASSED] += 1
            market.cut_early(first, order, later, excess)
        return bool(ghosts or early)

    def _execute(self, side: int, fills: Fills, predicted: Fills, index: int) -> None:
        """Apply the file's fills; where price-time priority predicts others, restore an engine's book by commands."""
        market = self._market
        book, settled = market.book, market.settled[side]
        departs = predicted != fills
        prices = {price for _, price, _ in (fills + predicted if departs else fills)}
        levels = {price: _quantities(book.level(side, price)) for price in prices} if departs else {}
        for order_id, price, quantity in fills:
            book.take(book.orders[order_id], quantity)
            settled[price] = index
        if departs:
            market.changes.departures += 1
            settled.update(dict.fromkeys(prices, index))
            for order_id, price, quantity in predicted:
                levels[price][order_id] -= quantity
            for price in sorted(levels):
                self._restore(side, price, levels[price], index)

    def _restore(self, side: int, price: int, engine: dict[int, int], index: int) -> None:
        market = self._market
        present = {order_id: quantity for order_id, quantity in engine.items() if quantity}
        level = market.book.level(side, price)
        for kind, order_id, quantity in restoring(present, _quantities(level)):
            if kind == CommandType.LIMIT:
                level[order_id].entered = index
                market.log.add(index, kind, order_id, quantity, side, price, origin=Origin.RESTORED)
            else:
                market.log.add(index, kind, order_id, quantity, origin=Origin.RESTORED)


def _quantities(level: Level) -> dict[int, int]:
    return {order_id: order.quantity for order_id, order in level.items()}
