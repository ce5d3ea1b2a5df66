"""The chart of a trend: percentiles over the start of each report."""

from __future__ import annotations

from collections.abc import Iterator

from lowlat import units
from lowlat.reports.compare.history import PERCENTS, Entry, Figure, History, Trend
from lowlat.reports.page.charts import HOVER, MARKER_SIZE, Chart, label, latency_axis, whiskers
from lowlat.reports.terminal.history_lines import moment, revision, status


def over_time(history: History) -> dict[str, Chart | None]:
    """A chart for each trend, `trend-0` first; None for a trend with a single report or without a percentile."""
    return {f"trend-{place}": _trend(trend) for place, trend in enumerate(history.trends)}


def _trend(trend: Trend) -> Chart | None:
    data = [trace for color, percent in enumerate(PERCENTS) for trace in _line(trend, percent, color)]
    if len(trend.entries) < 2 or not data:
        return None
    ends = [end for entry in trend.entries for figure in entry.figures.values() for end in _ends(figure)]
    start = {"type": "date", "title": {"text": "start, UTC"}}
    return {"data": data, "layout": {"xaxis": start, "yaxis": latency_axis(ends)}}


def _line(trend: Trend, percent: str, color: int) -> Iterator[Chart]:
    """A percentile, with whiskers over its runs; a cross marks an invalid report."""
    found = [(entry, entry.figures[percent]) for entry in trend.entries if percent in entry.figures]
    if found:
        values = [max(figure.value_ns, 1) for _, figure in found]
        yield {
            "type": "scatter",
            "mode": "lines+markers",
            "name": f"p{percent}",
            "meta": color,
            "hovertemplate": HOVER,
            "x": [entry.started for entry, _ in found],
            "y": values,
            "text": [_of(entry) for entry, _ in found],
            "customdata": [_value(figure) for _, figure in found],
            "error_y": whiskers(values, [_ends(figure) for _, figure in found]),
            "marker": {
                "size": MARKER_SIZE + 2,
                "symbol": ["x" if entry.status == "invalid" else "circle" for entry, _ in found],
            },
        }


def _of(entry: Entry) -> str:
    return label(", ".join(part for part in (moment(entry), revision(entry), status(entry)) if part))


def _value(figure: Figure) -> str:
    single = figure.spread
    return units.time(figure.value_ns) + (
        f", min-max of runs {units.time_range(single.min, single.max)}" if single else ""
    )


def _ends(figure: Figure) -> tuple[float, float]:
    ends = (figure.spread.min, figure.spread.max) if figure.spread else (figure.value_ns, figure.value_ns)
    return max(ends[0], 1), max(ends[1], 1)
