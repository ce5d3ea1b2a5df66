"""Charts for a terminal: the percentile spectrum of a report, those of both sides of a comparison, or latency over
the rate for a sweep.

Drawn by plotext, which supports custom ticks and any characters; plotille, the other maintained library, supports
neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lowlat.reports.compare.compare import Sides
from lowlat.reports.compare.gate import WHOLE
from lowlat.reports.histogram import percentile_curve
from lowlat.reports.histogram.percentile_curve import Spectrum
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep, typical
from lowlat.text import printable
from lowlat.units import rate

if TYPE_CHECKING:
    from rich.console import Console

Plottable: TypeAlias = Report | Sweep | Sides

ROWS: Final = 22
_COLUMNS_MAX: Final = 110
_NAME_MAX: Final = 16
_OVER_RATES: Final = ("50", "99", "99.9")
# Distinct shapes, since color may be missing; the last line is drawn over the others.
_MARKERS: Final = "·x○+▪◇▵*"
_ASCII_MARKERS: Final = ".xo+#%@*"
_COLORS: Final = (27, 130, 28, 163, 30, 161, 64, "default")
"""Of the 256 colors, which themes leave alone: each has a contrast of at least 4 to black and to white."""
_ASCII: Final = str.maketrans("─│┌┐└┘├┤┬┴┼µ", "-|+++++++++u")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a chart: positions on the horizontal axis, and nanoseconds."""

    name: str
    places: Sequence[float]
    values_ns: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Chart:
    title: str
    label: str
    lines: Sequence[_Line]
    ticks: Callable[[float, float], Iterator[tuple[float, str]]]
    """Places and labels along the horizontal axis, between its ends."""


def render_plot(document: Plottable, console: Console) -> None:
    """Print the chart as wide as the console, in ASCII if its encoding requires it."""
    from rich.text import Text

    width = min(console.width, _COLUMNS_MAX)
    drawn = plot(document, width=width, ascii_only=console.options.ascii_only, color=not console.no_color)
    console.print(Text.from_ansi(drawn), highlight=False, soft_wrap=True)


def plot(document: Plottable, *, width: int = 80, ascii_only: bool = False, color: bool = False) -> str:
    """The chart of a document as lines of `width` columns; `color` adds escape sequences.

    A report with one measure has a line for each operation, other reports a line for each measure over all operations,
    and a comparison a line for each side. Raises `FormatError` for a damaged histogram, or `InputError` with its side.
    Without latencies, the text says so.
    """
    chart = _chart_of(document)
    if not chart.lines:
        return f"{printable(chart.title)}: nothing to plot"
    text = _drawn(chart, width, ascii_only=ascii_only, color=color)
    return text.translate(_ASCII).encode("ascii", "replace").decode() if ascii_only else text


def _chart_of(document: Plottable) -> _Chart:
    if isinstance(document, Sides):
        return _of_sides(document)
    chart = _of_sweep(document) if isinstance(document, Sweep) else _of_report(document)
    return chart if chart.lines else _nothing("no latency was measured")


def _nothing(reason: str) -> _Chart:
    return _Chart(reason, "", (), lambda _least, _most: iter(()))


def _of_sides(sides: Sides) -> _Chart:
    series = sides.main_series()
    if series is None:
        timed = not (sides.base.reports or sides.head.reports)
        return _nothing(
            "elapsed times of commands have no histogram" if timed else "the two sides have no latency series in common"
        )
    op, measure = series
    of = "all operations" if op == WHOLE else op
    return _of_spectra(percentile_curve.by_side(sides), f"{measure} of {of} by percentile, head drawn on top of base")


def _of_report(report: Report) -> _Chart:
    measures = percentile_curve.by_measure(report)
    if measures:
        return _of_spectra(measures, "latency of all operations by percentile")
    name = report.summary[0].measure if report.summary else "latency"
    return _of_spectra(percentile_curve.by_operation(report), f"{name} by percentile")


def _of_spectra(spectra: Sequence[Spectrum], title: str) -> _Chart:
    lines = [
        _Line(each.name, [point.nines for point in each.points], [point.value_ns for point in each.points])
        for each in spectra
    ]
    return _Chart(title, "percentile", lines, lambda _, most: percentile_curve.nine_ticks(most))


