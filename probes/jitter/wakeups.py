"""Measures how late a sleeping thread wakes up on each CPU, as cyclictest does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lowlat.probes import _core
from lowlat.probes.cpu.native_threads import check, waiting_elsewhere


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

    began = time.monotonic()
    with waiting_elsewhere(cpus):
        native, stopped = _core.measure_wakeups(
            cpus,
            plan.fifo or 0,
            plan.interval_ns,
            count,
            lambda: waiting(min((time.monotonic() - began) / plan.duration_s, 1.0)),
        )
    return [_recording(cpu, each, count) for cpu, each in zip(cpus, native, strict=True)], stopped


def _recording(cpu: int, found: _core.Wakeups, count: int) -> WakeupRecording:
    check(cpu, found.errors)
    late_ns = np.frombuffer(found.late_ns, np.int64)
    return WakeupRecording(cpu, late_ns, found.missed, len(late_ns) + found.missed >= count)
