"""The chart of a comparison: a row for each metric with its ratio, the interval as whiskers, and the gate's limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lowlat.reports.model.comparison import Compared
from lowlat.reports.page.charts import MARKER_SIZE, Chart, label, whiskers
from lowlat.reports.terminal import comparison_lines as lines

_LEAST: Final = 0.01
_MOST: Final = 100.0
"""Ratios beyond these stand at them: a logarithmic axis has no 0, and one wild metric must not squeeze the others."""
_SHORT: Final = 4
_VERDICTS: Final = {
    "unchanged": (0, "circle"),
    "regressed": (1, "x"),
    "improved": (2, "diamond"),
    "inconclusive": (4, "circle-open"),
}
"""By verdict, which of the page's line colors, and the marker."""


def ratios(metrics: Sequence[Compared]) -> Chart | None:
    """The ratios of these metrics, the first on top; None if none has a ratio."""
    rows = [metric for metric in metrics if metric.ratio is not None]
    if not rows:
        return None
    return {
        "data": list(_traces(rows)),
        "layout": {
            "xaxis": _axis(rows),
            "yaxis": {
                "tickvals": list(range(len(rows))),
                "ticktext": [label(str(metric)) for metric in rows],
                "range": [len(rows) - 0.5, -0.5],
            },
            "shapes": [_line(1, "paper", 0, 1, "dim", "dot"), *_limits(rows)],
        },
    }


def _axis(rows: Sequence[Compared]) -> Chart:
    """The default ticks of plotly.js on a short axis; on a long one, ticks at 1, 2 and 5."""
    ends = [end for metric in rows for end in _ends(metric, _within(metric.ratio or 0))]
    ticks = {"dtick": "D2"} if max(ends) > _SHORT * min(ends) else {}
    return {"type": "log", "title": {"text": "head / base"}, "tickformat": "~g", **ticks}


def _traces(rows: Sequence[Compared]) -> Iterator[Chart]:
    """A trace for each verdict in use."""
    for verdict, (color, symbol) in _VERDICTS.items():
        found = [(place, metric) for place, metric in enumerate(rows) if metric.verdict == verdict]
        if found:
            values = [_within(metric.ratio or 0) for _, metric in found]
            yield {
                "type": "scatter",
                "mode": "markers",
                "name": verdict,
                "meta": color,
                "hovertemplate": "<b>%{text}</b> %{fullData.name}<br>%{customdata}<extra></extra>",
                "x": values,
                "y": [place for place, _ in found],
                "text": [label(str(metric)) for _, metric in found],
                "customdata": [_figures(metric) for _, metric in found],
                "error_x": whiskers(
                    values, [_ends(metric, value) for (_, metric), value in zip(found, values, strict=True)]
                ),
                "marker": {"size": MARKER_SIZE + 3, "symbol": symbol},
            }


def _figures(metric: Compared) -> str:
    limit = f", limit {lines.gate(metric)}" if metric.gates else ""
    return label(f"{lines.ratio(metric.ratio)} ({lines.interval(metric.interval)}), p {lines.p(metric.p)}") + limit


def _ends(metric: Compared, value: float) -> tuple[float, float]:
    return (_within(metric.interval[0]), _within(metric.interval[1])) if metric.interval else (value, value)


def _limits(rows: Sequence[Compared]) -> Iterator[Chart]:
    """A line across the row of each gated metric at the ratio beyond which it fails."""
    for place, metric in enumerate(rows):
        if metric.gates:
            change = metric.threshold_percent / 100
            limit = 1 - change if metric.better == "higher" else 1 + change
            yield _line(_within(limit), "y", place - 0.4, place + 0.4, "bad", "solid")


def _line(ratio: float, axis: str, start: float, end: float, color: str, dash: str) -> Chart:
    """A vertical line; its name selects the page's color."""
    ends = {"x0": ratio, "x1": ratio, "y0": start, "y1": end, "yref": axis}
    return {"type": "line", "name": color, "line": {"width": 2, "dash": dash}, **ends}


def _within(ratio: float) -> float:
    return min(max(ratio, _LEAST), _MOST)
