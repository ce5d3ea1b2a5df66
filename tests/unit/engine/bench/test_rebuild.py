"""Rebuilding the books of a stream: what the document says, and how it compares them with the venue's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lowlat.engine.bench.expected_book import BookCheck
from lowlat.engine.bench.rebuild import Rebuilding
from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream
from lowlat.errors import InputError, UsageError
from lowlat.reports.model.rebuild import Rebuild

BOOK = Path("book.csv")


def rows(*told: tuple[int, OrderAction, int, int, int]) -> OrderEvents:
    """Events of bids: row, action, id, price, quantity."""
    events = np.zeros(len(told), dtype=ORDER_EVENT)
    for name, values in zip(("row", "action", "order_id", "price", "quantity"), zip(*told, strict=True), strict=True):
        events[name] = values
    return events


# Row 2 has two events, in different blocks; row 3 none.
FIRST = rows((1, OrderAction.ADD, 1, 100, 5), (2, OrderAction.EXECUTE, 1, 100, 9))
SECOND = rows((2, OrderAction.ADD, 2, 99, 3), (4, OrderAction.CANCEL, 8, 0, 0), (5, OrderAction.TRADE, 0, 99, 1))
EXPECTED = [[0, 0, 100, 5], [0, 0, 99, 3], [7, 7, 7, 7], [0, 0, 99, 3], [0, 0, 99, 3]]


def stream(*blocks: OrderEvents) -> OrderEventStream:
    return OrderEventStream(
        path=Path("feed"),
        noun="toy feed",
        unit=Decimal(1),
        time_base="unix",
        blocks=iter(blocks),
        symbols=["A"],
        messages=Counter({"row": 6}),
        left_out=Counter({"a heartbeat": 1}),
    )


def check(states: list[list[int]], size: int = 2) -> BookCheck:
    book: NDArray[np.int64] = np.array(states)
    return BookCheck(BOOK, (book[first : first + size] for first in range(0, len(book), size)))


def rebuilt(expected: BookCheck | None = None) -> Rebuild:
    return Rebuilding(stream(FIRST, SECOND), expected, lambda _text, _share: None).run()


def test_what_was_applied_and_what_contradicted_it() -> None:
    found = rebuilt()
    assert (found.status, found.events, found.symbols) == ("ok", 5, 1)
    assert found.actions == {"add": 2, "cancel": 1, "execute": 1, "trade": 1}
    assert found.contradictions == {"cancel of an unknown order": 1, "more taken than the order had": 1}
    assert (found.left_out, found.faults) == ({"a heartbeat": 1}, {})
    assert (found.live_orders, found.live_orders_max, found.levels_max) == (1, 1, 1)
    assert found.apply.cpu_ns > 0 and found.decode.cpu_ns_per_event is not None


def test_single_events_are_measured_by_action() -> None:
    found = rebuilt()
    assert found.latency_events == 5
    assert {series.op: series.count for series in found.latencies} == {
        "all": 5, "add": 2, "cancel": 1, "execute": 1, "trade": 1
    }  # fmt: skip


def test_books_that_are_those_of_the_venue() -> None:
    found = rebuilt(check(EXPECTED))
    assert found.status == "ok" and found.expected is not None
    assert (found.expected.rows, found.expected.equal, found.expected.missing, found.expected.levels) == (4, 4, 0, 1)


@pytest.mark.parametrize(
    ("row", "state", "message"),
    [
        (1, [0, 0, 100, 6], "row 1: bid 1 is 5 at 100; expected 6 at 100"),
        (2, [0, 0, 0, 0], "row 2: bid 1 is 3 at 99; expected none"),
        (5, [101, 1, 99, 3], "row 5: ask 1 is none; expected 1 at 101"),
    ],
)
def test_books_that_differ(row: int, state: list[int], message: str) -> None:
    states = [*EXPECTED]
    states[row - 1] = state
    found = rebuilt(check(states))
    assert found.status == "invalid"
    assert found.status_reasons == ("1 row of 4 differ from the expected books", message)


def test_deeper_levels_are_compared_too() -> None:
    deep = [[*state, 0, 0, 0, 0] for state in EXPECTED]
    assert rebuilt(check(deep)).status == "ok"
    deep[3][6:] = [98, 1]
    assert "row 4: bid 2 is none; expected 1 at 98" in rebuilt(check(deep)).status_reasons


def test_a_file_of_books_that_ends_too_early() -> None:
    found = rebuilt(check(EXPECTED[:3]))
    assert found.status_reasons == ("the file of expected books ends 2 rows before the feed",)


def test_rows_that_go_back() -> None:
    compared = check(EXPECTED)
    compared.compare(np.array([4, 5, 1], dtype=np.uint64), np.zeros((3, 1, 4), dtype=np.int64))
    with pytest.raises(UsageError, match=r"book\.csv: the feed's rows go back to 1"):
        compared.finish()


def test_a_file_without_books() -> None:
    with pytest.raises(UsageError, match=r"book.csv has no rows"):
        BookCheck(BOOK, iter(()))


def test_nothing_half_read_is_a_result() -> None:
    def broken() -> Iterator[OrderEvents]:
        yield FIRST
        raise InputError("feed, row 3: cut short")

    damaged = stream()
    damaged.blocks = broken()
    with pytest.raises(InputError, match="row 3: cut short"):
        Rebuilding(damaged, None, lambda _text, _share: None).run()


def test_an_empty_feed_is_no_result() -> None:
    with pytest.raises(UsageError, match="feed: nothing to rebuild"):
        Rebuilding(stream(), None, lambda _text, _share: None).run()
