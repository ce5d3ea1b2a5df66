"""A follower of order flow in plain Python: the oracle of the native one.

It keeps each book as lists of orders and executes only limit orders (GTC, IOC), market orders, cancels, reduces and
replaces, which is what the flows of its tests consist of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lowlat.engine.flow.records import LifeEnd
from lowlat.engine.matching.records import Commands, CommandType, Side, TimeInForce


@dataclass(slots=True)
class Order:
    """A resting order and the number of the command that entered it."""

    order_id: int
    side: Side
    price: int
    left: int
    entered: int
    distance: tuple[int, int]
    """Of its entry, and whether it has one."""


@dataclass
class PlainFollower:
    """One symbol's book: a list of orders in the order of their arrival."""

    tick: int = 1
    orders: list[Order] = field(default_factory=list)
    number: int = 0
    lives: list[tuple[int, ...]] = field(default_factory=list)
    """Number of the entering command, commands from there, distance, whether it has one, how it ended."""

    def follow(self, commands: Commands) -> list[dict[str, int]]:
        """A row for each command, with the names of `FOLLOWED_COMMAND`."""
        names = commands.dtype.names or ()
        rows = [self._one(dict(zip(names, record, strict=True))) for record in commands.tolist()]
        self._end(list(self.orders), LifeEnd.OPEN)
        return rows

    def _one(self, command: dict[str, Any]) -> dict[str, int]:
        kind, row = command["kind"], dict.fromkeys(("distance", "lifetime", "ahead", "behind", "placed"), 0)
        row |= {"spread": self._spread(), "quantity": command["quantity"], "filled": 0, "makers": 0, "levels_filled": 0}
        row |= {"accepted": 1, "rests": 0, "symbol": 0, "touch_quantity": 0}
        if kind in (CommandType.CANCEL, CommandType.REDUCE, CommandType.REPLACE):
            self._change(command, row)
        else:
            row["touch_quantity"] = self._touch_quantity(Side(1 - command["side"]))
            if kind == CommandType.LIMIT:
                row["ahead"] = len(self._queue(Side(command["side"]), command["price"]))
                self._place(row, Side(command["side"]), command["price"])
            self._enter(command, row)
        self.number += 1
        return row | {
            "live": len(self.orders),
            "levels": len({(order.side, order.price) for order in self.orders}),
        }

    def _queue(self, side: Side, price: int) -> list[Order]:
        return [order for order in self.orders if (order.side, order.price) == (side, price)]

    def _best(self, side: Side) -> int | None:
        prices = [order.price for order in self.orders if order.side == side]
        return (max(prices) if side == Side.BUY else min(prices)) if prices else None

    def _spread(self) -> int:
        bid, ask = self._best(Side.BUY), self._best(Side.SELL)
        return 0 if bid is None or ask is None else (ask - bid) // self.tick

    def _touch_quantity(self, side: Side) -> int:
        best = self._best(side)
        return 0 if best is None else sum(order.left for order in self._queue(side, best))

    def _end(self, orders: list[Order], how: LifeEnd) -> None:
        for order in orders:
            self.orders.remove(order)
            self.lives.append((order.entered, self.number - order.entered, *order.distance, how))

    def _place(self, row: dict[str, int], side: Side, price: int) -> None:
        best = self._best(side)
        if best is not None:
            row["placed"] = 1
            row["distance"] = (best - price if side == Side.BUY else price - best) // self.tick

    def _change(self, command: dict[str, Any], row: dict[str, int]) -> None:
        order = next((order for order in self.orders if order.order_id == command["order_id"]), None)
        row["quantity"] = order.left if order else 0
        if order is None:
            row["accepted"] = 0
            return
        queue = self._queue(order.side, order.price)
        row["ahead"], row["lifetime"] = queue.index(order), self.number - order.entered
        row["behind"] = len(queue) - 1 - row["ahead"]
        row["touch_quantity"] = self._touch_quantity(Side(1 - order.side))
        self._place(row, order.side, order.price)
        if command["kind"] == CommandType.CANCEL:
            self._end([order], LifeEnd.CANCELED)
        elif command["kind"] == CommandType.REDUCE:
            row["accepted"] = int(command["quantity"] <= order.left)
            order.left -= command["quantity"] * row["accepted"]
            row["rests"] = int(order.left > 0 and row["accepted"])
            self._end([order] * (order.left == 0), LifeEnd.CANCELED)
        elif command["price"] == order.price and command["quantity"] <= order.left:
            order.left = command["quantity"]
            row["rests"] = 1
        else:
            self.orders.remove(order)
            self._enter(command | {"side": order.side, "kind": CommandType.LIMIT}, row, order)

    def _enter(self, command: dict[str, Any], row: dict[str, int], before: Order | None = None) -> None:
        side, left = Side(command["side"]), command["quantity"]
        market = command["kind"] == CommandType.MARKET
        prices = []
        while left and (makers := self._reached(side, None if market else command["price"])):
            maker, traded = makers[0], min(left, makers[0].left)
            left, maker.left = left - traded, maker.left - traded
            prices.append(maker.price)
            row["filled"] += traded
            self._end([maker] * (maker.left == 0), LifeEnd.FILLED)
        row["makers"], row["levels_filled"] = len(prices), len(set(prices))
        entered = self.number if before is None else before.entered
        placed = row["placed"] and not prices
        distance = (row["distance"] * placed, int(placed)) if before is None else before.distance
        order = Order(command["order_id"], side, command["price"], left, entered, distance)
        if left and not market and command["time_in_force"] == TimeInForce.GTC:
            row["rests"] = 1
            self.orders.append(order)
        elif before is not None:
            self.lives.append((entered, self.number - entered, *distance, LifeEnd.FILLED))

    def _reached(self, side: Side, limit: int | None) -> list[Order]:
        """The other side's orders up to the limit, by priority. Sorting is stable: oldest first at a price."""
        sign = 1 if side == Side.BUY else -1
        others = [order for order in self.orders if order.side != side]
        reached = [order for order in others if limit is None or sign * order.price <= sign * limit]
        return sorted(reached, key=lambda order: sign * order.price)
