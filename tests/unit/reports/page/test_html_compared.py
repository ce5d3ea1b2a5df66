"""The pages of a comparison and of a history: figures are the document's, foreign text stays text, no network."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

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
from lowlat.reports.page.comparison_chart import ratios
from lowlat.reports.page.history_charts import over_time
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
    assert shown[0] == [*("metric", "verdict", "base", "head", "HL ratio", "95% interval", "p", "runs", "gate", "note")]
    assert [row[0] for row in shown[1:]] == [str(metric) for metric in every]
    row = next(row for row in shown if row[0] == "p99 service all")
    metric = next(metric for metric in every if str(metric) == row[0])
    assert row[1] == "regressed"
    assert row[2:4] == [f"[{side.median}] {units.time(side.median)}" for side in (metric.base, metric.head)]
    assert row[4] == f"[{metric.ratio}] 1.30"
    assert row[5:] == ["1.29-1.30", f"[{metric.p}] <0.001", "8+8", "+10%", ""]


def test_the_verdict_and_both_sides_are_named(failed: Comparison) -> None:
    page = Page(to_html(failed))
    (status,) = [attributes for _, attributes in page.elements if "status" in (attributes.get("class") or "").split()]
    assert status["class"] == "status failed"
    assert comparison_lines.verdict(failed) in page.text
    for words in ("AMD EPYC 7763", "hash 5f3c9a1e77d0b2c4", "steady · 20,000 commands · seed 42"):
        assert page.text.count(words) == 2


def test_ratios_have_their_intervals_as_whiskers_and_limits_as_lines(failed: Comparison) -> None:
    chart = ratios(failed.metrics)
    assert chart is not None
    names = [name for _, name in chart.y.ticks]
    drawn = {
        (names[round(point.y)], series.name): (point.x, *(point.ends or ()))
        for series in chart.series
        for point in series.points
    }
    assert drawn == {
        (str(metric), metric.verdict): (metric.ratio, *(metric.interval or ())) for metric in failed.metrics
    }
    one, *limits = chart.guides
    assert (one.value, one.span) == (1, None)
    assert {names[round(sum(line.span or ()) / 2)]: line.value for line in limits} == {
        "p99 service all": pytest.approx(1.1),
        "throughput": pytest.approx(0.6),
    }


def _calm(failed: Comparison) -> Comparison:
    """Every interval is narrow."""
    metrics = (
        dataclasses.replace(each, interval=(each.ratio or 1, (each.ratio or 1) * 1.01)) for each in failed.metrics
    )
    return dataclasses.replace(failed, metrics=tuple(metrics))


def _wild(failed: Comparison, name: str) -> Comparison:
    """One metric is at 37 times the base's, with an interval from 0.02 to 90; the others are calm."""
    metrics = (
        dataclasses.replace(each, ratio=37.0, interval=(0.02, 90.0)) if str(each) == name else each
        for each in _calm(failed).metrics
    )
    return dataclasses.replace(failed, metrics=tuple(metrics))


@pytest.mark.parametrize("name", ["max service all", "p99.9 service cancel"])
def test_a_wild_metric_that_does_not_gate_is_clipped_and_marked(failed: Comparison, name: str) -> None:
    """A maximum of 37 times the base's, one sample, would squeeze the gated ratios into a tenth of the chart."""
    plain, chart = ratios(_calm(failed).metrics), ratios(_wild(failed, name).metrics)
    assert plain is not None and chart is not None
    assert chart.clipped and not plain.clipped
    assert chart.x.last == pytest.approx(plain.x.last, rel=0.05)
    (series,) = [each for each in chart.series if any(point.what == name for point in each.points)]
    marks = [mark for mark in chart.marks(series) if mark[0].startswith("beyond")]
    assert {(mark, x) for mark, x, _ in marks} == {("beyond-left", "0.00%"), ("beyond-right", "100.00%")}
    (point,) = [point for point in series.points if point.what == name]
    assert point.value.startswith("37 (0.02-90)"), "the tooltip says how far"
    assert "beyond the axis" in to_html(_wild(failed, name)) and "beyond the axis" not in to_html(_calm(failed))


def test_a_gated_metric_is_never_clipped(failed: Comparison) -> None:
    chart = ratios(_wild(failed, "p99 service all").metrics)
    assert chart is not None and not chart.clipped
    assert chart.x.first < 0.02 and chart.x.last > 90


