"""The jitter document: what took each CPU from a thread that never sleeps, or how late one that sleeps woke up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive, Share
from lowlat.reports.model.results import Series

SCHEMA: Final = "lowlat.jitter/1"
UNEXPLAINED: Final = "unexplained"
"""The cause of a gap in which no counter of the kernel moved."""
LONGEST_MIN: Final = 20
LONGEST_MAX: Final = 500
LONGEST_TOTAL: Final = 2_000
"""So many of the longest gaps are kept: of each CPU at least and at most, and of all CPUs, the minimum aside."""


def longest_kept(cpus: int) -> int:
    """How many of the longest gaps are kept of each of so many CPUs."""
    return max(LONGEST_MIN, min(LONGEST_MAX, LONGEST_TOTAL // max(cpus, 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class JitterCause:
    """The gaps of one CPU that one cause explains."""

    cause: Annotated[
        str,
        Meta(
            description="e.g. timer interrupt, another thread, interrupt 36 (virtio1-req.0); or unexplained, "
            "or unexplained, every 1.00 ms"
        ),
    ]
    gaps: Annotated[Positive, Meta(description="Gaps that it explains")]
    lost_ns: Annotated[Count, Meta(description="Their sum, nanoseconds")]
    p50_ns: Annotated[Count, Meta(description="Their median, nanoseconds")]
    max_ns: Annotated[Count, Meta(description="The longest, nanoseconds")]
    period_ns: Annotated[
        Amount | None,
        Meta(
            description="From one to the next, nanoseconds, if unexplained gaps begin so regularly that a timer "
            "outside this system causes them; null for all others"
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LongGap:
    """One of the longest gaps."""

    at_ns: Annotated[Count, Meta(description="Begin, nanoseconds after the watch began")]
    length_ns: Annotated[Count, Meta(description="Length, nanoseconds")]
    cause: Annotated[str, Meta(description="As in causes")]
    moved: Annotated[
        tuple[str, ...],
        Meta(description="Every kernel counter that moved in it: rows of /proc/interrupts, softirqs ..."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuJitter:
    """One CPU."""

    cpu: Annotated[Count, Meta(description="The CPU")]
    complete: Annotated[
        bool, Meta(description="Whether it was measured for the whole duration, neither stopped nor full of gaps")
    ]
    series: Annotated[
        Series | None, Meta(description="Lengths of the gaps, or how late the wake-ups were; null without any")
    ]
    watched_ns: Annotated[
        Count | None, Meta(description="Time in which a gap would have been seen, nanoseconds; null for wake-ups")
    ] = None
    reading_ns: Annotated[
        Count | None, Meta(description="Time spent reading the kernel's counters after gaps, not watched, nanoseconds")
    ] = None
    threshold_ns: Annotated[Amount | None, Meta(description="Shortest gap, nanoseconds; null for wake-ups")] = None
    typical_ns: Annotated[
        Amount | None, Meta(description="Median time between two reads of the counter that differ, nanoseconds")
    ] = None
    read_ns: Annotated[Amount | None, Meta(description="Mean time between two reads, gaps left out, nanoseconds")] = (
        None
    )
    lost_ns: Annotated[Count | None, Meta(description="Sum of all gaps, nanoseconds")] = None
    lost_share: Annotated[Share | None, Meta(description="That sum as a share of the time watched")] = None
    unexplained: Annotated[
        Count | None, Meta(description="Gaps in which no kernel counter moved: hypervisor, firmware (SMI) or hardware")
    ] = None
    causes: Annotated[tuple[JitterCause, ...], Meta(description="By time lost, most first")] = ()
    longest: Annotated[
        tuple[LongGap, ...],
        Meta(description="The longest gaps, longest first: 500, fewer with more than 4 CPUs, and at least 20"),
    ] = ()
    missed: Annotated[Count | None, Meta(description="Wake-ups that came too late for the next one; null for gaps")] = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """All CPUs that were measured, at once."""

    schema: Annotated[Literal["lowlat.jitter/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA
    )
    status: Annotated[Literal["ok", "interrupted"], Meta(description="interrupted: Ctrl-C ended it early")]
    mode: Annotated[
        Literal["gaps", "wakeups"],
        Meta(description="gaps: threads that never sleep; wakeups: threads that sleep until a moment"),
    ]
    platform: Annotated[str, Meta(description="Hypervisor or container, or bare metal")]
    started: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]{4}-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9](\.[0-9]+)?Z$",
            description="Start, UTC, RFC 3339",
        ),
    ]
    duration_s: Annotated[Amount, Meta(description="Asked for, seconds")]
    interval_ns: Annotated[Positive | None, Meta(description="Between wake-ups, nanoseconds; null for gaps")]
    fifo: Annotated[Positive | None, Meta(description="Real-time priority (SCHED_FIFO) of the threads; null: normal")]
    clock_hz: Annotated[Amount, Meta(description="Ticks of the counter a second")]
    sources: Annotated[tuple[str, ...], Meta(description="What causes are read from")]
    missing: Annotated[tuple[str, ...], Meta(description="What could not be read, and why")]
    cpus: tuple[CpuJitter, ...]
