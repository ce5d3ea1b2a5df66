"""Stops of the reference engine: waiting, triggering by trades, and trailing."""

from __future__ import annotations

from lowlat.engine.matching.records import BASIS_POINTS_MAX, CommandType, ExecInst, Side
from lowlat.engine.reference.book import Book, Command, Order
from lowlat.engine.reference.state import State


def trailing_trigger(command: Command, extreme: int, tick: int) -> int:
    """Trigger price of a trailing stop if `extreme` is the best trade price since its entry."""
    distance = command.trigger
    if command.flags & ExecInst.TRAIL_BASIS_POINTS:
        distance = max(abs(extreme) * command.trigger // BASIS_POINTS_MAX // tick, 1) * tick
    return extreme - distance if command.side == Side.SELL else extreme + distance


class Stops(State):
    """Waiting stops."""

    def _add_stop(self, order: Order, book: Book) -> None:
        order.waits = True
        order.trigger = order.command.trigger
        if order.command.kind == CommandType.TRAILING_STOP:
            assert book.last is not None  # checked: NO_LAST_TRADE
            order.extreme = book.last
            order.trigger = trailing_trigger(order.command, book.last, book.rules.tick)
            book.trailing[order.accepted] = order
        book.stops[order.side].add(order, order.trigger)
        self._register(order, book)

    def _on_trade(self, price: int, book: Book) -> None:
        """Update the stops after a trade; due stops are executed later."""
        book.last = price
        for ladder in book.stops:
            while ladder.reaches(price):
                trigger = next(ladder.prices())
                order = next(iter(ladder.queues[trigger].values()))
                ladder.remove(order, trigger)
                book.trailing.pop(order.accepted, None)
                order.waits = False
                self._become_due(order, book)
        for order in book.trailing.values():
            self._follow(order, price, book)

    def _become_due(self, order: Order, book: Book) -> None:
        book.due.append(order)

    def _follow(self, order: Order, price: int, book: Book) -> None:
        if self._extends(order, price):
            order.extreme = price
            trigger = trailing_trigger(order.command, price, book.rules.tick)
            if trigger != order.trigger:
                book.stops[order.side].remove(order, order.trigger)
                order.trigger = trigger
                book.stops[order.side].add(order, trigger)

    def _extends(self, order: Order, price: int) -> bool:
        """Whether a trade price is better than any since the trailing stop's entry."""
        return price > order.extreme if order.side == Side.SELL else price < order.extreme
