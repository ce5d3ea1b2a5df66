"""Charts hold the document's figures, and each stands where its axis says: the SVG is written from these places."""

from __future__ import annotations

import dataclasses
import math

import pytest

from lowlat.reports.histogram.percentile_curve import by_operation, nines
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep
from lowlat.reports.page.axis import Axis, latency_axis, linear_axis, log_axis
from lowlat.reports.page.chart import Chart, ChartPoint, ChartSeries, GuideLine, label
from lowlat.reports.page.charts import over_rates, over_runs, spectra


@pytest.fixture(scope="module")
def curves(report: Report) -> Chart:
    return spectra(by_operation(report))


def test_a_value_is_placed_in_percent_of_the_axis() -> None:
    assert [Axis(0, 4, ()).at(value) for value in (0, 1, 4, 5)] == [0, 25, 100, 125]
    assert Axis(10, 1_000, (), log=True).at(100) == pytest.approx(50)
    assert Axis(2.5, -0.5, ()).at(-0.5) == 100, "rows are counted from the top"


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((0.97, 1.13), [0.98, 1.0, 1.02, 1.04, 1.06, 1.08, 1.1, 1.12]),
        ((0.2, 1.3), [0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1]),
        ((1, 1), [0.996, 0.998, 1, 1.002, 1.004]),
        ((70, 700), [80, 100, 150, 200, 300, 400, 500, 600]),
        ((10, 5_000), [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]),
        ((1e3, 1e7), [1e3, 1e4, 1e5, 1e6, 1e7]),
    ],
)
def test_ticks_are_round_and_few(ends: tuple[float, float], ticks: list[float]) -> None:
    axis = log_axis(ends, "", str)
    assert [at for at, _ in axis.ticks] == pytest.approx(ticks)
    assert axis.first < ends[0] and ends[1] < axis.last


@pytest.mark.parametrize(
    ("end", "ticks"),
    [(5.0, "0 1 2 3 4 5"), (0.01, "0 0.002 0.004 0.006 0.008 0.01"), (3_600.0, "0 500 1000 1500 2000 2500 3000 3500")],
)
def test_a_linear_axis_is_even_with_round_ticks(end: float, ticks: str) -> None:
    axis = linear_axis((0.0, end), "seconds")
    assert " ".join(text for _, text in axis.ticks) == ticks
    assert axis.at(0) == pytest.approx(100 - axis.at(end)) and 0 < axis.at(0) < 3
    assert axis.at(end / 2) == pytest.approx(50)


def test_a_wide_range_of_latencies_has_powers_of_ten_and_a_narrow_one_closer_ticks() -> None:
    wide = latency_axis([40, 5_000])
    assert (wide.first, wide.last) == (10, pytest.approx(10_000))
    assert [text for _, text in wide.ticks] == ["10 ns", "100 ns", "1 µs", "10 µs"]
    assert [text for _, text in latency_axis([40, 480]).ticks] == ["50 ns", "100 ns", "200 ns", "300 ns", "500 ns"]
    flat = latency_axis([40, 40])
    assert flat.first <= 32 and flat.last >= 50, "noise of a few percent does not fill the chart"
    assert latency_axis([0, 0]).at(1) == pytest.approx(50), "a latency of 0 ns is drawn at 1 ns"


def test_a_curve_holds_the_percentiles_of_the_report(report: Report, curves: Chart) -> None:
    assert [each.name for each in curves.series] == [series.op for series in report.summary]
    for drawn, series in zip(curves.series, report.summary, strict=True):
        points = {point.what: (point.x, point.y) for point in drawn.points}
        for percent in ("50", "90", "99"):
            assert points[f"p{percent}"] == (pytest.approx(nines(percent)), series.percentiles[percent].value)
        assert points["max"][1] == series.max
        assert drawn.points[-1].mark == "circle"


def test_the_whole_curve_and_its_ticks_are_within_the_axes(curves: Chart) -> None:
    for series in curves.series:
        for point in series.points:
            assert 0 <= curves.x.at(point.x) <= 100 and 0 <= curves.y.at(point.y) <= 100
    assert all(0 <= axis.at(at) <= 100 for axis in (curves.x, curves.y) for at, _ in axis.ticks)
    assert not curves.clipped


def test_what_few_samples_stand_for_is_dotted(report: Report, curves: Chart) -> None:
    """Of 60,000 samples, ten are beyond log10(6,000) nines."""
    assert report.summary[0].count == 60_000
    (firm, solid), (tail, dotted) = curves.lines(curves.series[0])
    assert (firm, tail) == ("firm", "tail")
    assert solid.split()[-1] == dotted.split()[0], "the parts are joined"
    x = float(dotted.split()[0].split(",")[0]) / 1_000 * curves.x.last
    assert x <= math.log10(6_000) < x + 0.06


def test_a_line_is_drawn_where_its_points_are() -> None:
    """From the lower left corner to the middle of the right edge."""
    series = ChartSeries("a", 0, (ChartPoint(0, 0, "", ""), ChartPoint(10, 5, "", "")))
    chart = Chart(Axis(0, 10, ()), Axis(0, 10, ()), (series,))
    assert list(chart.lines(series)) == [("firm", "0.0,1000.0 1000.0,500.0")]
    assert chart.tooltips() == [[(0, 100, "", ""), (100, 50, "", "")]]
    assert chart.across(GuideLine("x", 2, "")) == ("20.00%", "0.00%", "20.00%", "100.00%")
    assert chart.across(GuideLine("y", 2, "", (1, 3))) == ("10.00%", "80.00%", "30.00%", "80.00%")


def test_runs_stand_beside_each_other_with_their_spread(report: Report) -> None:
    chart = over_runs(report)
    assert chart is not None
    *runs, merged = chart.series[0].points
    assert [point.y for point in runs] == [run.series[0].percentiles["50"].value for run in report.runs]
    assert [point.mark for point in runs] == ["circle", "circle", "open"]
    spread = report.summary[0].spread["50"]
    assert (merged.mark, merged.ends) == ("diamond", (spread.min, spread.max))
    assert chart.series[0].joined == 3, "the line does not lead to all runs together"
    assert [text for _, text in chart.x.ticks] == ["1", "2", "3", "all"]
    assert 0 < chart.x.at(runs[0].x) < chart.x.at(merged.x) < 100


def test_many_runs_have_few_ticks(report: Report) -> None:
    runs = tuple(dataclasses.replace(report.runs[index % 3], number=index + 1) for index in range(100))
    chart = over_runs(dataclasses.replace(report, runs=runs))
    assert chart is not None and len(chart.x.ticks) == 13


def test_rates_have_their_percentiles_limits_and_the_answer(swept: Sweep) -> None:
    chart = over_rates(swept)
    assert chart is not None
    p99 = chart.series[1]
    assert p99.name == "p99" and [point.x for point in p99.points] == [1e6, 2e6, 4e6]
    assert [point.mark for point in p99.points] == ["circle", "circle", "cross"]
    limit, *answer = chart.guides
    assert (limit.along, limit.value) == ("y", 1_000_000)
    assert [guide.value for guide in answer] == [swept.answer.rate, swept.answer.lower, swept.answer.upper]
    assert all(0 < chart.x.at(guide.value) < 100 for guide in answer) and 0 <= chart.y.at(limit.value) <= 100
    assert [text for _, text in chart.x.ticks] == ["1.00 M/s", "1.50 M/s", "2.00 M/s", "3.00 M/s", "4.00 M/s"]


def test_long_names_are_cut() -> None:
    assert label("x" * 40) == "x" * 40
    assert label("x" * 41) == "x" * 39 + "…"
