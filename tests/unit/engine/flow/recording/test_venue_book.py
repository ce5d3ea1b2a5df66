"""The venue's own order book file finds ghosts, row by row and level by level, where it has a row for each message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers.lobster import READER
from lowlat.engine.flow.readers.lobster.book import read_book
from lowlat.engine.flow.recording import Origin, RecordedFlow, best_states, compare_best
from lowlat.engine.matching.native import Engine

MESSAGES = (
    "1,1,1,4,1000300,-1",
    "2,1,2,10,1000200,-1",
    "3,1,3,10,1000100,-1",
    "4,1,5,10,990000,1",
    "5,3,3,10,1000100,-1",  # meanwhile 1 and 2 have gone, and 4 came: outside of the best level, so no row says it
    "6,3,4,10,1000300,-1",
)
EMPTY_ASK, EMPTY_BID = "9999999999,0", "-9999999999,0"
BOOK = (
    f"1000300,4,{EMPTY_BID}",
    f"1000200,10,{EMPTY_BID}",
    f"1000100,10,{EMPTY_BID}",
    "1000100,10,990000,10",
    "1000300,10,990000,10",
    f"{EMPTY_ASK},990000,10",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "XYZ_message.csv").write_text("\n".join(MESSAGES))
    (tmp_path / "book.csv").write_text("\n".join(BOOK))
    return tmp_path


def read(folder: Path, book: str = "book.csv") -> RecordedFlow:
    flow = READER.flow(folder / "XYZ_message.csv", read_book(folder / book))
    assert isinstance(flow, RecordedFlow)
    return flow


def found(flow: RecordedFlow, folder: Path, book: str = "book.csv") -> tuple[int, int]:
    states = best_states(Engine(flow.instruments), flow.commands)
    check = compare_best(flow, states, read_book(folder / book).best)
    return check.found, check.total


def test_what_is_read_of_a_book_file(folder: Path) -> None:
    book = read_book(folder / "book.csv")
    assert book.levels == 1
    assert book.best.tolist()[4:] == [[1000300, 10, 990000, 10], [0, 0, 990000, 10]]
    assert book.wider.tolist() == [0, 4, 5]  # the best ask went up, and then there was none
    assert (book.displayed == book.head[book.wider]).all()


def test_orders_that_the_book_does_not_show_any_more_are_taken_out(folder: Path) -> None:
    """Of level 1000200 nothing is shown; at 1000300, 4 less than the messages tell, which is what order 1 has."""
    flow = read(folder)
    assert flow.displayed_levels == 1 and flow.book_rows == 6
    assert flow.changes.removed == {"the venue's book does not show them": 2}
    ghosts = flow.origin == Origin.REMOVED
    assert flow.commands["order_id"][ghosts].tolist() == [2, 1] and flow.row[ghosts].tolist() == [6, 6]


def test_without_the_book_they_stay(folder: Path) -> None:
    flow = READER.flow(folder / "XYZ_message.csv", None, ReadOptions())
    assert isinstance(flow, RecordedFlow)
    assert not flow.changes.removed and flow.displayed_levels is None and flow.book_rows is None


def test_a_book_file_that_ends_early_is_compared_up_to_there(folder: Path) -> None:
    (folder / "short.csv").write_text("\n".join(BOOK[:4]))
    flow = read(folder, "short.csv")
    assert flow.book_rows == 4
    assert found(flow, folder, "short.csv") == (4, 4)
    assert flow.flow().notes[-1] == "the order book file ends after 4 of 6 messages, and is compared up to there"


def test_a_book_file_with_a_row_a_change_finds_no_ghost(folder: Path) -> None:
    changes = ["1000100,10,-9999999999,0", "1000100,10,990000,10", "1000300,10,990000,10"]
    (folder / "changes.csv").write_text("\n".join(changes))
    flow = read(folder, "changes.csv")
    assert flow.book_rows == 0 and not flow.changes.removed
    assert "no row for each message" in flow.flow().notes[-1]


def test_every_state_is_the_venues_once_the_ghost_is_gone(folder: Path) -> None:
    matched, total = found(read(folder), folder)
    assert (matched, total) == (5, 6)  # until row 6, the ghosts are there


def test_deep_books_are_read_whole(tmp_path: Path) -> None:
    rows = np.arange(1, 1 + 40 * 50).reshape(50, 40)
    np.savetxt(tmp_path / "deep.csv", rows, fmt="%d", delimiter=",")
    book = read_book(tmp_path / "deep.csv")
    assert book.levels == 10 and (book.head == rows).all() and (book.best == rows[:, :4]).all()
