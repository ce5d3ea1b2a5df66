"""The per-operation latency table of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.reports.histogram.histogram import FEW_BEYOND
from lowlat.reports.model.results import PercentileValue, Series, Spread, SummarySeries
from lowlat.reports.terminal import text_lines
from lowlat.text import plain_text

PERCENTS = ("50", "90", "99", "99.9", "99.99")
"""Percentiles that a table shows."""
_WITH_SPREAD = ("50", "99")
_MARK = "*"
_BOUNDLESS = 10_000

FOOTNOTE = f"{_MARK} fewer than {FEW_BEYOND} samples in the tail: not significant"


def tables(summary: Sequence[SummarySeries], runs: int, console: Console) -> Iterator[RenderableType]:
    """The first measure by operation; further measures share one table over all operations.

    The spread over runs has separate columns if they fit the console, else a line below the table, for all operations.
    """
    measures = list(dict.fromkeys(series.measure for series in summary))
    for measure in measures[:1]:
        named = [(series.op, series) for series in summary if series.measure == measure]
        yield from _fitting(measure, named, runs, console)
    if len(measures) > 1:
        whole = [series for series in summary if series.op == "all"]
        named = [(text_lines.measure(series.measure), series) for series in whole]
        yield from _fitting("all operations", named, runs, console)


def _fitting(
    heading: str, rows: Sequence[tuple[str, SummarySeries]], runs: int, console: Console
) -> Iterator[RenderableType]:
    wide = _table(heading, rows, runs, wide=True)
    boundless = console.options.update_width(_BOUNDLESS)  # otherwise the measured width is capped at the console width
    fits = console.measure(wide, options=boundless).maximum <= console.width
    if fits:
        yield wide
        return
    yield _table(heading, rows, runs, wide=False)
    if runs > 1:
        yield from (_spread_line(name, series) for name, series in rows if series.op == "all")


def has_marks(summary: Sequence[Series], percents: Sequence[str] = PERCENTS) -> bool:
    """Whether any shown percentile has the footnote mark."""
    return any(is_insignificant(series.percentiles.get(percent)) for series in summary for percent in percents)


def _table(heading: str, rows: Sequence[tuple[str, SummarySeries]], runs: int, *, wide: bool) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(plain_text(heading), overflow="fold")
    table.add_column("count", justify="right", overflow="fold")
    for percent in PERCENTS:
        table.add_column(f"p{percent}", justify="right", overflow="fold")
        if wide and runs > 1 and percent in _WITH_SPREAD:
            table.add_column("min-max of runs", overflow="fold", style="dim")
    table.add_column("max", justify="right", overflow="fold")
    for name, series in rows:
        table.add_row(*_cells(name, series, spread=wide and runs > 1))
    return table


def _cells(name: str, series: SummarySeries, *, spread: bool) -> Iterator[Text]:
    yield plain_text(name, style="bold" if name == "all" else "")
    yield plain_text(units.short(series.count))
    for percent in PERCENTS:
        yield cell(series.percentiles.get(percent))
        if spread and percent in _WITH_SPREAD:
            yield plain_text(_range(series.spread.get(percent)))
    yield plain_text(units.time(series.max))


def _spread_line(name: str, series: SummarySeries) -> Text:
    """The line below a table on a narrow screen: the spread of one of its rows."""
    spreads = ", ".join(f"p{percent} {_range(series.spread.get(percent))}" for percent in _WITH_SPREAD)
    return plain_text(f"{name}, min-max of runs: {spreads}", style="dim")


def cell(percentile: PercentileValue | None) -> Text:
    """A percentile, marked if it is not significant."""
    if percentile is None:
        return plain_text("-")
    few = is_insignificant(percentile)
    return plain_text(units.time(percentile.value) + (_MARK if few else " "), style="dim" if few else "")


def is_insignificant(percentile: PercentileValue | None) -> bool:
    """Whether too few samples are beyond a percentile."""
    return percentile is not None and percentile.beyond < FEW_BEYOND


def _range(spread: Spread | None) -> str:
    return units.time_range(spread.min, spread.max) if spread else ""
