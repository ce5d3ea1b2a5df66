"""Memory on the terminal: levels first, then pages and bandwidth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.reports.model.memory import Memory
from lowlat.reports.terminal import memory_lines as lines
from lowlat.text import plain_text
from lowlat_cli.views import layout

VERBOSE = "-v also shows every size, every number of threads, and NUMA nodes"


def memory_view(found: Memory, *, verbose: bool) -> Iterator[RenderableType]:
    """All parts, top to bottom; `verbose`: every size and number of threads, and each node from each other."""
    yield layout.facts(lines.facts(found))
    if found.levels:
        yield layout.spaced(_table(lines.LEVEL_COLUMNS, map(_marked, lines.level_rows(found)), left=("level", "")))
    effects = found.page_effects
    if effects:
        shown = effects if verbose else lines.few_effects(found)
        yield layout.spaced(_table(lines.effect_columns(found), lines.effect_rows(shown)))
    if found.bandwidth:
        rates = found.bandwidth if verbose else lines.few_rates(found.bandwidth)
        yield layout.spaced(_table(lines.BANDWIDTH_COLUMNS, lines.bandwidth_rows(rates)))
    if verbose:
        yield from _all(found)
    if notes := list(lines.notes(found)):
        yield layout.spaced(layout.facts(("note" if not at else "", note) for at, note in enumerate(notes)))
    if not verbose:
        yield layout.spaced(plain_text(VERBOSE, style="dim"))


def _all(found: Memory) -> Iterator[RenderableType]:
    if found.nodes:
        yield layout.spaced(_nodes(found))
    for ladder in found.ladders:
        if ladder.points:
            node = "" if ladder.node is None else f"node {ladder.node} "
            yield layout.spaced(plain_text(f"{node}from CPU {ladder.cpu}", style="bold"))
            yield _table(lines.LADDER_COLUMNS, lines.ladder_rows(ladder), left=("pages",))


def _marked(row: tuple[str, ...]) -> tuple[str | Text, ...]:
    name, reported, knee, verdict, *figures = row
    style = {"as reported": "green", "differs": "yellow"}.get(verdict, "dim")
    return name, reported, knee, plain_text(verdict, style=style), *figures


def _table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], left: Sequence[str] = ()) -> Table:
    made = layout.table(*columns, right=[name for name in columns if name not in left])
    for row in rows:
        made.add_row(*row)
    return made


def _nodes(found: Memory) -> Table:
    """A row for the CPUs of each node, a column for the memory of each."""
    having = sorted({each.memory_node for each in found.nodes})
    cells = {
        (each.cpu_node, each.memory_node): f"{units.time(each.min_ns)} {lines.rate(each.read_bytes_per_s)}"
        for each in found.nodes
    }
    names = [f"memory of {node}" for node in having]
    made = layout.table("CPUs of node", *names, right=names)
    for row in sorted({each.cpu_node for each in found.nodes}):
        made.add_row(str(row), *(cells.get((row, node), "-") for node in having))
    return made
