"""The chart of a trend: percentiles over the start of each report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from lowlat import units
from lowlat.reports.compare.history import PERCENTS, Entry, Figure, History, Trend
from lowlat.reports.page.axis import Axis, latency_axis
from lowlat.reports.page.chart import Chart, ChartPoint, ChartSeries, label
from lowlat.reports.terminal.history_lines import moment, revision, status

_DAY_S: Final = 86_400
_STEPS_S: Final = (1, 5, 15, 60, 300, 900, 3_600, 4 * 3_600, *(days * _DAY_S for days in (1, 2, 7, 14, 28, 91, 365)))
_TICKS_MAX: Final = 6


def over_time(history: History) -> dict[str, Chart | None]:
    """A chart for each trend, `trend-0` first; None for a trend with a single report or without a percentile."""
    return {f"trend-{place}": _trend(trend) for place, trend in enumerate(history.trends)}


def _trend(trend: Trend) -> Chart | None:
    series = [
        ChartSeries(f"p{percent}", color, tuple(_points(trend, percent))) for color, percent in enumerate(PERCENTS)
    ]
    shown = tuple(each for each in series if each.points)
    if len(trend.entries) < 2 or not shown:
        return None
    values = [end for each in shown for point in each.points for end in (point.y, *(point.ends or ()))]
    return Chart(x=_starts([_seconds(entry) for entry in trend.entries]), y=latency_axis(values), series=shown)


def _starts(seconds: list[float]) -> Axis:
    """An axis of start times, a little longer than from the first to the last."""
    span = max(seconds) - min(seconds)
    room = max(span * 0.04, 1.0)
    first, last = min(seconds) - room, max(seconds) + room
    return Axis(first, last, tuple(_ticks(first, last)), "start, UTC")


def _ticks(first: float, last: float) -> Iterator[tuple[float, str]]:
    """Whole seconds, minutes, hours, days or years, as long apart as leaves a few."""
    years = _STEPS_S[-1] * (1 + (last - first) // (_STEPS_S[-1] * _TICKS_MAX))
    step = next((step for step in _STEPS_S if (last - first) / step < _TICKS_MAX), years)
    form = "%Y-%m-%d" if step >= _DAY_S else "%m-%d %H:%M" if step >= 60 else "%H:%M:%S"
    at = -(-first // step) * step
    while at <= last:
        yield at, datetime.fromtimestamp(at, UTC).strftime(form)
        at += step


def _points(trend: Trend, percent: str) -> Iterator[ChartPoint]:
    """A percentile, with whiskers over its runs; a cross marks an invalid report."""
    for entry in trend.entries:
        if percent in entry.figures:
            figure = entry.figures[percent]
            yield ChartPoint(
                _seconds(entry),
                max(figure.value_ns, 1),
                label(", ".join(part for part in (moment(entry), revision(entry), status(entry)) if part)),
                _value(figure),
                "cross" if entry.status == "invalid" else "circle",
                (max(figure.spread.min, 1), max(figure.spread.max, 1)) if figure.spread else None,
            )


def _seconds(entry: Entry) -> float:
    return datetime.fromisoformat(entry.started).timestamp()


def _value(figure: Figure) -> str:
    single = figure.spread
    return units.time(figure.value_ns) + (
        f", min-max of runs {units.time_range(single.min, single.max)}" if single else ""
    )
