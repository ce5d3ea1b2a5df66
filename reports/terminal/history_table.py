"""Trends for a terminal: a table for each work, a row for each report."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.reports.compare.history import PERCENTS, Figure, History, Trend
from lowlat.reports.terminal import history_lines as lines
from lowlat.reports.terminal.wide_console import uncut
from lowlat.text import plain_text


def render_history(history: History, console: Console) -> None:
    """Print the trends. The console handles color and NO_COLOR; a row fits 80 columns."""
    with uncut(console):
        console.print(Group(*_parts(history)), highlight=False, soft_wrap=False)


def _parts(history: History) -> Iterator[RenderableType]:
    if not history.trends:
        yield plain_text("no reports")
    for index, trend in enumerate(history.trends):
        if index:
            yield Text()
        yield _title(trend)
        yield _table(trend)
        if hosts := lines.hosts(trend):
            yield plain_text(hosts, style="yellow")


def _title(trend: Trend) -> Text:
    return Text.assemble(plain_text(trend.profile, "bold"), "  ", plain_text(lines.work(trend)))


def _table(trend: Trend) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0, header_style="bold")
    table.add_column("started, UTC", no_wrap=True)
    table.add_column("git", no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    for percent in PERCENTS:
        for name in (f"p{percent}", "first", "median"):
            table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for entry in trend.entries:
        cells = [cell for percent in PERCENTS for cell in _cells(entry.figures.get(percent))]
        style = "dim" if entry.status == "invalid" else ""
        moment, revision = lines.moment(entry), lines.revision(entry)
        table.add_row(
            plain_text(moment), plain_text(revision), str(entry.runs), *cells, lines.status(entry), style=style
        )
    return table


def _cells(figure: Figure | None) -> tuple[Text, Text, Text]:
    """The value, and its ratios to the first and to the median."""
    if figure is None:
        return plain_text("-"), plain_text("-"), plain_text("-")
    return plain_text(units.time(figure.value_ns)), _ratio(figure.to_first), _ratio(figure.to_median)


def _ratio(ratio: float | None) -> Text:
    far = lines.far(ratio)
    return plain_text(lines.ratio(ratio), style={"worse": "red", "better": "green", "": ""}[far])
