"""The charts of a report and of a sweep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from lowlat import units
from lowlat.reports.histogram.percentile_curve import Point, Spectrum, nine_ticks
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import SummarySeries
from lowlat.reports.model.series import PERCENTS, whole
from lowlat.reports.model.sweep import Sweep, outcome, typical, verdict
from lowlat.reports.page.axis import Axis, latency_axis, log_axis
from lowlat.reports.page.chart import Chart, ChartPoint, ChartSeries, GuideLine, Mark
from lowlat.reports.terminal import sweep_lines

_OVER_RUNS: Final = ("50", "90", "99", "99.9")
_OVER_RATES: Final = ("50", "99", "99.9")
_TICKS_MAX: Final = 12
_SYMBOLS: Final[Mapping[str, Mark]] = {"meets": "circle", "exceeds": "cross", "undecided": "open"}


def spectra(lines: Sequence[Spectrum]) -> Chart:
    """Percentile spectra, dotted where a percentile is not significant."""
    points = [point for line in lines for point in line.points]
    most = max(point.nines for point in points)
    return Chart(
        x=Axis(0, max(most, 1) * 1.02, tuple(nine_ticks(most)), "percentile"),
        y=latency_axis([point.value_ns for point in points]),
        series=tuple(_curve(line, color) for color, line in enumerate(lines)),
    )


def _curve(line: Spectrum, color: int) -> ChartSeries:
    return ChartSeries(
        line.name,
        None if line.name == "all" else color,
        tuple(map(_percentile, line.points)),
        firm=sum(point.nines <= line.firm_nines for point in line.points),
    )


def _percentile(point: Point) -> ChartPoint:
    """A point of a curve; only percentiles shown in the tables have a mark."""
    most = point.percent == "100"
    return ChartPoint(
        point.nines,
        max(point.value_ns, 1),
        "max" if most else f"p{point.percent}",
        units.time(point.value_ns),
        "circle" if most or point.percent in PERCENTS else None,
    )


def over_runs(report: Report) -> Chart | None:
    """Percentiles of each run, then of all runs with the spread as whiskers; None without at least two runs."""
    merged = whole(report.summary)
    if merged is None or len(report.runs) < 2:
        return None
    shown = [percent for percent in _OVER_RUNS if percent in merged.percentiles]
    series = tuple(_over_runs(report, merged, percent, color) for color, percent in enumerate(shown))
    values = [end for each in series for point in each.points for end in (point.y, *(point.ends or ()))]
    if not values:
        return None
    every = -(-len(report.runs) // _TICKS_MAX)
    ticks = [(place, str(run.number)) for place, run in enumerate(report.runs)][::every]
    middle, end = (_merged_place(report, color) for color in ((len(shown) - 1) / 2, len(shown)))
    return Chart(x=Axis(-0.4, end + 0.2, (*ticks, (middle, "all")), "run"), y=latency_axis(values), series=series)


def _merged_place(report: Report, color: float) -> float:
    """The position of a percentile's whiskers: after the runs, side by side."""
    room = max(1.0, len(report.runs) / _TICKS_MAX)
    return len(report.runs) - 1 + room * (0.8 + color / 10)


def _over_runs(report: Report, merged: SummarySeries, percent: str, color: int) -> ChartSeries:
    of_runs = [
        ChartPoint(
            place,
            max(value := series.percentiles[percent].value, 1),
            f"run {place + 1}{', noisy' if run.os_noise.noisy else ''}",
            units.time(value),
            "open" if run.os_noise.noisy else "circle",
        )
        for place, run in enumerate(report.runs)
        for series in run.series
        if (series.op, series.measure) == (merged.op, merged.measure) and percent in series.percentiles
    ]
    return ChartSeries(f"p{percent}", color, (*of_runs, *_of_all(report, merged, percent, color)), joined=len(of_runs))


def _of_all(report: Report, merged: SummarySeries, percent: str, color: int) -> Iterator[ChartPoint]:
    value = merged.percentiles[percent].value
    if spread := merged.spread.get(percent):
        yield ChartPoint(
            _merged_place(report, color),
            max(value, 1),
            "all runs",
            f"{units.time(value)}, min-max of runs {units.time_range(spread.min, spread.max)}",
            "diamond",
            (max(spread.min, 1), max(spread.max, 1)),
        )


def over_rates(sweep: Sweep) -> Chart | None:
    """Latency in the lower-quartile run over the target rate, with crosses for rates that exceed an objective, open
    circles for undecided ones, and lines at the objectives and the answer."""
    series = tuple(_over_rates(sweep, percent, color) for color, percent in enumerate(_OVER_RATES))
    points = [point for each in series for point in each.points]
    if not points:
        return None
    answer = sweep.answer
    rates = [point.x for point in points] + [rate for rate in (answer.rate, answer.lower, answer.upper) if rate]
    return Chart(
        x=log_axis((min(rates), max(rates)), "commands per second, target", units.rate),
        y=latency_axis([point.y for point in points] + [each.limit_ns for each in sweep.objectives]),
        series=tuple(each for each in series if each.points),
        guides=(
            *(GuideLine("y", each.limit_ns, "good dashed") for each in sweep.objectives),
            *_answer_line(sweep),
            *(GuideLine("x", end, "good dotted") for end in (answer.lower, answer.upper) if end),
        ),
    )


def _answer_line(sweep: Sweep) -> Iterator[GuideLine]:
    """The answer in words on its line; if it is undecided, on what is known of it."""
    found = sweep.answer
    if rate := found.rate or found.lower or found.upper:
        yield GuideLine("x", rate, "good dashed", text=sweep_lines.short(found))


def _over_rates(sweep: Sweep, percent: str, color: int) -> ChartSeries:
    return ChartSeries(
        f"p{percent}",
        color,
        tuple(
            ChartPoint(
                rate,
                max(at.value, 1),
                f"at {units.rate(rate)}, {verdict(sweep, point)}",
                units.time(at.value),
                _SYMBOLS[outcome(sweep, point)],
            )
            for point in sweep.points
            if (at := typical(point, percent)) and (rate := point.load.target_rate)
        ),
    )
