"""A venue that is this engine, recorded by itself and replayed: every fill is its own, whatever the file leaves out.

A check that always says yes would pass that too: a venue with another rule, and an engine with another rule, must fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowlat.engine.feed.records import OrderAction
from lowlat.engine.flow.recording import RecordedFlow, recorded_flow
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Orders
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.broken_engines import LastInFirstOut, SizeFirst
from tests.recorded_venue import displayed, random_market, replayed, stream_of

STEPS = 150


def whole(flow: RecordedFlow) -> bool:
    check = replayed(flow)
    return (check.matched, check.stray_trades, check.rejected) == (check.total, 0, 0)


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32), levels=st.integers(1, 5))
def test_every_fill_is_the_venues_in_a_file_of_all_levels_or_few(seed: int, levels: int) -> None:
    events = random_market(seed, STEPS)
    full = recorded_flow(stream_of([events]))
    assert whole(full) and not full.changes.removed and full.changes.departures == 0
    few = recorded_flow(stream_of([displayed(events, levels)]))
    assert whole(few) and few.changes.departures == 0
    assert len(few.bursts) == len(full.bursts)  # all trades are within the first level
    assert (few.bursts.fills == full.bursts.fills).all()


def test_the_native_engine_gives_the_same_events() -> None:
    flow = recorded_flow(stream_of([displayed(random_market(7, STEPS), 2)]))
    events = (engine(flow.instruments).process(flow.commands) for engine in (Engine, ReferenceEngine))
    assert len({event.tobytes() for event in events}) == 1


def test_blocks_may_end_anywhere() -> None:
    events = random_market(3, STEPS)
    blocks = np.array_split(events, [1, 2, 40, 41, 90])
    assert (recorded_flow(stream_of(blocks)).commands == recorded_flow(stream_of([events])).commands).all()


@pytest.mark.parametrize("levels", [None, 1, 3])
@pytest.mark.parametrize("broken", [LastInFirstOut, SizeFirst])
def test_an_engine_with_another_rule_is_found(broken: type[ReferenceEngine], levels: int | None) -> None:
    events = random_market(11, 2 * STEPS)
    flow = recorded_flow(stream_of([events if levels is None else displayed(events, levels)]))
    check = replayed(flow, broken)
    assert check.share is not None and check.share < 0.9


@pytest.mark.parametrize("levels", [None, 1, 3])
@pytest.mark.parametrize("broken", [LastInFirstOut, SizeFirst])
def test_a_venue_with_another_rule_is_found(broken: type[ReferenceEngine], levels: int | None) -> None:
    events = random_market(11, 2 * STEPS, broken)
    check = replayed(recorded_flow(stream_of([events if levels is None else displayed(events, levels)])))
    assert check.share is not None and check.share < 0.9


def test_symbols_are_kept_apart_although_they_share_ids() -> None:
    markets = [random_market(seed, STEPS) for seed in (1, 2, 3)]
    events = np.concatenate(markets)
    events["symbol"] = np.repeat(range(3), [len(market) for market in markets])
    events = events[np.argsort(events["time_ns"], kind="stable")]
    events["row"] = np.arange(1, len(events) + 1)
    flow = recorded_flow(stream_of([events], symbols=("A", "B", "C")))
    assert flow.symbols == ("A", "B", "C") and len(flow.instruments) == 3
    assert whole(flow) and (np.diff(flow.row) >= 0).all()
    for symbol, market in enumerate(markets):
        alone = recorded_flow(stream_of([market])).commands
        alone["symbol"] = symbol
        assert (flow.commands[flow.commands["symbol"] == symbol] == alone).all()


def test_a_replacement_is_a_cancel_and_an_add() -> None:
    events = random_market(5, STEPS)
    apart = recorded_flow(stream_of([events]))
    cancels = np.flatnonzero(events["action"] == OrderAction.CANCEL)
    pairs = [at for at in cancels[cancels + 1 < len(events)] if events["action"][at + 1] == OrderAction.ADD]
    assert pairs
    joined = events.copy()
    for at in pairs:
        if joined["side"][at] == joined["side"][at + 1]:
            joined["action"][at] = OrderAction.REPLACE
            joined["other_id"][at] = joined["order_id"][at + 1]
            joined["price"][at], joined["quantity"][at] = events["price"][at + 1], events["quantity"][at + 1]
            joined["action"][at + 1] = OrderAction.TRADE
    flow = recorded_flow(stream_of([joined]))
    assert (flow.commands == apart.commands).all() and whole(flow)


def test_an_order_may_be_told_whole_before_its_executions() -> None:
    """As venues do that tell of every order: the rest of it is what the other kind of file adds afterward."""
    events = random_market(9, STEPS)
    after = recorded_flow(stream_of([events]))
    named = events.copy()
    executions = named["action"] == OrderAction.EXECUTE
    named["other_id"][executions] = named["time_ns"][executions]  # a step's order has its time as id
    before = []
    for time in np.unique(named["time_ns"]):
        step = named[named["time_ns"] == time]
        traded = step["action"] == OrderAction.EXECUTE
        if traded.any():
            whole_order = step[-1:].copy()  # what is left of it, or else its worst trade: either has its price
            whole_order["action"], whole_order["order_id"], whole_order["other_id"] = OrderAction.ADD, time, 0
            whole_order["side"] = 1 - step["side"][0]
            whole_order["quantity"] = step["quantity"].sum()
            step = np.concatenate([whole_order, step[traded]])
        before.append(step)
    told = np.concatenate(before)
    told["row"] = np.arange(1, len(told) + 1)
    flow = recorded_flow(stream_of([told]))
    assert whole(flow) and len(flow.bursts) == len(after.bursts)
    assert (flow.bursts.fills == after.bursts.fills).all() and not flow.changes.believed
    final = [engine_after(each) for each in (flow, after)]
    assert (final[0] == final[1]).all()


def engine_after(flow: RecordedFlow) -> Orders:
    engine = ReferenceEngine(flow.instruments)
    engine.process(flow.commands)
    return engine.orders()
