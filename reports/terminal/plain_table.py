"""The plain table of all terminal output: no rules, headings in color."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.table import Table

from lowlat.text import plain_text

LABEL_WIDTH: Final = 12


def table(*columns: str, right: Iterable[str] = (), wrap: Iterable[str] = ()) -> Table:
    """An empty table with these headings. Numbers are right-aligned; `wrap` names columns that may wrap."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
    for name in columns:
        made.add_column(
            plain_text(name),
            justify="right" if name in right else "left",
            no_wrap=name not in wrap,
            overflow="fold",
            min_width=LABEL_WIDTH if name == columns[0] else None,
        )
    return made
