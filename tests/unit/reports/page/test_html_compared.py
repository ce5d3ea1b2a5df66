"""The pages of a comparison and of a history: figures are the document's, foreign text stays text, no network."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from fractions import Fraction

import plotly.graph_objects as go
import pytest

from lowlat import units
from lowlat.reports.compare.compare import WALL, Samples, compare, compare_reports, samples_of
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.compare.history import Entry, Figure, History, Skipped, Trend
from lowlat.reports.model.comparison import Comparison
from lowlat.reports.model.context import Tool
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Spread
from lowlat.reports.model.series import summarize
from lowlat.reports.page import html
from lowlat.reports.page.html import to_html
from lowlat.reports.terminal import comparison_lines
from tests.page import HOSTILE, Page
from tests.scaled_reports import scaled


@pytest.fixture(scope="module")
def failed(report: Report) -> Comparison:
    """Eight runs per side, the head's 1.3 times as long; p99 and the throughput gate."""
    runs = tuple(dataclasses.replace(report.runs[index % 3], number=index + 1) for index in range(8))
    base = dataclasses.replace(report, runs=runs, summary=summarize(runs))
    sides = (
        samples_of([base], "base.json", ["base.json"]),
        samples_of([scaled(base, Fraction(13, 10))], "head.json", ["head.json"]),
    )
    return compare_reports(*sides, [parse_rule("p99=10%"), parse_rule("throughput=40%")], ["lowlat", "compare"])


def _figure(value_ns: int, ratio: float) -> Figure:
    spread = Spread(min=value_ns - 10, max=value_ns + 10)
    return Figure(value_ns=value_ns, to_first=ratio, to_median=ratio, spread=spread)


def _entry(day: int, p50_ns: int, ratio: float) -> Entry:
    return Entry(
        file=f"{day}.json",
        started=f"2026-11-{day:02}T10:00:00.000000Z",
        status="ok",
        git="abc1234def-dirty",
        version="0.1.0",
        host="AMD EPYC 7763",
        runs=3,
        figures={"50": _figure(p50_ns, ratio), "99": _figure(10 * p50_ns, ratio)},
    )


@pytest.fixture(scope="module")
def drift() -> History:
    """40, 44 and 48 ns, the second report invalid; and one report of different work."""
    entries = (_entry(1, 40, 1), dataclasses.replace(_entry(2, 44, 1.1), status="invalid"), _entry(3, 48, 1.2))
    trend = Trend(
        profile="steady",
        seed=1,
        commands=20_000,
        hash="5f3c9a1e",
        engine="native",
        target_rate=None,
        op="all",
        measure="service",
        entries=entries,
    )
    alone = dataclasses.replace(trend, seed=2, entries=entries[:1])
    return History(trends=(trend, alone), skipped=(Skipped(file="notes.txt", reason="not a JSON document"),))


def test_a_row_holds_what_was_compared(failed: Comparison) -> None:
    shown, every = Page(to_html(failed)).tables[0], failed.metrics
    assert shown[0] == ["metric", "base", "head", "HL ratio", "95% interval", "p", "runs", "gate", "verdict"]
    assert [row[0] for row in shown[1:]] == [str(metric) for metric in every]
    row = next(row for row in shown if row[0] == "p99 service all")
    metric = next(metric for metric in every if str(metric) == row[0])
    assert row[1:3] == [f"[{side.median}] {units.time(side.median)}" for side in (metric.base, metric.head)]
    assert row[3] == f"[{metric.ratio}] 1.30"
    assert row[4:] == ["1.29-1.30", f"[{metric.p}] <0.001", "8+8", "+10%", "regressed"]


def test_the_verdict_and_both_sides_are_named(failed: Comparison) -> None:
    page = Page(to_html(failed))
    (status,) = [attributes for _, attributes in page.elements if "status" in (attributes.get("class") or "").split()]
    assert status["class"] == "status failed"
    assert comparison_lines.verdict(failed) in page.text
    for words in ("AMD EPYC 7763", "hash 5f3c9a1e77d0b2c4", "steady · 20,000 commands · seed 42"):
        assert page.text.count(words) == 2


def test_ratios_have_their_intervals_as_whiskers_and_limits_as_lines(failed: Comparison) -> None:
    chart = Page(to_html(failed)).charts["ratios"]
    names = chart["layout"]["yaxis"]["ticktext"]
    drawn = {
        (names[place], trace["name"]): (x, x - below, x + above)
        for trace in chart["data"]
        for place, x, below, above in zip(
            trace["y"], trace["x"], trace["error_x"]["arrayminus"], trace["error_x"]["array"], strict=True
        )
    }
    assert drawn == {
        (str(metric), metric.verdict): (metric.ratio, *(pytest.approx(end) for end in metric.interval or ()))
        for metric in failed.metrics
    }
    one, *limits = chart["layout"]["shapes"]
    assert (one["x0"], one["yref"]) == (1, "paper")
    assert {names[round((line["y0"] + line["y1"]) / 2)]: line["x0"] for line in limits} == {
        "p99 service all": pytest.approx(1.1),
        "throughput": pytest.approx(0.6),
    }


def test_commands_of_which_only_the_time_is_known_have_a_page() -> None:
    """A base of 0 ns has no ratio, and two runs per side no interval."""
    sides = [Samples(name, (), ({WALL: at}, {WALL: at})) for name, at in (("A", 0), ("B", 200), ("C", 0))]
    none = Page(to_html(compare(sides[0], sides[1], [], ["lowlat"])))
    assert (none.charts, none.tables[0][1][3:5]) == ({}, ["\u2013", "\u2013"])
    (trace,) = Page(to_html(compare(sides[1], sides[2], [], ["lowlat"]))).charts["ratios"]["data"]
    assert (trace["name"], trace["x"], trace["error_x"]["array"]) == ("inconclusive", [0.01], [0])


