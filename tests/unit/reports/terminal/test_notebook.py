"""In a notebook, documents are the tables of a terminal, and their text cannot become markup."""

from __future__ import annotations

import dataclasses
import html
import re

from lowlat.reports.compare.compare import compare_reports, samples_of
from lowlat.reports.compare.history import Entry, Figure, History, Trend
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep

HOSTILE = "<script>alert(1)</script>[bold]"


def text_of(markup: str) -> str:
    """The text of a `<pre>` whose only elements are colored spans."""
    assert re.match('<pre style="[^"]*; font-family: [^"]*monospace">', markup) and markup.endswith("</pre>\n")
    assert set(re.findall(r"</?(\w+)", markup)) <= {"pre", "span"}
    return html.unescape(re.sub("<[^>]*>", "", markup))


def test_a_report_shows_everything(report: Report) -> None:
    shown = text_of(dataclasses.replace(report, command=(), status="invalid", status_reasons=(HOSTILE,))._repr_html_())
    for words in (HOSTILE, "p99.9", "OS noise", "budget", "24.0", "verified"):
        assert words in shown, words
    assert max(map(len, shown.splitlines())) <= 120


def test_a_sweep_a_comparison_and_a_history_show_their_rows(report: Report, swept: Sweep) -> None:
    assert "4.00 M/s" in text_of(swept._repr_html_())
    sides = samples_of([report], HOSTILE, ["base"]), samples_of([report], "head", ["head"])
    compared = text_of(compare_reports(*sides, [], ["lowlat"])._repr_html_())
    assert HOSTILE in compared and "p99" in compared and "-v" not in compared
    figures = {"50": Figure(value_ns=40, to_first=1.0, to_median=1.0, spread=None)}
    entry = Entry(
        file="a.json",
        started="2026-11-01T10:00:00.000000Z",
        status="ok",
        git=None,
        version="0.1.0",
        host=None,
        runs=3,
        figures=figures,
    )
    what = {"seed": 1, "commands": 20_000, "hash": "5f3c", "engine": "native", "target_rate": None}
    trend = Trend(profile=HOSTILE, op="all", measure="service", entries=(entry,), **what)
    history = History(trends=(trend,), skipped=())
    drawn = text_of(history._repr_html_())
    assert HOSTILE in drawn and "40 ns" in drawn
    assert repr(history) == "<lowlat.history/1 of saved reports: 1 trend, 0 other files>"


def test_where_no_html_is_shown_a_document_is_one_line(report: Report, swept: Sweep) -> None:
    workload = dataclasses.replace(report.workload, profile="a\x1b[2J\nb")
    shown = repr(dataclasses.replace(report, workload=workload))
    assert shown.startswith(r"<lowlat.report/1 ok: a\x1b[2J\nb, native engine · ") and len(shown) < 120
    assert re.fullmatch(r"<lowlat\.sweep/1 \w+: \S+, \d+ rates>", repr(swept))
    sides = samples_of([report], "\u202ebase", ["base"]), samples_of([report], "head", ["head"])
    compared = repr(compare_reports(*sides, [], ["lowlat"]))
    assert re.fullmatch(r"<lowlat\.comparison/1 ok: \\u202ebase against head, gate \w+>", compared)
