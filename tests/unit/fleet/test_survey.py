"""What a recording holds is known before it is replayed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lowlat.errors import InputError
from lowlat.fleet.identity import identity_of
from lowlat.fleet.survey import ReplayedPart, survey
from tests.itch_by_hand import message, prefixed


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """Three symbols, of which TWO has one order and THREE none."""
    named = [{"locate": number, "stock": stock} for number, stock in enumerate(("ONE", "TWO", "THREE"), 1)]
    adds = [(0, 1), (0, 2), (1, 3)]
    orders = [
        message("A", 34_200_000_000_000 + order_id, **named[at], order_id=order_id, shares=1, side=b"B", price=10_000)
        for at, order_id in adds
    ]
    path = tmp_path / "day.itch"
    path.write_bytes(prefixed([*[message("R", **each) for each in named], *orders]))
    return path


def test_events_by_symbol(day: Path) -> None:
    found = survey(str(day), ReplayedPart())
    assert (found.identity, found.format, found.events) == (identity_of(day), "itch", {"ONE": 2, "TWO": 1})


def test_of_the_part_that_is_asked_for(day: Path) -> None:
    assert survey(str(day), ReplayedPart(symbols=("TWO",))).events == {"TWO": 1}
    with pytest.raises(InputError, match="it has no symbol FOUR"):
        survey(str(day), ReplayedPart(symbols=("FOUR",)))


def test_a_file_of_zeros_is_not_read_to_its_end(tmp_path: Path) -> None:
    """Its SHA-256 would take an hour."""
    path = tmp_path / "day.itch"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(InputError, match=r"neither ITCH 5\.0 messages"):
        survey(str(path), ReplayedPart())


def test_a_name_that_no_document_can_hold() -> None:
    with pytest.raises(InputError, match="its name is not UTF-8"):
        survey("days/\udcff.csv", ReplayedPart())
