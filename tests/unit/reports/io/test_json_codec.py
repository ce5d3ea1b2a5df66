"""Documents outlive the program that wrote them: each satisfies the published schema, which may only grow."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.errors import FormatError
from lowlat.reports.io.json_codec import from_document, from_text, to_document, to_text
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import histogram_of, summarize

FIRST = Path(__file__).parents[1] / "report-1.json"
"""A document as first published. Never change it: it stands for those that users keep."""

Document = dict[str, Any]


def check(document: Document, *, closed: bool) -> None:
    jsonschema.Draft202012Validator(published("lowlat.report/1", closed=closed)).validate(document)


def test_an_emitted_document_satisfies_the_schema_to_the_letter(report: Report) -> None:
    check(to_document(report), closed=True)


def test_the_first_document_stays_valid_and_readable() -> None:
    document = json.loads(FIRST.read_text(encoding="utf-8"))
    check(document, closed=False)
    read = from_document(document)
    assert read.summary[0].percentiles["50"].value == 30
    assert histogram_of(read.runs[0].series[0]).total == 4


def test_a_reader_ignores_what_a_later_version_adds(report: Report) -> None:
    document = to_document(report)
    document["later"] = document["host"]["later"] = 1
    check(document, closed=False)
    assert from_document(document) == report
    with pytest.raises(jsonschema.ValidationError):
        check(document, closed=True)


def test_there_and_back(report: Report) -> None:
    assert from_text(to_text(report)) == report


def _delete(*path: str | int) -> Callable[[Document], None]:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        del document[path[-1]]

    return change


def _set(value: object, *path: str | int) -> Callable[[Document], None]:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _delete("schema"),
        _delete("workload", "seed"),
        _delete("runs", 0, "series", 0, "hdr"),
        _delete("gate"),
        _set("lowlat.report/2", "schema"),
        _set("fine", "status"),
        _set(None, "status"),
        _set("1", "workload", "commands"),
        _set(-1, "workload", "commands"),
        _set(1.5, "runs", 0, "series", 0, "max"),
        _set(0, "runs", 0, "series", 0, "count"),
        _set("latency", "runs", 0, "series", 0, "measure"),
        _set("us", "runs", 0, "series", 0, "unit"),
        _set("yesterday", "runs", 0, "started"),
        _set(101, "host", "steal_percent"),
        _set([1, 2], "host", "load_average"),
        _set(True, "clock", "frequency_hz"),
        _set([], "gate"),
    ],
)
def test_a_broken_document_is_rejected_by_schema_and_reader(report: Report, change: Callable[[Document], None]) -> None:
    document = copy.deepcopy(to_document(report))
    change(document)
    with pytest.raises(jsonschema.ValidationError):
        check(document, closed=False)
    with pytest.raises(FormatError, match=r"^not a"):
        from_document(document)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"schema": "lowlat.report/1"}', "[" * 100_000])
def test_other_texts_are_rejected(text: str) -> None:
    with pytest.raises(FormatError, match=r"^not a"):
        from_text(text)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_that_json_cannot_hold_does_not_leave(report: Report, value: float) -> None:
    broken = dataclasses.replace(report, clock=dataclasses.replace(report.clock, read_cost_ns=value))
    with pytest.raises(FormatError, match=r"read_cost_ns|NaN or infinite"):
        to_document(broken)


def test_a_figure_out_of_bounds_does_not_leave(report: Report) -> None:
    broken = dataclasses.replace(report, load=dataclasses.replace(report.load, sent=-1))
    with pytest.raises(FormatError, match="sent"):
        to_document(broken)


def test_the_text_is_one_ascii_document_in_stable_order(report: Report) -> None:
    text = to_text(report)
    assert text.isascii()
    assert text.endswith("}\n")
    assert list(json.loads(text))[:3] == ["schema", "status", "status_reasons"]


def test_summary_merges_runs_exactly(report: Report) -> None:
    """All runs' samples, percentiles over all of them, and the values of single runs as the spread."""
    whole = report.summary[0]
    assert (whole.op, whole.count) == ("all", sum(run.series[0].count for run in report.runs))
    assert whole.max == max(run.series[0].max for run in report.runs)
    singles = [run.series[0].percentiles["99"].value for run in report.runs]
    assert (whole.spread["99"].min, whole.spread["99"].max) == (min(singles), max(singles))
    assert summarize(report.runs) == report.summary
    assert sum(band.count for band in whole.bands) == whole.count
