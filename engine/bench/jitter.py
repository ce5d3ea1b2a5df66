"""The jitter document of what the probe recorded, alone or beside a benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.probes.clock.counter import calibrate_quick
from lowlat.probes.cpu.cpulist import parse_cpu_list
from lowlat.probes.errors import AffinityError
from lowlat.probes.host.virtualization import virtualization
from lowlat.probes.jitter.gaps import GapPlan, GapRecording, watch_gaps
from lowlat.probes.jitter.wakeups import WakeupPlan, WakeupRecording, measure_wakeups
from lowlat.reports import _core
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.jitter import LONGEST_MIN, UNEXPLAINED, CpuJitter, Jitter, JitterCause, LongGap, longest_kept
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import series_of

AFTER_S: Final = 1.0
"""How long CPUs are watched after a benchmark."""
GAP_SOURCES = ("getrusage(RUSAGE_THREAD)", "/proc/interrupts", "/proc/softirqs", "/proc/stat")
WAKEUP_SOURCES = ("CLOCK_MONOTONIC",)


def watched_after(report: Report, progress: Callable[[str, float], None]) -> Report:
    """The report with what takes the CPUs of its runs from a busy thread, watched for a second now that they are over.

    An interrupted one stays as it is; `not_available` says why there is no jitter if CPUs are not known or not usable.
    """
    if report.status == "interrupted" or report.placement is None:
        return report
    cpus = {*parse_cpu_list(report.placement.cpus, allow_empty=True), *report.placement.threads.values()}
    try:
        if not cpus:
            raise AffinityError("the runs were not pinned to a CPU")
        clock_hz = calibrate_quick().frequency_hz
        plan = GapPlan(AFTER_S, clock_hz)
        share = partial(progress, "watching for jitter")
        return replace(report, jitter=measured(tuple(sorted(cpus)), plan, clock_hz, share, LONGEST_MIN))
    except AffinityError as error:
        return replace(report, not_available={**report.not_available, "jitter": str(error)})


def measured(
    cpus: tuple[int, ...],
    plan: GapPlan | WakeupPlan,
    clock_hz: float,
    waiting: Callable[[float], None],
    kept: int | None = None,
) -> Jitter:
    """Watch CPUs, at once; `waiting` is called with the share of the time that is over. So many of the longest gaps of
    each are kept one by one, by default as many as a document holds.
    """
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    missing: tuple[str, ...] = ()
    if isinstance(plan, GapPlan):
        gaps, stopped = watch_gaps(cpus, plan, waiting)
        found = tuple(of_gaps(each, kept or longest_kept(len(cpus))) for each in gaps)
        missing = tuple(dict.fromkeys(each for recording in gaps for each in recording.missing))
    else:
        wakeups, stopped = measure_wakeups(cpus, plan, waiting)
        found = tuple(map(of_wakeups, wakeups))
    spins = isinstance(plan, GapPlan)
    return Jitter(
        status="interrupted" if stopped else "ok",
        mode="gaps" if spins else "wakeups",
        platform=virtualization().text,
        started=started,
        duration_s=plan.duration_s,
        interval_ns=None if isinstance(plan, GapPlan) else plan.interval_ns,
        fifo=plan.fifo,
        clock_hz=clock_hz,
        sources=GAP_SOURCES if spins else WAKEUP_SOURCES,
        missing=missing,
        cpus=found,
    )


def of_gaps(found: GapRecording, kept: int) -> CpuJitter:
    """A CPU on which a thread never slept; of its longest gaps, so many are kept one by one."""
    lost_ns = int(found.length_ns.sum())
    return CpuJitter(
        cpu=found.cpu,
        complete=found.complete,
        series=_series(found.cpu, found.length_ns),
        watched_ns=found.watched_ns,
        reading_ns=int(found.reading_ns.sum()),
        threshold_ns=round(found.threshold_ns, 1),
        typical_ns=round(found.typical_ns, 1),
        read_ns=round(max(found.read_ns, 0.0), 1),
        lost_ns=lost_ns,
        lost_share=min(lost_ns / found.watched_ns, 1.0) if found.watched_ns else 0.0,
        unexplained=int((found.cause < 0).sum()),
        causes=tuple(sorted(_causes(found), key=lambda each: -each.lost_ns)),
        longest=tuple(_longest(found, kept)),
    )


def of_wakeups(found: WakeupRecording) -> CpuJitter:
    """A CPU on which a thread slept and woke up."""
    late_ns = np.maximum(found.late_ns, 0)  # a timer of the kernel is not early by more than a clock's step
    return CpuJitter(cpu=found.cpu, complete=found.complete, series=_series(found.cpu, late_ns), missed=found.missed)


def _series(cpu: int, values_ns: NDArray[np.int64]) -> Series | None:
    if not len(values_ns):
        return None
    recorder = _core.Histogram()
    recorder.record_many(np.ascontiguousarray(values_ns))
    return series_of(f"CPU {cpu}", "recorded", Histogram.from_native(recorder))


def _causes(found: GapRecording) -> Iterator[JitterCause]:
    names = np.array([*(counter.cause for counter in found.counters), UNEXPLAINED], object)[found.cause]  # -1: the last
    for gap in np.flatnonzero(found.period_ns).tolist():
        names[gap] = _periodic(found.period_ns[gap])
    for name in sorted(set(names.tolist())):
        lengths, periods_ns = found.length_ns[names == name], found.period_ns[names == name]
        yield JitterCause(
            cause=name,
            gaps=len(lengths),
            lost_ns=int(lengths.sum()),
            p50_ns=int(np.sort(lengths)[(len(lengths) - 1) // 2]),
            max_ns=int(lengths.max()),
            period_ns=round(float(periods_ns.mean()), 1) if periods_ns.all() else None,
        )


def _longest(found: GapRecording, kept: int) -> Iterator[LongGap]:
    for gap in np.argsort(-found.length_ns, kind="stable")[:kept].tolist():
        yield LongGap(
            at_ns=int(found.begin_ns[gap]),
            length_ns=int(found.length_ns[gap]),
            cause=_cause(found, gap),
            moved=found.moved(gap),
        )


def _cause(found: GapRecording, gap: int) -> str:
    return found.cause_of(gap) or (_periodic(found.period_ns[gap]) if found.period_ns[gap] else UNEXPLAINED)


def _periodic(period_ns: float) -> str:
    return f"{UNEXPLAINED}, every {units.time(period_ns)}"
