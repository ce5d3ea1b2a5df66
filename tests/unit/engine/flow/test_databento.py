"""Each rule that turns Databento's records into level-3 events, on a few records that can be checked by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.feed.records import OrderAction, OrderEventFlag, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.databento import open_databento
from lowlat.engine.flow.registry import reader_of
from lowlat.engine.matching.records import Side
from lowlat.errors import InputError
from tests.dbn_files import (
    BAD_TS_RECV,
    DAY_NS,
    DOLLAR,
    LAST,
    MAYBE_BAD_BOOK,
    SNAPSHOT,
    TOB,
    dbn,
    metadata,
    other_record,
    record,
    symbol_mapping,
)

CSV_HEAD = (
    "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,flags,"
    "ts_in_delta,sequence"
)
Open = Callable[..., tuple[OrderEventStream, OrderEvents]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def write_and_open(data: bytes, *, until: int | None = None, symbols: tuple[str, ...] = ()) -> object:
        path = tmp_path / "day.dbn"
        path.write_bytes(data)
        stream = open_databento(path, ReadOptions(frozenset(symbols), until))
        blocks = [block.copy() for block in stream.blocks]
        return stream, np.concatenate(blocks) if blocks else np.zeros(0)

    return write_and_open  # type: ignore[return-value]


def told(events: OrderEvents) -> list[str]:
    """Each event as one short line: action, id, side, quantity and price in dollars, the aggressor, LAST."""
    lines = []
    for event in events:
        line = f"{OrderAction(event['action']).name} {event['order_id']}"
        if event["action"] != OrderAction.CLEAR:
            line += f" {Side(event['side']).name} {event['quantity']}@{event['price'] / DOLLAR:g}"
        line += f" by {event['other_id']}" if event["other_id"] else ""
        lines.append(line + ("." if event["flags"] & OrderEventFlag.LAST else ""))
    return lines


def sell(action: str, order_id: int, size: int, dollars: float = 5, **more: int) -> bytes:
    return record(action, order_id, "A", int(dollars * DOLLAR), size, **more)


def trade(size: int, dollars: float = 5, side: str = "B", order_id: int = 0, **more: int) -> bytes:
    return record("T", order_id, side, int(dollars * DOLLAR), size, **more)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_each_action_of_each_version(opened: Open, version: int) -> None:
    mapping = ("ARL", [(20260105, 20260106, "1")])
    records = [
        record("R", at=1),
        sell("A", 7, 30, at=2),
        sell("C", 7, 10, at=3),
        sell("M", 7, 25, 6, at=4),
        record("N", at=5),
        record("C", 7, "A", size=0, at=6),
    ]
    stream, events = opened(dbn(records, version, mappings=[mapping]))
    assert told(events) == [
        "CLEAR 0.",
        "ADD 7 SELL 30@5.",
        "REDUCE 7 SELL 10@5.",
        "UPSERT 7 SELL 25@6.",
        "CANCEL 7 SELL 0@0.",
    ]
    assert events["time_ns"].tolist() == [DAY_NS + at for at in (1, 2, 3, 4, 6)]
    assert events["row"].tolist() == [1, 2, 3, 4, 6]
    assert stream.symbols == ["ARL"] and stream.left_out == {"none": 1} and not stream.faults
    assert stream.messages == {"clear": 1, "add": 1, "cancel": 2, "modify": 1, "none": 1}


def test_a_fill_and_its_cancel_are_one_execution(opened: Open) -> None:
    """As on Nasdaq, where each record has F_LAST."""
    _, events = opened(dbn([sell("A", 7, 30), trade(10, at=9), sell("F", 7, 10, at=9), sell("C", 7, 10, at=9)]))
    assert told(events) == ["ADD 7 SELL 30@5.", "EXECUTE 7 SELL 10@5."]
    assert events["row"].tolist() == [1, 3]


def test_fills_come_first_and_changes_later(opened: Open) -> None:
    """As on CME: an aggressive order sweeps two orders and a part of a third, of which the vendor tells the rest."""
    sweep = [
        trade(60, order_id=99, flags=0),
        sell("F", 1, 10, flags=0),
        sell("F", 2, 20, flags=0),
        sell("F", 3, 30, flags=0),
        sell("C", 1, 10, flags=0),
        sell("C", 2, 20, flags=0),
        sell("M", 3, 5, flags=LAST),
    ]
    _, events = opened(dbn(sweep))
    assert told(events) == [
        "EXECUTE 1 SELL 10@5 by 99",
        "EXECUTE 2 SELL 20@5 by 99",
        "EXECUTE 3 SELL 30@5 by 99",
        "UPSERT 3 SELL 5@5.",
    ]


def test_what_no_change_takes_off_is_a_trade(opened: Open) -> None:
    """An iceberg's hidden part: filled for 30, of which 10 were displayed; and one that was never added."""
    _, events = opened(dbn([trade(35, flags=0), sell("F", 1, 30, flags=0), sell("F", 8, 5, flags=0), sell("C", 1, 10)]))
    assert told(events) == ["EXECUTE 1 SELL 10@5", "TRADE 1 SELL 20@5", "TRADE 8 SELL 5@5."]


