"""The tables of jitter on the terminal: what each CPU lost, and to what."""

from __future__ import annotations

from rich.table import Table

from lowlat.reports.model.jitter import UNEXPLAINED, Jitter
from lowlat.reports.terminal import jitter_lines as lines
from lowlat.reports.terminal.plain_table import table
from lowlat.text import plain_text


def by_cpu(found: Jitter, most: int | None = None) -> Table:
    """A row for each CPU; of more than `most`, those that lost the most."""
    columns = lines.cpu_columns(found)
    made = table(*columns, right=columns[1:])
    for row in lines.cpu_rows(found.cpus if most is None else lines.worst_first(found.cpus)[:most]):
        made.add_row(*row)
    return made


def by_cause(found: Jitter, most: int | None = None) -> Table:
    """A row for each cause, at most so many."""
    made = table(*lines.CAUSE_COLUMNS, right=lines.CAUSE_COLUMNS[1:], wrap=lines.CAUSE_COLUMNS[:1])
    for cause, *figures in lines.cause_rows(found)[:most]:
        made.add_row(plain_text(cause, style="bold" if cause.startswith(UNEXPLAINED) else ""), *figures)
    return made
