"""CPU time per command of every engine on every flow, on one logarithmic axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lowlat import units
from lowlat.reports.model.league import League, LeagueFigures
from lowlat.reports.page.axis import Axis, log_axis
from lowlat.reports.page.chart import Chart, ChartPoint, ChartSeries, label
from lowlat.reports.terminal import league_lines as lines

_COLORS: Final = 8
"""Line colors of the page."""
_ROOM: Final = 1.25
"""The axis goes on by this factor on both sides, so that the label of a tick is not at its end."""


def cpu_times(league: League) -> Chart | None:
    """A row for each engine on each flow, as ranked there; a series for each engine. None without any figure."""
    rows = [
        (f"{table.profile}: {entry.engine}", entry.engine, entry.figures)
        for table in league.tables
        for entry in lines.ranked(table)
        if entry.figures is not None and entry.figures.batched_cpu_ns
    ]
    if not rows:
        return None
    times = [figures.batched_cpu_ns or 0.0 for _, _, figures in rows]
    return Chart(
        x=log_axis((min(times) / _ROOM, max(times) * _ROOM), "CPU time per command", units.time),
        y=Axis(len(rows) - 0.5, -0.5, tuple((float(place), label(name)) for place, (name, _, _) in enumerate(rows))),
        series=tuple(_series(league, rows)),
        whiskers="x",
        rows=len(rows),
    )


def _series(league: League, rows: list[tuple[str, str, LeagueFigures]]) -> Iterator[ChartSeries]:
    names = dict.fromkeys(engine.name for engine in league.engines if any(engine.name == whose for _, whose, _ in rows))
    for color, engine in enumerate(names):
        points = tuple(
            ChartPoint(figures.batched_cpu_ns or 0.0, place, label(name), _told(figures), "circle")
            for place, (name, whose, figures) in enumerate(rows)
            if whose == engine
        )
        yield ChartSeries(engine, color % _COLORS, points, line=False)


def _told(figures: LeagueFigures) -> str:
    ratio = f", {figures.ratio:.3g} times the base" if figures.ratio is not None else ""
    return f"{units.time(figures.batched_cpu_ns or 0)} of CPU time per command{ratio}"
