"""A sweep for a terminal: a row for each rate, with the knee marked, and why points are not valid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep, missed, response
from lowlat.reports.terminal import latency_table, text_lines
from lowlat.reports.terminal.report_table import facts, title
from lowlat.reports.terminal.wide_console import uncut
from lowlat.text import plain_text

_PERCENTS: Final = ("50", "99", "99.9")
_STATUS: Final = {
    "interrupted": "INTERRUPTED: partial results",
    "invalid": "INVALID: discard these results",
}


def render_sweep(sweep: Sweep, console: Console) -> None:
    """Print a sweep. The console handles color and NO_COLOR; a row fits 80 columns."""
    with uncut(console):
        console.print(Group(*_parts(sweep)), highlight=False, soft_wrap=False)


def _parts(sweep: Sweep) -> Iterator[RenderableType]:
    first = sweep.points[0]
    yield title(first)
    yield facts([("host", text_lines.host(first.host)), ("clock", text_lines.clock(first.clock))])
    yield Text()
    yield plain_text("response time of all operations, from the intended start, by rate")
    yield _table(sweep)
    shown = [series for point in sweep.points if (series := response(point))]
    if latency_table.has_marks(shown, _PERCENTS):
        yield plain_text(latency_table.FOOTNOTE, style="dim")
    yield facts([("knee", _knee(sweep))])
    if sweep.status != "ok":
        reasons = "; ".join(sweep.status_reasons) or "no reason given"
        yield plain_text(f"{_STATUS[sweep.status]}: {reasons}", style="bold red")


def _table(sweep: Sweep) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in ("target", "achieved", *(f"p{percent}" for percent in _PERCENTS), "max"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for index, point in enumerate(sweep.points):
        at_knee = index == sweep.knee
        style = "bold green" if at_knee else "dim" if point.status == "invalid" else ""
        table.add_row(*_figures(point), plain_text("knee" if at_knee else _verdict(point)), style=style)
    return table


def _figures(point: Report) -> Iterator[Text]:
    for rate in (point.load.target_rate, point.load.achieved_rate):
        yield plain_text("-" if rate is None else units.rate(rate))
    series = response(point)
    for percent in _PERCENTS:
        yield latency_table.cell(series.percentiles.get(percent) if series else None)
    yield plain_text(units.time(series.max) if series else "-")


def _verdict(point: Report) -> str:
    """Why a row is not valid, in a few words; the sweep's reasons have the details."""
    if point.status == "ok":
        return ""
    if point.status == "interrupted":
        return "interrupted"
    return "invalid: rate missed" if missed(point) else "invalid: see below"


def _knee(sweep: Sweep) -> str:
    if sweep.knee is None:
        return "none: no valid point"
    point = sweep.points[sweep.knee]
    reached = f"{units.rate(point.load.achieved_rate)}, " if point.load.achieved_rate is not None else ""
    if sweep.knee == len(sweep.points) - 1:
        return f"{reached}{sweep.knee_rule}; no higher rate was tried"
    return f"{reached}{sweep.knee_rule}"
