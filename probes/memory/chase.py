"""The latency ladder: how long a load takes that nothing can predict, by the size of the memory it may go to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Final

import numpy as np

from lowlat.probes import _core
from lowlat.probes.memory.region import Region
from lowlat.probes.topology import Topology
from lowlat.probes.topology.model import Cache

SIZE_MIN_BYTES: Final = 4096
POINTS_OF_OCTAVE: Final = 4
SAMPLES_MIN: Final = 5
SAMPLES_MAX: Final = 2_000
LINE_BYTES: Final = 64
"""Where no cache tells its own."""
_PREHEAT_NS: Final = 50_000_000
"""Brings the core out of its sleep and up to its frequency."""


@dataclass(frozen=True, slots=True)
class LoadTime:
    """Loads that may go anywhere in `size_bytes`. Times are of a load, over samples of 8,192."""

    size_bytes: int
    samples: int
    min_ns: float
    median_ns: float


def ladder_sizes(limit_bytes: int) -> tuple[int, ...]:
    """Four sizes in each octave, which include those of most caches, and the limit."""
    quarters = (SIZE_MIN_BYTES << octave for octave in count())
    sizes = (start + start * step // POINTS_OF_OCTAVE for start in quarters for step in range(POINTS_OF_OCTAVE))
    return (*takewhile(lambda size: size < limit_bytes, sizes), limit_bytes)


def data_caches(topology: Topology, cpu: int) -> tuple[Cache, ...]:
    """The caches of a CPU that hold data and have a size, nearest first."""
    found = (
        cache
        for cache in topology.caches.value or ()
        if cache.type != "Instruction" and cache.size_bytes and any(cpu in group for group in cache.instances)
    )
    return tuple(sorted(found, key=lambda cache: cache.level))


def line_bytes_of(caches: Iterable[Cache]) -> int:
    """The largest line of these caches."""
    return max((cache.line_bytes for cache in caches if cache.line_bytes), default=LINE_BYTES)


class Chase:
    """A chain of loads through a region, on the calling thread. Sizes only grow."""

    def __init__(self, region: Region, line_bytes: int, clock_hz: float) -> None:
        self._native = _core.PointerChase(region.native, line_bytes)
        self._clock_hz = clock_hz
        self._native.extend(SIZE_MIN_BYTES)
        self._native.measure(_PREHEAT_NS, 1, SAMPLES_MAX * 10)

    def measure(self, size_bytes: int, duration_ns: int) -> LoadTime:
        """Loads from this size, no smaller than the last."""
        self._native.extend(size_bytes)
        ticks = self._native.measure(duration_ns, SAMPLES_MIN, SAMPLES_MAX)
        times_ns = np.asarray(ticks) * 1e9 / self._clock_hz
        return LoadTime(size_bytes, len(times_ns), float(times_ns.min()), float(np.median(times_ns)))
