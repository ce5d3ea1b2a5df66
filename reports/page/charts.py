"""The charts of a page as plotly.js input: plain dictionaries without colors.

`meta` of a trace selects one of the page's line colors, or "all" for the text color, so the page handles light and dark
mode. Text from a document is escaped, since plotly.js interprets tags and links in labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lowlat import units
from lowlat.reports.histogram.percentile_curve import Point, Spectrum, decades, nine_ticks
from lowlat.reports.model.objective import Objective
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import SummarySeries
from lowlat.reports.model.series import PERCENTS, whole
from lowlat.reports.model.sweep import Sweep, outcome, typical, verdict
from lowlat.reports.terminal import sweep_lines

Chart = dict[str, Any]

_NAME_MAX: Final = 40
_OVER_RUNS: Final = ("50", "90", "99", "99.9")
_OVER_RATES: Final = ("50", "99", "99.9")
_TICKS_MAX: Final = 12
MARKER_SIZE: Final = 6
_SYMBOLS: Final = {"meets": "circle", "exceeds": "x", "undecided": "circle-open"}
HOVER: Final = "<b>%{fullData.name}</b> %{text}<br>%{customdata}<extra></extra>"


def spectra(lines: Sequence[Spectrum]) -> Chart:
    """Percentile spectra, dotted where a percentile is not significant."""
    points = [point for line in lines for point in line.points]
    ticks = list(nine_ticks(max(point.nines for point in points)))
    return {
        "data": [trace for color, line in enumerate(lines) for trace in _line(line, color)],
        "layout": {
            "xaxis": _ticked(ticks, "percentile"),
            "yaxis": latency_axis([point.value_ns for point in points]),
        },
    }


def _line(line: Spectrum, color: int) -> Iterator[Chart]:
    """The significant part, then the rest from its last point on."""
    firm = [point for point in line.points if point.nines <= line.firm_nines]
    rest = [*firm[-1:], *line.points[len(firm) :]]
    of_all = line.name == "all"
    shown = {"name": label(line.name), "legendgroup": str(color), "meta": "all" if of_all else color}
    width = 3 if of_all else 2
    if firm:
        yield shown | _points(firm) | {"line": {"width": width}}
    yield shown | _points(rest) | {"line": {"width": width, "dash": "dot"}, "showlegend": not firm}


def _points(points: Sequence[Point]) -> Chart:
    """The points of a line; only percentiles shown in the tables have a marker."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "hovertemplate": HOVER,
        "x": [round(point.nines, 4) for point in points],
        "y": [max(point.value_ns, 1) for point in points],
        "text": ["max" if point.percent == "100" else f"p{point.percent}" for point in points],
        "customdata": [units.time(point.value_ns) for point in points],
        "marker": {"size": [MARKER_SIZE if point.percent in (*PERCENTS, "100") else 0 for point in points]},
    }


