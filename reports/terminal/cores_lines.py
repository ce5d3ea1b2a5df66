"""Transfers between CPUs in words, for the terminal, Markdown and pages: the matrix, and its notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

from lowlat import units
from lowlat.reports.model.cores import Cores


@dataclass(frozen=True, slots=True)
class Cell:
    """One way between two CPUs."""

    text: str
    """Nanoseconds; `-` if not measured, empty on the diagonal."""
    heat: float | None
    """From 0, the shortest of the matrix, to 1, the longest; None without a time."""


def facts(found: Cores) -> Iterator[tuple[str, str]]:
    """Where and what was measured, each with its label."""
    yield "platform", found.platform
    yield "pairs", f"{len(found.pairs)} of {comb(found.cpus_chosen, 2):,}, among {units.plural(len(found.cpus), 'CPU')}"
    yield "one way", "nanoseconds: minimum below the diagonal, median above"


def matrix(found: Cores) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    """A row for each CPU, with a cell for each other one."""
    times: dict[tuple[int, int], float | None] = {}
    for pair in found.pairs:
        times[pair.second, pair.first] = pair.min_ns
        times[pair.first, pair.second] = pair.median_ns
    known = [value for value in times.values() if value is not None]
    least, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)

    def cell(row: int, column: int) -> Cell:
        value = times.get((row, column))
        if value is None:
            return Cell("" if row == column else "-", None)
        return Cell(f"{value:.0f}", (value - least) / span if span else 0.0)

    for row in found.cpus:
        yield row, tuple(cell(row, column) for column in found.cpus)


def notes(found: Cores) -> Iterator[str]:
    """What the figures do not say."""
    if found.guest:
        yield "guest view: the hypervisor decides which processors run these CPUs, and may move them"
    if len(found.cpus) < found.cpus_chosen:
        yield f"{len(found.cpus)} of {units.counted(found.cpus_chosen, 'CPU')}, evenly spread; name others with --cpus"
    if any(pair.status != "ok" for pair in found.pairs):
        yield "-: not measured, as other programs kept the two CPUs from running at once; end them and run it again"
    if len(found.pairs) < comb(len(found.cpus), 2):
        yield "interrupted: the other pairs were not measured"
