"""How much of a run other programs may have spoiled, beyond the time that its latencies leave out.

While other programs have the thread's CPU, the clock of a sweep's runs stands still (`Run.waited_ns`). What is left is
time without a CPU that the scheduler does not tell, such as what a hypervisor steals, and a slower CPU: its caches are
cold whenever the thread comes back, and its core and memory may be shared.
"""

from __future__ import annotations

from typing import Final

from lowlat.reports.model.results import Run, Series

REFILL_NS: Final = 100_000
"""Time lost to cold caches when a thread gets its CPU back: a megabyte or two, in lines of 64 bytes, from memory."""
DRAIN: Final = 10
"""A queue that formed in lost time takes ten times as long to disappear at nine tenths of the engine's capacity."""


def spoiled_ns(run: Run, least_ns: float) -> int:
    """The part of a run's own time, in nanoseconds, that may have had a queue for which the engine is not to blame.

    `least_ns`: the least mean service time of a run at this rate or a lower one. More load never makes it longer, and
    other programs never make it shorter, so what a run took beyond it was lost.
    """
    noise, service = run.os_noise, series_named(run, "service")
    slower_ns = 0.0 if service is None else service.count * max(0.0, service.mean - least_ns)
    refills_ns = REFILL_NS * (noise.involuntary_switches or 0)
    untold_ns = max(0, (noise.off_cpu_ns or 0) - (run.waited_ns or 0))
    return min(round(DRAIN * (untold_ns + max(slower_ns, refills_ns))), own_ns(run))


def own_ns(run: Run) -> int:
    """The time of a run's passes, without what its latencies leave out."""
    return max(0, run.os_noise.wall_ns - (run.waited_ns or 0))


def lost_share(run: Run) -> float:
    """The share of a run's elapsed time in which its thread had no CPU."""
    return min(1.0, (run.os_noise.off_cpu_ns or run.waited_ns or 0) / max(run.os_noise.wall_ns, 1))


def series_named(run: Run, measure: str) -> Series | None:
    """The latencies of all operations by one measure."""
    return next((each for each in run.series if (each.op, each.measure) == ("all", measure)), None)
