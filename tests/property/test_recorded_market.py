"""A venue that is this engine, recorded by itself and replayed: every fill is its own, whatever the file leaves out.

A check that always says yes would pass that too: a venue with another rule, and an engine with another rule, must fail.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowlat.engine import command, commands
from lowlat.engine.feed.records import OrderAction, OrderEvents
from lowlat.engine.flow.readers.lobster.book import read_book
from lowlat.engine.flow.recording import RecordedFlow, best_states, compare_best, recorded_flow, verify
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import CommandType, ExecType, Orders, Side, TradingPhase
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.broken_engines import LastInFirstOut, SizeFirst
from tests.recorded_venue import Event, displayed, displayed_with_book, events_of, random_market, replayed, stream_of

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


@pytest.mark.parametrize("levels", [1, 2])
def test_the_venues_book_takes_nothing_out_that_was_there(levels: int, tmp_path: Path) -> None:
    """Ghosts that it shows go: every fill is still the venue's, and the best prices are so more often than without."""
    removed, right = 0, [0, 0]
    for seed in range(4):
        events, rows = displayed_with_book(random_market(seed, STEPS), levels)
        np.savetxt(tmp_path / "book.csv", rows, fmt="%d", delimiter=",")
        book = read_book(tmp_path / "book.csv")
        for known in (None, book):
            flow = recorded_flow(stream_of([events]), known)
            assert whole(flow) and flow.changes.departures == 0
            removed += flow.changes.removed["the venue's book does not show them"]
            states = best_states(Engine(flow.instruments), flow.commands)
            right[int(known is book)] += compare_best(flow, states, book.best).found
        assert flow.book_rows == len(events)
    assert removed > 0 and right[1] > right[0]


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


def called(seed: int) -> tuple[OrderEvents, int]:
    """Orders that rest in a call phase, and the venue's uncross of them; how many sides it has."""
    draw, venue = random.Random(seed), ReferenceEngine()
    rows: list[Event] = [(1, OrderAction.PHASE, 0, Side.BUY, 0, TradingPhase.CALL)]
    venue.process(commands(command(CommandType.PHASE, 0, quantity=TradingPhase.CALL)))
    sides: dict[int, tuple[Side, int]] = {}
    for order_id in range(1, draw.randint(2, 40)):
        side, price, quantity = draw.choice(list(Side)), draw.randint(97, 103), draw.randint(1, 9)
        venue.submit(order_id, side, quantity, price)
        sides[order_id] = side, price
        rows.append((1 + order_id, OrderAction.ADD, order_id, side, price, quantity))
    events = venue.process(commands(command(CommandType.PHASE, 0, quantity=TradingPhase.CONTINUOUS)))
    trades = events[events["kind"] == ExecType.TRADE]
    filled = Counter[int]()
    for trade in trades:
        for name in ("order_id", "maker_id"):
            filled[int(trade[name])] += int(trade["quantity"])
    rows += [(99, OrderAction.EXECUTE, order_id, *sides[order_id], quantity) for order_id, quantity in filled.items()]
    rows.append((99, OrderAction.PHASE, 0, Side.BUY, 0, TradingPhase.CONTINUOUS))
    return events_of(rows), 2 * bool(filled)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_an_auction_of_displayed_orders_is_the_engines_own(seed: int) -> None:
    events, sides = called(seed)
    flow = recorded_flow(stream_of([events]))
    assert whole(flow) and replayed(flow).total == sides
    assert not flow.changes.applied and not flow.changes.removed


def test_an_engine_that_settles_an_auction_otherwise_is_found() -> None:
    events, sides = called(1)
    flow = recorded_flow(stream_of([events]))
    given = ReferenceEngine(flow.instruments).process(flow.commands)
    trades = np.flatnonzero(given["kind"] == ExecType.TRADE)
    assert sides == 2 and len(trades) > 1
    given["quantity"][trades[0]] += 1
    assert (verify(flow, given).matched, len(verify(flow, given).mismatches)) == (0, 2)
    given["quantity"][trades[0]] -= 1
    given["maker_id"][trades[0]] = 99
    (wrong,) = verify(flow, given).mismatches
    assert (wrong.side, wrong.burst) == (Side.SELL, None)


def test_an_auction_with_hidden_orders_is_the_venues_word() -> None:
    """One lot more than the displayed orders would trade: somebody hidden sold it."""
    events, _ = called(1)
    bought = np.flatnonzero((events["action"] == OrderAction.EXECUTE) & (events["side"] == Side.BUY))
    events["quantity"][bought[0]] += 1
    flow = recorded_flow(stream_of([events]))
    assert not flow.auctions and sum(flow.changes.applied.values()) == int((events["time_ns"] == 99).sum()) - 1
    assert whole(flow)
