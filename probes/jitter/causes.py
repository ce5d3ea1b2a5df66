"""Names what caused a gap, from the kernel's counters that moved in it.

Several counters move in most gaps: another thread comes with the timer interrupt that ended the slice, and an interrupt
with its softirqs. The cause is the one that explains the others, as ranked here; where none moved, the kernel did not
know of the gap: a hypervisor, firmware (SMI), or the processor itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from lowlat.text import is_digits


class CounterKind(IntEnum):
    """As `CounterKind` in `kernel_counters.hpp`."""

    INTERRUPT = 0
    SOFTIRQ = 1
    THREAD = 2
    STEAL = 3


@dataclass(frozen=True, slots=True)
class KernelCounter:
    """One of the kernel's counters, for a CPU or the watching thread."""

    kind: CounterKind
    label: str
    """The row of /proc/interrupts or /proc/softirqs without its colon; else what is counted."""
    description: str
    """The rest of an interrupt's row."""

    @property
    def rank(self) -> int:
        """The smaller, the more it explains: a counter of the thread before an interrupt before its softirqs. On x86 a
        TLB shootdown is also counted as the function call that it is sent as.
        """
        if self.kind is CounterKind.THREAD:
            return _THREAD_RANKS[self.label]
        if self.kind is CounterKind.STEAL:
            return _STEAL_RANK
        if self.kind is CounterKind.SOFTIRQ:
            return _SOFTIRQ_RANK
        if self.is_timer:
            return _TIMER_RANK
        if is_digits(self.label):
            return _DEVICE_RANK
        return _SHOOTDOWN_RANK if self.label == "TLB" else _KERNEL_RANK

    @property
    def is_timer(self) -> bool:
        """Whether it counts the CPU's own timer: row LOC on x86, arch_timer on Arm."""
        return self.label == "LOC" or "arch_timer" in self.description

    @property
    def cause(self) -> str:
        """What to call a gap that it explains."""
        if self.kind is CounterKind.THREAD:
            return _THREAD_CAUSES[self.label]
        if self.kind is CounterKind.STEAL:
            return "hypervisor (stolen time)"
        if self.kind is CounterKind.SOFTIRQ:
            return f"softirq {self.label}"
        if self.is_timer:
            return "timer interrupt"
        if is_digits(self.label):
            return f"interrupt {self.label} ({self.description.split()[-1] if self.description else 'no name'})"
        return _singular(self.description) or f"interrupt {self.label}"


_THREAD_CAUSES: Final = {
    "voluntary switches": "stopped or blocked",
    "involuntary switches": "another thread",
    "major faults": "page fault from disk",
    "minor faults": "page fault",
}
_THREAD_RANKS: Final = {"voluntary switches": 0, "involuntary switches": 1, "major faults": 2, "minor faults": 9}
_STEAL_RANK, _DEVICE_RANK, _SHOOTDOWN_RANK, _KERNEL_RANK, _TIMER_RANK, _SOFTIRQ_RANK = 3, 4, 5, 6, 7, 8
UNRANKED: Final = 10


def _singular(description: str) -> str:
    """`TLB shootdowns` as `TLB shootdown`, `Rescheduling interrupts` as `rescheduling interrupt`."""
    text = description.removesuffix("s")
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
