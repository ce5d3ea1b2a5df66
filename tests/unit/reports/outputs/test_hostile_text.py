"""No text of a report controls a terminal, a page or a spreadsheet through any output that can be written to a file."""

from __future__ import annotations

import csv
import dataclasses
import io
import re

import pytest

from lowlat.reports.compare.compare import compare_reports, samples_of
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.model.report import Report
from lowlat.reports.outputs.comparison_junit import to_junit
from lowlat.reports.outputs.comparison_markdown import to_markdown
from lowlat.reports.outputs.registry import OUTPUTS, convert
from lowlat.reports.page.html import to_html
from tests.hostile import HOSTILE, assert_harmless, hostile_documents, hostile_everywhere

TEXTS = sorted(OUTPUTS.keys() - {"html"})
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e]")


def without_line_feeds(text: str) -> str:
    """Line feeds within a field are part of CSV and XML; the rest of a hostile text must be escaped there too."""
    return text.replace("FORGED", "")


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_of_a_report_in_every_output(report: Report, name: str) -> None:
    tried = 0
    for where, hostile in hostile_documents(report):
        if where.endswith((".hdr", ".started")) or (name, where) == ("hgrm", "summary.0.op"):
            continue  # which is refused: a damaged histogram, no date, no series over all operations
        assert_harmless(without_line_feeds(convert(hostile, name)))
        tried += 1
    assert tried > 20


def test_the_same_for_keys_and_values_of_settings(report: Report) -> None:
    engine = dataclasses.replace(report.engine, settings={**report.engine.settings, HOSTILE: HOSTILE})
    for name in TEXTS:
        assert_harmless(without_line_feeds(convert(dataclasses.replace(report, engine=engine), name)))


def test_a_page(report: Report) -> None:
    page = to_html(hostile_everywhere(report))
    assert "\\x1b[2J" in page
    assert not RAW.search(page)


def test_outputs_of_a_comparison(report: Report) -> None:
    sides = samples_of([report], "base", ["base"]), samples_of([report], "head", ["head"])
    comparison = compare_reports(*sides, [parse_rule("p99=10%")], ["lowlat"])
    for where, hostile in hostile_documents(comparison):
        assert not RAW.search(to_markdown(hostile)), where
        assert not RAW.search(to_junit(hostile)), where
    assert not RAW.search(to_html(hostile_everywhere(comparison)))


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "-x"])
def test_a_cell_is_no_formula(report: Report, formula: str) -> None:
    changed = dataclasses.replace(report, workload=dataclasses.replace(report.workload, profile=formula))
    rows = list(csv.DictReader(io.StringIO(convert(changed, "csv"))))
    assert rows and {row["profile"] for row in rows} == {f"'{formula}"}
    assert all(row["count"].isdigit() for row in rows), "numbers stay numbers"


@pytest.mark.parametrize("control", ["\t=1", "\r=1", "\n=1"])
def test_a_cell_that_begins_with_a_control_character_is_escaped(report: Report, control: str) -> None:
    changed = dataclasses.replace(report, workload=dataclasses.replace(report.workload, profile=control))
    rows = list(csv.DictReader(io.StringIO(convert(changed, "csv"))))
    assert {row["profile"] for row in rows} == {ascii(control)[1:-1]}
