"""A whole day of ARL on Nasdaq, recorded by Databento, against the vendor's own ten-level book of the same events."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.feed.records import OrderAction, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.registry import reader_of
from lowlat.engine.matching.records import Side
from tests.dbn_files import dbn, record
from tests.plain_books import PlainBooks, Told

Find = Callable[[str], Path]
Day = tuple[OrderEventStream, OrderEvents]

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def day(recorded: Find) -> Day:
    path = recorded("ARL_2025-07-17_mbo.csv.xz")
    stream = reader_of(path).open(path, ReadOptions())  # type: ignore[misc]
    return stream, np.concatenate([block.copy() for block in stream.blocks])


def rows(path: Path) -> tuple[list[str], list[list[str]]]:
    head, *lines = lzma.decompress(path.read_bytes()).decode().splitlines()
    return head.split(","), [line.split(",") for line in lines]


def test_all_records_are_accounted_for(day: Day) -> None:
    stream, events = day
    assert stream.symbols == ["ARL"] and not stream.faults and not stream.left_out
    assert stream.messages == {"clear": 1, "add": 2_915, "cancel": 2_913, "trade": 46, "fill": 11}
    counts = dict(zip(*np.unique(events["action"], return_counts=True), strict=True))
    # Each fill and its cancel became one execution; trades without a fill were with hidden orders.
    assert counts == {
        OrderAction.CLEAR: 1,
        OrderAction.ADD: 2_915,
        OrderAction.REDUCE: 2_913 - 11,
        OrderAction.EXECUTE: 11,
        OrderAction.TRADE: 46 - 11,
    }


def test_every_execution_is_at_the_head_of_its_queue(day: Day) -> None:
    books, heads = PlainBooks(), []
    for event in map(Told.of, day[1]):
        if event.action == OrderAction.EXECUTE:
            best = books.levels(0, event.side)[0][0]
            heads.append(books.queue(0, event.side, best)[0].order_id == event.order_id)
        books.apply(event)
    assert heads == [True] * 11


def test_the_vendors_ten_levels_are_the_books(day: Day, recorded: Find) -> None:
    assert agreeing(day[1], recorded) == (3_881, 3_881)


def test_a_fill_that_changes_the_book_twice_is_found(day: Day, recorded: Find) -> None:
    twice = np.repeat(day[1], np.where(day[1]["action"] == OrderAction.EXECUTE, 2, 1))
    assert agreeing(twice, recorded)[0] < 3_881


def agreeing(events: OrderEvents, recorded: Find) -> tuple[int, int]:
    """How many of the vendor's rows after an add or a cancel are as the book is then, and how many there are."""
    names, messages = rows(recorded("ARL_2025-07-17_mbo.csv.xz"))
    key = [names.index(name) for name in ("sequence", "order_id", "action", "size")]
    line = {tuple(row[at] for at in key): number for number, row in enumerate(messages, 2)}
    names, levels = rows(recorded("ARL_2025-07-17_mbp10.csv.xz"))
    key = [names.index(name) for name in ("sequence", "order_id", "action", "size")]
    first = names.index("bid_px_00")
    books, at, matched, total = PlainBooks(), 0, 0, 0
    for row in levels:
        if row[names.index("action")] not in "AC":
            continue
        end = line[tuple(row[at] for at in key)]
        while at < len(events) and events["row"][at] <= end:
            books.apply(Told.of(events[at]))
            at += 1
        total += 1
        matched += ten_levels(books) == [float(cell or 0) for cell in row[first : first + 60]]
    return matched, total


def ten_levels(books: PlainBooks) -> list[float]:
    """Price, size and count of bid and ask, best first, as the vendor's columns."""
    sides = [books.depth(0, side)[:10] for side in (Side.BUY, Side.SELL)]
    padded = [side + [(0, 0, 0)] * (10 - len(side)) for side in sides]
    return [x for pair in zip(*padded, strict=True) for price, size, count in pair for x in (price / 1e9, size, count)]


def test_the_day_as_dbn_gives_the_same_events(day: Day, recorded: Find, tmp_path: Path) -> None:
    names, messages = rows(recorded("ARL_2025-07-17_mbo.csv.xz"))
    at = {name: names.index(name) for name in names}
    records = [
        record(
            row[at["action"]],
            int(row[at["order_id"]]),
            row[at["side"]],
            round(float(row[at["price"]]) * 1e9) if row[at["price"]] else 2**63 - 1,
            int(row[at["size"]]),
            flags=int(row[at["flags"]]),
            sequence=int(row[at["sequence"]]),
            instrument=1108,
            ts_event=int(np.datetime64(row[at["ts_event"]].rstrip("Z"), "ns").astype(int)),
        )
        for row in messages
    ]
    path = tmp_path / "ARL.dbn"
    path.write_bytes(dbn(records, mappings=[("ARL", [(20250717, 20270718, "1108")])]))
    stream = reader_of(path).open(path, ReadOptions())  # type: ignore[misc]
    events = np.concatenate([block.copy() for block in stream.blocks])
    events["row"] += 1  # of the CSV, the first line names the columns
    assert stream.symbols == ["ARL"] and events.tolist() == day[1].tolist()
