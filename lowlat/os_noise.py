"""When what happened to a measuring thread makes its run a noisy one: the thresholds, and the reasons in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lowlat import units

GAP_NS: Final = 1_000_000
"""A longer time between two timestamps of a busy thread is a gap that the host made. It is far above an interrupt
(some tens of microseconds) and above any command of the built-in flows. A task that preempts the thread keeps the CPU
for about a slice, 0.7 to 2.8 ms by the number of CPUs (base_slice_ns in the kernel's kernel/sched/fair.c); a shorter
stay is counted as a context switch anyway."""
OFF_CPU_SHARE: Final = 0.01
"""A thread was off its CPU if elapsed time exceeds CPU time by more than this share and by more than `GAP_NS`: kernels
that account for interrupts separately (CONFIG_IRQ_TIME_ACCOUNTING) leave a few tenths of a percent out of CPU time."""

_COUNTED: Final = (
    ("voluntary_switches", "stopped or blocked {}", "time"),
    ("involuntary_switches", "preempted {}", "time"),
    ("migrations", "migrated to another CPU {}", "time"),
    ("major_faults", "{}", "major page fault"),
    ("minor_faults", "{}", "minor page fault"),
    ("steal_ms", "{} ms stolen by the hypervisor", ""),
    ("throttled_periods", "throttled by its CPU quota in {}", "period"),
)
_EVIDENCE: Final = ("involuntary_switches", "off_cpu_ns")
"""Counts that show a busy neighbor. Without one of them, nobody knows that a run was quiet."""


def reasons_of(counts: Mapping[str, int | None], wall_ns: int) -> tuple[str, ...]:
    """Why a section of `wall_ns` is noisy, one line each; empty if no reason is known."""
    reasons = [
        text.format(units.plural(count, noun) if noun else count)
        for name, text, noun in _COUNTED
        if (count := counts.get(name))
    ]
    off_ns = counts.get("off_cpu_ns") or 0
    if off_ns > max(GAP_NS, OFF_CPU_SHARE * wall_ns):
        reasons.append(f"off its CPU for {units.time(off_ns)} of {units.time(wall_ns)}")
    gap_ns = counts.get("largest_gap_ns") or 0
    if gap_ns > GAP_NS:
        reasons.append(f"a gap of {units.time(gap_ns)} between two timestamps")
    return tuple(reasons)


def is_noisy(counts: Mapping[str, int | None], wall_ns: int) -> bool | None:
    """Whether there is a reason; None if there is none, and nothing was counted that a busy neighbor would move."""
    if reasons_of(counts, wall_ns):
        return True
    return False if any(counts.get(name) is not None for name in _EVIDENCE) else None
