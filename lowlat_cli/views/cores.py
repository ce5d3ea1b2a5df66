"""Transfers between CPUs on the terminal: a matrix, colored by time."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.reports.model.cores import Cores
from lowlat.text import plain_text
from lowlat_cli.views import layout


def cores_view(found: Cores) -> Iterator[RenderableType]:
    """All parts, top to bottom."""
    yield layout.facts(_head(found))
    yield layout.spaced(_matrix(found))
    if notes := list(_notes(found)):
        yield layout.spaced(layout.facts(("note" if not at else "", note) for at, note in enumerate(notes)))


def _head(found: Cores) -> Iterator[tuple[str, str | Text]]:
    yield "platform", found.platform
    yield "pairs", f"{len(found.pairs)} of {comb(found.cpus_chosen, 2):,}, among {units.plural(len(found.cpus), 'CPU')}"
    yield "one way", "nanoseconds: minimum below the diagonal, median above"


def _matrix(found: Cores) -> Table:
    times: dict[tuple[int, int], float | None] = {}
    for pair in found.pairs:
        times[pair.second, pair.first] = pair.min_ns
        times[pair.first, pair.second] = pair.median_ns
    known = [value for value in times.values() if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    names = [str(cpu) for cpu in found.cpus]
    made = layout.table("CPU", *names, right=("CPU", *names))
    for row in found.cpus:
        made.add_row(str(row), *(_cell(times.get((row, column)), low, high, row == column) for column in found.cpus))
    return made


def _cell(value: float | None, low: float, high: float, diagonal: bool) -> Text:
    if value is None:
        return plain_text("" if diagonal else "-")
    share = (value - low) / (high - low) if high > low else 0.0
    red, green = round(255 * min(1.0, 2 * share)), round(255 * min(1.0, 2 - 2 * share))
    return plain_text(f"{value:.0f}", f"black on rgb({red},{green},90)")


def _notes(found: Cores) -> Iterator[str]:
    if found.guest:
        yield "guest view: the hypervisor decides which processors run these CPUs, and may move them"
    if len(found.cpus) < found.cpus_chosen:
        yield f"{len(found.cpus)} of {units.counted(found.cpus_chosen, 'CPU')}, evenly spread; name others with --cpus"
    if any(pair.status != "ok" for pair in found.pairs):
        yield "-: not measured, as other programs kept the two CPUs from running at once; end them and run it again"
    if len(found.pairs) < comb(len(found.cpus), 2):
        yield "interrupted: the other pairs were not measured"
