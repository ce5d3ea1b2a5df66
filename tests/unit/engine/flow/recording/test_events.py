"""Each action of an event, as commands; the bursts of feeds that name the aggressor; phases and auctions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lowlat.engine.bench.replay import why_not_valid
from lowlat.engine.feed.records import OrderAction, OrderEventFlag
from lowlat.engine.flow.recording import Origin, recorded_flow
from lowlat.engine.flow.recording.columns import columns_of
from lowlat.engine.flow.recording.lives import lives_of
from lowlat.engine.matching.records import CommandType, Side, TradingPhase
from lowlat.errors import InputError
from tests.effort import effort
from tests.recorded_venue import Event, events_of, replayed, stream_of

ADD, CANCEL, EXECUTE, REDUCE = OrderAction.ADD, OrderAction.CANCEL, OrderAction.EXECUTE, OrderAction.REDUCE
BUY, SELL = Side.BUY, Side.SELL
BOOK: list[Event] = [(1, ADD, 1, SELL, 101, 5), (2, ADD, 2, SELL, 101, 5), (3, ADD, 3, BUY, 99, 5)]


def told(rows: list[Event]) -> list[tuple[str, int, int, int]]:
    """Kind, id, price and quantity of each command after those of `BOOK`."""
    commands = recorded_flow(stream_of([events_of([*BOOK, *rows])])).commands[3:]
    names = ["kind", "order_id", "price", "quantity"]
    return [(CommandType(kind).name, *rest) for kind, *rest in commands[names].tolist()]


def test_an_upsert_reduces_moves_enters_or_takes_out() -> None:
    upsert = OrderAction.UPSERT
    assert told([(4, upsert, 1, SELL, 101, 3)]) == [("REDUCE", 1, 0, 2)]
    assert told([(4, upsert, 1, SELL, 101, 5)]) == []
    assert told([(4, upsert, 1, SELL, 101, 6)]) == [("CANCEL", 1, 0, 0), ("LIMIT", 1, 101, 6)]
    assert told([(4, upsert, 1, SELL, 102, 5)]) == [("CANCEL", 1, 0, 0), ("LIMIT", 1, 102, 5)]
    assert told([(4, upsert, 7, SELL, 102, 5)]) == [("LIMIT", 7, 102, 5)]
    assert told([(4, upsert, 1, SELL, 101, 0)]) == [("CANCEL", 1, 0, 0)]


def test_a_clear_takes_every_order_out() -> None:
    assert told([(4, OrderAction.CLEAR, 0, BUY, 0, 0)]) == [("CANCEL", n, 0, 0) for n in (1, 2, 3)]


def test_a_replacement_of_an_order_never_added_still_enters() -> None:
    events = events_of([(1, OrderAction.REPLACE, 1, SELL, 101, 5), (2, EXECUTE, 2, SELL, 101, 5)])
    events["other_id"][0] = 2
    flow = recorded_flow(stream_of([events]))
    assert flow.changes.left_out == {"order is not in the book": 1}
    assert replayed(flow).matched == 1


def test_executions_of_one_aggressor_are_a_burst_though_their_times_differ() -> None:
    events = events_of(
        [*BOOK, (4, EXECUTE, 1, SELL, 101, 5), (5, EXECUTE, 2, SELL, 101, 1), (5, EXECUTE, 2, SELL, 101, 2)]
    )
    events["other_id"][3:] = (77, 77, 78)
    flow = recorded_flow(stream_of([events]))
    assert np.diff(flow.bursts.first_fill).tolist() == [2, 1]
    assert flow.commands["order_id"][flow.bursts.command].tolist() == [79, 80]
    assert replayed(flow).matched == 2


def test_executions_of_an_auction_are_applied_not_checked() -> None:
    events = events_of([*BOOK, (4, EXECUTE, 2, SELL, 100, 5), (5, EXECUTE, 1, SELL, 101, 5)])
    events["flags"][3] = OrderEventFlag.AUCTION
    flow = recorded_flow(stream_of([events]))
    assert flow.origin.tolist() == [Origin.RECORDED] * 3 + [Origin.APPLIED, Origin.RECORDED]
    assert flow.changes.applied == {"executions in an auction": 1}
    assert (replayed(flow).matched, replayed(flow).total) == (1, 1)


def test_an_execution_at_another_price_than_its_orders_is_applied_and_counted() -> None:
    flow = recorded_flow(stream_of([events_of([*BOOK, (4, EXECUTE, 1, SELL, 100, 5)])]))
    assert len(flow.bursts) == 0 and flow.changes.applied == {"executions at another price than their orders'": 1}


def test_a_halt_takes_cancels_and_lets_orders_cross_once_one_comes() -> None:
    halted, going = TradingPhase.HALTED, TradingPhase.CONTINUOUS
    phase = OrderAction.PHASE
    rows: list[Event] = [
        (4, phase, 0, BUY, 0, halted),
        (5, CANCEL, 2, SELL, 101, 5),
        (6, ADD, 7, BUY, 102, 5),
        (7, CANCEL, 7, BUY, 102, 5),
        (8, phase, 0, BUY, 0, going),
        (9, EXECUTE, 1, SELL, 101, 5),
    ]
    phases = [quantity for kind, _, _, quantity in told(rows) if kind == "PHASE"]
    assert phases == [halted, TradingPhase.CALL, going]
    check = replayed(recorded_flow(stream_of([events_of([*BOOK, *rows])])))
    assert (check.matched, check.total, check.stray_trades, check.rejected) == (1, 1, 0, 0)


def test_a_book_still_crossed_when_trading_goes_on_loses_what_no_later_row_names() -> None:
    rows: list[Event] = [
        (4, OrderAction.PHASE, 0, BUY, 0, TradingPhase.CALL),
        (5, ADD, 7, BUY, 102, 5),
        (6, OrderAction.PHASE, 0, BUY, 0, TradingPhase.CONTINUOUS),
        (7, EXECUTE, 1, SELL, 101, 5),
    ]
    flow = recorded_flow(stream_of([events_of([*BOOK, *rows])]))
    assert flow.changes.removed == {"a displayed order crosses them": 1}
    check = replayed(flow)
    assert (check.matched, check.stray_trades, check.rejected) == (1, 0, 0)


def test_executions_in_a_locked_book_are_applied_not_checked() -> None:
    rows: list[Event] = [
        (4, ADD, 7, BUY, 101, 5),
        (5, EXECUTE, 1, SELL, 101, 5),
        (6, CANCEL, 2, SELL, 101, 5),
        (7, EXECUTE, 7, BUY, 101, 5),
    ]
    flow = recorded_flow(stream_of([events_of([*BOOK, *rows])]))
    assert flow.changes.applied == {"executions in a locked or crossed book": 1}
    check = replayed(flow)
    assert (check.matched, check.total, check.stray_trades, check.rejected) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, ADD, 1, SELL, 101, 2**32)], "row 1: an order has 4294967296; an order holds at most 4294967295"),
        (
            [(1, REDUCE, 1, SELL, 101, 2**32 - 1), (2, REDUCE, 1, SELL, 101, 1)],
            "row 1: the executions and cancels of order 1 sum to 4294967296; an order holds at most 4294967295",
        ),
        (
            [(1, ADD, n, SELL, 101, 2**31) for n in (1, 2)] + [(2, EXECUTE, n, SELL, 101, 2**31) for n in (1, 2)],
            "row 3: the executions of this burst sum to 4294967296; an order holds at most 4294967295",
        ),
    ],
    ids=["order", "order never added", "burst"],
)
def test_quantities_that_no_order_holds_are_an_error(rows: list[Event], message: str) -> None:
    with pytest.raises(InputError, match=rf"^made\.here, {message}$"):
        recorded_flow(stream_of([events_of(rows)]))


def test_an_id_that_leaves_none_for_aggressive_orders_is_an_error() -> None:
    rows: list[Event] = [(1, ADD, 1, SELL, 101, 5), (2, ADD, 2**64 - 1, SELL, 101, 5), (3, EXECUTE, 1, SELL, 101, 5)]
    with pytest.raises(InputError, match="row 2: order id 18446744073709551615 leaves no ids above it"):
        recorded_flow(stream_of([events_of(rows)]))
    rows[1] = (2, ADD, 2**64 - 4, SELL, 101, 5)
    assert replayed(recorded_flow(stream_of([events_of(rows)]))).matched == 1


def test_a_replacement_by_nothing_and_an_empty_trade_of_an_auction_are_counted() -> None:
    replace = OrderAction.REPLACE
    flow = recorded_flow(stream_of([events_of([(1, ADD, 1, SELL, 101, 5), (2, replace, 1, SELL, 101, 0)])]))
    assert flow.changes.left_out == {"adds an order without an id or a quantity": 1} and len(flow.commands) == 2
    call = (1, OrderAction.PHASE, 0, BUY, 0, TradingPhase.CALL)
    events = events_of([call, (2, EXECUTE, 9, BUY, 100, 0)])
    events["flags"][1] = OrderEventFlag.AUCTION
    assert not replayed(recorded_flow(stream_of([events]))).mismatches


def test_orders_never_added_are_seeded_by_their_first_row_where_ids_tell_nothing() -> None:
    rows: list[Event] = [(1, ADD, 1, SELL, 102, 5), (2, EXECUTE, 9, SELL, 101, 5), (3, EXECUTE, 4, SELL, 101, 5)]
    flow = recorded_flow(stream_of([events_of(rows)], ids_by_arrival=False))
    assert flow.commands["order_id"][: flow.seeded].tolist() == [9, 4]
    assert replayed(flow).matched == 2


def test_a_stream_without_an_event_is_a_flow_without_a_command() -> None:
    flow = recorded_flow(stream_of([]))
    assert len(flow.commands) == 0 and replayed(flow).share is None


def test_a_stray_trade_is_named_with_both_orders_and_where_the_other_came_in() -> None:
    flow = recorded_flow(stream_of([events_of(BOOK)]))
    flow.commands["price"][2] = 101
    stray = replayed(flow).first_stray
    assert stray is not None
    assert (stray.row, stray.order_id, stray.maker_id, stray.maker_row) == (3, 3, 1, 1)
    assert list(why_not_valid(replayed(flow))) == [
        "the engine made 1 trade that the recording does not have; at row 3, order 3 traded with order 1, which came "
        "in at row 1"
    ]


def test_a_feed_that_tells_no_price_of_executions_and_cancels_is_followed() -> None:
    rows: list[Event] = [(4, EXECUTE, 1, BUY, 0, 5), (5, EXECUTE, 2, BUY, 0, 2), (6, REDUCE, 2, BUY, 0, 1)]
    unseen: list[Event] = [(7, CANCEL, 9, BUY, 0, 5)]
    flow = recorded_flow(stream_of([events_of([*BOOK, *rows, *unseen])]))
    assert not flow.changes.believed and flow.changes.never_added == 0
    assert flow.changes.left_out == {"order is not in the book": 1}
    assert (replayed(flow).matched, replayed(flow).total) == (2, 2)


def test_orders_never_added_take_time_by_their_number_not_its_square() -> None:
    """Sixteen times as many take sixteen times as long, and a bit for sorting; 256 times would be the square."""

    def found(count: int) -> Callable[[], None]:
        events = events_of([(1, ADD, 1, SELL, 900, 1)])
        events = np.repeat(events, 2 * count)
        events["order_id"] = np.arange(2 * count) * 7 % (2 * count) + 1
        events["action"][1::2] = CANCEL
        columns = columns_of(stream_of([events]))[0]

        def find() -> None:
            assert len(lives_of(columns, by_arrival=True).unseen) == count

        return find

    assert effort(found(80_000), found(5_000)) < 100


def test_more_symbols_than_an_engine_holds_are_an_error() -> None:
    events = events_of(BOOK)
    events["symbol"][1] = 65_536
    with pytest.raises(InputError, match=r"^made\.here: it has 65,537 symbols, and an engine holds at most 65,536"):
        recorded_flow(stream_of([events]))


def test_an_action_that_nobody_knows_is_skipped_and_counted() -> None:
    events = events_of(BOOK)
    events["action"][2] = 99
    assert recorded_flow(stream_of([events])).changes.left_out == {"unknown action": 1}