def test_a_cancel_beyond_the_fill_cancels_the_rest(opened: Open) -> None:
    _, events = opened(dbn([sell("F", 1, 10, flags=0), sell("C", 1, 30)]))
    assert told(events) == ["EXECUTE 1 SELL 10@5", "REDUCE 1 SELL 20@5."]


def test_a_refilled_iceberg_is_executed_and_then_says_what_it_is(opened: Open) -> None:
    _, events = opened(dbn([trade(10, flags=0), sell("F", 1, 10, flags=0), sell("M", 1, 10)]))
    assert told(events) == ["EXECUTE 1 SELL 10@5", "UPSERT 1 SELL 10@5."]


def test_a_cancel_of_another_event_is_no_fill(opened: Open) -> None:
    _, events = opened(dbn([trade(10, at=1), sell("F", 1, 10, at=1), sell("C", 1, 10, at=2)]))
    assert told(events) == ["TRADE 1 SELL 10@5.", "REDUCE 1 SELL 10@5."]


def test_a_fill_takes_off_what_comes_after_it_only(opened: Open) -> None:
    _, events = opened(dbn([sell("C", 1, 4, flags=0), sell("F", 1, 10, flags=0), sell("C", 1, 10)]))
    assert told(events) == ["REDUCE 1 SELL 4@5", "EXECUTE 1 SELL 10@5."]


def test_trades_without_fills_are_with_hidden_orders(opened: Open) -> None:
    """Of the aggressive order's side, or none; the event has the side that was hidden."""
    hidden = [trade(10, at=1), trade(10, side="A", at=2), trade(10, side="N", at=3)]
    _, events = opened(
        dbn([*hidden, trade(30, at=4, flags=0), sell("F", 1, 10, at=4, flags=0), sell("C", 1, 10, at=4)])
    )
    assert told(events) == [
        "TRADE 0 SELL 10@5.",
        "TRADE 0 BUY 10@5.",
        "TRADE 0 BUY 10@5.",
        "TRADE 0 SELL 20@5",
        "EXECUTE 1 SELL 10@5.",
    ]


def test_groups_of_several_instruments_may_be_interleaved(opened: Open) -> None:
    first = [sell("F", 1, 10, flags=0), sell("C", 1, 10)]
    second = [sell("F", 1, 20, flags=0, instrument=2), sell("C", 1, 20, instrument=2)]
    stream, events = opened(dbn([first[0], second[0], second[1], first[1]]))
    assert told(events) == ["EXECUTE 1 SELL 10@5.", "EXECUTE 1 SELL 20@5."]
    assert events["symbol"].tolist() == [0, 1] and stream.symbols == ["1", "2"]


def test_what_tells_of_no_order_is_left_out_and_counted(opened: Open) -> None:
    top = record("A", 0, "B", 5 * DOLLAR, 10, flags=LAST | TOB)
    stream, events = opened(dbn([top, record("A", 7, "B", size=10), sell("A", 8, 0), sell("A", 9, 2**32 - 1)]))
    assert told(events) == [] and stream.left_out == {"add without a price, a side or a quantity": 4}


def test_flags_tell_of_snapshots_times_and_gaps(opened: Open) -> None:
    old = {"ts_event": DAY_NS - 5}
    stream, events = opened(
        dbn([sell("A", 1, 5, flags=SNAPSHOT | BAD_TS_RECV, sequence=9, **old), sell("A", 2, 5, flags=MAYBE_BAD_BOOK)])
    )
    assert events["flags"].tolist() == [OrderEventFlag.SNAPSHOT | OrderEventFlag.BAD_TIME, OrderEventFlag.GAP]
    assert stream.faults == {"records of a book that may be wrong (F_MAYBE_BAD_BOOK)": 1}


