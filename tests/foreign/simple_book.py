"""A small matching engine that runs as a process: an example to learn from, and what lowlat's tests measure and verify.

    lowlat verify --engine 'ndjson:python tests/foreign/simple_book.py'

It speaks the protocol of docs/reference/engine-protocol.md with Python's own modules only, and executes limit and
market orders of one symbol, cancels and reductions as docs/matching.md says. A side is a sorted list of prices, each
with a queue of orders, oldest first.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_left, insort
from typing import Any, TextIO

Fields = dict[str, Any]

LIMIT, MARKET, CANCEL, REDUCE = 1, 2, 3, 4
BUY, SELL = 0, 1
GTC, IOC, FOK, GTD = 0, 1, 2, 4
KNOWN_FLAGS = 15
QUANTITY_MAX = 2**32 - 1
ACCEPTED, REJECTED, TRADE, CANCELLED, REDUCED = 1, 2, 3, 4, 5
UNKNOWN_KIND, UNKNOWN_SYMBOL, UNKNOWN_SIDE, UNKNOWN_TIME_IN_FORCE, UNKNOWN_FLAG = 1, 2, 3, 4, 5
QUANTITY_NOT_POSITIVE, QUANTITY_TOO_LARGE, PRICE_ON_MARKET_ORDER = 6, 7, 9
DUPLICATE_ORDER_ID, UNKNOWN_ORDER_ID, REDUCE_EXCEEDS_REMAINING = 12, 13, 14
FOK_NOT_FILLABLE, ORDER_POOL_FULL, REQUESTED, IOC_REMAINDER, MARKET_REMAINDER = 17, 18, 20, 21, 22
CAPABILITIES = ["MARKET", "IOC", "FOK", "REDUCE", "REASONS", "TRADE_IDS"]


class Order:
    """An order that rests, or comes in."""

    def __init__(self, order_id: int, side: int, price: int, remaining: int) -> None:
        self.order_id, self.side, self.price, self.remaining = order_id, side, price, remaining


class Book:
    """The orders of one symbol. Prices of a side are negated for bids, so that the best price is the first."""

    def __init__(self, orders_max: int) -> None:
        self.orders: dict[int, Order] = {}
        self._prices: tuple[list[int], list[int]] = ([], [])
        self._queues: tuple[dict[int, list[Order]], dict[int, list[Order]]] = ({}, {})
        self._orders_max = orders_max
        self._trades = 0

    def execute(self, command: Fields) -> list[Fields]:
        """The events of a command."""
        kind, order_id = command.get("kind", 0), command.get("order_id", 0)
        if not LIMIT <= kind <= REDUCE:
            return [self._rejected(command, UNKNOWN_KIND)]
        if command.get("symbol", 0) != 0:
            return [self._rejected(command, UNKNOWN_SYMBOL)]
        if kind in (LIMIT, MARKET):
            return self._enter(command)
        quantity = command.get("quantity", 0)
        if kind == REDUCE and (reason := self._wrong_quantity(quantity)):
            return [self._rejected(command, reason)]
        order = self.orders.get(order_id)
        if order is None:
            return [self._rejected(command, UNKNOWN_ORDER_ID)]
        if kind == CANCEL:
            quantity, order.remaining = order.remaining, 0
            self._take_out(order)
            return [self._changed(CANCELLED, order, quantity, kind, REQUESTED)]
        if quantity > order.remaining:
            return [self._rejected(command, REDUCE_EXCEEDS_REMAINING)]
        order.remaining -= quantity
        if not order.remaining:
            self._take_out(order)
        return [self._changed(REDUCED, order, quantity, kind)]

    def _enter(self, command: Fields) -> list[Fields]:
        kind, time_in_force = command["kind"], command.get("time_in_force", GTC)
        rests = kind == LIMIT and time_in_force == GTC
        if reason := self._wrong_order(command, rests=rests):
            return [self._rejected(command, reason)]
        order = Order(
            command.get("order_id", 0), command.get("side", BUY), command.get("price", 0), command["quantity"]
        )
        if time_in_force == FOK and not self._has_within(order, kind):
            return [self._rejected(command, FOK_NOT_FILLABLE)]
        events = [self._changed(ACCEPTED, order, order.remaining, kind), *self._match(order, kind)]
        if rests and order.remaining:
            self._add(order)
        elif order.remaining:
            left, order.remaining = order.remaining, 0
            events.append(
                self._changed(CANCELLED, order, left, kind, MARKET_REMAINDER if kind == MARKET else IOC_REMAINDER)
            )
        return events

    def _wrong_order(self, command: Fields, *, rests: bool) -> int:
        """Why an order is rejected, in the order of docs/matching.md; 0 if it is not."""
        if command.get("side", BUY) > SELL:
            return UNKNOWN_SIDE
        if command.get("time_in_force", GTC) > GTD:
            return UNKNOWN_TIME_IN_FORCE
        if command.get("flags", 0) & ~KNOWN_FLAGS:
            return UNKNOWN_FLAG
        if reason := self._wrong_quantity(command.get("quantity", 0)):
            return reason
        if command["kind"] == MARKET and command.get("price", 0) != 0:
            return PRICE_ON_MARKET_ORDER
        if command.get("order_id", 0) in self.orders:
            return DUPLICATE_ORDER_ID
        return ORDER_POOL_FULL if rests and len(self.orders) == self._orders_max else 0

    def _wrong_quantity(self, quantity: int) -> int:
        if quantity <= 0:
            return QUANTITY_NOT_POSITIVE
        return QUANTITY_TOO_LARGE if quantity > QUANTITY_MAX else 0

    def _match(self, taker: Order, kind: int) -> list[Fields]:
        """Its trades: best price first, oldest first."""
        events = []
        prices, queues = self._prices[1 - taker.side], self._queues[1 - taker.side]
        while taker.remaining and prices and self._reaches(taker, kind, prices[0]):
            maker = queues[prices[0]][0]
            quantity = min(taker.remaining, maker.remaining)
            taker.remaining -= quantity
            maker.remaining -= quantity
            self._trades += 1
            trade = self._changed(TRADE, taker, quantity, kind)
            events.append(
                trade
                | {"maker_id": maker.order_id, "price": maker.price, "maker_remaining": maker.remaining}
                | {"trade_id": self._trades}
            )
            if not maker.remaining:
                self._take_out(maker)
        return events

    def _reaches(self, taker: Order, kind: int, key: int) -> bool:
        """Whether it trades at a price of the other side, given by its key there."""
        return kind == MARKET or key <= self._key(1 - taker.side, taker.price)

    def _has_within(self, taker: Order, kind: int) -> bool:
        wanted = taker.remaining
        for key in self._prices[1 - taker.side]:
            if not self._reaches(taker, kind, key):
                break
            wanted -= sum(order.remaining for order in self._queues[1 - taker.side][key])
        return wanted <= 0

    def _key(self, side: int, price: int) -> int:
        return -price if side == BUY else price

    def _add(self, order: Order) -> None:
        key, queues = self._key(order.side, order.price), self._queues[order.side]
        if key not in queues:
            queues[key] = []
            insort(self._prices[order.side], key)
        queues[key].append(order)
        self.orders[order.order_id] = order

    def _take_out(self, order: Order) -> None:
        key, queues, prices = self._key(order.side, order.price), self._queues[order.side], self._prices[order.side]
        queues[key].remove(order)
        if not queues[key]:
            del queues[key]
            del prices[bisect_left(prices, key)]
        del self.orders[order.order_id]

    def _rejected(self, command: Fields, reason: int) -> Fields:
        stated = {name: command.get(name, 0) for name in ("order_id", "symbol", "side", "price")}
        return {"kind": REJECTED, **stated, "reason": reason, "command": command.get("kind", 0)}

    def _changed(self, kind: int, order: Order, quantity: int, command: int, reason: int = 0) -> Fields:
        return {
            "kind": kind,
            "order_id": order.order_id,
            "side": order.side,
            "price": order.price,
            "quantity": quantity,
            "remaining": order.remaining,
            "reason": reason,
            "command": command,
        }


def answer(message: Fields, books: list[Book]) -> Fields:
    """The answer to a message. `books`: the one in use, last."""
    match message["type"]:
        case "hello":
            return {
                "type": "ready",
                "protocol": "lowlat.engine",
                "protocol_version": 1,
                "engine": {"name": "simple book in Python", "version": "1.0", "language": "Python"},
                "capabilities": CAPABILITIES,
            }
        case "create":
            books[:] = [Book(message["orders"])]
            return {"type": "created"}
        case "command":
            return {"type": "events", "index": message["index"], "events": books[0].execute(message["command"])}
        case other:
            return {"type": "error", "code": "PROTOCOL_ERROR", "message": f"there is no message {other!r}"}


def serve(lines: TextIO, out: TextIO) -> None:
    """Answer each line until the input ends."""
    books: list[Book] = []
    for line in lines:
        out.write(json.dumps(answer(json.loads(line), books), separators=(",", ":")) + "\n")
        out.flush()


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
