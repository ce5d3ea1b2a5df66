"""Transfers between CPUs on the terminal: a matrix, colored by time."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat.reports.model.cores import Cores
from lowlat.reports.terminal import cores_lines as lines
from lowlat.text import plain_text
from lowlat_cli.views import layout


def cores_view(found: Cores) -> Iterator[RenderableType]:
    """All parts, top to bottom."""
    yield layout.facts(lines.facts(found))
    yield layout.spaced(_matrix(found))
    if notes := list(lines.notes(found)):
        yield layout.spaced(layout.facts(("note" if not at else "", note) for at, note in enumerate(notes)))


def _matrix(found: Cores) -> Table:
    names = [str(cpu) for cpu in found.cpus]
    made = layout.table("CPU", *names, right=("CPU", *names))
    for row, cells in lines.matrix(found):
        made.add_row(str(row), *map(_colored, cells))
    return made


def _colored(cell: lines.Cell) -> Text:
    if cell.heat is None:
        return plain_text(cell.text)
    red, green = round(255 * min(1.0, 2 * cell.heat)), round(255 * min(1.0, 2 - 2 * cell.heat))
    return plain_text(cell.text, f"black on rgb({red},{green},90)")
