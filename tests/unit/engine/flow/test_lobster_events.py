"""What the reader says of a file, before anybody builds a book: numbers, events, and what it was asked to leave out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowlat.engine.feed.records import OrderAction, OrderEventFlag, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.lobster.lines import LineBlock, line_blocks
from lowlat.engine.flow.readers.lobster.messages import open_messages
from lowlat.engine.flow.readers.lobster.number_table import number_table
from lowlat.engine.flow.registry import reader_of
from lowlat.engine.matching.records import Side, TradingPhase
from lowlat.errors import LobsterError

ROWS = """\
34200.000000001,1,11,100,5850100,1
34200.5,2,11,40,5850100,1
34201,4,11,60,5850100,1
34201,5,0,7,5850050,-1
34300,7,0,0,-1,-1
34301,7,0,0,0,-1
34302,6,-1,500,5850000,-1
34302,4,12,50,5850000,1
34302,7,0,0,1,-1
34303,3,13,9,5850200,-1
"""


def opened(
    folder: Path, options: ReadOptions | None = None, name: str = "XYZ_2012-06-21_message_10.csv"
) -> OrderEventStream:
    path = folder / name
    path.write_text(ROWS)
    return open_messages(path, options or ReadOptions())


def events_of(stream: OrderEventStream) -> OrderEvents:
    return np.concatenate([block.copy() for block in stream.blocks])


def test_each_row_is_an_event(tmp_path: Path) -> None:
    stream = opened(tmp_path)
    events = events_of(stream)
    names = ["time_ns", "row", "action", "order_id", "side", "price", "quantity"]
    action, buy, sell = OrderAction, Side.BUY, Side.SELL
    assert events[names].tolist() == [
        (34_200_000_000_001, 1, action.ADD, 11, buy, 5850100, 100),
        (34_200_500_000_000, 2, action.REDUCE, 11, buy, 5850100, 40),
        (34_201_000_000_000, 3, action.EXECUTE, 11, buy, 5850100, 60),
        (34_201_000_000_000, 4, action.TRADE, 0, sell, 5850050, 7),
        (34_300_000_000_000, 5, action.PHASE, 0, sell, 0, TradingPhase.HALTED),
        (34_301_000_000_000, 6, action.PHASE, 0, sell, 0, TradingPhase.CALL),
        (34_302_000_000_000, 7, action.CROSS, 0, sell, 5850000, 500),
        (34_302_000_000_000, 8, action.EXECUTE, 12, buy, 5850000, 50),
        (34_302_000_000_000, 9, action.PHASE, 0, sell, 0, TradingPhase.CONTINUOUS),
        (34_303_000_000_000, 10, action.CANCEL, 13, sell, 5850200, 9),
    ]
    assert events["flags"].tolist() == [0] * 7 + [OrderEventFlag.AUCTION] + [0] * 2
    assert stream.symbols == ["XYZ"] and stream.displayed_levels == 10 and stream.ids_by_arrival
    assert stream.messages == Counter(
        add=1, partial_cancel=1, delete=1, execution=2, hidden_execution=1, cross_trade=1, halt=3
    )


def test_rows_from_a_time_on_and_other_symbols_are_left_out(tmp_path: Path) -> None:
    until = ReadOptions(until_ns=34_301 * 10**9)
    stream = opened(tmp_path, until)
    assert len(events_of(stream)) == 5 and sum(stream.messages.values()) == 5
    assert len(events_of(opened(tmp_path, ReadOptions(symbols=frozenset({"XYZ"}))))) == 10
    assert len(events_of(opened(tmp_path, ReadOptions(symbols=frozenset({"ABC"}))))) == 0


@pytest.mark.parametrize(
    ("name", "levels"),
    [("AAPL_2012-06-21_34200000_57600000_message_1.csv", 1), ("A_B_Message_50.CSV", 50), ("day_message.csv", None)],
)
def test_the_name_says_how_many_levels(tmp_path: Path, name: str, levels: int | None) -> None:
    stream = opened(tmp_path, name=name)
    assert stream.displayed_levels == levels
    assert reader_of(tmp_path / name).name == "lobster"


def test_a_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    path = tmp_path / "DAY.CSV.XZ"
    path.write_bytes(b"\xfd7zXZ")
    assert reader_of(path).name == "lobster"


NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1)
BLANKS = st.sampled_from(["", " ", "  "])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NUMBERS, NUMBERS, BLANKS, BLANKS), min_size=1, max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_numbers_are_what_they_say(rows: list[tuple[int, int, str, str]], end: str) -> None:
    text = "".join(f"{one},{before}{two}{after}{end}" for one, two, before, after in rows)
    table, count = number_table(LineBlock(Path("x"), 0, text.encode(), len(rows)), ("one", "two"))
    assert count == len(rows) and table.sound.all()
    assert [column.tolist() for column in table.columns] == [[row[0] for row in rows], [row[1] for row in rows]]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 86_400), st.text("0123456789", max_size=12)), min_size=1, max_size=10))
def test_seconds_are_rounded_to_nanoseconds(rows: list[tuple[int, str]]) -> None:
    text = "".join(f"{whole}.{fraction},1\n" for whole, fraction in rows)
    table, _ = number_table(LineBlock(Path("x"), 0, text.encode(), len(rows)), ("time", "one"), seconds=0)
    rounded = [whole * 10**9 + (int(f"{fraction:0<13}") + 5_000) // 10_000 for whole, fraction in rows]
    assert table.sound.all() and table.columns[0].tolist() == rounded


@settings(max_examples=60)
@given(st.text("0123456789.- ,e+", max_size=8))
def test_only_numbers_are_sound(field: str) -> None:
    text = field.replace(",", "") or "x"
    table, _ = number_table(LineBlock(Path("x"), 0, f"{text},1\n".encode(), 1), ("one", "two"))
    stripped = text.strip(" ")
    assert bool(table.sound[0, 0]) == stripped.removeprefix("-").isdigit()


def test_a_file_of_nothing_but_column_names_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    for content in (b"", b"Time,Type\n", b"Time,Type", b"\xef\xbb\xbfTime,Type\r\n"):
        path.write_bytes(content)
        with pytest.raises(LobsterError, match=r"day\.csv: the file is empty; expected at least one row"):
            list(line_blocks(path, Counter()))


def test_rows_are_counted_with_the_line_of_names(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("Time,Type,OrderID,Size,Price,Direction\n1,1,7,30,1000000,1\n1,1,x,30,1000000,1\n")
    with pytest.raises(LobsterError, match="row 3, column order id: 'x' is not an integer"):
        list(open_messages(path, ReadOptions()).blocks)


def test_blocks_end_between_rows(tmp_path: Path) -> None:
    """A file of several megabytes comes in several blocks; no row is lost or cut."""
    path = tmp_path / "day.csv"
    path.write_text("".join(f"{n},1,{n},30,1000000,1\n" for n in range(1, 60_001)))
    blocks = [block["order_id"].copy() for block in open_messages(path, ReadOptions()).blocks]
    assert len(blocks) > 1
    assert (np.concatenate(blocks) == np.arange(1, 60_001)).all()


def test_other_columns_than_lobsters_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text("price,size,side\n1,2,3\n")
    with pytest.raises(LobsterError, match="say with --columns what they mean: price,size,side") as refused:
        list(line_blocks(path, Counter()))
    assert "line 1" in str(refused.value) or "row 1" in str(refused.value)
