"""Stops of the reference engine: how they wait, how a trade makes them due, how trailing ones follow it."""

from __future__ import annotations

from lowlat.engine.matching.records import BASIS_POINTS_MAX, CommandType, ExecInst, Side
from lowlat.engine.reference.book import Ask, Book, Order
from lowlat.engine.reference.state import State


def trailing_trigger(terms: Ask, extreme: int, tick: int) -> int:
    """Where a trailing stop triggers when `extreme` is the best trade price since it came."""
    distance = terms.trigger
    if terms.flags & ExecInst.TRAIL_BASIS_POINTS:
        distance = max(abs(extreme) * terms.trigger // BASIS_POINTS_MAX // tick, 1) * tick
    return extreme - distance if terms.side == Side.SELL else extreme + distance


class Stops(State):
    """Waiting stops."""

    def _wait(self, order: Order, book: Book) -> None:
        order.waits = True
        order.trigger = order.terms.trigger
        if order.terms.kind == CommandType.TRAILING_STOP:
            assert book.last is not None  # checked: NO_LAST_TRADE
            order.extreme = book.last
            order.trigger = trailing_trigger(order.terms, book.last, book.rules.tick)
            book.trailing[order.accepted] = order
        book.stops[order.side].add(order, order.trigger)
        self._keep(order, book)

    def _traded_at(self, price: int, book: Book) -> None:
        """What a trade does to the stops; those that are due are carried out later."""
        book.last = price
        for ladder in book.stops:
            while ladder.reaches(price):
                trigger = next(ladder.prices())
                order = next(iter(ladder.queues[trigger].values()))
                ladder.remove(order, trigger)
                book.trailing.pop(order.accepted, None)
                order.waits = False
                self._fall_due(order, book)
        for order in book.trailing.values():
            self._follow(order, price, book)

    def _fall_due(self, order: Order, book: Book) -> None:
        book.due.append(order)

    def _follow(self, order: Order, price: int, book: Book) -> None:
        if self._extends(order, price):
            order.extreme = price
            trigger = trailing_trigger(order.terms, price, book.rules.tick)
            if trigger != order.trigger:
                book.stops[order.side].remove(order, order.trigger)
                order.trigger = trigger
                book.stops[order.side].add(order, trigger)

    def _extends(self, order: Order, price: int) -> bool:
        """Whether a trade is better than any since the trailing stop came."""
        return price > order.extreme if order.side == Side.SELL else price < order.extreme
