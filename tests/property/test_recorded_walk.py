"""The native walk over a recording against the plain one: the same commands, origins, bursts, auctions and counts, byte
for byte. Few ids, prices and times, so that events meet, contradict each other, cross the book and explain each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest

from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEventFlag, OrderEvents
from lowlat.engine.flow.recording import RecordedFlow, VenueBook, build, recorded_flow
from lowlat.errors import InputError
from tests.plain_recording.walk import Walk as PlainWalk
from tests.recorded_venue import stream_of

SEEDS = range(40)
A = OrderAction
MIXES = {
    "orders": [A.ADD] * 5 + [A.CANCEL, A.REDUCE, A.EXECUTE, A.EXECUTE, A.REPLACE],
    "icebergs": [A.ADD] * 3 + [A.EXECUTE] * 3 + [A.UPSERT] * 3 + [A.CANCEL],
    "all": [*A, *[A.ADD] * 4, *[A.EXECUTE] * 4],
    "auctions": [A.ADD] * 6 + [A.EXECUTE] * 4 + [A.PHASE, A.CANCEL],
}


def stream(seed: int, mix: str, count: int = 250) -> OrderEvents:
    """Events that no venue would tell, of forty orders at eight prices."""
    rng = np.random.default_rng(seed)
    events = np.zeros(count, ORDER_EVENT)
    events["action"] = rng.choice(MIXES[mix], count)
    events["time_ns"] = np.cumsum(rng.random(count) < rng.choice([0.2, 0.9]))
    for name, most in (("order_id", 40), ("price", 8), ("quantity", 6), ("side", 2)):
        events[name] = rng.integers(0, most, count)
    events["price"] += rng.choice([0, 10_000, -4])
    growing = rng.random(count) < rng.choice([0, 0.8])  # ids that grow as orders arrive
    events["order_id"] = np.where(growing & (events["action"] == OrderAction.ADD), np.arange(count), events["order_id"])
    events["other_id"] = np.where(rng.random(count) < 0.3, rng.integers(0, 40, count), 0)
    flags = [OrderEventFlag.AUCTION, OrderEventFlag.NO_SIDE, OrderEventFlag.NO_PRICE]
    for flag in flags:
        events["flags"] |= np.where(rng.random(count) < rng.choice([0, 0.3]), flag, 0).astype(np.uint16)
    phases = events["action"] == OrderAction.PHASE
    events["quantity"][phases] = rng.integers(0, 5, phases.sum())
    events["row"] = np.arange(1, count + 1)
    return events


def walked(monkeypatch: pytest.MonkeyPatch, make: Callable[[], RecordedFlow], walk: type | None) -> RecordedFlow | str:
    with monkeypatch.context() as patched:
        if walk is not None:
            patched.setattr(build, "Walk", walk)
        try:
            return make()
        except InputError as error:
            return str(error)


def assert_same(one: RecordedFlow | str, other: RecordedFlow | str) -> None:
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    for name in ("commands", "origin", "row", "time_ns"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    for name in ("command", "fills", "first_fill"):
        assert getattr(one.bursts, name).tobytes() == getattr(other.bursts, name).tobytes(), name
    assert one.auctions == other.auctions
    for field in fields(one.changes):
        assert getattr(one.changes, field.name) == getattr(other.changes, field.name), field.name
    assert (one.seeded, one.orders, one.ticks) == (other.seeded, other.orders, other.ticks)


@pytest.mark.parametrize("by_arrival", [True, False])
@pytest.mark.parametrize("mix", MIXES)
def test_both_walks_give_the_same(monkeypatch: pytest.MonkeyPatch, mix: str, by_arrival: bool) -> None:
    seen: set[str] = set()
    for seed in SEEDS:
        events = stream(seed, mix)

        def make(events: OrderEvents = events) -> RecordedFlow:
            return recorded_flow(stream_of([events], ids_by_arrival=by_arrival))

        native, plain = (walked(monkeypatch, make, walk) for walk in (None, PlainWalk))
        assert_same(native, plain)
        if isinstance(native, RecordedFlow):
            seen |= {line.rsplit(":", 1)[0] for line in native.changes.notes()}
    assert len(seen) >= 8, "these streams do not reach what there is"


def test_both_walks_take_out_what_the_venues_book_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in SEEDS:
        rng, events = np.random.default_rng(seed), stream(seed, "orders")
        rows = np.arange(0, len(events), 7)
        displayed = rng.integers(0, 10, (len(rows), 8))
        book = VenueBook(
            path=stream_of([]).path,
            levels=2,
            best=np.zeros((len(events), 4), np.int64),
            head=np.tile(events["price"][:, None], (1, 8)).astype(np.int64),
            wider=rows,
            displayed=displayed,
        )

        def make(events: OrderEvents = events, book: VenueBook = book) -> RecordedFlow:
            return recorded_flow(stream_of([events]), book)

        native, plain = (walked(monkeypatch, make, walk) for walk in (None, PlainWalk))
        assert_same(native, plain)


class ForgetsTheStep(PlainWalk):
    """Does not look at the rows of one time together."""

    def __init__(self, *arguments: object, **more: object) -> None:
        super().__init__(*arguments, **more)  # type: ignore[arg-type]
        self.market.next_cut = lambda index, order: None  # type: ignore[method-assign]


class QueuesLateOrdersAtTheBack(PlainWalk):
    def __init__(self, *arguments: object, **more: object) -> None:
        super().__init__(*arguments, **more)  # type: ignore[arg-type]
        self.market._moves_up = lambda order: False  # type: ignore[method-assign]


@pytest.mark.parametrize("broken", [ForgetsTheStep, QueuesLateOrdersAtTheBack])
def test_a_broken_walk_is_found(monkeypatch: pytest.MonkeyPatch, broken: type) -> None:
    def differs(seed: int) -> bool:
        events = stream(seed, "orders")
        flows = [walked(monkeypatch, lambda: recorded_flow(stream_of([events])), walk) for walk in (None, broken)]
        try:
            assert_same(*flows)
        except AssertionError:
            return True
        return False

    assert any(differs(seed) for seed in SEEDS)
