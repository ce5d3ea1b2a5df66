"""A book that applies level-3 events in the plainest way: the oracle of every reader and of the native book builder.

A queue is a dictionary in order of arrival. Nothing is fast, nothing is shared with what it judges.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from lowlat.engine.feed.records import OrderAction
from lowlat.engine.matching.records import Side

Level = tuple[int, int, int]
"""Price, quantity, number of orders."""


class SlowBook:
    """The orders of one symbol. What an event says is believed; what it names and is not there, is ignored."""

    def __init__(self) -> None:
        self.queues: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)  # (side, price): quantity by order id
        self.places: dict[int, tuple[int, int]] = {}

    def apply(self, event: np.void) -> None:
        order_id, quantity = int(event["order_id"]), int(event["quantity"])
        place = (int(event["side"]), int(event["price"]))
        match OrderAction(int(event["action"])):
            case OrderAction.ADD:
                self.remove(order_id)
                self.enter(order_id, place, quantity)
            case OrderAction.REDUCE | OrderAction.EXECUTE:
                self.take(order_id, quantity)
            case OrderAction.CANCEL:
                self.remove(order_id)
            case OrderAction.REPLACE:
                side = self.places.get(order_id, place)[0]
                self.remove(order_id)
                self.enter(int(event["other_id"]), (side, place[1]), quantity)
            case OrderAction.UPSERT:
                if self.places.get(order_id) != place or self.queues[place][order_id] < quantity:
                    self.remove(order_id)
                    self.enter(order_id, place, quantity)
                self.queues[place][order_id] = quantity
            case OrderAction.CLEAR:
                self.queues.clear()
                self.places.clear()
            case _:
                pass

    def enter(self, order_id: int, place: tuple[int, int], quantity: int) -> None:
        self.queues[place][order_id] = quantity
        self.places[order_id] = place

    def take(self, order_id: int, quantity: int) -> None:
        if order_id in self.places:
            queue = self.queues[self.places[order_id]]
            queue[order_id] -= quantity
            if queue[order_id] <= 0:
                self.remove(order_id)

    def remove(self, order_id: int) -> None:
        if order_id in self.places:
            place = self.places.pop(order_id)
            del self.queues[place][order_id]
            if not self.queues[place]:
                del self.queues[place]

    def head(self, side: int) -> int:
        """The order that a price-time book would fill next."""
        best = self.levels(side)[0][0]
        return next(iter(self.queues[side, best]))

    def levels(self, side: int) -> list[Level]:
        """Best first."""
        sign = -1 if side == Side.BUY else 1
        prices = sorted((price for at, price in self.queues if at == side), key=lambda price: sign * price)
        return [(price, sum(self.queues[side, price].values()), len(self.queues[side, price])) for price in prices]