def over_runs(report: Report) -> Chart | None:
    """Percentiles of each run, then of all runs with the spread as whiskers; None without at least two runs."""
    series = whole(report.summary)
    if series is None or len(report.runs) < 2:
        return None
    shown = [percent for percent in _OVER_RUNS if percent in series.percentiles]
    data = [trace for color, percent in enumerate(shown) for trace in _run_traces(report, series, percent, color)]
    if not data:
        return None
    every = -(-len(report.runs) // _TICKS_MAX)
    ticks = [(place, str(run.number)) for place, run in enumerate(report.runs)][::every]
    values = [value for trace in data for value in trace["y"]]
    return {
        "data": data,
        "layout": {
            "xaxis": _ticked([*ticks, (_merged_place(report, len(shown) / 2), "all")], "run"),
            "yaxis": latency_axis(values),
        },
    }


def _merged_place(report: Report, color: float) -> float:
    """The position of a percentile's whiskers: after the runs, side by side."""
    room = max(1.0, len(report.runs) / _TICKS_MAX)
    return len(report.runs) - 1 + room * (0.8 + color / 10)


def _run_traces(report: Report, merged: SummarySeries, percent: str, color: int) -> Iterator[Chart]:
    of_run = {
        place: (series.percentiles[percent].value, run.os_noise.noisy)
        for place, run in enumerate(report.runs)
        for series in run.series
        if (series.op, series.measure) == (merged.op, merged.measure) and percent in series.percentiles
    }
    common = {"type": "scatter", "name": f"p{percent}", "legendgroup": percent, "meta": color, "hovertemplate": HOVER}
    yield common | {
        "mode": "lines+markers",
        "x": list(of_run),
        "y": [max(value, 1) for value, _ in of_run.values()],
        "text": [f"run {place + 1}{', noisy' if noisy else ''}" for place, (_, noisy) in of_run.items()],
        "customdata": [units.time(value) for value, _ in of_run.values()],
        "line": {"width": 1},
        "marker": {
            "size": MARKER_SIZE,
            "symbol": ["circle-open" if noisy else "circle" for _, noisy in of_run.values()],
        },
    }
    value = merged.percentiles[percent].value
    if spread := merged.spread.get(percent):
        yield common | {
            "mode": "markers",
            "showlegend": False,
            "x": [_merged_place(report, color)],
            "y": [max(value, 1)],
            "text": ["all runs"],
            "customdata": [f"{units.time(value)}, min-max of runs {units.time_range(spread.min, spread.max)}"],
            "marker": {"size": MARKER_SIZE + 3, "symbol": "diamond"},
            "error_y": whiskers([value], [(max(spread.min, 1), spread.max)]),
        }


def over_rates(sweep: Sweep) -> Chart | None:
    """Latency in the lower-quartile run over the target rate, with crosses for rates that exceed an objective, open
    circles for undecided ones, and lines at the objectives and the answer."""
    data = [trace for color, percent in enumerate(_OVER_RATES) for trace in _rate_trace(sweep, percent, color)]
    if not data:
        return None
    values = [value for trace in data for value in trace["y"]] + [each.limit_ns for each in sweep.objectives]
    rates = {"type": "log", "title": {"text": "commands per second, target"}, "dtick": "D2", "ticksuffix": "/s"}
    return {
        "data": data,
        "layout": {
            "xaxis": rates,
            "yaxis": latency_axis(values),
            "shapes": [*map(_limit, sweep.objectives), *_answer_lines(sweep)],
            "annotations": [*_answer_text(sweep)],
        },
    }


def _rate_trace(sweep: Sweep, percent: str, color: int) -> Iterator[Chart]:
    found = [
        (point.load.target_rate or 0, at.value, outcome(sweep, point), verdict(sweep, point))
        for point in sweep.points
        if (at := typical(point, percent))
    ]
    if found:
        yield {
            "type": "scatter",
            "mode": "lines+markers",
            "name": f"p{percent}",
            "meta": color,
            "hovertemplate": HOVER,
            "x": [rate for rate, _, _, _ in found],
            "y": [max(value, 1) for _, value, _, _ in found],
            "text": [f"at {units.rate(rate)}, {text}" for rate, _, _, text in found],
            "customdata": [units.time(value) for _, value, _, _ in found],
            "line": {"width": 2},
            "marker": {"size": MARKER_SIZE + 2, "symbol": [_SYMBOLS[kind] for _, _, kind, _ in found]},
        }


def _limit(objective: Objective) -> Chart:
    """A line across the chart at an objective."""
    ends = {"x0": 0, "x1": 1, "xref": "paper", "y0": objective.limit_ns, "y1": objective.limit_ns}
    return {"type": "line", "line": {"width": 1, "dash": "dash"}, **ends}


def _answer_lines(sweep: Sweep) -> Iterator[Chart]:
    """A line at the answer, and dotted ones at the ends of its interval."""
    found = sweep.answer
    for rate, dash in ((found.rate, "dash"), (found.lower, "dot"), (found.upper, "dot")):
        if rate:
            ends = {"x0": rate, "x1": rate, "y0": 0, "y1": 1, "yref": "paper"}
            yield {"type": "line", "line": {"width": 1, "dash": dash}, **ends}


def _answer_text(sweep: Sweep) -> Iterator[Chart]:
    """The answer in words, above its line; if it is undecided, above what is known of it."""
    found = sweep.answer
    if rate := found.rate or found.lower or found.upper:
        yield _above(rate, sweep_lines.short(found))


def _above(rate: float, text: str) -> Chart:
    """A word at the top of a chart with a logarithmic horizontal axis, where plotly.js needs the exponent."""
    return {"x": math.log10(rate), "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False, "text": text}


def whiskers(values: Sequence[float], ends: Sequence[tuple[float, float]]) -> Chart:
    """Whiskers around values, from the lower end to the upper."""
    pairs = list(zip(values, ends, strict=True))
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(upper - value, 0) for value, (_, upper) in pairs],
        "arrayminus": [max(value - lower, 0) for value, (lower, _) in pairs],
        "thickness": 1.5,
        "width": 5,
    }


def latency_axis(values_ns: Sequence[float]) -> Chart:
    """A logarithmic axis of nanoseconds with a tick at each power of ten around the values (at least one)."""
    ticks = list(decades(min(values_ns), max(values_ns)))
    first, last = ticks[0][0], ticks[-1][0]
    return {
        "type": "log",
        "range": [first, last],
        "tickvals": [10**exponent for exponent, _ in ticks],
        "ticktext": [label for _, label in ticks],
        "minor": {"dtick": "D1", "showgrid": last - first <= 3},
    }


def _ticked(ticks: Sequence[tuple[float, str]], title: str) -> Chart:
    return {
        "tickvals": [place for place, _ in ticks],
        "ticktext": [label for _, label in ticks],
        "title": {"text": title},
    }


def label(name: str) -> str:
    """A name from a document, escaped for plotly.js, truncated if long."""
    cut = name if len(name) <= _NAME_MAX else f"{name[: _NAME_MAX - 1]}…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
