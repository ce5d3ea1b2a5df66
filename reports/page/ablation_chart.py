"""The chart of an ablation: a row for each technique with its ratio, and the interval as whiskers."""

from __future__ import annotations

from typing import Final

from lowlat.reports.model.ablation import Ablation, Outcome, TechniqueEffect
from lowlat.reports.model.comparison import Compared
from lowlat.reports.page.axis import Axis, log_axis
from lowlat.reports.page.chart import Chart, ChartPoint, ChartSeries, GuideLine, Mark, label
from lowlat.reports.terminal import ablation_lines as lines

_LEAST: Final = 0.001
_MOST: Final = 100.0
"""Ratios beyond these are beyond the axis, which has no 0."""
_OUTCOMES: Final[dict[Outcome, tuple[int, Mark]]] = {
    "no difference seen": (0, "circle"),
    "hurts": (1, "cross"),
    "helps": (2, "diamond"),
    "inconclusive": (4, "open"),
}
"""By outcome, which of the page's line colors, and the mark."""


def ratios(ablation: Ablation) -> Chart | None:
    """The ratio of each technique that has one, in the order of the table; None if none has."""
    rows = [(each, found) for each in ablation.techniques if (found := each.decisive) and found.ratio is not None]
    if not rows:
        return None
    held = [end for _, found in rows for end in (found.ratio or 0, *(found.interval or ())) if _LEAST <= end <= _MOST]
    names = tuple((float(place), label(each.title)) for place, (each, _) in enumerate(rows))
    series = (
        ChartSeries(
            outcome,
            color,
            tuple(_point(place, *row, mark) for place, row in enumerate(rows) if row[0].outcome == outcome),
            line=False,
        )
        for outcome, (color, mark) in _OUTCOMES.items()
    )
    return Chart(
        x=log_axis((min(1.0, *held), max(1.0, *held)), "with / without", lambda ratio: f"{ratio:.6g}"),
        y=Axis(len(rows) - 0.5, -0.5, names),
        series=tuple(each for each in series if each.points),
        guides=(GuideLine("x", 1, "dim dotted"),),
        whiskers="x",
        rows=len(rows),
    )


def _point(place: int, effect: TechniqueEffect, found: Compared, mark: Mark) -> ChartPoint:
    _, without, with_it, ratio, interval, _ = lines.cells(effect)
    ends = None if found.interval is None else (_drawable(found.interval[0]), _drawable(found.interval[1]))
    told = f"{ratio} ({interval}): {without} without, {with_it} with"
    return ChartPoint(_drawable(found.ratio or 0.0), place, label(effect.title), told, mark, ends)


def _drawable(ratio: float) -> float:
    """A ratio that a logarithmic axis has a place for, beyond its ends if need be."""
    return min(max(ratio, _LEAST / 2), 2 * _MOST)
