"""What a report says of the garbage collector fits the passes, and goes with an engine that is called from Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lowlat.errors import NotValidError
from lowlat.reports.io.contradictions import check_parts
from lowlat.reports.io.json_codec import from_text
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import GarbageCollection, NativeCheck
from lowlat.reports.terminal.collector_lines import collector


@pytest.fixture
def report() -> Report:
    """Two runs, as measured."""
    return from_text(Path(__file__).with_name("two_runs.json").read_text())


def in_python(made: Report, collections: int, pause_ns: int, longest_ns: int) -> Report:
    """The report as of an engine that is called from Python, whose every run had these collections."""
    assert made.verification is not None and made.verification.events is not None
    seen = GarbageCollection(collections=collections, pause_ns=pause_ns, longest_ns=longest_ns)
    told = NativeCheck(
        commands=made.workload.seeded + (made.workload.commands or 0),
        events=made.verification.events,
        difference=None,
        not_compared=(),
    )
    runs = tuple(replace(run, garbage_collection=seen) for run in made.runs)
    return replace(made, runs=runs, verification=replace(made.verification, native=told))


def test_pauses_within_the_passes_are_accepted(report: Report) -> None:
    check_parts(in_python(report, 4, 1_000, 400))


def test_an_engine_in_python_is_compared_with_the_native_one(report: Report) -> None:
    found = in_python(report, 4, 1_000, 400)
    assert found.verification is not None
    with pytest.raises(NotValidError, match=r"verification.native is false, but it goes with .*garbage_collection"):
        check_parts(replace(found, verification=replace(found.verification, native=None)))


def test_the_line_adds_up_the_runs(report: Report) -> None:
    found = in_python(report, 4, 1_000, 400)
    line = collector(found)
    assert line is not None and line.startswith("on: 8 collections took 2.00 µs, ") and line.endswith("longest 400 ns")
    assert collector(in_python(report, 0, 0, 0)) == "on, and never ran"
    assert collector(report) is None


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ((2, 100, 200), "garbage_collection.longest_ns is 200, but of 100"),
        ((2, 1_000, 10), "garbage_collection.longest_ns is 10, but of 1000"),
        ((0, 5, 5), "garbage_collection.collections is 0, but there is a pause"),
        ((1, 10**15, 10**15), "garbage_collection.pause_ns is 1000000000000000, but the passes took"),
    ],
)
def test_pauses_that_cannot_be_are_refused(report: Report, seen: tuple[int, int, int], said: str) -> None:
    with pytest.raises(NotValidError) as refused:
        check_parts(in_python(report, *seen))
    assert said in str(refused.value)
