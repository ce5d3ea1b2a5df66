"""An hour of AAPL on Nasdaq, recorded by LOBSTER: the books that its messages build are those that the vendor shows."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lowlat.engine.feed.book_builder import BookBuilder
from lowlat.engine.feed.records import OrderAction, OrderEvents
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers.lobster import READER

Find = Callable[[str], Path]
Ints = NDArray[np.int64]
LOOK_AHEAD = 2_000


@pytest.fixture(scope="module")
def events(recorded: Find) -> OrderEvents:
    assert READER.open is not None
    path = recorded("AAPL_2012-06-21_34200000_37800000_message_50.csv.xz")
    return with_unseen(np.concatenate([block.copy() for block in READER.open(path, ReadOptions()).blocks]))


@pytest.fixture(scope="module")
def vendor(recorded: Find) -> Ints:
    assert READER.open_book is not None
    path = recorded("AAPL_2012-06-21_orderbook_1.csv.xz")
    return changes(np.concatenate(list(READER.open_book(path))))


def with_unseen(events: OrderEvents) -> OrderEvents:
    """With the orders that the file names but never adds: each enters before the first add of a larger id."""
    adds = np.flatnonzero(events["action"] == OrderAction.ADD)
    named = np.isin(events["action"], (OrderAction.REDUCE, OrderAction.CANCEL, OrderAction.EXECUTE))
    told = events[named & ~np.isin(events["order_id"], events["order_id"][adds])]
    ids, first, of = np.unique(told["order_id"], return_index=True, return_inverse=True)
    unseen = told[first].copy()
    unseen["action"], unseen["row"] = OrderAction.ADD, 0
    unseen["quantity"] = np.bincount(of, told["quantity"])
    later = [adds[events["order_id"][adds] > order_id] for order_id in ids.tolist()]
    return np.insert(events, [int(each[0]) if len(each) else len(events) for each in later], unseen)


def changes(states: Ints) -> Ints:
    """Those that differ from the one before."""
    return states[np.r_[True, (states[1:] != states[:-1]).any(axis=1)]]


def shown(events: OrderEvents) -> NDArray[np.bool_]:
    """The events after which the venue shows the book: not within an aggressive order, nor before the file's rows."""
    executes = events["action"] == OrderAction.EXECUTE
    same = (events["time_ns"][1:] == events["time_ns"][:-1]) & (events["side"][1:] == events["side"][:-1])
    within = np.r_[executes[:-1] & executes[1:] & same, False]
    return ~within & (events["row"] != 0) & (events["action"] != OrderAction.TRADE)


def found_in_order(states: Ints, vendor: Ints) -> int:
    """How many states the vendor's file has, each after the last one and not far from it."""
    places = defaultdict(list)
    for place, state in enumerate(map(tuple, vendor.tolist())):
        places[state].append(place)
    found, last = 0, -1
    for state in map(tuple, states.tolist()):
        ahead = places[state]
        next_ = bisect_right(ahead, last)
        if next_ < len(ahead) and (last < 0 or ahead[next_] - last <= LOOK_AHEAD):
            found, last = found + 1, ahead[next_]
    return found


def test_the_best_prices_are_the_vendors(events: OrderEvents, vendor: Ints) -> None:
    builder = BookBuilder()
    states = changes(builder.record(events).levels[shown(events), 0])
    assert builder.counts.contradictions == 0
    # 17 are missing, as many as with the matching engine in test_lobster_replay.py.
    assert (found_in_order(states, vendor), len(states)) == (22_678, 22_695)


def test_books_without_the_executions_are_not(events: OrderEvents, vendor: Ints) -> None:
    kept = events[events["action"] != OrderAction.EXECUTE]
    states = changes(BookBuilder().record(kept).levels[shown(kept), 0])
    assert found_in_order(states, vendor) < len(states) // 2