def test_times_and_sequence_numbers_that_go_back_are_faults(opened: Open) -> None:
    rows = [sell("A", 1, 5, at=5, sequence=7), sell("A", 2, 5, at=4, sequence=9), sell("A", 3, 5, at=4, sequence=8)]
    stream, _ = opened(dbn(rows))
    assert stream.faults == {"time goes back": 1, "sequence number goes back": 1}


def test_instruments_get_the_symbol_of_the_day(opened: Open) -> None:
    days = [("ESH6", [(20260101, 20260105, "1"), (20260105, 20260106, "2")]), ("ESM6", [(20260105, 20260107, "1")])]
    assert opened(dbn([sell("A", 1, 5), sell("A", 1, 5, instrument=2)], mappings=days))[0].symbols == ["ESM6", "ESH6"]
    back = [("1", [(20260101, 20270101, "ESH6")])]
    assert opened(dbn([sell("A", 1, 5)], mappings=back, stype_in=0))[0].symbols == ["ESH6"]
    assert opened(dbn([sell("A", 1, 5), sell("A", 1, 5, publisher=40)], mappings=days))[0].symbols == [
        "ESM6",
        "ESM6@40",
    ]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_live_stream_names_its_instruments_and_adds_a_time(opened: Open, version: int) -> None:
    rows = [symbol_mapping(version, 5, "ESH6"), sell("A", 1, 5, instrument=5, ts_out=1), other_record(23, b"beat")]
    stream, events = opened(dbn(rows, version, schema=0xFFFF, ts_out=True))
    assert stream.symbols == ["ESH6"] and told(events) == ["ADD 1 SELL 5@5."] and events["row"].tolist() == [2]
    assert stream.messages == {"add": 1, "symbol mapping record": 1, "system record": 1}


def test_records_of_unknown_types_are_skipped_by_their_length(opened: Open) -> None:
    stream, events = opened(
        dbn([other_record(200, bytes(100)), sell("A", 1, 5), other_record(1, b""), sell("A", 2, 5)])
    )
    assert events["order_id"].tolist() == [1, 2] and events["row"].tolist() == [2, 4]
    assert stream.messages == {"add": 2, "record of type 200": 1, "record of type 1": 1}


def test_symbols_and_an_end_can_be_asked_for(opened: Open) -> None:
    rows = [sell("A", 1, 5, at=1), sell("A", 2, 5, at=2, instrument=2), sell("A", 3, 5, at=3), sell("A", 4, 5, at=4)]
    stream, events = opened(dbn(rows), symbols=("1",), until=DAY_NS + 4)
    assert events["order_id"].tolist() == [1, 3] and stream.symbols == ["1"]
    assert stream.left_out == {"of symbols not asked for": 1, "at or after the end asked for": 1}


GOOD = dbn([sell("A", 1, 5), sell("A", 2, 5)])
HEAD = len(metadata())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it does not begin as a DBN file"),
        (b"DBZ" + GOOD[3:], "it does not begin as a DBN file"),
        (b"DBN\4" + GOOD[4:], "DBN version 4; this lowlat reads 1 to 3: convert it with Databento's dbn tool"),
        (GOOD[:4] + GOOD[7:3:-1] + GOOD[8:], "its integers are big-endian; DBN is little-endian: write the file again"),
        (GOOD[:4] + b"\xff\xff\xff\xff" + GOOD[8:], r"byte 4: 4,294,967,295 bytes of metadata; the limit is 64 MiB"),
        (GOOD[:4] + bytes(4) + GOOD[8:], "byte 4: 0 bytes of metadata; DBN has at least 100"),
        (GOOD[:90], "it ends within its metadata, after 90 bytes; fetch it again"),
        (GOOD[:4] + struct.pack("<I", 102) + GOOD[8:], "byte 108: the metadata ends within a field"),
        (dbn([], schema=1), "it holds schema mbp-1; lowlat reads mbo: request that schema"),
        (dbn([], schema=99), "it holds schema number 99; lowlat reads mbo"),
        (GOOD[:-1], rf"record 2 at byte {HEAD + 56}: the file ends 55 bytes into a record; fetch it again"),
        (GOOD[:HEAD] + bytes(56), rf"record 1 at byte {HEAD}: its length is 0 words; a record has at least 4"),
        (dbn([sell("A", 1, 5), sell("x", 2, 5)]), "row 2, action: 'x'; expected one of ACFMNRT"),
        (dbn([record("A", 1, "S", 5, 5)]), "row 1, side: 'S'; expected A, B or N"),
    ],
)
def test_bad_files_are_refused_with_place_and_advice(opened: Open, data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=rf"day\.dbn.*{why}"):
        opened(data)


