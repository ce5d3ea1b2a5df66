"""A fleet for a terminal: which hosts stand out and why, a table of hosts by metric, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lowlat.reports.model.fleet import Fleet
from lowlat.reports.terminal import fleet_lines as lines
from lowlat.reports.terminal.wide_console import uncut
from lowlat.text import plain_text

ROWS_MAX: Final = 10
"""Hosts in the table, and lines of reasons, unless all are asked for."""
COLUMNS_MAX: Final = 6
"""Metrics beside one another; others are in a table below."""
_NAME_MAX: Final = 24


def render_fleet(fleet: Fleet, console: Console, *, every: bool = False) -> None:
    """Print a fleet; `every`: all hosts, all reasons and differences. A row fits 80 columns."""
    with uncut(console):
        console.print(Group(*_parts(fleet, every)), highlight=False, soft_wrap=False)


def _parts(fleet: Fleet, every: bool) -> Iterator[RenderableType]:
    if status := lines.status(fleet):
        yield plain_text(status, style="bold red")
    yield Text.assemble(plain_text("fleet", "bold"), "  ", plain_text(lines.title(fleet)))
    yield plain_text(lines.summary(fleet), style="bold")
    for host in fleet.outliers if every else fleet.outliers[:ROWS_MAX]:
        yield plain_text(lines.verdict(host, fleet), style="red" if host.verdict != "faster" else "green")
        for found in host.differences:
            yield plain_text(f"  {lines.difference(found)}")
    for line in lines.groups(fleet):
        yield plain_text(line)
    metrics = len(lines.shown_metrics(fleet))
    for first in range(0, metrics, COLUMNS_MAX):
        yield _table(fleet, slice(first, first + COLUMNS_MAX), every)
    if fleet.outliers:
        yield plain_text(lines.NOTE, style="dim")
    yield from _messages(fleet, every)


def _table(fleet: Fleet, columns: slice, every: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="cyan")
    table.add_column("host", max_width=_NAME_MAX, overflow="fold")
    for metric in lines.shown_metrics(fleet)[columns]:
        table.add_column(plain_text(metric.name), justify="right")
    table.add_row(
        plain_text("median", style="dim"), *(plain_text(cell, "dim") for cell in lines.medians(fleet)[columns])
    )
    found = [*lines.rows(fleet)]
    for host, cells in found if every else found[:ROWS_MAX]:
        styled = [plain_text(cell.text, _style(cell)) for cell in cells[columns]]
        table.add_row(plain_text(host.name), *styled)
    if len(found) > ROWS_MAX and not every:
        table.add_row(plain_text(f"... {len(found) - ROWS_MAX:,} more with -v", style="dim"))
    return table


def _style(cell: lines.FleetCell) -> str:
    return {"worse": "bold red", "better": "green"}.get(cell.outlier or "", "")


def _messages(fleet: Fleet, every: bool) -> Iterator[RenderableType]:
    told = [*fleet.status_reasons, *(f"warning: {warning}" for warning in fleet.warnings)]
    for line in told if every else told[:ROWS_MAX]:
        yield plain_text(line, style="yellow")
    if len(told) > ROWS_MAX and not every:
        yield plain_text(f"... {len(told) - ROWS_MAX:,} more with -v", style="dim")
    if gate := lines.gate(fleet):
        yield plain_text(gate, style="bold red" if fleet.gate.verdict == "failed" else "green")
