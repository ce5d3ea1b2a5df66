"""Jitter on the terminal: what each CPU loses, and to what."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table

from lowlat import units
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.terminal import jitter_lines as lines
from lowlat.reports.terminal import jitter_table
from lowlat.text import plain_text
from lowlat_cli.views import layout

CAUSES_SHOWN, CPUS_SHOWN, LONGEST_SHOWN = 8, 16, 5


def jitter_view(found: Jitter, *, verbose: bool) -> Iterator[RenderableType]:
    """All parts, top to bottom; `verbose`: every CPU and cause, and the longest gaps."""
    yield layout.facts(lines.facts(found))
    yield layout.spaced(jitter_table.by_cpu(found, None if verbose else CPUS_SHOWN))
    if found.mode == "gaps":
        yield layout.spaced(jitter_table.by_cause(found, None if verbose else CAUSES_SHOWN))
        if verbose:
            yield layout.spaced(_longest(found))
    if notes := list(_notes(found, verbose=verbose)):
        yield layout.spaced(layout.facts(("note" if not at else "", note) for at, note in enumerate(notes)))


def _longest(found: Jitter) -> Table:
    made = layout.table(
        "longest gaps",
        "CPU",
        "at",
        "cause",
        "counters that moved",
        right=("CPU", "at"),
        wrap=("cause", "counters that moved"),
    )
    gaps = sorted(((cpu.cpu, gap) for cpu in found.cpus for gap in cpu.longest), key=lambda pair: -pair[1].length_ns)
    for cpu, gap in gaps[: LONGEST_SHOWN * len(found.cpus)]:
        made.add_row(
            units.time(gap.length_ns),
            str(cpu),
            f"{gap.at_ns / 1e9:.3f} s",
            plain_text(gap.cause),
            plain_text(", ".join(gap.moved) or "none", style="dim"),
        )
    return made


def _notes(found: Jitter, *, verbose: bool) -> Iterator[str]:
    hidden = len(found.cpus) - CPUS_SHOWN
    if hidden > 0 and not verbose:
        yield f"{units.plural(hidden, 'more CPU')} that lost less; -v shows all"
    yield from lines.notes(found)
