"""An hour of AAPL on Nasdaq, recorded by LOBSTER, checks reader and engine against independent executions.

In a price-time book, 3,282 of 3,290 aggressive orders must hit what they hit that day. The other eight pass over five
orders that the file later shows to be alive.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.feed.records import OrderEvents
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers.lobster import read_lobster
from lowlat.engine.flow.readers.lobster.book import read_book
from lowlat.engine.flow.readers.lobster.messages import open_messages
from lowlat.engine.flow.recording import (
    BurstCheck,
    Origin,
    RecordedFlow,
    best_states,
    build,
    compare_best,
    recorded_flow,
    verify,
)
from lowlat.engine.matching.native import Engine
from lowlat.engine.reference.book import Order
from lowlat.engine.reference.engine import ReferenceEngine
from tests.plain_recording.walk import Walk as PlainWalk
from tests.property.broken_engines import LastInFirstOut
from tests.property.test_recorded_walk import assert_same
from tests.recorded_venue import displayed, stream_of

Find = Callable[[str], Path]


class TakerPriced(ReferenceEngine):
    def _trade_price(self, _maker: Order, taker: Order) -> int:
        return taker.price


@pytest.fixture(scope="module")
def flow(recorded: Find) -> RecordedFlow:
    return read_lobster(recorded("AAPL_2012-06-21_34200000_37800000_message_50.csv.xz"))


def test_rows_and_commands_add_up(flow: RecordedFlow) -> None:
    assert flow.rows == {
        "add": 44_256,
        "partial_cancel": 469,
        "delete": 41_004,
        "execution": 4_067,
        "hidden_execution": 2_201,
        "cross_trade": 0,
        "halt": 0,
    }
    assert flow.changes.left_out == {"hidden execution": 2_201}
    assert flow.changes.never_added == 80
    # Every add, cut and burst is one command; what is entered elsewhere than its row says is no extra command.
    told = flow.origin != Origin.RESTORED
    assert np.count_nonzero(told) == 44_256 + 80 + 469 + 41_004 + 3_290
    assert (flow.origin[: flow.seeded] == Origin.SEEDED).all() and flow.seeded == 42
    assert (
        np.count_nonzero(flow.origin == Origin.PLACED) == flow.changes.never_added + flow.changes.moved_up - flow.seeded
    )
    assert (np.diff(flow.time_ns) >= 0).all() and (np.diff(flow.row) >= 0).all()
    aggressors = flow.commands["order_id"][flow.bursts.command]
    assert len(np.unique(aggressors)) == 3_290 and not np.isin(aggressors, flow.bursts.fills["maker_id"]).any()


@pytest.fixture(scope="module")
def check(flow: RecordedFlow) -> BurstCheck:
    engine = ReferenceEngine([flow.instrument()], orders=flow.orders)
    return verify(flow, engine.process(flow.commands))


def test_the_exchange_is_repeated_but_for_eight_bursts(flow: RecordedFlow, check: BurstCheck) -> None:
    assert (check.matched, check.total, flow.changes.departures) == (3_282, 3_290, 8)
    assert (check.stray_trades, check.rejected) == (0, 0)
    for burst in check.mismatches:
        assert sum(fill.quantity for fill in burst.actual) == sum(fill.quantity for fill in burst.expected)


def test_the_native_engine_repeats_it_too(flow: RecordedFlow, check: BurstCheck) -> None:
    assert verify(flow, Engine([flow.instrument()], orders=flow.orders).process(flow.commands)) == check


def test_the_eight_pass_over_five_orders_that_were_alive(flow: RecordedFlow, check: BurstCheck) -> None:
    passed_over: dict[int, int] = {}
    for burst in check.mismatches:
        pairs = zip(burst.actual, burst.expected, strict=False)
        passed_over[next(ours.maker_id for ours, theirs in pairs if ours != theirs)] = burst.row
    assert len(passed_over) == 5
    last_row = last_rows(flow)
    assert all(last_row[order_id] >= row for order_id, row in passed_over.items())


def last_rows(flow: RecordedFlow) -> dict[int, int]:
    """The last row at which the file names each order, in a command or in the fills of a burst."""
    own = flow.origin == Origin.RECORDED
    rows = dict(zip(flow.commands["order_id"][own].tolist(), flow.row[own].tolist(), strict=True))
    burst_rows = np.repeat(flow.row[flow.bursts.command], np.diff(flow.bursts.first_fill))
    for order_id, row in zip(flow.bursts.fills["maker_id"].tolist(), burst_rows.tolist(), strict=True):
        rows[order_id] = max(rows[order_id], row) if order_id in rows else row
    return rows


@pytest.mark.parametrize("engine", [LastInFirstOut, TakerPriced])
def test_broken_engines_are_found(flow: RecordedFlow, engine: type[ReferenceEngine]) -> None:
    check = verify(flow, engine([flow.instrument()]).process(flow.commands))
    assert check.matched < 3_282 - 100


def test_the_best_prices_are_the_vendors(flow: RecordedFlow, recorded: Find) -> None:
    vendor = read_book(recorded("AAPL_2012-06-21_orderbook_1.csv.xz")).best
    states = best_states(Engine([flow.instrument()], orders=flow.orders), flow.commands)
    check = compare_best(flow, states, vendor)
    assert (check.found, check.total) == (22_645, 22_662)
    shifted = states + np.array([100, 0, 0, 0])
    assert compare_best(flow, shifted, vendor).found < 1_000


@pytest.fixture(scope="module")
def hour(recorded: Find) -> OrderEvents:
    path = recorded("AAPL_2012-06-21_34200000_37800000_message_50.csv.xz")
    return np.concatenate([block.copy() for block in open_messages(path, ReadOptions()).blocks])


@pytest.mark.parametrize(
    ("levels", "matched", "ghosts"),
    [(1, 3_285, 4_634), (5, 3_282, 2_222), (10, 3_282, 1_043), pytest.param(30, 3_282, 183, marks=pytest.mark.slow)],
)
def test_a_file_of_fewer_levels_repeats_it_as_well(
    hour: OrderEvents, levels: int, matched: int, ghosts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What such a file leaves out would stay in the book and fill: it is taken out, and the check keeps its power."""
    few = recorded_flow(stream_of([displayed(hour, levels)]))
    check = verify(few, Engine(few.instruments, orders=few.orders).process(few.commands))
    assert (check.matched, check.total, check.stray_trades, check.rejected) == (matched, 3_290, 0, 0)
    assert sum(few.changes.removed.values()) == ghosts and not few.changes.believed
    if levels == 5:
        with monkeypatch.context() as patched:
            patched.setattr(build, "Walk", PlainWalk)
            assert_same(few, recorded_flow(stream_of([displayed(hour, levels)])))
    broken = verify(few, LastInFirstOut(few.instruments, orders=few.orders).process(few.commands))
    assert broken.share is not None and broken.share < 0.7