def _of_sweep(swept: Sweep) -> _Chart:
    """Latency in the lower-quartile run over the logarithm of the target rate, with lines at the objectives and the
    answer.
    """
    lines = []
    for percent in _OVER_RATES:
        found = [
            (math.log10(point.load.target_rate), at.value)
            for point in swept.points
            if point.load.target_rate and (at := typical(point, percent))
        ]
        if found:
            lines.append(_Line(f"p{percent}", [place for place, _ in found], [value for _, value in found]))
    if lines:
        lines += _answer_lines(swept, lines)
    return _Chart("response time by rate", "commands per second, target", lines, _rate_ticks)


def _answer_lines(swept: Sweep, lines: Sequence[_Line]) -> Iterator[_Line]:
    """A line across at each objective, and one up at the answer; if it is undecided, at what is known of it."""
    places = [place for line in lines for place in line.places]
    for each in swept.objectives:
        yield _Line(f"p{each.percentile} limit", [min(places), max(places)], [each.limit_ns] * 2)
    values = [value for line in lines for value in line.values_ns] + [each.limit_ns for each in swept.objectives]
    answer = swept.answer
    ends = (
        [("above", answer.lower), ("below", answer.upper)] if answer.rate is None else [("highest rate", answer.rate)]
    )
    for name, rate_ in ends:
        if rate_:
            at = math.log10(rate_)
            yield _Line(name, [at, at], [min(values), max(values)])


def _rate_ticks(least: float, most: float) -> Iterator[tuple[float, str]]:
    """1, 2 and 5 times each power of ten in the range, as logarithms."""
    for exponent in range(math.floor(least), math.ceil(most) + 1):
        for digit in (1, 2, 5):
            if least <= exponent + math.log10(digit) <= most:
                yield exponent + math.log10(digit), rate(digit * 10.0**exponent)


def _drawn(chart: _Chart, width: int, *, ascii_only: bool, color: bool) -> str:
    """The chart drawn with plotext's global figure, which is cleared before and after."""
    import plotext

    figure = plotext.figure
    figure.clear()
    plotext.terminal.limit(width=False, height=False)  # the caller sets the size
    figure.theme("colorless")
    figure.plot_size(width, ROWS)
    values = [value for line in chart.lines for value in line.values_ns]
    places = [place for line in chart.lines for place in line.places]
    up = list(percentile_curve.decades(min(values), max(values)))
    along = list(chart.ticks(min(places), max(places)))
    figure.ruler("y", "left").ticks([at for at, _ in up], [label for _, label in up]).lim(up[0][0], up[-1][0])
    figure.ruler("x", "lower").ticks([at for at, _ in along], [label for _, label in along])
    keys = []
    for index, line in enumerate(chart.lines):
        pixel = plotext.pixel(_COLORS[index % len(_COLORS)])
        symbol = (_ASCII_MARKERS if ascii_only else _MARKERS)[index % len(_MARKERS)]
        heights = [math.log10(max(value, 1)) for value in line.values_ns]
        figure.draw(figure.signal(line.places, heights, marker=plotext.marker(symbol, pixel)).lines())
        keys.append(plotext.colorize(f"{symbol} {_name(line.name)}", pixel))
    figure.title(printable(chart.title))
    figure.label(chart.label, "x")
    drawn = figure.build().string(colorless=not color)
    figure.clear()
    lines = [line.rstrip() for line in drawn.splitlines()]
    return "\n".join(
        [*lines, *("  ".join(key.string(colorless=not color) for key in row) for row in _rows(keys, width))]
    )


def _rows(keys: Sequence[Any], width: int) -> list[list[Any]]:
    """The legend, with as many names per row as fit; it goes below the chart, where it covers no line."""
    rows: list[list[Any]] = [[]]
    for key in keys:
        if rows[-1] and sum(each.length() + 2 for each in rows[-1]) + key.length() > width:
            rows.append([])
        rows[-1].append(key)
    return rows


def _name(name: str) -> str:
    """A name from a document, escaped for a terminal, truncated if long."""
    shown = printable(name)
    return shown if len(shown) <= _NAME_MAX else f"{shown[: _NAME_MAX - 3]}..."
