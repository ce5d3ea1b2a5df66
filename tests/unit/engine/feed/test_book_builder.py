"""What the property test of the builder does not reach: its limits, its errors, its arrays, and many books."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import QUANTITY_MAX, BookBuilder, Side, TopOfBook
from lowlat.engine.feed.book_builder import BLOCK_EVENTS, BOOKS_MAX, QueuedOrder
from lowlat.engine.feed.records import ORDER_EVENT, DepthMoment, OrderAction, OrderEvents
from lowlat.engine.flow import BookBuilder as OfFlow
from lowlat.errors import ArrayError, BusyError, UsageError
from tests.synthetic_feed import synthetic_feed


def adds(count: int, **fields: object) -> OrderEvents:
    """Bids of one lot at 100, with the ids 1, 2 and so on."""
    events = np.zeros(count, dtype=ORDER_EVENT)
    events["action"] = OrderAction.ADD
    events["row"] = events["order_id"] = np.arange(1, count + 1)
    events["price"], events["quantity"] = 100, 1
    for name, values in fields.items():
        events[name] = values
    return events


def test_a_book_as_it_is_told() -> None:
    builder = BookBuilder()
    builder.apply(adds(4, side=[0, 0, 0, 1], price=[99, 99, 98, 101], quantity=[5, 6, 7, 8]))
    builder.apply(adds(1, action=OrderAction.EXECUTE, quantity=2))
    assert builder.best() == TopOfBook(99, 9, 101, 8)
    assert builder.find(2) == QueuedOrder(Side.BUY, 99, 6, orders_ahead=1, quantity_ahead=3)
    assert builder.depth(Side.BUY, 9)[["price", "quantity", "order_count"]].tolist() == [(99, 9, 2), (98, 7, 1)]
    assert builder.orders()["order_id"].tolist() == [1, 2, 3, 4]
    assert builder.find(5) is None and builder.find(1, symbol=1) is None
    counts = builder.counts
    assert (counts.live_orders, counts.levels, counts.contradictions) == (4, 3, 0)
    assert counts.events[OrderAction.ADD] == 4 and counts.events[OrderAction.EXECUTE] == 1
    assert OfFlow is BookBuilder


def test_bids_and_asks_may_cross() -> None:
    builder = BookBuilder()
    builder.apply(adds(2, side=[0, 1], price=[105, 100]))
    assert builder.best() == TopOfBook(105, 1, 100, 1)
    builder.check_invariants()


def test_books_come_as_they_are_named() -> None:
    builder = BookBuilder()
    symbols = np.random.default_rng(1).permutation(3_000)
    builder.apply(adds(3_000, symbol=symbols, price=100 + symbols, order_id=7))
    assert [builder.best(int(symbol)).bid for symbol in symbols[:50]] == [100 + int(symbol) for symbol in symbols[:50]]
    assert builder.best(BOOKS_MAX - 1) == TopOfBook(None, None, None, None)
    builder.apply(adds(1, symbol=BOOKS_MAX - 1))
    assert builder.best(BOOKS_MAX - 1).bid == 100
    builder.check_invariants()


def test_far_prices_and_a_finer_grid_keep_the_queues() -> None:
    builder = BookBuilder()
    prices = [10_000 * number for number in (100, 101, 5_000, 100, 1)]
    builder.apply(adds(6, price=[*prices, 1_000_001]))
    assert builder.depth(Side.BUY, 9)["price"].tolist() == [50_000_000, 1_010_000, 1_000_001, 1_000_000, 10_000]
    assert builder.find(4) == QueuedOrder(Side.BUY, 1_000_000, 1, orders_ahead=1, quantity_ahead=1)
    builder.check_invariants()


def test_one_id_in_thousands_of_books() -> None:
    """Ids are expected to differ over all symbols; where they do not, the index learns it."""
    builder = BookBuilder(orders=4_096)
    builder.apply(adds(2_000, order_id=9, symbol=np.arange(2_000)))
    assert all(builder.find(9, symbol) is not None for symbol in range(0, 2_000, 100))
    builder.check_invariants()


def test_a_builder_grows_beyond_its_room() -> None:
    builder = BookBuilder(orders=16)
    builder.apply(adds(20_000))
    builder.apply(adds(20_000, action=OrderAction.CANCEL)[::-1].copy())
    assert (builder.counts.live_orders_max, builder.counts.live_orders, builder.counts.contradictions) == (20_000, 0, 0)
    builder.check_invariants()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"action": [1, 1, 12]}, "event 2 (row 3) cannot be applied: its action 12 is no OrderAction"),
        ({"action": [1, 1, 0]}, "its action 0 is no OrderAction"),
        ({"side": [0, 1, 2]}, "its side 2 is neither 0 (buy) nor 1 (sell)"),
        ({"symbol": [0, 1, BOOKS_MAX]}, "its symbol 65536 is above 65535"),
        ({"quantity": [1, 1, QUANTITY_MAX + 1]}, "an order of 4294967296, and an order has at most 4294967295"),
    ],
)
def test_an_event_that_cannot_be_applied(fields: dict[str, object], message: str) -> None:
    builder = BookBuilder()
    for apply in (builder.apply, builder.record, builder.apply_timed):
        builder.reset()
        with pytest.raises(ArrayError) as caught:
            apply(adds(3, **fields))
        assert message in str(caught.value)
        assert builder.counts.live_orders == 2, "those before it are applied"
        builder.check_invariants()


def test_the_number_of_an_event_counts_from_the_start_of_the_array() -> None:
    events = adds(BLOCK_EVENTS + 10, action=OrderAction.TRADE)
    events["action"][-1] = 99
    with pytest.raises(ArrayError, match=rf"event {BLOCK_EVENTS + 9} \(row {BLOCK_EVENTS + 10}\)"):
        BookBuilder().record(events)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: [1, 2], "events are list"),
        (lambda: np.zeros(3), "events are float64"),
        (lambda: np.ma.masked_array(adds(3)), "masked array"),
        (lambda: adds(6)[::2], "pass one dimension without gaps"),
        (lambda: adds(6).reshape(2, 3), "pass one dimension without gaps"),
    ],
)
def test_arrays_that_are_refused(make: Callable[[], OrderEvents], message: str) -> None:
    builder = BookBuilder()
    for apply in (builder.apply, builder.record, builder.apply_timed):
        with pytest.raises(ArrayError) as caught:
            apply(make())
        assert message in str(caught.value)
    assert builder.counts.events[OrderAction.ADD] == 0


def test_unaligned_and_read_only_arrays_are_taken() -> None:
    raw = np.zeros(3 * ORDER_EVENT.itemsize + 1, dtype=np.uint8)
    unaligned = raw[1:].view(ORDER_EVENT)
    unaligned[:] = adds(3)
    unaligned.flags.writeable = False
    builder = BookBuilder()
    assert builder.record(unaligned, 2).levels[-1].tolist() == [[0, 0, 100, 3], [0, 0, 0, 0]]
    joined = np.concatenate([adds(2, side=1, order_id=[11, 12]), adds(1, order_id=13, side=1)])
    assert joined.dtype.itemsize < ORDER_EVENT.itemsize, "without the padding of each record"
    builder.apply(joined)
    assert builder.best().ask_quantity == 3
    assert builder.record(unaligned[:0]).levels.shape == (0, 1, 4)


@pytest.mark.parametrize("levels", [0, -1, 10_001, 1.5])
def test_levels_out_of_range(levels: int) -> None:
    with pytest.raises(UsageError, match="is not an integer from 1 to 10000"):
        BookBuilder().record(adds(1), levels)


def test_queries_out_of_range() -> None:
    builder = BookBuilder()
    for query in (builder.best, builder.orders, lambda symbol: builder.find(1, symbol)):
        for symbol in (-1, BOOKS_MAX):
            with pytest.raises(UsageError, match=f"symbol: {symbol} is not an integer from 0 to 65535"):
                query(symbol)
    with pytest.raises(UsageError, match="order_id: -1"):
        builder.find(-1)
    with pytest.raises(UsageError, match="when: 7"):
        builder.record(adds(1), when=7)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"neither Side\.BUY nor Side\.SELL"):
        builder.depth(2, 1)  # type: ignore[arg-type]
    for orders in (0, 1 << 31, 1.5):
        with pytest.raises(UsageError, match="orders: "):
            BookBuilder(orders=orders)  # type: ignore[arg-type]


def test_only_one_thread_at_a_time() -> None:
    builder = BookBuilder()
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with builder._alone():
            inside.set()
            leave.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait()
    try:
        for use in (lambda: builder.apply(adds(1)), builder.best, lambda: builder.counts, builder.reset):
            with pytest.raises(BusyError, match="another thread is using this builder"):
                use()
    finally:
        leave.set()
        holder.join()
    builder.apply(adds(1))


def test_states_at_the_last_event_of_a_group() -> None:
    states = BookBuilder().record(adds(4, flags=[0, 1, 0, 1]), when=DepthMoment.LAST)
    assert states.events.tolist() == [1, 3]
    assert states.levels.tolist() == [[[0, 0, 100, 2]], [[0, 0, 100, 4]]]


def test_times_are_those_of_single_events() -> None:
    builder, batched = BookBuilder(), BookBuilder()
    events = adds(100)
    ticks = builder.apply_timed(events)
    batched.apply(events)
    assert ticks.shape == (100,) and (ticks > 0).all()
    assert (builder.orders() == batched.orders()).all()


@pytest.mark.slow
def test_two_million_orders_in_thousands_of_books_fit_in_a_few_hundred_megabytes() -> None:
    events = synthetic_feed(5_000_000, symbols=8_000, live=2_000_000)
    before = resident_bytes()
    builder = BookBuilder()
    builder.apply(events)
    assert builder.counts.live_orders > 1_800_000 and builder.counts.contradictions == 0
    assert resident_bytes() - before < 400 << 20


def resident_bytes() -> int:
    """Memory of this process that is resident."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
