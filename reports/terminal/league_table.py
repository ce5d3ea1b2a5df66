"""A league for a terminal: a table for each flow, the fastest engine first, and what holds for an engine on all."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lowlat.reports.model.league import League, LeagueEntry, LeagueTable
from lowlat.reports.terminal import league_lines as lines
from lowlat.reports.terminal.report_table import facts
from lowlat.reports.terminal.wide_console import uncut
from lowlat.text import plain_text

_NAME_MIN, _NAME_MAX = 14, 22
"""Columns of a name; a row fits 80."""


def render_league(league: League, console: Console, *, every: bool = False) -> None:
    """Print a league; `every`: each difference in full, and how to read the columns. A row fits 80 columns."""
    with uncut(console):
        console.print(Group(*_parts(league, every)), highlight=False, soft_wrap=False)


def _parts(league: League, every: bool) -> Iterator[RenderableType]:
    if status := lines.status(league):
        yield plain_text(status, style="bold red")
    yield Text.assemble(plain_text("league", "bold"), "  ", plain_text(lines.title(league)))
    if every and (host := lines.host(league)):
        yield plain_text(host, style="dim")
    for table in league.tables:
        yield _figures(table, every)
    yield _engines(league)
    if fewer := lines.fewer(league):
        yield plain_text(fewer, style="dim")
    yield plain_text(lines.NOTE, style="dim")
    if every:
        yield facts([("note", note) for note in lines.notes(league)])


def _figures(table: LeagueTable, every: bool) -> Group:
    """The rows with figures, and below them the engines that have none, each with the reason."""
    grid = _grid(table.profile, lines.COLUMNS)
    ranked = lines.ranked(table)
    for entry in ranked:
        if entry.figures is not None:
            grid.add_row(
                plain_text(lines.name(entry, table), style="bold" if entry.engine == table.base else ""),
                *map(plain_text, lines.cells(entry, table)),
            )
    return Group(grid, *([_others(ranked, every)] if any(entry.figures is None for entry in ranked) else []))


def _others(ranked: list[LeagueEntry], every: bool) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(min_width=_NAME_MIN, max_width=_NAME_MAX, overflow="fold")
    grid.add_column(overflow="fold")
    for entry in ranked:
        if entry.figures is None:
            style = "" if entry.outcome in ("lacking", "not run") else "red"
            grid.add_row(plain_text(entry.engine), plain_text(lines.instead(entry, whole=every), style=style))
    return grid


def _engines(league: League) -> Table:
    grid = _grid(lines.ENGINE_COLUMNS[0], lines.ENGINE_COLUMNS[1:])
    for engine, *cells in lines.engine_rows(league):
        grid.add_row(plain_text(engine), *map(plain_text, cells))
    return grid


def _grid(first: str, others: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="cyan")
    table.add_column(plain_text(first), min_width=_NAME_MIN, max_width=_NAME_MAX, overflow="fold")
    for name in others:
        table.add_column(plain_text(name), justify="right", no_wrap=True)
    return table
