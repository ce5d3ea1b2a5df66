"""The chart of a comparison: a row for each metric with its ratio, the interval as whiskers, and the gate's limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lowlat.reports.model.comparison import Compared
from lowlat.reports.page.axis import Axis, log_axis
from lowlat.reports.page.chart import Chart, ChartPoint, ChartSeries, GuideLine, Mark, label
from lowlat.reports.terminal import comparison_lines as lines

_LEAST: Final = 0.01
_MOST: Final = 100.0
"""Ratios beyond these are beyond the axis, which has no 0."""
_FAR: Final = 4.0
"""Metrics that do not gate lengthen the axis up to this ratio, and to its inverse."""
_VERDICTS: Final[dict[str, tuple[int, Mark]]] = {
    "unchanged": (0, "circle"),
    "regressed": (1, "cross"),
    "improved": (2, "diamond"),
    "inconclusive": (4, "open"),
}
"""By verdict, which of the page's line colors, and the mark."""


def ratios(metrics: Sequence[Compared]) -> Chart | None:
    """The ratios of these metrics, the first on top; None if none has a ratio."""
    rows = [metric for metric in metrics if metric.ratio is not None]
    if not rows:
        return None
    names = tuple((float(place), label(str(metric))) for place, metric in enumerate(rows))
    return Chart(
        x=log_axis(_ends(rows), "head / base", lambda ratio: f"{ratio:.6g}"),
        y=Axis(len(rows) - 0.5, -0.5, names),
        series=tuple(_series(rows)),
        guides=(GuideLine("x", 1, "dim dotted"), *_limits(rows)),
        whiskers="x",
        rows=len(rows),
    )


def _ends(rows: Sequence[Compared]) -> tuple[float, float]:
    """The ratios that the axis holds: 1, the limits, gated metrics with their intervals, and the ratios of others.

    One wild metric must not squeeze the rest: maxima, single samples that they are, and intervals of metrics that do
    not gate do not count. With no gated metric, all but maxima count as such.
    """
    several = [metric for metric in rows if metric.name != "max"]
    gated = [metric for metric in several if metric.gates] or several
    whole = [end for metric in gated for end in (_ratio(metric), *(metric.interval or ())) if _LEAST <= end <= _MOST]
    others = [_ratio(metric) for metric in several if 1 / _FAR <= _ratio(metric) <= _FAR]
    held = [1.0, *(_limit(metric) for metric in rows if metric.gates), *whole, *others]
    return min(held), max(held)


def _series(rows: Sequence[Compared]) -> Iterator[ChartSeries]:
    """A series for each verdict in use."""
    for verdict, (color, mark) in _VERDICTS.items():
        found = [(place, metric) for place, metric in enumerate(rows) if metric.verdict == verdict]
        if found:
            yield ChartSeries(verdict, color, tuple(_point(place, metric, mark) for place, metric in found), line=False)


def _point(place: int, metric: Compared, mark: Mark) -> ChartPoint:
    limit = f", limit {lines.gate(metric)}" if metric.gates else ""
    figures = f"{lines.ratio(metric.ratio)} ({lines.interval(metric.interval)}), p {lines.p(metric.p)}{limit}"
    ends = None if metric.interval is None else (_drawable(metric.interval[0]), _drawable(metric.interval[1]))
    return ChartPoint(_drawable(_ratio(metric)), place, label(str(metric)), figures, mark, ends)


def _limits(rows: Sequence[Compared]) -> Iterator[GuideLine]:
    """A line across the row of each gated metric at the ratio beyond which it fails."""
    for place, metric in enumerate(rows):
        if metric.gates:
            yield GuideLine("x", _limit(metric), "bad", (place + 0.4, place - 0.4))


def _limit(metric: Compared) -> float:
    change = metric.threshold_percent / 100
    return min(max(1 - change if metric.better == "higher" else 1 + change, _LEAST), _MOST)


def _ratio(metric: Compared) -> float:
    return metric.ratio or 0.0


def _drawable(ratio: float) -> float:
    """A ratio that a logarithmic axis has a place for, beyond its ends if need be."""
    return max(ratio, _LEAST / 2)
