"""The latency of each cache and of memory, in a second: loads from half the reported size, where no size is in doubt.

`lowlat memory` measures all sizes, and so finds where a cache really ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive
from lowlat.probes.cpu.affinity import pinned
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.memory.available import available_memory
from lowlat.probes.memory.chase import Chase, data_caches, line_bytes_of
from lowlat.probes.memory.region import open_region
from lowlat.probes.reading import Reading, known, unknown
from lowlat.probes.topology import Topology

DURATION_NS: Final = 40_000_000
"""For each level, besides the preparation of the memory."""
SIZE_MAX_BYTES: Final = 640 << 20
MISSING_MIN: Final = 2
"""Memory is what is loaded from at least so many times the last cache."""
_MISSING: Final = 4
_SHARE_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class LevelLatency:
    """A cache, or the memory behind all caches."""

    name: Annotated[str, Meta(description="e.g. L1d, L2, L3, or memory")]
    reported_bytes: Annotated[Positive | None, Meta(description="Size as reported, bytes; null for memory")]
    loaded_bytes: Annotated[Positive, Meta(description="Size of the memory that was loaded from, bytes")]
    cpu: Annotated[Count, Meta(description="The CPU that loads")]
    pages: Annotated[Literal["huge", "base"], Meta(description="Kind of pages")]
    min_ns: Annotated[Amount, Meta(description="A load in the fastest sample, nanoseconds")]
    median_ns: Annotated[Amount, Meta(description="A load in the median sample, nanoseconds")]


def measure_levels(topology: Topology, clock_hz: float, tree: HostTree = LIVE) -> Reading[tuple[LevelLatency, ...]]:
    """Loads of the highest CPU that this process may use, from half of each of its caches, and from memory.

    Raises `AffinityError` if this thread cannot run on the CPU.
    """
    source = "measured: loads in random order"
    cpu = max(topology.cpu_sets.allowed)
    caches = data_caches(topology, cpu)
    available = available_memory(tree)
    if available.value is None or not caches:
        return unknown(source, topology.caches.reason or available.reason or "no cache that holds data tells its size")
    usable = min(available.value // _SHARE_MAX, SIZE_MAX_BYTES)
    sizes = [(name, size, loaded) for name, size, loaded in _sizes(topology, cpu, usable) if loaded <= usable]
    if not sizes:
        return unknown(source, f"too little memory is available ({available.source})")
    with pinned((cpu,)):
        huge = open_region(sizes[-1][2], "huge", None, tree)
        region = huge if huge.value is not None else open_region(sizes[-1][2], "base", None, tree)
        if region.value is None:
            return unknown(source, region.reason or "")
        chase = Chase(region.value, line_bytes_of(caches), clock_hz)
        found = []
        for name, size_bytes, loaded_bytes in sizes:
            load = chase.measure(loaded_bytes, DURATION_NS)
            pages: Literal["huge", "base"] = "base" if huge.value is None else "huge"
            found.append(LevelLatency(name, size_bytes, loaded_bytes, cpu, pages, load.min_ns, load.median_ns))
    return known(tuple(found), source)


def _sizes(topology: Topology, cpu: int, usable: int) -> Iterator[tuple[str, int | None, int]]:
    """Name, reported size, and the size to load from; in ascending order."""
    last = 0
    for cache in data_caches(topology, cpu):
        size_bytes = cache.size_bytes or 0
        if size_bytes // 2 > last:
            yield cache.name, size_bytes, size_bytes // 2
        last = max(last, size_bytes)
    behind = min(_MISSING * last, usable)
    if behind >= MISSING_MIN * last:
        yield "memory", None, behind
