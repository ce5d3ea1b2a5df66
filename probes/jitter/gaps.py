"""Watches CPUs with threads that spin on the counter: every gap in which something else had the CPU, and its cause."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.probes import _core
from lowlat.probes.cpu.native_threads import check, waiting_elsewhere
from lowlat.probes.jitter.causes import UNRANKED, CounterKind, KernelCounter
from lowlat.probes.jitter.periods import periods_of

THRESHOLD_FACTOR: Final = 8
"""Without a threshold, gaps are those of so many times the typical time between two reads."""
_GAPS_PER_S: Final = 20_000
_GAPS_MIN, _GAPS_MAX = 20_000, 1_000_000
"""Room for gaps, 96 bytes each, taken before the watch begins; it ends early once it is full."""
_STEAL_TICK_NS: Final = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class GapRecording:
    """The gaps of one CPU, in order. Arrays of shape (gaps,), times in nanoseconds."""

    cpu: int
    begin_ns: NDArray[np.int64]
    """Since the watch began."""
    length_ns: NDArray[np.int64]
    cause: NDArray[np.int32]
    """Index into `counters` of the one that explains the gap; -1: no counter moved."""
    counters: tuple[KernelCounter, ...]
    moves: NDArray[np.uint32]
    """Shape (moves, 2): which counter moved, and by how much."""
    moves_end: NDArray[np.int64]
    """End of each gap's part of `moves`."""
    reading_ns: NDArray[np.int64]
    """Spent reading the kernel's counters after each gap; nothing is seen in that time."""
    period_ns: NDArray[np.float64]
    """Of the timer outside this system that a gap without a cause belongs to; 0: none was found."""
    watched_ns: int
    """From begin to end, less all of `reading_ns`."""
    threshold_ns: float
    typical_ns: float
    """Median time between two reads that differ."""
    read_ns: float
    """Mean time of a turn of the loop, gaps left out."""
    complete: bool
    """Whether it watched for as long as it was asked to, neither stopped nor full."""
    missing: tuple[str, ...]
    """Counters that could not be read, and why."""

    def cause_of(self, gap: int) -> str | None:
        """The cause of a gap, in words; None: no counter moved."""
        return None if self.cause[gap] < 0 else self.counters[self.cause[gap]].cause

    def moved(self, gap: int) -> tuple[str, ...]:
        """Each counter that moved in a gap, with its count if that is above 1."""
        begin = int(self.moves_end[gap - 1]) if gap else 0
        rows = self.moves[begin : int(self.moves_end[gap])].tolist()
        return tuple(self.counters[at].label + (f" x{by}" if by > 1 else "") for at, by in rows)


@dataclass(frozen=True, slots=True)
class GapPlan:
    """How long to watch, and for which gaps."""

    duration_s: float
    frequency_hz: float
    """Of the counter, from `calibrate_quick()`."""
    threshold_ns: float | None = None
    fifo: int | None = None
    """Real-time priority of the watching threads, SCHED_FIFO."""


def watch_gaps(cpus: Sequence[int], plan: GapPlan, waiting: Callable[[float], None]) -> tuple[list[GapRecording], bool]:
    """The gaps of every CPU, watched at once by a thread on each, and whether Ctrl-C ended it early.

    `waiting(share)` is called from time to time. Raises `AffinityError` if a thread cannot run on its CPU, or
    the kernel refuses the priority.
    """
    ticks_per_ns = plan.frequency_hz / 1e9
    gaps_max = int(min(max(plan.duration_s * _GAPS_PER_S, _GAPS_MIN), _GAPS_MAX))
    threshold = 0 if plan.threshold_ns is None else max(1, round(plan.threshold_ns * ticks_per_ns))
    duration = round(plan.duration_s * plan.frequency_hz)

    began = time.monotonic()
    with waiting_elsewhere(cpus):
        native, stopped = _core.watch_gaps(
            cpus,
            plan.fifo or 0,
            duration,
            threshold,
            THRESHOLD_FACTOR,
            gaps_max,
            lambda: waiting(min((time.monotonic() - began) / plan.duration_s, 1.0)),
        )
    found = [_recording(cpu, each, ticks_per_ns, duration) for cpu, each in zip(cpus, native, strict=True)]
    return found, stopped


def _recording(cpu: int, found: _core.GapRecording, ticks_per_ns: float, duration: int) -> GapRecording:
    check(cpu, found.errors)
    begin, length, moves_end, reading = np.frombuffer(found.gaps, np.uint64).reshape(-1, 4).T
    begin_ns, length_ns, reading_ns = (
        np.rint(each / ticks_per_ns).astype(np.int64) for each in (begin, length, reading)
    )
    counters = tuple(KernelCounter(CounterKind(kind), label, text) for kind, label, text in found.counters)
    moves = np.frombuffer(found.moves, np.uint32).reshape(-1, 2)
    cause = _causes(length_ns, moves, moves_end.astype(np.int64), counters)
    turns = max(found.reads - len(length), 1)
    return GapRecording(
        cpu=cpu,
        begin_ns=begin_ns,
        length_ns=length_ns,
        cause=cause,
        counters=counters,
        moves=moves,
        moves_end=moves_end.astype(np.int64),
        reading_ns=reading_ns,
        period_ns=periods_of(begin_ns, length_ns, reading_ns, cause < 0),
        watched_ns=round(found.watched_ticks / ticks_per_ns) - int(reading_ns.sum()),
        threshold_ns=found.threshold_ticks / ticks_per_ns,
        typical_ns=found.typical_ticks / ticks_per_ns,
        read_ns=(found.watched_ticks - int(reading.sum()) - int(length.sum())) / ticks_per_ns / turns,
        complete=found.watched_ticks >= duration,
        missing=tuple(_missing(found)),
    )


def _causes(
    length_ns: NDArray[np.int64],
    moves: NDArray[np.uint32],
    moves_end: NDArray[np.int64],
    counters: Sequence[KernelCounter],
) -> NDArray[np.int32]:
    """The counter that explains each gap: of those that moved in it, the one of least rank."""
    cause = np.full(len(length_ns), -1, np.int32)
    gap_of = np.repeat(np.arange(len(length_ns)), np.diff(moves_end, prepend=0))
    counter, by = moves[: len(gap_of)].T
    ranks = np.array([each.rank for each in counters])[counter]
    stolen = np.array([each.kind is CounterKind.STEAL for each in counters])[counter]
    # Stolen time is counted in whole ticks, at a timer interrupt long after the theft: a short gap is not it.
    ranks[stolen & (length_ns[gap_of] < by * np.int64(_STEAL_TICK_NS) // 2)] = UNRANKED
    for at in np.lexsort((-counter.astype(np.int64), -ranks)):  # the best last, so that it stays
        if ranks[at] < UNRANKED:
            cause[gap_of[at]] = counter[at]
    return cause


def _missing(found: _core.GapRecording) -> list[str]:
    files = {
        "/proc/interrupts": found.interrupts_error,
        "/proc/softirqs": found.softirqs_error,
        "/proc/stat": found.steal_error,
    }
    return [f"{path}: {os.strerror(error)}" for path, error in files.items() if error]
