"""Jitter beside a benchmark: kept in the report, checked on reading, shown with -v, and not merged."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from lowlat import documents
from lowlat.errors import NotValidError
from lowlat.reports.io.json_codec import from_text, to_text
from lowlat.reports.io.validation import _check_jitter, check
from lowlat.reports.merge.merging import merge_reports
from lowlat.reports.model.jitter import CpuJitter, Jitter
from lowlat.reports.model.report import Report
from lowlat.reports.page.html import to_html
from lowlat.reports.terminal import jitter_lines
from lowlat.reports.terminal.report_table import render
from tests.jitter_by_hand import every, watched
from tests.leaves import accepted_leaves, beyond
from tests.page import Page

FOUND = watched([*every(1_000_000, 9_000, -1), *every(100_000_000, 3_000_000, 1)], every(70_000_000, 5_000, 0))


@pytest.fixture(scope="module")
def report() -> Report:
    return from_text((Path(__file__).parent / "io/two_runs.json").read_text())


@pytest.fixture(scope="module")
def beside(report: Report) -> Report:
    return dataclasses.replace(report, jitter=FOUND)


def drawn(report: Report, *, verbose: bool) -> str:
    text = io.StringIO()
    render(report, Console(file=text, width=120), verbose=verbose)
    return text.getvalue()


def test_a_report_is_read_back_with_its_jitter(beside: Report, report: Report) -> None:
    check(beside)
    read = from_text(to_text(beside))
    assert read == beside
    check(read)
    assert from_text(to_text(report)).jitter is None


def changed(cpu: CpuJitter, **fields: Any) -> CpuJitter:
    return dataclasses.replace(cpu, **fields)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda cpu: changed(cpu, lost_ns=1), "lost_ns is 1, but its causes took"),
        (lambda cpu: changed(cpu, unexplained=0), "unexplained is 0, but its causes have 1000"),
        (lambda cpu: changed(cpu, causes=cpu.causes[:1]), "gaps is 10, but its histogram holds 1010"),
        (lambda cpu: changed(cpu, longest=cpu.longest[1:]), "but its histogram ends at"),
        (lambda cpu: changed(cpu, series=None), "but its histogram holds 0"),
        (lambda cpu: changed(cpu, series=changed(cpu.series, max=7)), "series"),
    ],
)
def test_jitter_that_contradicts_itself_is_refused(
    beside: Report, wrong: Callable[[CpuJitter], CpuJitter], said: str
) -> None:
    cpus = (wrong(FOUND.cpus[0]), *FOUND.cpus[1:])
    with pytest.raises(NotValidError, match=said) as caught:
        check(dataclasses.replace(beside, jitter=dataclasses.replace(FOUND, cpus=cpus)))
    assert "jitter.cpus[0]" in str(caught.value)


ALONE = (
    "status",
    "platform",
    "started",
    "duration_s",
    "fifo",
    "clock_hz",
    "sources*",
    "missing*",
    "cpus.*.complete",
    "cpus.*.reading_ns",
    "cpus.*.threshold_ns",
    "cpus.*.typical_ns",
    "cpus.*.read_ns",
    "cpus.*.series.measure",
    "cpus.*.series.min",  # within its bucket
    "cpus.*.causes.*.p50_ns",  # within what their sum and the longest allow
    "cpus.*.causes.*.period_ns",
    "cpus.*.longest.*.at_ns",
    "cpus.*.longest.*.length_ns",  # between its neighbors
    "cpus.*.longest.*.moved*",
)
"""What nothing else in the jitter of a report contradicts."""


def test_every_leaf_that_others_tell_is_told_by_them(report: Report) -> None:
    found = watched([*every(100_000_000, 9_000, -1), *every(300_000_000, 3_000_000, 1)], every(500_000_000, 5_000, 0))

    def is_accepted(document: Any) -> bool:
        try:
            _check_jitter(msgspec.convert(document, Jitter))
        except (NotValidError, msgspec.ValidationError):
            return False
        return True

    document = documents.values(found)
    assert is_accepted(document)
    accepted, _ = accepted_leaves(document, is_accepted)
    assert beyond(accepted, ALONE) == set()
    assert "platform" in accepted


def test_it_is_shown_with_verbose_only(beside: Report, report: Report) -> None:
    text = drawn(beside, verbose=True)
    assert "for 1 s after the last run, not in it" in text
    assert "unexplained, every 1.00 ms" in text
    assert "another thread" in text
    assert "another thread" not in drawn(beside, verbose=False)
    assert "after the last run" not in drawn(report, verbose=True)


def test_it_is_on_the_page(beside: Report, report: Report) -> None:
    tables = Page(to_html(beside)).tables
    causes = next(rows for rows in tables if rows and rows[0][0] == "cause")
    assert [tuple(row) for row in causes[1:]] == jitter_lines.cause_rows(FOUND)
    assert len(tables) == len(Page(to_html(report)).tables) + 2


def test_each_merged_report_has_its_own(beside: Report) -> None:
    later = tuple(dataclasses.replace(run, started=run.started.replace("2026", "2027")) for run in beside.runs)
    merged = merge_reports([("a", beside), ("b", dataclasses.replace(beside, runs=later))], ["lowlat"])
    assert merged.jitter is None
    assert "each of the merged reports has its own" in merged.not_available["jitter"]
    check(merged)
