"""A latency ladder of one site: the memory of a node, on pages of one kind, from one CPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lowlat.probes.cpu.affinity import pinned
from lowlat.probes.memory.chase import Chase, LoadTime, ladder_sizes
from lowlat.probes.memory.region import PAGES_IN_WORDS, Pages, Region, open_region
from lowlat.probes.memory.sites import Site
from lowlat.probes.reading import Reading


@dataclass(frozen=True, slots=True)
class LadderPlan:
    """How a ladder is measured."""

    limit_bytes: int
    line_bytes: int
    duration_ns: int
    """Of all sizes together, without the preparation of the memory."""
    clock_hz: float


@dataclass(frozen=True, slots=True)
class LadderTimes:
    """Loads by size; without points if there is no such memory."""

    site: Site
    pages: Pages
    region: Reading[Region]
    points: tuple[LoadTime, ...]
    interrupted: bool
    """Whether Ctrl-C ended it before the last size."""


def measure_ladder(site: Site, pages: Pages, plan: LadderPlan, progress: Callable[[str, float], None]) -> LadderTimes:
    """All sizes up to the limit, or to half of what the node has free.

    Raises `AffinityError` if this thread cannot run on the CPU.
    """
    limit_bytes = min(plan.limit_bytes, site.bytes_max)
    name = PAGES_IN_WORDS[pages] if site.node is None else f"node {site.node}, {PAGES_IN_WORDS[pages]}"
    progress(name, 0.0)
    with pinned((site.cpu,)):
        region = open_region(limit_bytes, pages, site.node_to_bind)
        if region.value is None:
            return LadderTimes(site, pages, region, (), interrupted=False)
        sizes = ladder_sizes(limit_bytes)
        points: list[LoadTime] = []
        try:
            chase = Chase(region.value, plan.line_bytes, plan.clock_hz)
            for size_bytes in sizes:
                progress(name, len(points) / len(sizes))
                points.append(chase.measure(size_bytes, plan.duration_ns // len(sizes)))
        except KeyboardInterrupt:
            return LadderTimes(site, pages, region, tuple(points), interrupted=True)
    return LadderTimes(site, pages, region, tuple(points), interrupted=False)
