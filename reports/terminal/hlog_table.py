"""An interval log for a terminal: its time span, and a row for each series."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.reports.histogram.hlog_reader import RecordedLog
from lowlat.reports.terminal import latency_table
from lowlat.reports.terminal.wide_console import uncut
from lowlat.text import plain_text


def render_log(log: RecordedLog, console: Console) -> None:
    """Print a log. The console handles color and NO_COLOR."""
    with uncut(console):
        console.print(Group(*_parts(log)), highlight=False, soft_wrap=False)


def _parts(log: RecordedLog) -> list[Text | Table]:
    span_ns = (log.end - log.begin).total_seconds() * 1e9
    title = Text.assemble(
        ("interval log", "bold"),
        f"  {units.time(span_ns)} from {log.begin:%Y-%m-%d %H:%M:%S} UTC · units assumed to be nanoseconds",
    )
    notes = (
        [plain_text(latency_table.FOOTNOTE, style="dim")]
        if latency_table.has_marks([s.series for s in log.series])
        else []
    )
    return [title, _table(log), *notes]


def _table(log: RecordedLog) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("series", overflow="fold")
    for name in ("intervals", "count", *(f"p{percent}" for percent in latency_table.PERCENTS), "max"):
        table.add_column(name, justify="right", overflow="fold")
    for each in log.series:
        series = each.series
        table.add_row(
            plain_text(f"{series.op} ({series.measure})"),
            f"{each.intervals:,}",
            units.short(series.count),
            *(latency_table.cell(series.percentiles.get(percent)) for percent in latency_table.PERCENTS),
            units.time(series.max),
        )
    return table
