"""Layout shared by all views: labeled lines, plain tables, and missing values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.reading import Reading
from lowlat.reports.terminal.plain_table import LABEL_WIDTH, table
from lowlat.text import plain_text

__all__ = ["cpus", "facts", "groups", "missing", "size", "spaced", "table", "text_of"]


def facts(rows: Iterable[tuple[str, str | Text | None]]) -> Table:
    """Labels with their lines, wrapped beside the label; rows without a line are omitted."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="cyan", no_wrap=True, min_width=LABEL_WIDTH)
    grid.add_column(overflow="fold")
    for label, line in rows:
        if line:
            grid.add_row(plain_text(label), line if isinstance(line, Text) else plain_text(line))
    return grid


def spaced(thing: RenderableType) -> Padding:
    """The renderable with a blank line above."""
    return Padding(thing, (1, 0, 0, 0))


def missing(reading: Reading[Any]) -> Text:
    """The reason why a value is missing."""
    return plain_text(reading.text, style="dim")


def size(count: int | None) -> str:
    """A size in the largest unit that divides it evenly; `?` if unknown."""
    return "?" if count is None else units.whole_size(count)


def cpus(listed: Iterable[int]) -> str:
    """A CPU list as the kernel writes it, `none` for the empty set."""
    return format_cpu_list(listed) or "none"


def groups(listed: Sequence[tuple[int, ...]]) -> str:
    """CPUs of each group, such as a core. Three or more that go on in equal steps are short: `0,64 to 31,95`."""
    parts: list[str] = []
    start = 0
    while start < len(listed):
        end = start
        while end + 1 < len(listed) and _follows(listed[end], listed[end + 1]):
            end += 1
        if end - start < 2:
            parts += map(cpus, listed[start : end + 1])
        else:
            parts.append(f"{cpus(listed[start])} to {cpus(listed[end])}")
        start = end + 1
    return " | ".join(parts)


def _follows(group: tuple[int, ...], following: tuple[int, ...]) -> bool:
    """Whether a group has the next CPUs: each one higher, or all of them after a row without a gap."""
    steps = {after - before for before, after in zip(group, following, strict=False)}
    in_a_row = group[-1] - group[0] + 1 == len(group)
    return len(group) == len(following) and (steps == {1} or (in_a_row and steps == {len(group)}))


def text_of(reading: Reading[str]) -> str | Text:
    """The value, or the reason why it is missing."""
    return reading.value if reading.value is not None else missing(reading)
