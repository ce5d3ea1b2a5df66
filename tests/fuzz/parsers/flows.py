"""Recorded orders and profiles."""

from __future__ import annotations

import tomllib
from pathlib import Path
from unittest import mock

from lowlat.engine.flow import profile
from lowlat.engine.flow.profile import load_profile, profile_names, profile_toml
from lowlat.engine.flow.readers.lobster import number_table, read_lobster
from lowlat.engine.flow.recording import verify
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
