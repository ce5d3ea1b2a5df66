"""Jitter documents of made-up gaps, by the path that measured ones take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lowlat.engine.bench.jitter import of_gaps
from lowlat.probes.jitter.causes import CounterKind, KernelCounter
from lowlat.probes.jitter.gaps import GapRecording
from lowlat.probes.jitter.periods import periods_of
from lowlat.reports.model.jitter import CpuJitter, Jitter, longest_kept

COUNTERS = (
    KernelCounter(CounterKind.INTERRUPT, "LOC", "Local timer interrupts"),
    KernelCounter(CounterKind.THREAD, "involuntary switches", ""),
    KernelCounter(CounterKind.SOFTIRQ, "SCHED", ""),
)
"""By index, what a gap is explained by; -1: nothing."""

Gap = tuple[int, int, int]
"""Begin and length in nanoseconds, and the counter that moved."""


def recording(cpu: int, gaps: Sequence[Gap], duration_s: float = 1.0) -> GapRecording:
    """The gaps of a CPU, one counter at most moving in each."""
    begin, length, cause = np.array(gaps, np.int64).reshape(-1, 3).T
    return GapRecording(
        cpu=cpu,
        begin_ns=begin,
        length_ns=length,
        cause=cause.astype(np.int32),
        counters=COUNTERS,
        moves=np.array([(at, 1) for at in cause.tolist() if at >= 0], np.uint32).reshape(-1, 2),
        moves_end=np.cumsum(cause >= 0),
        watched_ns=round(duration_s * 1e9),
        reading_ns=np.zeros(len(begin), np.int64),
        period_ns=periods_of(begin, length, np.zeros(len(begin), np.int64), cause < 0),
        threshold_ns=100.0,
        typical_ns=12.5,
        read_ns=20.0,
        complete=True,
        missing=(),
    )


def every(step_ns: int, length_ns: int, cause: int, duration_s: float = 1.0) -> list[Gap]:
    """A gap every so often, one nanosecond longer each time."""
    starts = range(step_ns // 2, round(duration_s * 1e9), step_ns)
    return [(begin, length_ns + at, cause) for at, begin in enumerate(starts)]


def watched(*cpus: Sequence[Gap], duration_s: float = 1.0) -> Jitter:
    """CPU 0, 1 ... with these gaps."""
    kept = longest_kept(len(cpus))
    found = (of_gaps(recording(cpu, sorted(gaps), duration_s), kept) for cpu, gaps in enumerate(cpus))
    return document(*found, duration_s=duration_s)


def document(*cpus: CpuJitter, duration_s: float = 1.0) -> Jitter:
    """All of it, ended as asked for."""
    return Jitter(
        status="ok",
        mode="gaps",
        platform="KVM guest",
        started="2026-11-23T06:00:00.250000Z",
        duration_s=duration_s,
        interval_ns=None,
        fifo=None,
        clock_hz=1e9,
        sources=(),
        missing=("/proc/softirqs: Permission denied",),
        cpus=cpus,
    )