def test_a_symbol_cannot_reach_a_terminal_as_it_is(opened: Open) -> None:
    stream, _ = opened(dbn([sell("A", 1, 5)], mappings=[("\x1b[31m", [(0, 99999999, "1")])]))
    assert stream.symbols == [r"\x1b[31m"]


def test_the_csv_form_gives_the_same_events(opened: Open, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    time = "2026-01-05T09:00:00.000000001Z"
    pretty = [
        f"{CSV_HEAD},symbol",
        f"{time},{time},160,2,1,R,N,,0,0,0,8,0,0,ARL",
        f"{time},{time},160,2,1,A,A,5.000000000,30,0,7,128,0,1,ARL",
        f"{time},{time},160,2,1,C,A,5.000000000,30,0,7,128,0,2,ARL",
    ]
    raw = [CSV_HEAD, *(f"{DAY_NS + 1},{DAY_NS + 1},160,2,1,{rest}" for rest in (
        f"R,N,{2**63 - 1},0,0,0,8,0,0", "A,A,5000000000,30,0,7,128,0,1", "C,A,5000000000,30,0,7,128,0,2"))]  # fmt: skip
    _, events = opened(dbn([record("R", at=1, flags=8), sell("A", 7, 30, at=1), sell("C", 7, 30, at=1)]))
    for lines, end, symbol in (
        (pretty, "\n", "ARL"),
        (raw, "\r\n", "1"),
        (["\ufeff" + pretty[0], *pretty[1:]], "\n", "ARL"),
    ):
        path = tmp_path / "day.csv"
        path.write_text(end.join(lines), encoding="utf-8")
        stream = reader_of(path).open(path, ReadOptions())  # type: ignore[misc]
        again = np.concatenate([block.copy() for block in stream.blocks])
        again["row"] -= 1
        assert again.tolist() == events.tolist() and stream.symbols == [symbol]


@pytest.mark.parametrize(
    ("head", "rtype", "why"),
    [
        (CSV_HEAD.replace(",price", ",depth,price"), 10, "day.csv: it is a Databento CSV of another schema"),
        (CSV_HEAD.replace("order_id", "id"), 160, "day.csv: it is a Databento CSV of another schema"),
        (CSV_HEAD, 1, "day.csv, row 2, column rtype: 1; records of schema mbo have 160: request that schema"),
    ],
)
def test_the_csv_form_of_another_schema_is_refused(tmp_path: Path, head: str, rtype: int, why: str) -> None:
    (tmp_path / "day.csv").write_text(f"{head}\n1,1,{rtype},2,1,A,A,5,30,0,7,128,0,1\n")
    with pytest.raises(InputError, match=why):
        list(open_databento(tmp_path / "day.csv", ReadOptions()).blocks)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("x,1,160,2,1,A,A,5,30,0,7,128,0,1", "row 3, column ts_recv: 'x'; expected a decimal number"),
        ("1,1,160,2,1,A,A,5,-3,0,7,128,0,1", "row 3, column size: '-3'; expected a whole number up to 4294967295"),
        ("1,1,160,2,1,A,A,5,3,0,7,256,0,1", "row 3, column flags: '256'; expected a whole number up to 255"),
        ("1,1,160,2,1,Q,A,5,3,0,7,25,0,1", "row 3, column action: the mapping has no action 'Q'"),
        ("1,1,160,2,1,A,A,5,3,0,7", "row 3: Expected 14 columns, got 11"),
    ],
)
def test_bad_rows_of_the_csv_form_are_named(tmp_path: Path, row: str, why: str) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "day.csv"
    path.write_text(f"{CSV_HEAD}\n1,1,160,2,1,A,A,5,30,0,7,128,0,1\n{row}\n")
    with pytest.raises(InputError, match=why):
        list(open_databento(path, ReadOptions()).blocks)


def test_a_file_cut_anywhere_is_refused_or_ends_between_records(opened: Open) -> None:
    whole = dbn([sell("A", 1, 5), symbol_mapping(3, 1, "A"), sell("A", 2, 5)], schema=0xFFFF)
    sizes = np.cumsum([len(metadata()), 56, struct.unpack_from("B", whole, HEAD + 56)[0] * 4, 56])
    for end in range(0, len(whole), 7):
        if end in sizes:
            continue
        with pytest.raises(InputError, match=r"day\.dbn"):
            opened(whole[:end])