def test_commands_of_which_only_the_time_is_known_have_a_page() -> None:
    """A base of 0 ns has no ratio, and two runs per side no interval."""
    sides = [Samples(name, (), ({WALL: at}, {WALL: at})) for name, at in (("A", 0), ("B", 200), ("C", 0))]
    none = Page(to_html(compare(sides[0], sides[1], [], ["lowlat"])))
    assert (none.tooltips, none.tables[0][1][4:6]) == ({}, ["\u2013", "\u2013"])
    chart = ratios(compare(sides[1], sides[2], [], ["lowlat"]).metrics)
    assert chart is not None and chart.clipped
    (series,) = chart.series
    assert (series.name, [mark for mark, _, _ in chart.marks(series)]) == ("inconclusive", ["beyond-left"])


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
    assert list(page.tooltips) == ["trend-0"], "a single report is no trend"
    chart = over_time(drift)["trend-0"]
    assert chart is not None
    p50, p99 = chart.series
    assert [[point.y for point in each.points] for each in (p50, p99)] == [[40, 44, 48], [400, 440, 480]]
    assert [point.ends for point in p50.points] == [(30 + rise, 50 + rise) for rise in (0, 4, 8)]
    assert [point.mark for point in p50.points] == ["circle", "cross", "circle"]
    assert [chart.x.at(point.x) for point in p50.points] == [pytest.approx(at, abs=0.01) for at in (3.70, 50, 96.30)]
    assert [text for _, text in chart.x.ticks] == ["2026-11-02", "2026-11-03"]
    assert "notes.txt" in page.text and "not a JSON document" in page.text
    assert "No reports." in Page(to_html(History(trends=(), skipped=()))).text


def test_whiskers_end_within_the_chart(drift: History) -> None:
    """A single run of 5 µs among percentiles below 1 µs: the axis goes to 10 µs."""
    entry = drift.trends[0].entries[0]
    wild = dataclasses.replace(entry.figures["99"], spread=Spread(min=390, max=5_000))
    entries = (dataclasses.replace(entry, figures={**entry.figures, "99": wild}), *drift.trends[0].entries[1:])
    trend = dataclasses.replace(drift.trends[0], entries=entries)
    chart = over_time(History(trends=(trend,), skipped=()))["trend-0"]
    assert chart is not None and chart.y.last == pytest.approx(10_000)
    assert not chart.clipped


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (40, ["10:00:00", "10:00:15", "10:00:30"]),
        (7_200, ["11-01 10:00", "11-01 11:00", "11-01 12:00"]),
        (90 * 86_400, ["2026-11-19", "2026-12-17", "2027-01-14"]),
        (40 * 365 * 86_400, ["2025-12-18", "2033-12-16", "2041-12-14", "2049-12-12", "2057-12-10", "2065-12-08"]),
    ],
)
def test_ticks_of_a_trend_suit_its_length(drift: History, seconds: int, labels: list[str]) -> None:
    first = drift.trends[0].entries[0]
    later = (datetime(2026, 11, 1, 10, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()
    trend = dataclasses.replace(drift.trends[0], entries=(first, dataclasses.replace(first, started=later)))
    chart = over_time(History(trends=(trend,), skipped=()))["trend-0"]
    assert chart is not None and [text for _, text in chart.x.ticks] == labels


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
    assert attacked.scripts[1:] == plain.scripts[1:] and len(attacked.scripts) == 2
    assert not [tag for tag, _ in attacked.elements if tag == "img"]
    assert not [attributes for _, attributes in attacked.elements if any(name.startswith("on") for name in attributes)]
    assert attacked.text.count(HOSTILE) >= 8


def test_the_kernel_command_line_is_shown_on_request_only(failed: Comparison) -> None:
    assert "ro quiet" not in to_html(failed)
    assert to_html(failed, verbose=True).count("ro quiet") == 2


def test_our_own_templates_name_no_host(failed: Comparison, drift: History) -> None:
    for document in (failed, drift):
        text = to_html(document)
        assert re.findall(r"(?:https?:)?//[a-z][\w.-]+\.[a-z]+", text) == []
        assert "default-src 'none'; " in text
        assert not [tag for tag, attributes in Page(text).elements if "src" in attributes]
