"""Venues to record: events written down by hand, a random market, and what a file of few levels tells of either."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream
from lowlat.engine.flow.recording import BurstCheck, RecordedFlow, verify
from lowlat.engine.matching.records import ExecType, Side
from lowlat.engine.reference.engine import ReferenceEngine

Event = tuple[int, OrderAction, int, Side, int, int]
"""Time, action, order id, side, price, quantity."""


def events_of(rows: Iterable[Event], symbol: int = 0) -> OrderEvents:
    """Events of one symbol, numbered from row 1."""
    rows = list(rows)
    events = np.zeros(len(rows), ORDER_EVENT)
    for name, column in zip(
        ("time_ns", "action", "order_id", "side", "price", "quantity"), zip(*rows, strict=True), strict=True
    ):
        events[name] = column
    events["row"] = np.arange(1, len(rows) + 1)
    events["symbol"] = symbol
    return events


def stream_of(
    blocks: Sequence[OrderEvents], *, ids_by_arrival: bool = True, symbols: Sequence[str] = ("XYZ",)
) -> OrderEventStream:
    """A stream of these blocks."""
    return OrderEventStream(
        path=Path("made.here"),
        noun="recording",
        unit=Decimal("0.01"),
        time_base="midnight",
        blocks=iter(blocks),
        ids_by_arrival=ids_by_arrival,
        symbols=list(symbols),
    )


def replayed(flow: RecordedFlow, engine: type[ReferenceEngine] = ReferenceEngine) -> BurstCheck:
    """The fills of an engine against the venue's."""
    return verify(flow, engine(flow.instruments).process(flow.commands))


@dataclass(slots=True)
class _Order:
    side: Side
    price: int
    left: int


def random_market(seed: int, steps: int, venue: type[ReferenceEngine] = ReferenceEngine) -> OrderEvents:
    """What a venue that matches as `venue` does tells of a random market: a step at each time, ids by arrival."""
    draw, engine = random.Random(seed), venue()
    rows: list[Event] = []
    resting: dict[int, _Order] = {}
    for time in range(1, steps + 1):
        if resting and draw.random() < 0.35:
            order_id = draw.choice(list(resting))
            rows.append(_shrunk(engine, time, order_id, resting, draw.randint(1, resting[order_id].left)))
            continue
        side, distance = draw.choice(list(Side)), draw.choice([-2, 1, 2, 3, 5, 8])
        price = 1_000 - distance if side == Side.BUY else 1_000 + distance
        order = _Order(side, price, draw.randint(1, 9) * (1 if distance > 0 else 4))
        rows += _entered(engine, time, order, resting)
    return events_of(rows)


def _shrunk(engine: ReferenceEngine, time: int, order_id: int, resting: dict[int, _Order], cut: int) -> Event:
    order = resting[order_id]
    order.left -= cut
    if order.left:
        engine.reduce(order_id, cut)
        return time, OrderAction.REDUCE, order_id, order.side, order.price, cut
    engine.cancel(order_id)
    del resting[order_id]
    return time, OrderAction.CANCEL, order_id, order.side, order.price, cut


def _entered(engine: ReferenceEngine, time: int, order: _Order, resting: dict[int, _Order]) -> Iterator[Event]:
    """The executions of an order, and what of it then rests."""
    for event in engine.submit(time, order.side, order.left, order.price):
        if event["kind"] != ExecType.TRADE:
            continue
        maker_id, quantity = int(event["maker_id"]), int(event["quantity"])
        maker = resting[maker_id]
        yield time, OrderAction.EXECUTE, maker_id, maker.side, int(event["price"]), quantity
        order.left, maker.left = order.left - quantity, maker.left - quantity
        if not maker.left:
            del resting[maker_id]
    if order.left:
        resting[time] = order
        yield time, OrderAction.ADD, time, order.side, order.price, order.left


def displayed(events: OrderEvents, levels: int) -> OrderEvents:
    """What a file of so many levels tells: no row of an order whose price is outside of the best ones of its side."""
    ranks: tuple[list[int], list[int]] = ([], [])
    orders: dict[int, _Order] = {}
    quantity: Counter[tuple[int, int]] = Counter()
    kept = np.ones(len(events), bool)
    columns = ("action", "order_id", "side", "price", "quantity")
    for index, (action, order_id, side, price, size) in enumerate(events[[*columns]].tolist()):
        if action not in (OrderAction.ADD, OrderAction.REDUCE, OrderAction.CANCEL, OrderAction.EXECUTE):
            continue
        rank = price if side else -price
        if action == OrderAction.ADD:
            orders[order_id] = _Order(side, price, size)
            if not quantity[side, price]:
                insort(ranks[side], rank)
            quantity[side, price] += size
        kept[index] = len(ranks[side]) < levels or rank <= ranks[side][levels - 1]
        if action != OrderAction.ADD and order_id in orders:
            order = orders[order_id]
            gone = order.left if action == OrderAction.CANCEL else min(size, order.left)
            order.left -= gone
            quantity[side, price] -= gone
            if not order.left:
                del orders[order_id]
            if not quantity[side, price]:
                del ranks[side][bisect_left(ranks[side], rank)]
    return events[kept]
