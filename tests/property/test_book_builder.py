"""The native book builder against plain books: every state after every event, every queue, every count. Few ids, prices
and symbols, so that events meet, contradict each other, cross the book and change its grid of prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from random import Random

import numpy as np
import pytest

from lowlat.engine.feed.book_builder import BookBuilder, QueuedOrder
from lowlat.engine.feed.records import ORDER_EVENT, DepthMoment, OrderAction, OrderEventFlag, OrderEvents
from lowlat.engine.matching.records import Side
from tests.plain_books import PlainBooks, Resting, Told

SYMBOLS, IDS, DEPTH = (0, 1, 70, 300), range(6), 3
# Multiples of a common tick, one that is none, both ends of the numbers, and below nothing.
PRICES = (9_900, 10_000, 10_100, 10_200, 10_150, 10_001, 0, -300, 2**63 - 1, -(2**63))
ACTIONS = (*OrderAction, *[OrderAction.ADD] * 6, *[OrderAction.UPSERT] * 2)

PART = 8
STREAMS = range(60)
"""Seeds of streams."""


def stream_of(seed: int) -> list[Told]:
    """80 events about a few orders at a few prices of one symbol or several."""
    draw = Random(seed)
    symbols = draw.sample(SYMBOLS, draw.choice([1, 1, 2, 4]))
    prices = draw.sample(PRICES, 3)
    return [
        Told(
            action=draw.choice(ACTIONS),
            symbol=draw.choice(symbols),
            order_id=draw.choice(IDS),
            other_id=draw.choice(IDS),
            side=draw.choice([0, 1]),
            price=draw.choice(prices),
            quantity=draw.choice([0, 1, 2, 3, 5, 8]),
            flags=draw.choice([0, OrderEventFlag.LAST]),
        )
        for _ in range(80)
    ]


def events_of(stream: Sequence[Told]) -> OrderEvents:
    events = np.zeros(len(stream), dtype=ORDER_EVENT)
    for field in fields(Told):
        events[field.name] = [getattr(told, field.name) for told in stream]
    return events


Said = tuple[object, ...]


def seen(builder: BookBuilder, stream: Sequence[Told]) -> list[Said]:
    """States after each event; and every `PART` events, all else that a builder says."""
    return [_seen(builder, stream[first : first + PART]) for first in range(0, len(stream), PART)]


def _seen(builder: BookBuilder, part: Sequence[Told]) -> Said:
    states = builder.record(events_of(part), DEPTH)
    counts = builder.counts
    orders = [
        (int(row["order_id"]), symbol, int(row["side"]), int(row["price"]), int(row["quantity"]))
        for symbol in SYMBOLS
        for row in builder.orders(symbol)
    ]
    return (
        states.levels.reshape(len(part), 4 * DEPTH).tolist(),
        orders,
        [builder.find(order_id, symbol) for symbol in SYMBOLS for order_id in IDS],
        {action: count for action, count in counts.unknown_orders.items() if count},
        (counts.overfilled, counts.repeated_ids, counts.empty_orders, counts.live_orders, counts.levels),
    )


def expected(books: PlainBooks, stream: Sequence[Told]) -> list[Said]:
    """The same of plain books."""
    return [_expected(books, stream[first : first + PART]) for first in range(0, len(stream), PART)]


def _expected(books: PlainBooks, part: Sequence[Told]) -> Said:
    states = []
    for told in part:
        books.apply(told)
        states.append(books.state(told.symbol, DEPTH))
    queues = [
        books.queue(symbol, side, price)
        for symbol in SYMBOLS
        for side in (Side.BUY, Side.SELL)
        for price, _ in books.levels(symbol, side)
    ]
    return (
        states,
        [(o.order_id, o.symbol, o.side, o.price, o.quantity) for queue in queues for o in queue],
        [_position(books, books.find(symbol, order_id)) for symbol in SYMBOLS for order_id in IDS],
        dict(books.unknown),
        (books.overfilled, books.repeated_ids, books.empty_orders, len(books.resting), len(queues)),
    )


def _position(books: PlainBooks, order: Resting | None) -> QueuedOrder | None:
    if order is None:
        return None
    queue = books.queue(order.symbol, order.side, order.price)
    ahead = queue[: queue.index(order)]
    return QueuedOrder(Side(order.side), order.price, order.quantity, len(ahead), sum(o.quantity for o in ahead))


@pytest.fixture(scope="module")
def builder() -> BookBuilder:
    return BookBuilder()


@pytest.fixture(scope="module")
def told() -> list[tuple[list[Told], list[Said]]]:
    """Each stream, and what the builder says after it."""
    pairs = []
    for seed in STREAMS:
        builder = BookBuilder(orders=2)  # it doubles its room while the stream goes on
        stream = stream_of(seed)
        pairs.append((stream, seen(builder, stream)))
        builder.check_invariants()
    return pairs


def test_books_are_those_that_are_told(told: list[tuple[list[Told], list[Said]]]) -> None:
    for seed, (stream, said) in enumerate(told):
        assert said == expected(PlainBooks(), stream), f"stream_of({seed})"


@pytest.mark.parametrize("when", DepthMoment)
@pytest.mark.parametrize("seed", STREAMS[:8])
def test_states_are_chosen_from_those_after_every_event(builder: BookBuilder, seed: int, when: DepthMoment) -> None:
    stream = stream_of(seed)
    events = events_of(stream)
    builder.reset()
    chosen = builder.record(events, DEPTH, when)
    builder.reset()
    every = builder.record(events, DEPTH)
    before = {symbol: np.zeros_like(every.levels[0]) for symbol in SYMBOLS}
    wanted = []
    for number, told in enumerate(stream):
        changed = (every.levels[number] != before[told.symbol]).any()
        before[told.symbol] = every.levels[number]
        if when == DepthMoment.EVERY or (changed if when == DepthMoment.CHANGE else told.flags):
            wanted.append(number)
    assert chosen.events.tolist() == wanted
    assert (chosen.levels == every.levels[wanted]).all()


def crowded(seed: int, count: int = 3_000) -> np.ndarray:
    """Events of sixty orders at thirty prices: levels come and go everywhere, ids come again, and bids cross offers."""
    rng = np.random.default_rng(seed)
    events = np.zeros(count, ORDER_EVENT)
    actions = [action for action in OrderAction if action != OrderAction.CLEAR]
    events["action"] = rng.choice([*actions, *[OrderAction.ADD] * 8], count)
    events["action"][rng.integers(0, count, 3)] = OrderAction.CLEAR
    for name, most in (("order_id", 60), ("other_id", 60), ("price", 30), ("quantity", 20), ("side", 2), ("symbol", 2)):
        events[name] = rng.integers(0, most, count)
    return events


@pytest.mark.parametrize("levels", [1, 2, 3, 9])
def test_few_levels_are_the_best_of_many(builder: BookBuilder, levels: int) -> None:
    """A state is kept up from event to event: what leaves it lets in what was behind."""
    for seed in range(4):
        events = crowded(seed)
        builder.reset()
        every = builder.record(events, 30).levels
        assert (every[:, levels:] != 0).any()
        builder.reset()
        few = [builder.record(events[first : first + 700], levels).levels for first in range(0, len(events), 700)]
        assert (np.concatenate(few) == every[:, :levels]).all()
        builder.reset()
        for number, event in enumerate(events[:700]):  # what is asked at once, and was kept up by nobody
            builder.apply(events[number : number + 1])
            asks, bids = (builder.depth(of, levels, int(event["symbol"])) for of in (Side.SELL, Side.BUY))
            shown = every[number, :levels]
            for side, columns in (asks, shown[:, :2]), (bids, shown[:, 2:]):
                assert [list(row) for row in side[["price", "quantity"]].tolist()] == columns[: len(side)].tolist()
                assert not columns[len(side) :].any()


class KeepsPlaceWithMore(PlainBooks):
    def keeps_place(self, order: Resting, told: Told) -> bool:
        return (order.side, order.price) == (told.side, told.price)


class ReplacesInPlace(PlainBooks):
    def replace(self, told: Told) -> None:
        if order := self.known(told):
            order.order_id, order.price, order.quantity = told.other_id, told.price, told.quantity


class BelievesTheOlder(PlainBooks):
    def enter(self, told: Told) -> None:
        if self.find(told.symbol, told.order_id):
            self.repeated_ids += 1
        else:
            super().enter(told)


class RefusesOverfills(PlainBooks):
    def take(self, told: Told) -> None:
        order = self.find(told.symbol, told.order_id)
        if order is None or told.quantity <= order.quantity:
            super().take(told)
        else:
            self.overfilled += 1


class ClearsEverything(PlainBooks):
    def clear(self, _told: Told) -> None:
        self.resting = []


class Uncrosses(PlainBooks):
    def enter(self, told: Told) -> None:
        super().enter(told)
        bids, asks = (self.levels(told.symbol, side) for side in (Side.BUY, Side.SELL))
        if bids and asks and bids[0][0] >= asks[0][0]:
            self.resting = [o for o in self.resting if (o.symbol, o.order_id) != (told.symbol, told.order_id)]


class MixesSymbols(PlainBooks):
    def find(self, _symbol: int, order_id: int) -> Resting | None:
        return next((order for order in self.resting if order.order_id == order_id), None)


BROKEN = [
    KeepsPlaceWithMore,
    ReplacesInPlace,
    BelievesTheOlder,
    RefusesOverfills,
    ClearsEverything,
    Uncrosses,
    MixesSymbols,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda kind: kind.__name__)
def test_broken_books_are_told_apart(told: list[tuple[list[Told], list[Said]]], broken: type[PlainBooks]) -> None:
    assert any(said != expected(broken(), stream) for stream, said in told)
