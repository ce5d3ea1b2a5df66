"""`lowlat replay` of recordings as level-3 events, and of a part of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowlat.errors import ExitCode
from tests.integration.conftest import Run
from tests.itch_by_hand import message, prefixed

SECOND = 10**9
NAMED = {"locate": 1, "stock": "ONE"}


@pytest.fixture
def day(tmp_path: Path) -> str:
    """A bid a second from 9:30:00 to 9:30:09, each filled half a second later."""
    messages = [message("S", event_code=b"O"), message("R", **NAMED)]
    for number in range(1, 11):
        at = 34_199 * SECOND + number * SECOND
        order = {"order_id": number, "shares": 100}
        messages.append(message("A", at, **NAMED, **order, side=b"B", price=1_000_000 + number * 100))
        messages.append(message("E", at + SECOND // 2, locate=1, **order, match=number))
    path = tmp_path / "day.itch"
    path.write_bytes(prefixed([*messages, message("S", 57_600 * SECOND, event_code=b"C")]))
    return path.name


def test_an_itch_file_is_checked_against_the_venues_fills(lowlat: Run, day: str) -> None:
    shown = lowlat("replay", day, "--runs", "1").stdout
    assert "10 of 10 recorded bursts filled as on the venue" in " ".join(shown.split())


def test_a_part_of_a_day(lowlat: Run, day: str) -> None:
    shown = lowlat("replay", day, "--runs", "1", "--symbols", "ONE", "--from", "9:30:02", "--to", "09:30:07.5").stdout
    words = " ".join(shown.split())
    assert "11 commands" in words and "the first 4 commands, before --from, build the book" in words
    assert "7 of 7 recorded bursts" in words


def test_what_is_not_in_the_file(lowlat: Run, day: str) -> None:
    done = lowlat("replay", day, "--symbols", "TWO")
    assert done.returncode == ExitCode.USAGE
    assert done.stderr == "lowlat: error: day.itch: it has no symbol TWO among 1 symbol; see --symbols\n"
