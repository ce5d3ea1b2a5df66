"""The data of the reference engine: commands, orders, ladders of queues, and one book per symbol."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import (
    PRICED_KINDS,
    CommandType,
    ExecInst,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingPhase,
)

RESTING_TIMES = frozenset({TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD})


@dataclass(slots=True)
class Command:
    """A command with named fields."""

    order_id: int
    price: int
    quantity: int
    symbol: int
    kind: int
    side: int
    time_in_force: int
    flags: int
    trigger: int = 0
    expiry: int = 0
    display_quantity: int = 0
    participant_id: int = 0
    self_trade: int = SelfTradePrevention.NONE

    @property
    def is_limit_that_rests(self) -> bool:
        """Whether it is a limit order whose remainder rests: POST_ONLY, ALL_OR_NONE and `display_quantity` need one."""
        return self.kind == CommandType.LIMIT and self.time_in_force in RESTING_TIMES


@dataclass(slots=True, eq=False)
class Order:
    """An order: incoming, resting, or a waiting stop.

    `command`: the command that entered it; `accepted`: that command's ordinal. `price`: its limit, 0 if it has none.
    `quantity`: what remains, of which `reserve_quantity` is an iceberg's hidden part. `waits`: whether it is a stop not
    yet triggered; `trigger`: its current trigger price; `extreme`: for a trailing stop, the best trade price since its
    entry.
    """

    command: Command
    accepted: int
    order_id: int
    side: int
    price: int
    quantity: int
    reserve_quantity: int = 0
    waits: bool = False
    trigger: int = 0
    extreme: int = 0

    @property
    def limit(self) -> int | None:
        """The worst price it accepts; None for any."""
        return self.price if self.command.kind in PRICED_KINDS else None

    @property
    def shown(self) -> int:
        """The displayed quantity: an iceberg's slice, otherwise everything."""
        return self.quantity - self.reserve_quantity

    @property
    def slices(self) -> int:
        """Remaining slices, including the displayed one; 1 if it is not an iceberg."""
        return 1 + -(-self.reserve_quantity // self.command.display_quantity) if self.reserve_quantity else 1

    @property
    def all_or_none(self) -> bool:
        """Whether it trades in full or not at all."""
        return self.command.flags & ExecInst.ALL_OR_NONE != 0

    def policy_toward(self, resting: Order) -> int:
        """The `SelfTradePrevention` that applies when this incoming order meets a resting one."""
        own = self.command.participant_id != 0 and self.command.participant_id == resting.command.participant_id
        return self.command.self_trade if own else SelfTradePrevention.NONE


Queue = dict[int, Order]
"""The orders of one level, oldest first: a dict keeps the order of insertion."""


class Ladder:
    """One side: a queue per live price, and the live prices, best first (BUY: highest first, SELL: lowest first)."""

    def __init__(self, side: int) -> None:
        self.sign = -1 if side == Side.BUY else 1
        self.queues: dict[int, Queue] = {}
        self.ranks: list[int] = []  # price * sign, ascending: the best price ranks first

    def add(self, order: Order, price: int) -> None:
        """Append an order to the queue at a price."""
        if price not in self.queues:
            self.queues[price] = {}
            insort(self.ranks, price * self.sign)
        self.queues[price][order.order_id] = order

    def remove(self, order: Order, price: int) -> None:
        """Remove an order, and its level if it was the last."""
        queue = self.queues[price]
        del queue[order.order_id]
        if not queue:
            del self.queues[price]
            del self.ranks[bisect_left(self.ranks, price * self.sign)]

    def prices(self, limit: int | None = None) -> Iterator[int]:
        """Live prices, best first, up to a limit."""
        for rank in self.ranks:
            if limit is not None and rank > limit * self.sign:
                return
            yield rank * self.sign

    def reaches(self, limit: int | None) -> bool:
        """Whether an incoming order with this limit (None: market) meets the best price."""
        return bool(self.ranks) and (limit is None or self.ranks[0] <= limit * self.sign)

    def orders(self, limit: int | None = None) -> Iterator[Order]:
        """Orders up to a limit: best price first, then oldest first."""
        for price in self.prices(limit):
            yield from self.queues[price].values()


class Book:
    """One symbol: its rules and phase, two ladders, the stops that wait or are due, and all of them by id."""

    def __init__(self, rules: Instrument) -> None:
        self.rules = rules
        self.phase = TradingPhase.CONTINUOUS
        self.orders: dict[int, Order] = {}
        self.ladders = (Ladder(Side.BUY), Ladder(Side.SELL))
        self.all_or_none = 0  # number of resting all-or-none orders
        self.last: int | None = None  # price of the last trade
        # By trigger. A rising price reaches the lowest buy stop first, a falling one the highest sell stop.
        self.stops = (Ladder(Side.SELL), Ladder(Side.BUY))
        self.trailing: dict[int, Order] = {}  # trailing stops, by acceptance
        self.due: deque[Order] = deque()

    def across(self, side: int) -> Iterator[Order]:
        """Resting orders of a side whose price reaches the other side, in the order of the ladder."""
        best = next(self.ladders[1 - side].prices(), None)
        return iter(()) if best is None else self.ladders[side].orders(best)

    def enqueue(self, order: Order) -> None:
        """Append the order to the queue at its price."""
        self.ladders[order.side].add(order, order.price)

    def dequeue(self, order: Order) -> None:
        """Remove the order from its queue."""
        self.ladders[order.side].remove(order, order.price)
