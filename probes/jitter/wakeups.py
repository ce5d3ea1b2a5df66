"""Measures how late a sleeping thread wakes up on each CPU, as cyclictest does."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lowlat.probes import _core
from lowlat.probes.errors import AffinityError
from lowlat.probes.jitter.threads import Watching, on_each_cpu


@dataclass(frozen=True, slots=True)
class WakeupRecording:
    """The wake-ups of one CPU."""

    cpu: int
    late_ns: NDArray[np.int64]
    """How long after its moment each sleep ended; shape (wake-ups,)."""
    missed: int
    """Moments that had passed before the thread could sleep again."""
    complete: bool


@dataclass(frozen=True, slots=True)
class WakeupPlan:
    """How long, how often, and with which real-time priority."""

    duration_s: float
    interval_ns: int
    fifo: int | None = None


def measure_wakeups(
    cpus: Sequence[int], plan: WakeupPlan, waiting: Callable[[float], None]
) -> tuple[list[WakeupRecording], bool]:
    """The wake-ups of every CPU, with a thread on each, and whether Ctrl-C ended it early.

    Raises `AffinityError` if a thread cannot run on its CPU, or the kernel refuses the priority.
    """
    count = max(1, int(plan.duration_s * 1e9 / plan.interval_ns))

    def measure(cpu: int, stop: _core.StopFlag) -> _core.Wakeups:
        return _core.measure_wakeups(cpu, plan.interval_ns, count, stop)

    native, stopped = on_each_cpu(cpus, measure, Watching(plan.duration_s, plan.fifo, waiting))
    found = []
    for cpu, wakeups in native:
        if wakeups.error:
            raise AffinityError(f"cannot sleep on CPU {cpu}: {os.strerror(wakeups.error)}; choose another with --cpus")
        late_ns = np.frombuffer(wakeups.late_ns, np.int64)
        found.append(WakeupRecording(cpu, late_ns, wakeups.missed, len(late_ns) + wakeups.missed >= count))
    return found, stopped
