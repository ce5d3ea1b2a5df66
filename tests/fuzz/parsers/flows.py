"""Recorded orders and profiles."""

from __future__ import annotations

import tomllib
from pathlib import Path
from unittest import mock

import numpy as np

from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow import profile
from lowlat.engine.flow.profile import load_profile, profile_names, profile_toml
from lowlat.engine.flow.readers.lobster import book as lobster_book
from lowlat.engine.flow.readers.lobster import number_table, read_lobster
from lowlat.engine.flow.readers.lobster.book import open_book, read_book, without_empty_prices
from lowlat.engine.flow.readers.lobster.messages import open_messages
from lowlat.engine.flow.recording import recorded_flow, verify
from lowlat.engine.flow.recording.best import best_states, compare_best
from lowlat.engine.matching.native import Engine
from tests.fuzz.parsers.target import Target, written

ROWS = b"""\
1.000000001,1,1,10,1000000,-1
1.5,1,2,10,1000100,-1
2,1,4,7,990000,1
2.25,5,0,7,995050,1
3,4,1,10,1000000,-1
4,2,4,2,990000,1
5,3,2,6,1000100,-1
6,4,9,5,980000,1
7,7,0,0,-1,-1
"""


def _read_lobster(data: bytes, folder: Path) -> None:
    flow = read_lobster(written(folder, "messages.csv", data))
    with_room = Engine(flow.instruments, orders=1_024, trades=1_024)
    check = verify(flow, with_room.process(flow.commands))
    assert (check.total, check.stray_trades, check.rejected) == (len(flow.bursts), 0, 0), (
        "only bursts trade, and all run"
    )


def _plant_lobster() -> None:
    """A reader whose check of a number fails with an error that says nothing of the file."""
    mock.patch.object(number_table.NumberTable, "error", lambda *words: ValueError(words)).start()


LOBSTER = Target(
    "lobster",
    _read_lobster,
    lambda: [ROWS, ROWS.replace(b"\n", b"\r\n")],
    _plant_lobster,
    (
        "engine/flow/readers/lobster/lines.py",
        "engine/flow/readers/lobster/number_table.py",
        "engine/flow/readers/lobster/messages.py",
        "engine/flow/recording/walk.py",
    ),
)


BOOK_ROWS = b"""\
1000000,10,-9999999999,0,9999999999,0,-9999999999,0
1000000,10,-9999999999,0,1000100,10,-9999999999,0
1000000,10,990000,7,1000100,10,-9999999999,0
1000100,10,990000,7,1000200,4,980000,5
"""


def _read_lobster_book(data: bytes, folder: Path) -> None:
    path = written(folder, "orderbook.csv", data)
    book, flow = read_book(path), read_lobster(written(folder, "messages.csv", ROWS))
    rows = np.concatenate(list(open_book(path)))
    assert rows.shape == (len(book.best), 4 * book.levels), "both readings have the same rows"
    assert (without_empty_prices(rows[:, :4]) == without_empty_prices(book.best)).all(), "and the same best prices"
    assert len(book.wider) == len(book.displayed) and (np.diff(book.wider) > 0).all() and book.wider[0] == 0
    found = compare_best(flow, best_states(Engine(flow.instruments), flow.commands), book.best)
    assert 0 <= found.found <= found.total
    recorded_flow(open_messages(path.with_name("messages.csv"), ReadOptions()), book)


def _plant_lobster_book() -> None:
    """A reader that takes the sides of a book for each other."""
    mock.patch.object(lobster_book, "without_empty_prices", lambda states: states[:, [2, 3, 0, 1]]).start()


LOBSTER_BOOK = Target(
    "lobster-book",
    _read_lobster_book,
    lambda: [BOOK_ROWS, b"ask price 1,ask size 1,bid price 1,bid size 1\r\n5,1,4,0\r\n6,0,3,2\r\n"],
    _plant_lobster_book,
    ("engine/flow/readers/lobster/book.py", "engine/flow/recording/venue_book.py", "engine/flow/recording/best.py"),
)


def _read_profile(data: bytes, folder: Path) -> None:
    load_profile(str(written(folder, "mine.toml", data)))


def _plant_profile() -> None:
    """A reader that lets the errors of its library through."""
    mock.patch.object(profile, "parse_toml", tomllib.loads).start()


PROFILE = Target(
    "profile",
    _read_profile,
    lambda: [profile_toml(name).encode() for name in profile_names()],
    _plant_profile,
    ("lowlat/toml.py", "engine/flow/profile.py", "engine/flow/profile_checks.py"),
)
