"""Whether a run kept up with its rate."""

from __future__ import annotations

from typing import Final

LATE_SHARE: Final = 0.01
LATE_NS: Final = 5_000_000
"""A run has missed its rate if its last command ends late by more than this fraction of the schedule and by more than
this time (or the whole schedule, if that is shorter). A growing queue ends with a delay proportional to the run; a
single preemption adds a few milliseconds at most and does not indicate a missed rate."""


def is_late(late_ns: int, commands: int, rate: float) -> bool:
    """Whether a run of `commands` at `rate` per second missed its rate; its last command ended `late_ns` late."""
    schedule_ns = commands * 1e9 / rate
    return late_ns > max(LATE_SHARE * schedule_ns, min(LATE_NS, schedule_ns))
