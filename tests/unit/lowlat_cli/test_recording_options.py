"""Times and symbols of a recorded day, as they are typed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers import itch, journal
from lowlat.engine.journal.header import JOURNAL
from lowlat.errors import UsageError
from lowlat_cli.options.recording import Selection, recorded_input, recorded_time_ns, selection_of
from tests.itch_by_hand import prefixed, small_day

HOUR_NS = 3_600 * 10**9


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("09:30", 19 * HOUR_NS // 2),
        ("9:30", 19 * HOUR_NS // 2),
        ("00:00:00.000000001", 1),
        ("16:00:00.5", 16 * HOUR_NS + 5 * 10**8),
        ("24:00", 24 * HOUR_NS),
        ("1970-01-02T01:00", 25 * HOUR_NS),
        ("2024-01-02 14:30:00.25Z", int(datetime(2024, 1, 2, 14, 30, tzinfo=UTC).timestamp()) * 10**9 + 25 * 10**7),
    ],
)
def test_times(text: str, time_ns: int) -> None:
    assert recorded_time_ns(text) == time_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9",
        "24:01",
        "24:00:00.1",
        "25:00",
        "09:60",
        "09:30:61",
        "09:30:00.",
        "09:30:00.1234567890",
        "-1:00",
        "\u0660\u0669:30",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a time such as 09:30"):
        recorded_time_ns(text)


def test_what_is_no_date() -> None:
    with pytest.raises(typer.BadParameter, match="has no such date"):
        recorded_time_ns("2024-02-30T09:30")


def test_the_beginning_is_no_matter_of_the_reader() -> None:
    selection = selection_of("AAPL, MSFT", 5, 9)
    assert (
        selection.read_options() == ReadOptions(frozenset({"AAPL", "MSFT"}), 9, time_base="midnight")
        and selection.begin_ns == 5
    )
    assert selection_of(None, None, None).read_options() == ReadOptions()


@pytest.mark.parametrize("symbols", ["", "AAPL,", ","])
def test_an_empty_name_is_refused(symbols: str) -> None:
    with pytest.raises(typer.BadParameter, match="has an empty name"):
        selection_of(symbols, None, None)


def test_times_with_and_without_a_date_do_not_mix() -> None:
    dated = recorded_time_ns("2024-01-02T16:00")
    assert [selection_of(None, *each).read_options().time_base for each in ((None, dated), (5, None))] == [
        *["unix", "midnight"]
    ]
    with pytest.raises(typer.BadParameter, match="give it and --from a date, or neither"):
        selection_of(None, 5, dated)


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="it is not later than --from"):
        selection_of(None, 9, 9)


def test_only_a_recording_of_a_venue_has_parts(tmp_path: Path) -> None:
    recorded, written = tmp_path / "day.itch", tmp_path / "day.journal"
    recorded.write_bytes(prefixed(small_day()))
    written.write_bytes(JOURNAL)
    assert recorded_input(written, None, None, Selection()).reader is journal.READER
    assert recorded_input(recorded, None, None, Selection(end_ns=9)).reader is itch.READER
    with pytest.raises(UsageError, match=r"day\.journal is a journal"):
        recorded_input(written, None, None, Selection(end_ns=9))
