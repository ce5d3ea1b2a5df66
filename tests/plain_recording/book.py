"""The book that a recording describes: the queue at each price, and what price-time priority would fill next."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lowlat.engine.matching.records import CommandType, Side

Level: TypeAlias = OrderedDict[int, "Resting"]
"""Resting orders by id, in queue order. Unlike a dict's, its first one is found at once however many went before."""
Fills: TypeAlias = list[tuple[int, int, int]]
"""Order id, price and quantity of each execution, in order."""


@dataclass(eq=False, slots=True)
class Resting:
    """An order in the book. `entered`: the event before or at which it did; `last`: the last event that names it."""

    order_id: int
    side: int
    price: int
    quantity: int
    entered: int
    last: int


class RecordedBook:
    """Resting orders of both sides of one symbol.

    A side's prices are kept as ranks, best first: the price of an ask, the negative of a bid's.
    """

    def __init__(self) -> None:
        self.orders: dict[int, Resting] = {}
        self.levels: tuple[dict[int, Level], dict[int, Level]] = ({}, {})
        self.ranks: tuple[list[int], list[int]] = ([], [])

    def level(self, side: int, price: int) -> Level:
        """The orders resting at one price; may be empty."""
        return self.levels[side].get(price) or OrderedDict()

    def best(self, side: int) -> int:
        """The best price of a side that has orders."""
        return self.ranks[side][0] if side else -self.ranks[side][0]

    def crossed_by(self, side: int, price: int) -> bool:
        """Whether an order of this side and price would reach the other side."""
        ranks = self.ranks[1 - side]
        return bool(ranks) and ranks[0] <= (price if side == Side.BUY else -price)

    def crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        bids, asks = self.ranks
        return bool(bids and asks) and -bids[0] >= asks[0]

    def enter(self, order: Resting, before: int | None = None) -> None:
        """Queue an order at the back, or ahead of the order `before`."""
        levels = self.levels[order.side]
        level = levels.get(order.price)
        if level is None:
            level = levels[order.price] = OrderedDict()
            insort(self.ranks[order.side], order.price if order.side else -order.price)
        behind = ids_from(level, before) if before is not None else []
        self.orders[order.order_id] = level[order.order_id] = order
        for other in behind:
            level.move_to_end(other)

    def take(self, order: Resting, quantity: int) -> None:
        """Reduce an order by `quantity`, which it has, and remove it at 0."""
        order.quantity -= quantity
        if order.quantity == 0:
            del self.orders[order.order_id]
            level = self.levels[order.side][order.price]
            del level[order.order_id]
            if not level:
                del self.levels[order.side][order.price]
                ranks = self.ranks[order.side]
                del ranks[bisect_left(ranks, order.price if order.side else -order.price)]

    def fills(self, side: int, quantity: int, limit: int) -> Fills:
        """The fills under price-time priority of an order that takes `quantity` of this side, up to price `limit`."""
        fills: Fills = []
        for order in self.queue(side):
            if quantity == 0 or (order.price > limit if side else order.price < limit):
                break
            fills.append((order.order_id, order.price, min(quantity, order.quantity)))
            quantity -= fills[-1][2]
        return fills

    def uncross(self) -> tuple[Counter[int], Counter[int]]:
        """What each bid and each ask trades if as much as possible trades at one price, by price and time."""
        taken = Counter[int](), Counter[int]()
        queues = self.queue(Side.BUY), self.queue(Side.SELL)
        bid, ask = (next(queue, None) for queue in queues)
        while bid is not None and ask is not None and bid.price >= ask.price:
            left = bid.quantity - taken[0][bid.order_id], ask.quantity - taken[1][ask.order_id]
            taken[0][bid.order_id] += min(left)
            taken[1][ask.order_id] += min(left)
            if left[0] <= left[1]:
                bid = next(queues[0], None)
            if left[1] <= left[0]:
                ask = next(queues[1], None)
        return taken

    def queue(self, side: int) -> Iterator[Resting]:
        """The orders of a side by price and time."""
        for rank in self.ranks[side]:
            yield from self.levels[side][rank if side else -rank].values()


def restoring(engine: Mapping[int, int], filed: Mapping[int, int]) -> list[tuple[CommandType, int, int]]:
    """Commands (kind, order id, quantity) that turn an engine's level into the file's; both in queue order.

    Both are subsets of the same earlier queue, in its order. Orders before the first one of which the engine has too
    little can be reduced in place; from that order on, the queue is entered again.
    """
    short = next((order_id for order_id, size in filed.items() if engine.get(order_id, 0) < size), None)
    again = set(ids_from(filed, short)) if short is not None else set()
    steps = [(CommandType.CANCEL, order_id, 0) for order_id in engine if order_id not in filed or order_id in again]
    steps += [
        (CommandType.REDUCE, order_id, engine[order_id] - size)
        for order_id, size in filed.items()
        if order_id not in again and engine[order_id] > size
    ]
    return steps + [(CommandType.LIMIT, order_id, filed[order_id]) for order_id in filed if order_id in again]


def ids_from(level: Mapping[int, object], first: int) -> list[int]:
    """The ids from `first` to the back of the queue."""
    ids = list(level)
    return ids[ids.index(first) :]
