"""Measures how long a cache line takes from one CPU to another, for pairs of CPUs, one pair after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from lowlat.probes import _core
from lowlat.probes.cpu.native_threads import check_ran, waiting_elsewhere

CPUS_MAX: Final = 16
_PREHEAT_NS: Final = 20_000_000
_LIMIT_NS: Final = 400_000_000
_BLOCKS: Final = 200
_ROUNDS: Final = 200


@dataclass(frozen=True, slots=True)
class PairTransfer:
    """One way between two CPUs; without figures if the two never ran at once for a block."""

    first: int
    second: int
    blocks: int
    min_ns: float | None
    median_ns: float | None


def sampled_cpus(cpus: Sequence[int]) -> tuple[int, ...]:
    """All of them, or `CPUS_MAX` of many: neighbors, evenly spread.

    By the usual ways of numbering, neighbors share a core or a cache, and CPUs far apart do not.
    """
    if len(cpus) <= CPUS_MAX:
        return tuple(cpus)
    starts = (at * len(cpus) // (CPUS_MAX // 2) for at in range(CPUS_MAX // 2))
    return tuple(cpus[start + step] for start in starts for step in (0, 1))


def measure_pairs(
    cpus: Sequence[int], clock_hz: float, progress: Callable[[str, float], None]
) -> tuple[list[PairTransfer], bool]:
    """Every pair of these CPUs, and whether Ctrl-C ended it early.

    Raises `AffinityError` if a thread cannot run on its CPU.
    """
    pairs = list(combinations(cpus, 2))
    found: list[PairTransfer] = []
    try:
        for first, second in pairs:
            progress(f"CPU {first} and {second}", len(found) / len(pairs))
            found.append(_measured(first, second, clock_hz))
    except KeyboardInterrupt:
        return found, True
    return found, False


def _measured(first: int, second: int, clock_hz: float) -> PairTransfer:
    with waiting_elsewhere((first, second)):
        native = _core.measure_line_transfer(first, second, _PREHEAT_NS, _LIMIT_NS, _BLOCKS, _ROUNDS)
    check_ran(f"{first} or {second}", native.error)
    one_way_ns = np.asarray(native.one_way_ticks) * 1e9 / clock_hz
    if not len(one_way_ns):
        return PairTransfer(first, second, 0, None, None)
    return PairTransfer(first, second, len(one_way_ns), float(one_way_ns.min()), float(np.median(one_way_ns)))
