"""A league as Markdown, for a pull request or a comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lowlat.reports.model.league import League, LeagueTable
from lowlat.reports.outputs.comparison_markdown import plain, row
from lowlat.reports.terminal import league_lines as lines


def to_markdown(league: League) -> str:
    """The league, with headings from `###` to fit into a page; a table for each flow, the fastest engine first."""
    return "\n".join(_lines(league)) + "\n"


def _lines(league: League) -> Iterator[str]:
    yield f"### lowlat: league of {len(league.engines)}"
    yield ""
    if status := lines.status(league):
        yield f"> **{plain(status)}**"
        yield ""
    yield plain(lines.title(league))
    for table in league.tables:
        yield ""
        yield f"#### {plain(table.profile)}"
        yield ""
        yield from _figures(table)
    yield ""
    yield from _head(lines.ENGINE_COLUMNS)
    yield from map(row, lines.engine_rows(league))
    yield ""
    yield f"- {plain(lines.NOTE)}"
    yield from (f"- {plain(line)}" for line in (lines.fewer(league), lines.host(league)) if line)
    yield from (f"- note: {plain(note)}" for note in lines.notes(league))


def _figures(table: LeagueTable) -> Iterator[str]:
    yield from _head(("engine", *lines.COLUMNS))
    for entry in lines.ranked(table):
        if entry.figures is None:
            missing = lines.instead(entry, whole=True)
            yield row([entry.engine, missing, *[""] * (len(lines.COLUMNS) - 1)])
        else:
            yield row([lines.name(entry, table), *lines.cells(entry, table)])


def _head(columns: Sequence[str]) -> Iterator[str]:
    yield row(columns)
    yield f"|---|{'--:|' * (len(columns) - 1)}"
