"""The cache line size: reported by the system, measured on the processor, and whether the two agree.

Two independent measurements. The granule of `clflush`: the distance from a flushed address within which loads are
slow. False sharing: the distance between two words at which two threads can write them without slowing each other
down. Prefetchers are reported separately: a pair prefetch makes 128 bytes the safe distance on a 64-byte line.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Amount, Count, Positive, Share
from lowlat.documents import document_fields
from lowlat.probes import _core
from lowlat.probes.cpu.affinity import affinity_of, check_cpus, pinned
from lowlat.probes.reading import Reading, known, not_applicable, unknown
from lowlat.probes.topology import Topology, read_topology

FLUSH_SAMPLES = 200
PREFETCH_SAMPLES = 200
SLICE_S = 100e-6
"""One slice of false sharing; with 8 distances and 11 good slices of each, 9 ms on a quiet host."""
SHARING_LIMIT_S = 1.0

CONTRAST_MIN = 2.0
"""Slow over fast below which a measurement decides nothing; seen are 7 for flush, 4 for sharing."""

PREFETCH_RATE = 0.5
"""Share of touches above which a neighbor counts as prefetched, and by which two alignments must differ."""


@dataclass(frozen=True, slots=True)
class ReportedLine:
    """One source's opinion of the line's size, in bytes."""

    name: Annotated[str, Meta(description="The source, e.g. sysfs")]
    line_bytes: Annotated[Reading[Positive], Meta(description="Size of a line as it says, bytes")]


@dataclass(frozen=True, slots=True)
class Prefetch:
    """Which neighbors of a touched line come along. Rates are from 0 to 1.

    `pair`: the other half of an aligned pair of lines comes, so the line before comes at one alignment only.
    `next_line`: the line after comes across the border of a pair. `previous_line`: the line before comes at
    both alignments, as with prefetchers that follow the latest direction.
    """

    pair: Annotated[bool, Meta(description="Whether the other half of an aligned pair of lines comes along")]
    next_line: Annotated[bool, Meta(description="Whether the line after comes across the border of a pair")]
    previous_line: Annotated[bool, Meta(description="Whether the line before comes at both alignments")]
    lower_half_previous_rate: Annotated[
        Share, Meta(description="Share of touches of a pair's lower half after which the line before had come")
    ]
    lower_half_next_rate: Annotated[Share, Meta(description="The same for the line after")]
    upper_half_previous_rate: Annotated[
        Share, Meta(description="Share of touches of a pair's upper half after which the line before had come")
    ]
    upper_half_next_rate: Annotated[Share, Meta(description="The same for the line after")]


@document_fields(first=("line_bytes", "disagreements"))
@dataclass(frozen=True, slots=True)
class CacheLine:
    """The cache line reported and measured. Times are medians in ns, by distance in bytes."""

    reported: Annotated[tuple[ReportedLine, ...], Meta(description="What the system reports, source by source")]
    flush_granule_bytes: Annotated[Reading[Positive], Meta(description="What one clflush flushes, bytes")]
    flush_times_ns: Annotated[
        dict[int, Amount],
        Meta(description="Nanoseconds of a load after a flush, median, by distance in bytes from what was flushed"),
    ]
    sharing_granule_bytes: Annotated[
        Reading[Positive], Meta(description="Distance from which on two threads do not slow each other down, bytes")
    ]
    sharing_times_ns: Annotated[
        dict[int, Amount],
        Meta(description="Nanoseconds of a write beside another thread's, median, by distance in bytes of the two"),
    ]
    sharing_cpus: Annotated[tuple[Count, ...], Meta(description="The CPUs of these two threads")]
    sharing_slices_dropped: Annotated[Count, Meta(description="Time slices left out because they were interrupted")]
    prefetch: Annotated[Reading[Prefetch], Meta(description="Which neighbors of a touched line come along")]

    @property
    def line_bytes(self) -> Positive | None:
        """Best answer, bytes: measured by flush, else by sharing, else the first report; null without any."""
        readings = (
            self.flush_granule_bytes,
            self.sharing_granule_bytes,
            *(r.line_bytes for r in self.reported),
        )
        return next((reading.value for reading in readings if reading.value is not None), None)

    @property
    def disagreements(self) -> tuple[str, ...]:
        """One line for each source that differs from the best answer."""
        named = (
            ("clflush granule", self.flush_granule_bytes),
            ("false sharing", self.sharing_granule_bytes),
            *((report.name, report.line_bytes) for report in self.reported),
        )
        best = self.line_bytes
        return tuple(
            f"{name} says {reading.value} bytes, not {best}"
            for name, reading in named
            if reading.value is not None and reading.value != best
        )


def reported_lines(topology: Topology | None = None) -> tuple[ReportedLine, ...]:
    """What sysfs, CPUID or CTR_EL0, and `getconf` report for the running host."""
    return (
        ReportedLine("sysfs", _from_sysfs(topology or read_topology())),
        ReportedLine("cpuid-clflush", _from_cpuid_clflush()),
        ReportedLine("cpuid-cache", _from_cpuid_cache()),
        ReportedLine("ctr_el0", _from_register()),
        ReportedLine("getconf", _from_getconf()),
    )


def _from_sysfs(topology: Topology) -> Reading[int]:
    source = topology.caches.source
    sizes = {
        cache.line_bytes
        for cache in topology.caches.value or ()
        if cache.level == 1 and cache.type in ("Data", "Unified") and cache.line_bytes is not None
    }
    if not sizes:
        return not_applicable(source, topology.caches.reason or "no level 1 data cache reports its line size")
    if len(sizes) > 1:
        return unknown(source, f"cores differ: {', '.join(map(str, sorted(sizes)))} bytes")
    return known(sizes.pop(), source)


def _from_cpuid_clflush() -> Reading[int]:
    """Intel SDM vol. 2A, CPUID leaf 1: EBX bits 15-8, in units of 8 bytes."""
    leaf = _core.cpuid(1)
    source = "CPUID leaf 1, EBX bits 15-8"
    if leaf is None:
        return not_applicable(source, "this processor is not x86-64")
    line_bytes = (leaf[1] >> 8 & 0xFF) * 8
    return known(line_bytes, source) if line_bytes else unknown(source, "the field is 0")


def _from_cpuid_cache() -> Reading[int]:
    """Leaf 4 on Intel, 0x8000001D on AMD: EAX bits 4-0 type (1 data), 7-5 level; EBX bits 11-0 line - 1."""
    for number in (4, 0x8000001D):
        source = f"CPUID leaf {number:#x}"
        for index in range(16):
            leaf = _core.cpuid(number, index)
            if leaf is None or leaf[0] & 0x1F == 0:
                break
            if leaf[0] & 0x1F == 1 and leaf[0] >> 5 & 7 == 1:
                return known((leaf[1] & 0xFFF) + 1, source)
    return not_applicable("CPUID leaves 0x4 and 0x8000001d", "neither leaf describes a data cache here")


def _from_register() -> Reading[int]:
    line_bytes = _core.line_bytes_of_register()
    if not line_bytes:
        return not_applicable("CTR_EL0.DminLine", "this is not aarch64 Linux")
    return known(line_bytes, "CTR_EL0.DminLine")


def _from_getconf() -> Reading[int]:
    source = "getconf LEVEL1_DCACHE_LINESIZE"
    line_bytes = _core.line_bytes_of_libc()  # Python's os.sysconf does not know the name
    if line_bytes is None:
        return not_applicable(source, "the C library does not know this name")
    return known(line_bytes, source) if line_bytes > 0 else unknown(source, f"it prints {line_bytes}")


def measure_cache_line(
    frequency_hz: float, cpus: tuple[int, int] | None = None, topology: Topology | None = None
) -> CacheLine:
    """Measure the cache line of the running host, in about 20 ms on a quiet host and at most 1.1 s.

    `frequency_hz` is the counter's, from a calibration. `cpus` are the two CPUs for the false sharing test; by default,
    two allowed CPUs on different cores. Raises `AffinityError` for CPUs that cannot be used.
    """
    if cpus is not None:
        check_cpus(cpus)
    topology = topology or read_topology()
    pair = cpus or choose_pair(topology)
    ns_per_tick = 1e9 / frequency_hz
    flush = _flush_times(pair)
    sharing, sharing_times, dropped = _sharing(pair, frequency_hz, topology)
    return CacheLine(
        reported=reported_lines(topology),
        flush_granule_bytes=_flush_granule(flush),
        flush_times_ns={d: t * ns_per_tick for d, t in zip(flush.distances, flush.median_ticks, strict=True)},
        sharing_granule_bytes=sharing,
        sharing_times_ns=sharing_times,
        sharing_cpus=pair,
        sharing_slices_dropped=dropped,
        prefetch=_prefetch(pair, flush),
    )


def choose_pair(topology: Topology, first: int | None = None) -> tuple[int, ...]:
    """Choose two allowed CPUs on different cores, on one node if possible; else the best available.

    `first`: an allowed CPU that must come first.
    """
    allowed = sorted(topology.cpu_sets.allowed, key=lambda cpu: (cpu != first, -cpu))
    if len(allowed) < 2:
        return tuple(allowed)
    first = allowed[0]
    others = [cpu for cpu in allowed if cpu not in topology.siblings_of(first)]
    near = [cpu for cpu in others if topology.node_of(cpu) == topology.node_of(first)]
    return (first, (near or others or allowed[1:])[0])


def _flush_times(pair: tuple[int, ...]) -> _core.FlushTimes:
    with pinned(pair[:1] or affinity_of()):
        return _core.measure_flush_times(FLUSH_SAMPLES)


def _flush_granule(flush: _core.FlushTimes) -> Reading[int]:
    source = "measured: granule of clflush"
    if not _core.CAN_FLUSH_LINES:
        return not_applicable(source, "only x86-64 flushes lines without privilege")
    times = dict(zip(flush.distances, map(float, flush.median_ticks), strict=True))
    return granule(times, flush.miss_ticks, flush.hit_ticks, source)


def granule(times: Mapping[int, float], slow: float, fast: float, source: str) -> Reading[int]:
    """Find the smallest distance from which all times are nearer to `fast` than to `slow`, by ratio.

    Unknown when slow and fast differ by less than `CONTRAST_MIN`, or when there is no such distance.
    """
    if fast <= 0.0 or slow / fast < CONTRAST_MIN:
        return unknown(source, f"slow and fast differ too little: {slow:.1f} and {fast:.1f}")
    border = math.sqrt(slow * fast)
    ordered = sorted(times)
    is_fast = [times[distance] < border for distance in ordered]
    if not any(is_fast) or any(before and not after for before, after in pairwise(is_fast)):
        return unknown(source, "times do not drop in one step as the distance grows")
    return known(ordered[is_fast.index(True)], source)


def _sharing(
    pair: tuple[int, ...], frequency_hz: float, topology: Topology
) -> tuple[Reading[int], dict[int, float], int]:
    source = "measured: false sharing between two pinned threads"
    if len(pair) < 2:
        return not_applicable(source, "only one CPU is available to this process; false sharing needs two"), {}, 0
    costs = _core.measure_sharing_costs(pair[0], pair[1], round(SLICE_S * frequency_hz), round(SHARING_LIMIT_S * 1e9))
    if costs.error:
        return unknown(source, f"no threads on CPUs {pair}: {os.strerror(costs.error)}"), {}, 0
    times = dict(zip(costs.distances, costs.ticks_per_write, strict=True))
    in_ns = {distance: cost * 1e9 / frequency_hz for distance, cost in times.items()}
    if min(times.values()) <= 0.0:
        reason = (
            f"CPUs {pair[0]} and {pair[1]} were too busy: {units.plural(costs.slices_dropped, 'slice')} interrupted"
        )
        return unknown(source, reason), in_ns, costs.slices_dropped
    found = granule(times, times[min(times)], times[max(times)], source)
    if found.value is None and pair[1] in topology.siblings_of(pair[0]):
        found = unknown(source, f"CPUs {pair[0]} and {pair[1]} are one core and share its cache")
    return found, in_ns, costs.slices_dropped


def _prefetch(pair: tuple[int, ...], flush: _core.FlushTimes) -> Reading[Prefetch]:
    source = "measured: lines next to a touched line"
    line_bytes = _flush_granule(flush).value
    if line_bytes is None:
        return not_applicable(source, "the line size could not be measured by flushing")
    with pinned(pair[:1] or affinity_of()):
        border = round(math.sqrt(flush.hit_ticks * flush.miss_ticks))
        rates = _core.measure_prefetch_rates(line_bytes, border, PREFETCH_SAMPLES)
    return known(classify_prefetch(rates), source)


def classify_prefetch(rates: _core.PrefetchRates) -> Prefetch:
    """Identify the prefetchers from the rates at the two positions of a line in its pair."""
    pair = rates.upper_half_previous - rates.lower_half_previous > PREFETCH_RATE
    return Prefetch(
        pair=pair,
        next_line=rates.upper_half_next > PREFETCH_RATE,
        previous_line=rates.lower_half_previous > PREFETCH_RATE / 2 and not pair,
        lower_half_previous_rate=rates.lower_half_previous,
        lower_half_next_rate=rates.lower_half_next,
        upper_half_previous_rate=rates.upper_half_previous,
        upper_half_next_rate=rates.upper_half_next,
    )
