"""A league as CSV for spreadsheets and data frames: a row for each engine on each flow.

Text that a spreadsheet would take for a formula begins with a quote.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from lowlat.reports.model.league import League, LeagueEntry, LeagueFigures
from lowlat.text import spreadsheet_cell

_FIGURES: Final = tuple(each.name for each in fields(LeagueFigures) if each.name != "interval")
COLUMNS: Final = ("profile", "engine", "outcome", "reason", *_FIGURES, "ratio_low", "ratio_high", "bytes_per_order")
"""A field that does not apply is empty."""


def to_csv(league: League) -> str:
    """The rows, also of engines without figures, which the column `outcome` tells."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _rows(league):
        writer.writerow(
            ["" if cell is None else spreadsheet_cell(cell) if isinstance(cell, str) else cell for cell in row]
        )
    return stream.getvalue()


def _rows(league: League) -> Iterator[list[object]]:
    memory = {engine.name: engine.bytes_per_order for engine in league.engines}
    for table in league.tables:
        for entry in table.entries:
            about = [table.profile, entry.engine, entry.outcome, entry.reason]
            yield [*about, *_figures(entry), memory[entry.engine]]


def _figures(entry: LeagueEntry) -> list[object]:
    figures = entry.figures
    if figures is None:
        return [None] * (len(_FIGURES) + 2)
    return [*(getattr(figures, name) for name in _FIGURES), *(figures.interval or (None, None))]
