"""Simulated runs on a shared machine: the latencies of a real run, read by a coarse clock, in runs that differ.

The machine's speed wanders and drifts, runs differ, and some of a run's passes have interference with a heavy tail.
`steady_run.json` has the latencies of all commands of a quiet run of `lowlat bench`, measured in steps of 1 ns. They
are scaled to a median of 50 ns, and read by a clock with a step of 10 ns that starts at any phase.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.bench.run_setup import QUIET_PASSES
from lowlat.reports.compare.interpolation import OccupiedBuckets
from lowlat.reports.histogram import hdr_codec

RUNS: Final = 10
PASSES: Final = 5
"""Of a run: its CPU time is that of the pass that took least, its latencies are those of the quieter ones."""
STEP_NS: Final = 10
P50_NS: Final = 50.0
CPU_NS: Final = 25.0
_REAL: Final = json.loads(Path(__file__).with_name("steady_run.json").read_text())
_QUIET: Final = OccupiedBuckets.of(hdr_codec.decode(_REAL["hdr"], (_REAL["min"], _REAL["max"])))
_RANKS: Final = (np.cumsum(_QUIET.counts) - _QUIET.counts / 2) / _QUIET.counts.sum()
_SCALE: Final = P50_NS / _QUIET.percentile(50, 0)
_TAIL: Final = np.clip((_RANKS - 0.9) / 0.09, 0, 1)
"""How far the noise of the tail reaches down: wholly at p99, not at all at p90."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run measured."""

    latencies: OccupiedBuckets
    cpu_ns: float


def sessions(
    number: int, factor: float, *, interleaved: bool = True, passes: int = PASSES
) -> Iterator[tuple[list[Run], list[Run]]]:
    """Ten runs per side, the head slower by the factor; otherwise the same program on the same machine."""
    random = np.random.default_rng(7)
    for _ in range(number):
        body, tail, cpu = _noise(random, passes)
        heads = np.arange(2 * RUNS) >= RUNS
        if interleaved:
            first = random.permutation(np.arange(RUNS) % 2)
            heads = np.stack([first, 1 - first], axis=1).ravel() == 1
        slower = np.where(heads, factor, 1.0)
        runs = [
            _run(slower[slot] * body[slot], tail[slot], CPU_NS * slower[slot] * cpu[slot]) for slot in range(2 * RUNS)
        ]
        yield (
            [run for run, head in zip(runs, heads, strict=True) if not head],
            [run for run, head in zip(runs, heads, strict=True) if head],
        )


def _noise(random: np.random.Generator, passes: int) -> tuple[Numbers, Numbers, Numbers]:
    """Twenty runs in order of time: the factors of all latencies, of those beyond p99 besides, and of CPU time, each of
    shape (runs, passes).
    """
    slots = 2 * RUNS
    wander = np.empty(slots)
    wander[0] = random.normal(0, 0.046)  # where the steps below settle
    for before, now in pairwise(range(slots)):
        wander[now] = 0.9 * wander[before] + random.normal(0, 0.02)
    level = np.exp(wander + np.linspace(0, random.normal(0, 0.08), slots) + random.normal(0, 0.05, slots))
    noisy = random.random((slots, passes)) < 0.12
    body = 1 + noisy * random.random((slots, passes)) * 0.2
    tail = np.exp(random.normal(0, 0.08, slots))[:, None] * (1 + noisy * random.pareto(1.5, (slots, passes)) * 0.4)
    cpu = 1 + noisy * random.random((slots, passes)) * 0.2
    return level[:, None] * body, tail / body, level[:, None] * cpu


def _run(body: Numbers, tail: Numbers, cpu_ns: Numbers) -> Run:
    """A run of passes with these factors. The pass that the clock reads takes as much more CPU time as its latencies
    are longer.
    """
    mean = [float(_QUIET.counts @ (_QUIET.values_ns * b * t**_TAIL)) for b, t in zip(body, tail, strict=True)]
    quiet = np.argsort(mean)[:QUIET_PASSES]
    return Run(_read(body[quiet], tail[quiet]), float(cpu_ns.min()))


def _read(level: Numbers, tail: Numbers) -> OccupiedBuckets:
    """The latencies of a run as the clock shows them: a duration between two steps is read as either, in proportion."""
    steps = (_QUIET.values_ns * _SCALE * level[:, None] * tail[:, None] ** _TAIL / STEP_NS).ravel()
    whole = np.floor(steps)
    values, index = np.unique(np.concatenate([whole, whole + 1]) * STEP_NS, return_inverse=True)
    shares = np.concatenate([1 - (steps - whole), steps - whole])
    counts = np.bincount(index, np.tile(_QUIET.counts, 2 * len(level)) * shares)
    values, counts = values[counts > 0], counts[counts > 0]
    return OccupiedBuckets(values, np.ones(len(values)), counts, (int(values[0]), int(values[-1])))
