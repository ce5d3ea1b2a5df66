"""Databento's fills and changes, paired by numpy in blocks, against a loop over all records that can be read at once.

The loop follows the vendor's rule: only A, C, M and R change a book. So the books at the end must be the same,
every lot that traded must be told once, and where the blocks are cut must not matter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lowlat.engine.feed.records import OrderAction, OrderEvents
from lowlat.engine.flow.readers.databento import events as databento_events
from lowlat.engine.flow.readers.databento.events import Rows, events_of
from lowlat.engine.flow.readers.databento.records import MBO
from tests.dbn_files import LAST, record
from tests.plain_books import PlainBooks, Told

Record = tuple[str, int, str, int, int, int, int, int]

RECORDS = st.lists(
    st.tuples(
        st.sampled_from("ACCFFFMTTNR"),
        st.integers(1, 3),  # order
        st.sampled_from("AB"),
        st.integers(1, 2),  # price
        st.integers(1, 6),  # size
        st.sampled_from((0, 0, LAST)),
        st.integers(0, 3),  # how much later
        st.integers(0, 1),  # instrument
    ),
    max_size=24,
)


def rows_of(said: Sequence[Record]) -> Rows:
    time, data, symbols = 0, [], []
    for action, order_id, side, price, size, flags, later, symbol in said:
        time += later // 3
        data.append(record(action, 10 * symbol + order_id, side, price, size, flags=flags, at=time))
        symbols.append(symbol)
    return Rows(
        np.frombuffer(b"".join(data), MBO), np.arange(1, len(data) + 1, dtype=np.uint64), np.array(symbols, int)
    )


def converted(rows: Rows, cuts: Sequence[int]) -> OrderEvents:
    bounds = [0, *sorted(cuts), len(rows.row)]
    blocks = [rows.part(slice(a, b)) for a, b in pairwise(bounds)]
    parts = list(events_of(iter(blocks), Counter()))
    return np.concatenate(parts) if parts else np.zeros(0, databento_events.ORDER_EVENT)


CHANGES = {"A": OrderAction.ADD, "C": OrderAction.REDUCE, "M": OrderAction.UPSERT, "R": OrderAction.CLEAR}
"""What changes a book by the vendor's word."""


def by_the_vendor(rows: Rows) -> object:
    """The books after the last record."""
    books = PlainBooks()
    for said, symbol in zip(rows.records, rows.symbol.tolist(), strict=True):
        if action := CHANGES.get(chr(said["action"])):
            side, size = int(said["side"] == ord("A")), int(said["size"])
            books.apply(Told(action, symbol, int(said["order_id"]), 0, side, int(said["price"]), size))
    return books.queues()


def by_events(events: OrderEvents) -> object:
    """The books after the last event."""
    books = PlainBooks()
    for event in map(Told.of, events):
        books.apply(event)
    return books.queues()


@given(RECORDS)
def test_the_book_is_the_vendors_at_the_end_of_each_day(said: list[Record]) -> None:
    """Executions stand where the fill is told, which is ahead of its cancel; in between, the books may differ."""
    rows = rows_of(sane(said))
    assert by_events(converted(rows, ())) == by_the_vendor(rows)


def sane(said: list[Record]) -> list[Record]:
    """Without what no venue does between a fill and its change: enter or clear anew an order that was just filled."""
    filled: dict[int, set[int]] = defaultdict(set)
    kept = []
    for each in said:
        action, order_id, *_, symbol = each
        if action == "F":
            filled[symbol].add(order_id)
        if (action == "R" and filled[symbol]) or (action in "AM" and order_id in filled[symbol]):
            continue
        kept.append(each)
    return kept


@given(RECORDS)
def test_every_lot_is_told_once(said: list[Record]) -> None:
    rows = rows_of(said)
    events = converted(rows, ())
    action = rows.records["action"]
    filled = int(rows.records["size"][action == ord("F")].sum())
    at_fills = np.isin(events["row"], rows.row[action == ord("F")])
    assert int(events["quantity"][at_fills].sum()) == filled
    executed = int(events["quantity"][events["action"] == OrderAction.EXECUTE].sum())
    reduced = int(events["quantity"][events["action"] == OrderAction.REDUCE].sum())
    canceled = int(rows.records["size"][action == ord("C")].sum())
    if ord("M") not in action:
        assert executed + reduced == canceled, "what cancels take off is told by an execution, or by a reduction"


@given(RECORDS, st.lists(st.integers(0, 24), max_size=6))
def test_it_does_not_matter_where_blocks_are_cut(said: list[Record], cuts: list[int]) -> None:
    rows = rows_of(said)
    inside = [cut for cut in cuts if cut < len(rows.row)]
    assert converted(rows, inside).tolist() == converted(rows, ()).tolist()


@given(RECORDS, st.lists(st.integers(0, 24), max_size=6))
def test_a_fill_that_waited_too_long_is_told_once_all_the_same(said: list[Record], cuts: list[int]) -> None:
    rows = rows_of(sane(said))
    inside = [cut for cut in cuts if cut < len(rows.row)]
    with mock.patch.object(databento_events, "HELD_MAX", 3):
        events = converted(rows, inside)
    assert by_events(events) == by_the_vendor(rows)
