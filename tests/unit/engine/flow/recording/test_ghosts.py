"""Orders that the venue no longer had, although no row says so, are found by what contradicts them, and only those."""

from __future__ import annotations

import pytest

from lowlat.engine.feed.records import OrderAction
from lowlat.engine.flow.recording import Origin, RecordedFlow, recorded_flow
from lowlat.engine.matching.records import Side
from tests.recorded_venue import Event, events_of, replayed, stream_of

ADD, CANCEL, EXECUTE, REDUCE = OrderAction.ADD, OrderAction.CANCEL, OrderAction.EXECUTE, OrderAction.REDUCE
BUY, SELL = Side.BUY, Side.SELL


def flow_of(*rows: Event) -> RecordedFlow:
    return recorded_flow(stream_of([events_of(rows)]))


def removed(flow: RecordedFlow) -> list[tuple[int, int]]:
    """Row and id of each ghost."""
    ghosts = flow.origin == Origin.REMOVED
    return list(zip(flow.row[ghosts].tolist(), flow.commands["order_id"][ghosts].tolist(), strict=True))


def test_an_order_that_a_displayed_add_crosses_was_gone() -> None:
    flow = flow_of(
        (1, ADD, 1, SELL, 101, 5), (2, ADD, 2, SELL, 102, 5), (3, ADD, 3, BUY, 101, 7), (4, EXECUTE, 2, SELL, 102, 5)
    )
    assert removed(flow) == [(3, 1)]
    assert flow.changes.removed == {"a displayed order crosses them": 1}
    check = replayed(flow)
    assert (check.matched, check.total, check.stray_trades) == (1, 1, 0)


def test_an_order_that_is_named_later_was_not() -> None:
    flow = flow_of((1, ADD, 1, SELL, 101, 5), (2, ADD, 2, BUY, 101, 7), (3, CANCEL, 1, SELL, 101, 5))
    assert removed(flow) == []
    assert flow.changes.believed == {"locks or crosses the book": 1}
    assert replayed(flow).stray_trades == 0


def test_orders_that_executions_pass_over_were_gone() -> None:
    flow = flow_of(
        (1, ADD, 1, SELL, 100, 5),
        (2, ADD, 2, SELL, 101, 5),
        (3, ADD, 3, SELL, 101, 5),
        (4, EXECUTE, 3, SELL, 101, 2),
        (5, EXECUTE, 3, SELL, 101, 3),
    )
    assert removed(flow) == [(4, 1), (4, 2)]
    assert flow.changes.departures == 0
    check = replayed(flow)
    assert (check.matched, check.total, check.stray_trades) == (2, 2, 0)


def test_an_order_passed_over_and_named_later_is_a_departure_of_the_venue() -> None:
    flow = flow_of(
        (1, ADD, 1, SELL, 101, 5),
        (2, ADD, 2, SELL, 101, 5),
        (3, EXECUTE, 2, SELL, 101, 5),
        (4, EXECUTE, 1, SELL, 101, 5),
    )
    assert removed(flow) == [] and flow.changes.departures == 1
    check = replayed(flow)
    assert (check.matched, check.total, check.stray_trades, check.rejected) == (1, 2, 0, 0)


def test_what_is_left_of_an_order_of_the_same_burst_was_gone_too() -> None:
    """Its cancel was outside of what the file displays: 1 had 5, and only 2 of them still."""
    flow = flow_of(
        (1, ADD, 1, SELL, 101, 5),
        (2, ADD, 2, SELL, 101, 5),
        (3, EXECUTE, 1, SELL, 101, 2),
        (3, EXECUTE, 2, SELL, 101, 4),
    )
    assert removed(flow) == [(3, 1)]
    assert flow.bursts.fills.tolist() == [(1, 101, 2), (2, 101, 4)]
    assert replayed(flow).matched == 1


def test_an_order_behind_the_last_fill_is_left_alone() -> None:
    flow = flow_of((1, ADD, 1, SELL, 101, 5), (2, ADD, 2, SELL, 101, 5), (3, EXECUTE, 1, SELL, 101, 5))
    assert removed(flow) == []


@pytest.mark.parametrize("action", [CANCEL, REDUCE])
def test_a_cut_of_the_same_time_comes_first_if_that_explains_the_fills(action: OrderAction) -> None:
    flow = flow_of(
        (1, ADD, 1, SELL, 101, 5),
        (1, ADD, 2, SELL, 101, 5),
        (2, EXECUTE, 2, SELL, 101, 5),
        (2, action, 1, SELL, 101, 5),
        (3, CANCEL, 2, SELL, 101, 5),  # gone
    )
    assert flow.origin.tolist() == [Origin.RECORDED, Origin.RECORDED, Origin.PLACED, Origin.RECORDED]
    assert replayed(flow).matched == 1 and flow.changes.left_out == {"order is not in the book": 1}


def test_a_cut_of_a_later_time_stays_where_it_is() -> None:
    flow = flow_of(
        (1, ADD, 1, SELL, 101, 5),
        (1, ADD, 2, SELL, 101, 5),
        (2, EXECUTE, 2, SELL, 101, 5),
        (3, CANCEL, 1, SELL, 101, 5),
    )
    assert flow.changes.departures == 1


def test_a_cancel_of_the_same_time_makes_room_for_an_add() -> None:
    flow = flow_of((1, ADD, 1, SELL, 101, 5), (2, ADD, 2, BUY, 101, 5), (2, CANCEL, 1, SELL, 101, 5))
    assert not flow.changes.believed and replayed(flow).stray_trades == 0
    assert flow.commands["order_id"].tolist() == [1, 1, 2]


def test_a_time_of_many_rows_takes_no_more_than_its_share() -> None:
    """Thousands of bursts and cancels at one time and price: each cancel is looked up, not searched for."""
    count = 3_000
    rows: list[Event] = [(1, ADD, n, SELL, 101, 1) for n in range(1, 2 * count + 1)]
    for n in range(1, 2 * count, 2):
        rows += [(2, EXECUTE, n + 1, SELL, 101, 1), (2, CANCEL, n, SELL, 101, 1)]
    flow = flow_of(*rows)
    assert flow.changes.departures == 0 and len(flow.bursts) == count


def test_an_order_never_added_does_not_lock_the_book_before_its_time() -> None:
    """Its id says that it came before row 3, where order 2 still bids its price; so it enters at its own row."""
    flow = flow_of(
        (1, ADD, 2, BUY, 101, 5),
        (2, ADD, 3, BUY, 90, 5),
        (3, ADD, 9, BUY, 80, 5),
        (4, CANCEL, 2, BUY, 101, 5),
        (5, EXECUTE, 5, SELL, 101, 5),
    )
    assert flow.changes.never_added == 1 and not flow.changes.believed
    placed = flow.origin == Origin.PLACED
    assert flow.row[placed].tolist() == [5]
    assert replayed(flow).matched == 1
