"""The points of a chart are the report's percentiles, its ends minimum and maximum."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram import percentile_curve
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.histogram.percentile_curve import by_measure, by_operation, by_rate, decades, nine_ticks, nines
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import series_of
from lowlat.reports.model.sweep import Sweep


def _series(values_ns: list[int]) -> percentile_curve.Spectrum:
    recorder = Recorder()
    recorder.record_many(np.array(values_ns))
    return percentile_curve.spectrum("all", series_of("all", "service", Histogram.from_native(recorder)))


def test_nines_count_nines() -> None:
    assert [round(nines(percent), 9) for percent in ("0", "90", "99", "99.9", "99.99")] == [0, 1, 2, 3, 4]
    assert nines("100") == math.inf


def test_a_hundred_samples() -> None:
    line = _series(list(range(1, 101)))
    at = {point.percent: point for point in line.points}
    assert (line.points[0].nines, line.points[0].value_ns) == (0, 1)
    assert [at[percent].value_ns for percent in ("50", "90", "95")] == [50, 90, 95]
    assert (line.points[-1].percent, line.points[-1].nines, line.points[-1].value_ns) == ("100", 2, 100)
    assert line.firm_nines == 1  # beyond p90 lie ten samples
    assert [point.nines for point in line.points] == sorted(point.nines for point in line.points)
    assert [point.value_ns for point in line.points] == sorted(point.value_ns for point in line.points)


def test_a_single_sample_is_a_point() -> None:
    line = _series([7])
    assert [(point.nines, point.value_ns) for point in line.points] == [(0, 7)]
    assert line.firm_nines == -1


def test_percentiles_are_those_of_the_report(report: Report) -> None:
    for line, series in zip(by_operation(report), report.summary, strict=True):
        shown = {point.percent: point.value_ns for point in line.points}
        known = {p: found.value for p, found in series.percentiles.items() if nines(p) < math.log10(series.count)}
        assert len(known) >= 4
        assert known.items() <= shown.items()
        assert line.name == series.op


def test_one_measure_has_no_second_chart(report: Report, swept: Sweep) -> None:
    assert by_measure(report) == []
    both = dataclasses.replace(report, summary=(*swept.points[0].summary, *report.summary))
    assert [line.name for line in by_measure(both)] == ["response", "service"]
    assert [line.name for line in by_operation(both)] == ["all", "add", "cancel", "market"]


def test_a_sweep_has_a_line_for_each_rate(swept: Sweep) -> None:
    assert [line.name for line in by_rate(swept)] == ["1.00 M/s", "2.00 M/s", "4.00 M/s"]


def test_percents_that_only_another_writer_knows_are_left_out(report: Report) -> None:
    odd = dataclasses.replace(
        report.summary[0], percentiles=report.summary[0].percentiles | {"x": report.summary[0].percentiles["50"]}
    )
    assert percentile_curve.spectrum("all", odd) == percentile_curve.spectrum("all", report.summary[0])


@pytest.mark.parametrize(
    ("least", "most", "labels"),
    [
        (40, 2_000, ["10 ns", "100 ns", "1 µs", "10 µs"]),
        (100, 100, ["100 ns", "1 µs"]),
        (0, 5, ["1 ns", "10 ns"]),
        (20e9, 4e12, ["10 s", "100 s", "1,000 s", "10,000 s"]),
    ],
)
def test_decades_hold_every_value(least: float, most: float, labels: list[str]) -> None:
    found = list(decades(least, most))
    assert [label for _, label in found] == labels
    assert 10 ** found[0][0] <= max(least, 1) and most <= 10 ** found[-1][0]


def test_ticks_stop_where_the_line_stops() -> None:
    assert [label for _, label in nine_ticks(3.5)] == ["p50", "p90", "p99", "p99.9"]
