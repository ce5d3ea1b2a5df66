"""Figures of a report that follow from its runs: made from them when it is written, and again when it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lowlat.reports.model.results import Run, SummarySeries, Throughput


def passes_of(run: Run) -> list[Throughput]:
    """The passes that a run shows; of those made several times, one."""
    return [done for done in (run.throughput, run.one_at_a_time, run.timed) if done is not None]


def added(values: Iterable[int | None]) -> int | None:
    """The sum; None if any is."""
    listed = list(values)
    return None if None in listed else sum(value for value in listed if value is not None)


def steal_percent(runs: Sequence[Run]) -> float | None:
    """The share of the passes' time that the hypervisor took, percent; None if a run does not know."""
    stolen_ns = added(run.os_noise.steal_ns for run in runs)
    wall_ns = sum(run.os_noise.wall_ns for run in runs)
    # The kernel counts steal in ticks of several milliseconds: cap it, since a short pass can seem entirely stolen.
    return None if stolen_ns is None or not wall_ns else min(100.0, round(stolen_ns * 100 / wall_ns, 2))


def achieved_rate(runs: Sequence[Run], target_rate: float | None) -> float | None:
    """Commands per second. With intended start times, of the whole schedule and the delay of its last command."""
    commands, taken_ns = 0, 0.0
    for run in runs:
        if run.throughput is None:
            return None
        commands += run.throughput.commands
        schedule_ns = None if target_rate is None else run.throughput.commands * 1e9 / target_rate
        taken_ns += run.throughput.wall_ns if schedule_ns is None else schedule_ns + (run.late_ns or 0)
    return commands * 1e9 / taken_ns if taken_ns else None


def application_ns(model: str, target_rate: float | None, summary: Sequence[SummarySeries]) -> int | None:
    """What the latency budget holds for the application: p99 of all operations. Not known of a pipeline without
    intended start times, whose latency is the length of its queue.
    """
    if model == "pipeline" and target_rate is None:
        return None
    whole = next((each for each in summary if each.op == "all" and each.measure in ("response", "service")), None)
    p99 = whole.percentiles.get("99") if whole else None
    return p99.value if p99 else None