def test_operations_of_other_measures_stand_in_a_table_of_their_own(failed: Comparison) -> None:
    stages = tuple(dataclasses.replace(metric, measure="stage:queued", gates=False) for metric in failed.metrics[:8])
    page = Page(to_html(dataclasses.replace(failed, metrics=(*failed.metrics, *stages))))
    assert len(page.tables[1]) == len(failed.metrics) + 8 + 1
    assert [row[0] for row in page.tables[0]].count("p50 stage:queued all") == 1
    assert "p50 stage:queued add" not in [row[0] for row in page.tables[0]]


def test_a_trend_has_a_row_and_a_point_for_each_report(drift: History) -> None:
    page = Page(to_html(drift))
    heads, *rows = page.tables[0]
    assert heads == ["started, UTC", "git", "runs", "p50", "first", "median", "p99", "first", "median", "file"]
    assert rows[1] == [
        *("2026-11-02 10:00", "abc1234+", "3", "[44] 44 ns34-54 ns", "1.10x", "1.10x"),
        *("[440] 440 ns430-450 ns", "1.10x", "1.10x", "2.json, not valid"),
    ]
    assert list(page.charts) == ["trend-0"], "a single report is no trend"
    p50, p99 = page.charts["trend-0"]["data"]
    assert (p50["y"], p99["y"]) == ([40, 44, 48], [400, 440, 480])
    assert p50["x"] == [entry.started for entry in drift.trends[0].entries]
    assert (p50["error_y"]["arrayminus"], p50["error_y"]["array"]) == ([10] * 3, [10] * 3)
    assert p50["marker"]["symbol"] == ["circle", "x", "circle"]
    assert "notes.txt" in page.text and "not a JSON document" in page.text
    assert "No reports." in Page(to_html(History(trends=(), skipped=()))).text


def test_whiskers_end_within_the_chart(drift: History) -> None:
    """A single run of 5 µs among percentiles below 1 µs: the axis goes to 10 µs."""
    entry = drift.trends[0].entries[0]
    wild = dataclasses.replace(entry.figures["99"], spread=Spread(min=390, max=5_000))
    entries = (dataclasses.replace(entry, figures={**entry.figures, "99": wild}), *drift.trends[0].entries[1:])
    trend = dataclasses.replace(drift.trends[0], entries=entries)
    chart = Page(to_html(History(trends=(trend,), skipped=()))).charts["trend-0"]
    assert chart["layout"]["yaxis"]["range"] == [1, 4]
    assert chart["data"][1]["error_y"]["array"][0] == 5_000 - 400


def test_plotly_knows_every_property(failed: Comparison, drift: History) -> None:
    for document in (failed, drift):
        for chart in Page(to_html(document)).charts.values():
            go.Figure(chart)  # raises for a property or a value that plotly.js would ignore


def _hostile_comparison(failed: Comparison) -> Comparison:
    tool = failed.base.tool
    assert isinstance(tool, Tool)
    side = dataclasses.replace(
        failed.base, label=HOSTILE, sources=(HOSTILE,), tool=dataclasses.replace(tool, version=HOSTILE, git=HOSTILE)
    )
    metrics = tuple(dataclasses.replace(metric, op=HOSTILE, reason=HOSTILE) for metric in failed.metrics)
    notes = {"warnings": (HOSTILE,), "not_compared": (HOSTILE,), "status_reasons": (HOSTILE,), "command": (HOSTILE,)}
    return dataclasses.replace(failed, base=side, head=side, metrics=metrics, version=HOSTILE, **notes)


def _hostile_history(drift: History) -> History:
    entries = tuple(
        dataclasses.replace(entry, file=HOSTILE, git=HOSTILE, host=f"{HOSTILE}{entry.file}")
        for entry in drift.trends[0].entries
    )
    trend = dataclasses.replace(drift.trends[0], profile=HOSTILE, hash=HOSTILE, op=HOSTILE, entries=entries)
    return History(trends=(trend,), skipped=(Skipped(file=HOSTILE, reason=HOSTILE),))


@pytest.mark.parametrize("kind", ["comparison", "history"])
def test_a_document_cannot_become_markup(failed: Comparison, drift: History, kind: str) -> None:
    makers: dict[str, Callable[[], Comparison | History]] = {
        "comparison": lambda: _hostile_comparison(failed),
        "history": lambda: _hostile_history(drift),
    }
    plain, attacked = Page(to_html(drift)), Page(to_html(makers[kind]()))
    assert attacked.scripts[1:] == plain.scripts[1:] and len(attacked.scripts) == 3
    assert not [tag for tag, _ in attacked.elements if tag == "img"]
    assert not [attributes for _, attributes in attacked.elements if any(name.startswith("on") for name in attributes)]
    assert attacked.text.count(HOSTILE) >= 8
    assert "<" not in re.sub(r"<(?:/?b|br|extra|/extra)>", "", str(attacked.charts))


def test_our_own_templates_name_no_host(failed: Comparison, drift: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "_plotly", lambda: "")
    for document in (failed, drift):
        text = to_html(document)
        assert re.findall(r"(?:https?:)?//[a-z][\w.-]+\.[a-z]+", text) == []
        assert "default-src 'none'; " in text
        assert not [tag for tag, attributes in Page(text).elements if "src" in attributes]
