"""A sweep for a terminal: a row for each rate, and the highest rate that meets the objectives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep, outcome, response, typical, verdict
from lowlat.reports.terminal import latency_table, sweep_lines, text_lines
from lowlat.reports.terminal.report_table import facts, title
from lowlat.reports.terminal.wide_console import uncut
from lowlat.text import plain_text

_PERCENTS: Final = ("50", "99", "99.9")
_STATUS: Final = {
    "inconclusive": "INCONCLUSIVE",
    "interrupted": "INTERRUPTED: partial results",
    "invalid": "INVALID: discard these results",
}

_STYLES: Final = {"meets": "green", "exceeds": "dim", "undecided": "yellow"}


def render_sweep(sweep: Sweep, console: Console) -> None:
    """Print a sweep. The console handles color and NO_COLOR; a row fits 80 columns."""
    with uncut(console):
        console.print(Group(*_parts(sweep)), highlight=False, soft_wrap=False)


def _parts(sweep: Sweep) -> Iterator[RenderableType]:
    if sweep.status != "ok":
        reasons = "; ".join(sweep.status_reasons) or "no reason given"
        yield plain_text(f"{_STATUS[sweep.status]}: {reasons}", style="bold red")
    first = sweep.points[0]
    yield title(first)
    yield facts([("host", text_lines.host(first.host)), ("clock", text_lines.clock(first.clock))])
    yield Text()
    yield plain_text(sweep_lines.what(sweep))
    yield _table(sweep)
    shown = [found for point in sweep.points for percent in _PERCENTS if (found := typical(point, percent))]
    if any(latency_table.is_insignificant(each) for each in shown):
        yield plain_text(latency_table.FOOTNOTE, style="dim")
    yield facts(
        [
            ("objective", sweep_lines.objectives(sweep)),
            ("highest rate", sweep_lines.answer(sweep)),
            ("runs", sweep_lines.runs(sweep)),
        ]
    )


def _table(sweep: Sweep) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in ("target", "achieved", *(f"p{percent}" for percent in _PERCENTS), "max"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("objective (runs)", overflow="fold")
    for point in sweep.points:
        style = _STYLES[outcome(sweep, point)]
        table.add_row(*_figures(point), plain_text(verdict(sweep, point)), style=style)
    return table


def _figures(point: Report) -> Iterator[Text]:
    for rate in (point.load.target_rate, point.load.achieved_rate):
        yield plain_text("-" if rate is None else units.rate(rate))
    for percent in _PERCENTS:
        yield latency_table.cell(typical(point, percent))
    series = response(point)
    yield plain_text(units.time(series.max) if series else "-")
