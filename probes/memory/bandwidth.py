"""Memory bandwidth: threads that read, write or copy at once, each in memory of its own node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from lowlat import units
from lowlat.probes import _core
from lowlat.probes.cpu.native_threads import check, waiting_elsewhere
from lowlat.probes.memory.region import Region, open_region
from lowlat.probes.memory.sites import Site
from lowlat.probes.topology import Topology

THREAD_BYTES_MIN: Final = 128 << 10
"""The smallest memory of a thread: two stretches of `memory_bandwidth.hpp`, of which a copy needs both."""
_CALL_MAX_NS: Final = 2_000_000_000
"""Ctrl-C is heard between calls."""
_EVERY_COUNT_TO: Final = 8
_MEBIBYTE: Final = 1 << 20


class MemoryWork(IntEnum):
    """What threads do; the values are those of `memory_bandwidth.hpp`."""

    READ = 0
    WRITE = 1
    COPY = 2


@dataclass(frozen=True, slots=True)
class ThreadMemory:
    """A thread's CPU, and the memory that it works on."""

    cpu: int
    address: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ThreadRates:
    """Bytes a second of all threads together, by work; of each thread, that of its median block."""

    threads: tuple[ThreadMemory, ...]
    bytes_per_s: dict[MemoryWork, float]


def cores_first(topology: Topology, cpus: Sequence[int], node: int | None) -> tuple[int, ...]:
    """CPUs in the order in which threads are added: the cores of the node, other cores, then their other threads."""
    in_core: Counter[tuple[int, ...]] = Counter()
    rank = {}
    for cpu in cpus:
        core = topology.siblings_of(cpu)
        rank[cpu] = (in_core[core], topology.node_of(cpu) != node, cpu)
        in_core[core] += 1
    return tuple(sorted(cpus, key=rank.__getitem__))


def thread_counts(cpus: int) -> tuple[int, ...]:
    """Every count up to 8, then twice as many each time, and all."""
    doubled = (_EVERY_COUNT_TO << step for step in range(1, cpus.bit_length()))
    return tuple(sorted({*range(1, min(cpus, _EVERY_COUNT_TO) + 1), *(n for n in doubled if n < cpus), cpus}))


def measure_by_threads(
    topology: Topology,
    cpus: Sequence[int],
    sites: Sequence[Site],
    limit_bytes: int,
    duration_ns: int,
    progress: Callable[[str, float], None],
) -> Iterator[ThreadRates]:
    """One thread, two, and so on, on CPUs in this order; all their memory together is at most the limit.

    Numbers of threads are left out whose memory cannot be had, or is less than `THREAD_BYTES_MIN` each.

    Raises `AffinityError` if a thread cannot run on its CPU.
    """
    homes = [_home(topology, cpu, sites) for cpu in cpus]
    progress("bandwidth", 0.0)
    used = tuple(dict.fromkeys(homes))
    regions = {site: _any_pages(min(limit_bytes // len(used), site.bytes_max), site) for site in used}
    counts = thread_counts(len(cpus))
    for at, count in enumerate(counts):
        progress(f"bandwidth: {units.plural(count, 'thread')}", at / len(counts))
        own = [region for home in homes[:count] if (region := regions[home]) is not None]
        threads = shares(cpus[:count], own) if len(own) == count else ()
        if threads and all(each.size_bytes for each in threads):
            yield measure_rates(threads, MemoryWork, duration_ns // len(counts))


def measure_rates(
    threads: Sequence[ThreadMemory], works: Sequence[MemoryWork] | type[MemoryWork], duration_ns: int
) -> ThreadRates:
    """All threads at once, one kind of work after the other."""
    memory = [(each.cpu, each.address, each.size_bytes) for each in threads]
    rates: dict[MemoryWork, float] = {}
    with waiting_elsewhere([each.cpu for each in threads]):
        for work in works:
            found = _core.measure_bandwidth(memory, int(work), min(duration_ns // len(works), _CALL_MAX_NS))
            for thread, each in zip(threads, found, strict=True):
                check(thread.cpu, each.errors)
            rates[work] = sum(_MEBIBYTE * 1e9 / float(np.median(each.ns_of_mebibyte)) for each in found)
    return ThreadRates(tuple(threads), rates)


def shares(cpus: Sequence[int], regions: Sequence[Region]) -> tuple[ThreadMemory, ...]:
    """Threads on CPUs, each with its part of the region at the same place; those of one region share it evenly."""
    users = Counter(region.native.address for region in regions)
    taken: Counter[int] = Counter()
    found = []
    for cpu, region in zip(cpus, regions, strict=True):
        start = region.native.address
        size_bytes = region.native.bytes // users[start] // THREAD_BYTES_MIN * THREAD_BYTES_MIN
        found.append(ThreadMemory(cpu, start + taken[start] * size_bytes, size_bytes))
        taken[start] += 1
    return tuple(found)


def _home(topology: Topology, cpu: int, sites: Sequence[Site]) -> Site:
    """The site of a CPU's own node; the first where its node has no memory."""
    node = topology.node_of(cpu)
    return next((site for site in sites if site.node == node), sites[0])


def _any_pages(size_bytes: int, site: Site) -> Region | None:
    huge = open_region(size_bytes, "huge", site.node_to_bind)
    return huge.value or open_region(size_bytes, "base", site.node_to_bind).value
