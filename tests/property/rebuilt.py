"""The books that follow from a stream of events and their commands alone, and rules that every event must keep. It
knows nothing of matching: the events of any engine must be consistent with its books.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lowlat.engine.conformance.rows import WIDE, Row
from lowlat.engine.matching.records import (
    STOP_KINDS,
    CommandType,
    Events,
    ExecInst,
    ExecType,
    Orders,
    Side,
    TimeInForce,
)

DISPLAY = 10
"""The place of `display_quantity` in a row."""


@dataclass
class Told:
    """An order as reconstructed from the events; `shown` applies when it rests."""

    side: int
    price: int
    quantity: int
    display_quantity: int
    all_or_none: bool
    rests: bool
    fills_or_dies: bool
    shown: int = 0
    trades: int = 0


@dataclass
class Rebuilt:
    """One symbol. `queue`: resting orders by id, oldest first; `waiting`: stops; `incoming`: the order that
    trades now.
    """

    symbol: int
    queue: dict[int, Told] = field(default_factory=dict)
    waiting: dict[int, Told] = field(default_factory=dict)
    incoming: dict[int, Told] = field(default_factory=dict)

    def tell(self, row: Row, events: Events) -> None:
        """Apply the events of one command."""
        for event in events:
            if event["symbol"] == self.symbol and event["kind"] != ExecType.REJECTED:
                self._emit_order(row, event)
        self._settle()

    def _emit_order(self, row: Row, event: np.void) -> None:
        order_id, quantity = int(event["order_id"]), int(event["quantity"])
        match event["kind"]:
            case ExecType.ACCEPTED if row[4] not in (CommandType.ADVANCE_TIME, CommandType.PHASE):
                self._enter(row, event)
            case ExecType.REPLACED:
                self._replace(order_id, event)
            case ExecType.TRADE:
                self._trade(order_id, quantity, int(event["remaining"]))
                self._trade(int(event["maker_id"]), quantity, int(event["maker_remaining"]))
            case ExecType.CANCELLED:
                assert not self._order(order_id).fills_or_dies, f"{event}"
                self._lose(order_id, quantity, 0)
            case ExecType.REDUCED:
                if not event["reason"]:  # asked for: the hidden part goes first
                    order = self._order(order_id)
                    order.shown = min(order.shown, order.quantity - quantity)
                    order.quantity -= quantity
                    self._lose(order_id, 0, int(event["remaining"]))
                else:
                    self._lose(order_id, quantity, int(event["remaining"]))
            case ExecType.REFILLED:
                order = self.queue.pop(order_id)
                assert order.shown == 0 and quantity == min(order.display_quantity, order.quantity), f"{event}"
                order.shown = quantity
                self.queue[order_id] = order
            case ExecType.TRIGGERED:
                self._settle()
                order = self.waiting.pop(order_id, None) or self.queue.pop(order_id)
                assert order.quantity == quantity == event["remaining"], f"{event}"
                self.incoming[order_id] = order

    def _enter(self, row: Row, event: np.void) -> None:
        display_quantity = row[DISPLAY] if len(row) == WIDE else 0
        assert event["quantity"] == event["remaining"] == row[2], f"{event}"
        kind, time_in_force = row[4], row[6]
        order = Told(
            side=int(event["side"]),
            price=int(event["price"]),
            quantity=row[2],
            display_quantity=display_quantity,
            all_or_none=bool(row[7] & ExecInst.ALL_OR_NONE),
            rests=kind in (CommandType.LIMIT, CommandType.STOP_LIMIT)
            and time_in_force not in (TimeInForce.IOC, TimeInForce.FOK),
            fills_or_dies=time_in_force == TimeInForce.FOK,
        )
        (self.waiting if kind in STOP_KINDS else self.incoming)[row[0]] = order

    def _replace(self, order_id: int, event: np.void) -> None:
        order, price, quantity = self.queue[order_id], int(event["price"]), int(event["quantity"])
        if price == order.price and quantity <= order.quantity:
            order.shown = min(order.shown, quantity)
        else:
            self.incoming[order_id] = self.queue.pop(order_id)
        order.price, order.quantity = price, quantity

    def _order(self, order_id: int) -> Told:
        return next(kept[order_id] for kept in self._kept() if order_id in kept)

    def _kept(self) -> tuple[dict[int, Told], ...]:
        return (self.incoming, self.queue, self.waiting)

    def _trade(self, order_id: int, quantity: int, remaining: int) -> None:
        order = self._order(order_id)
        order.trades += 1
        assert not (order.all_or_none and order_id in self.queue and remaining), f"{order_id} traded in part"
        self._lose(order_id, quantity, remaining)

    def _lose(self, order_id: int, quantity: int, remaining: int) -> None:
        order = self._order(order_id)
        order.quantity -= quantity
        order.shown = max(order.shown - quantity, 0)
        assert order.quantity == remaining, f"order {order_id} has {order.quantity} left, not {remaining}"
        if not remaining:
            for kept in self._kept():
                kept.pop(order_id, None)

    def _settle(self) -> None:
        """An incoming order with quantity left now rests."""
        for order_id, order in self.incoming.items():
            assert order.rests, f"order {order_id} has {order.quantity} left, and was not canceled"
            assert not (order.all_or_none and order.trades), f"order {order_id} traded in part"
            order.shown = min(order.quantity, order.display_quantity or order.quantity)
            self.queue[order_id] = order
        self.incoming.clear()

    def differs(self, orders: Orders) -> str | None:
        """The difference to an engine's listing: the resting orders, their sequence, and their shown and hidden
        quantities.
        """
        by_price = sorted(
            self.queue.items(), key=lambda item: (item[1].side, item[1].price * (-1 if item[1].side == Side.BUY else 1))
        )
        told = [
            (order_id, order.price, order.shown, order.side, order.all_or_none, order.quantity - order.shown)
            for order_id, order in by_price
        ]
        names = ("order_id", "price", "quantity", "side", "flags", "reserve_quantity")
        listed = [tuple(int(order[name]) for name in names) for order in orders]
        listed = [(*order[:4], bool(order[4] & ExecInst.ALL_OR_NONE), order[5]) for order in listed]
        return None if told == listed else f"told {told}\nlisted {listed}"

    def crossed(self) -> bool:
        """Whether orders that may trade in part cross each other."""
        bids, asks = (
            [order.price for order in self.queue.values() if order.side == side and not order.all_or_none]
            for side in Side
        )
        return bool(bids) and bool(asks) and max(bids) >= min(asks)
