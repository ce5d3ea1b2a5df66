"""How much of a run other programs may have spoiled, beyond the time that its latencies leave out.

While other programs have the thread's CPU, the clock of a sweep's runs stands still (`Run.waited_ns`). Two things remain:
time without a CPU that the scheduler does not tell, such as what a hypervisor steals, and caches that are cold
whenever the thread comes back.
"""

from __future__ import annotations

from typing import Final

from lowlat.reports.model.results import Run

REFILL_NS: Final = 30_000
"""Time lost to cold caches when a thread gets its CPU back."""
DRAIN: Final = 10
"""A queue that formed in lost time takes ten times as long to disappear at nine tenths of the engine's capacity."""


def spoiled_ns(run: Run) -> int:
    """The part of a run's own time, in nanoseconds, that a queue may have had for which the engine is not to blame."""
    noise, waited_ns = run.disturbances, run.waited_ns or 0
    lost_ns = max(0, (noise.off_cpu_ns or 0) - waited_ns) + REFILL_NS * (noise.involuntary_switches or 0)
    return min(DRAIN * lost_ns, own_ns(run))


def spoiled_share(run: Run) -> float:
    """The same as a share of the run's own time, and so of its samples."""
    return spoiled_ns(run) / max(own_ns(run), 1)


def own_ns(run: Run) -> int:
    """The time of a run's passes, without what its latencies leave out."""
    return max(0, run.disturbances.wall_ns - (run.waited_ns or 0))


def lost_share(run: Run) -> float:
    """The share of a run's elapsed time in which its thread had no CPU."""
    return min(1.0, (run.disturbances.off_cpu_ns or run.waited_ns or 0) / max(run.disturbances.wall_ns, 1))
