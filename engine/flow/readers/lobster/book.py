"""The book that a LOBSTER file describes: the queue at each price, and what price-time priority would fill next."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from lowlat.engine.matching.records import CommandType

Level: TypeAlias = dict[int, int]
"""Remaining size by order id, in queue order."""
Place: TypeAlias = tuple[int, int]
"""Direction (1 buy, -1 sell) and price."""
Fills: TypeAlias = list[tuple[int, int, int]]
"""Order id, price and size of each execution, in order."""


class LobsterBook:
    """Resting orders of both sides, changed only by the file's rows."""

    def __init__(self) -> None:
        self._levels: dict[Place, Level] = {}
        self._places: dict[int, Place] = {}
        self._ranks: dict[int, list[int]] = {1: [], -1: []}  # -direction * price, ascending: best first

    def __len__(self) -> int:
        """Number of resting orders."""
        return len(self._places)

    def place(self, order_id: int) -> Place | None:
        """Where an order rests; None if it does not."""
        return self._places.get(order_id)

    def level(self, place: Place) -> Mapping[int, int]:
        """The orders resting at one price; may be empty."""
        return self._levels.get(place, {})

    def remaining(self, order_id: int) -> int:
        """Remaining size of a resting order; 0 if it does not rest."""
        place = self._places.get(order_id)
        return self._levels[place][order_id] if place else 0

    def enter(self, order_id: int, size: int, place: Place, before: int | None = None) -> None:
        """Queue an order at the back, or ahead of the order `before`."""
        level = self._levels.get(place)
        if level is None:
            level = self._levels[place] = {}
            insort(self._ranks[place[0]], -place[0] * place[1])
        self._places[order_id] = place
        behind = _from(level, before) if before is not None else []
        level[order_id] = size
        for other in behind:
            level[other] = level.pop(other)

    def take(self, order_id: int, size: int) -> int:
        """Reduce an order by `size`, removing it at 0. Returns the remaining size."""
        place = self._places[order_id]
        level = self._levels[place]
        level[order_id] -= size
        left = level[order_id]
        if left == 0:
            del level[order_id], self._places[order_id]
            if not level:
                self._drop(place)
        return left

    def fills(self, direction: int, size: int, limit: int) -> Fills:
        """The fills under price-time priority of an order that takes `size` from this side, up to price `limit`."""
        fills: Fills = []
        for order_id, price, remaining in self._queue(direction):
            if size == 0 or (price - limit) * direction < 0:
                break
            fills.append((order_id, price, min(size, remaining)))
            size -= fills[-1][2]
        return fills

    def _queue(self, direction: int) -> Iterator[tuple[int, int, int]]:
        for rank in self._ranks[direction]:
            price = -direction * rank
            for order_id, remaining in self._levels[direction, price].items():
                yield order_id, price, remaining

    def _drop(self, place: Place) -> None:
        del self._levels[place]
        ranks = self._ranks[place[0]]
        del ranks[bisect_left(ranks, -place[0] * place[1])]


def restoring(engine: Mapping[int, int], filed: Mapping[int, int]) -> list[tuple[CommandType, int, int]]:
    """Commands (kind, order id, quantity) that turn an engine's level into the file's; both in queue order.

    Both are subsets of the same earlier queue, in its order. Orders before the first one of which the engine has too
    little can be reduced in place; from that order on, the queue is entered again.
    """
    short = next((order_id for order_id, size in filed.items() if engine.get(order_id, 0) < size), None)
    again = _from(filed, short) if short is not None else []
    steps = [
        (CommandType.CANCEL, order_id, 0) for order_id in engine if order_id not in filed or order_id in set(again)
    ]
    steps += [
        (CommandType.REDUCE, order_id, engine[order_id] - size)
        for order_id, size in filed.items()
        if order_id not in set(again) and engine[order_id] > size
    ]
    return steps + [(CommandType.LIMIT, order_id, filed[order_id]) for order_id in again]


def _from(level: Mapping[int, int], first: int) -> list[int]:
    """The ids from `first` to the back of the queue."""
    ids = list(level)
    return ids[ids.index(first) :]
