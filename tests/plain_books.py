"""The books of a feed, built as plainly as it can be said: a list of orders in the order in which they came to rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from lowlat.engine.feed.records import OrderAction
from lowlat.engine.matching.records import Side

Level = tuple[int, int]


@dataclass(frozen=True)
class Told:
    """An event, as far as books need it."""

    action: OrderAction
    symbol: int = 0
    order_id: int = 0
    other_id: int = 0
    side: int = 0
    price: int = 0
    quantity: int = 0
    flags: int = 0

    @classmethod
    def of(cls, event: np.void) -> Told:
        """A row of `ORDER_EVENT`."""
        names = ("symbol", "order_id", "other_id", "side", "price", "quantity", "flags")
        return cls(OrderAction(int(event["action"])), **{name: int(event[name]) for name in names})


@dataclass
class Resting:
    """An order of a book."""

    symbol: int
    order_id: int
    side: int
    price: int
    quantity: int


class PlainBooks:
    """Applies one event at a time. The oldest order of all comes first in `resting`."""

    def __init__(self) -> None:
        self.resting: list[Resting] = []
        self.unknown: Counter[OrderAction] = Counter()
        self.overfilled = self.repeated_ids = self.empty_orders = 0

    def find(self, symbol: int, order_id: int) -> Resting | None:
        """The order of an id."""
        return next((o for o in self.resting if (o.symbol, o.order_id) == (symbol, order_id)), None)

    def queue(self, symbol: int, side: int, price: int) -> list[Resting]:
        """The orders at a price, the first to trade first."""
        return [order for order in self.resting if (order.symbol, order.side, order.price) == (symbol, side, price)]

    def levels(self, symbol: int, side: int) -> list[Level]:
        """Price and quantity, best first."""
        total: Counter[int] = Counter()
        for order in self.resting:
            if (order.symbol, order.side) == (symbol, side):
                total[order.price] += order.quantity
        return sorted(total.items(), reverse=side == Side.BUY)

    def depth(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        """Price, quantity and number of orders, best first."""
        return [(price, total, len(self.queue(symbol, side, price))) for price, total in self.levels(symbol, side)]

    def queues(self) -> dict[tuple[int, int, int], list[tuple[int, int]]]:
        """Id and quantity of the orders of each symbol, side and price, the first to trade first."""
        found: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
        for order in self.resting:
            found.setdefault((order.symbol, order.side, order.price), []).append((order.order_id, order.quantity))
        return found

    def state(self, symbol: int, depth: int) -> list[int]:
        """As a row of a LOBSTER order book file."""
        asks, bids = ((*self.levels(symbol, side)[:depth], *[(0, 0)] * depth)[:depth] for side in (Side.SELL, Side.BUY))
        return [number for ask, bid in zip(asks, bids, strict=True) for number in (*ask, *bid)]

    def apply(self, told: Told) -> None:
        """What the venue says happened."""
        match told.action:
            case OrderAction.ADD:
                self.enter(told)
            case OrderAction.REDUCE | OrderAction.EXECUTE:
                self.take(told)
            case OrderAction.CANCEL:
                if order := self.known(told):
                    self.resting.remove(order)
            case OrderAction.REPLACE:
                self.replace(told)
            case OrderAction.UPSERT:
                self.upsert(told)
            case OrderAction.CLEAR:
                self.clear(told)

    def known(self, told: Told) -> Resting | None:
        """The order that an event is about."""
        order = self.find(told.symbol, told.order_id)
        if order is None:
            self.unknown[told.action] += 1
        return order

    def enter(self, told: Told) -> None:
        """At the back; what had the id before is gone."""
        if other := self.find(told.symbol, told.order_id):
            self.repeated_ids += 1
            self.resting.remove(other)
        if told.quantity == 0:
            self.empty_orders += 1
            return
        self.resting.append(Resting(told.symbol, told.order_id, told.side, told.price, told.quantity))

    def take(self, told: Told) -> None:
        """An order has less, or nothing."""
        if order := self.known(told):
            self.overfilled += told.quantity > order.quantity
            order.quantity -= told.quantity
            if order.quantity <= 0:
                self.resting.remove(order)

    def replace(self, told: Told) -> None:
        """An order leaves, and another enters on its side."""
        if order := self.known(told):
            self.resting.remove(order)
            self.enter(replace(told, order_id=told.other_id, side=order.side))

    def upsert(self, told: Told) -> None:
        """An order is as it is told."""
        order = self.find(told.symbol, told.order_id)
        if order is None:
            self.enter(told)
        elif told.quantity == 0:
            self.resting.remove(order)
        elif self.keeps_place(order, told):
            order.quantity = told.quantity
        else:
            self.resting.remove(order)
            self.enter(told)

    def keeps_place(self, order: Resting, told: Told) -> bool:
        """Whether an order that is told anew has not come again."""
        return (order.side, order.price) == (told.side, told.price) and told.quantity <= order.quantity

    def clear(self, told: Told) -> None:
        """One symbol's orders are gone."""
        self.resting = [order for order in self.resting if order.symbol != told.symbol]
