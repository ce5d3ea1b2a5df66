"""A fleet: the same measurement once on each of many hosts, and which of them differ from the rest. Plain frozen data.

`fleet/analysis.py` derives the figures from the hosts' reports.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive, Share

SCHEMA: Final = "lowlat.fleet/1"
HOST_SCHEMA: Final = "lowlat.fleet-host/1"
Z_LIMIT: Final = 3.5
"""From here on a host stands out (B. Iglewicz and D. C. Hoaglin, "How to Detect and Handle Outliers", 1993)."""

HostOutcome: TypeAlias = Literal[
    "measured", "failed", "busy", "timed out", "lost", "refused", "unreachable", "canceled"
]
Verdict: TypeAlias = Literal["slower", "faster", "mixed", "like the others", "not judged"]
Unit: TypeAlias = Literal["ns", "per second", "share", "count", "ppm"]
Outlier: TypeAlias = Literal["worse", "better"]
Figure: TypeAlias = Annotated[float, Meta(ge=-1e18, le=1e18)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRun:
    """One verb on one host."""

    verb: Annotated[str, Meta(description="bench, doctor, jitter or calibrate")]
    options: Annotated[tuple[str, ...], Meta(description="Its options, the same on every host")]
    outcome: Annotated[
        HostOutcome,
        Meta(
            description="measured: there is a report; failed: it ended without one; busy: another measurement held the "
            "host's lock; timed out: it had not ended in time; lost: the worker or its answer was; refused: the worker "
            "took no part; unreachable: SSH started no worker there; canceled: by Ctrl-C"
        ),
    ]
    reason: Annotated[str | None, Meta(description="Why there is no report, or what the verb said; null if nothing")]
    exit_code: Annotated[int | None, Meta(description="Exit code of the verb; null if it did not end")] = None
    started: Annotated[str | None, Meta(description="Start by the host's clock, UTC, RFC 3339; null if unknown")] = None
    elapsed_s: Annotated[Amount | None, Meta(description="Time it took on the host, seconds; null if unknown")] = None
    sha256: Annotated[str | None, Meta(description="Of the report's bytes; null without one")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    """What is kept of one verb on one host, beside its report."""

    schema: Annotated[Literal["lowlat.fleet-host/1"], Meta(description="Kind and version")] = field(default=HOST_SCHEMA)
    host: Annotated[str, Meta(description="Name of the host; a second one of this name has #2 after it")]
    boot_id: Annotated[str, Meta(description="Of the kernel that ran; empty if unknown")]
    clock_ahead_s: Annotated[
        Figure, Meta(description="At least so far was its clock ahead of ours, seconds; negative: behind")
    ]
    facts: Annotated[dict[str, str], Meta(description="What hosts can differ in, by name")]
    run: FleetRun


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDifference:
    """Something that a host has, or does, unlike most others."""

    what: Annotated[str, Meta(description="A fact, a check of doctor, or a metric")]
    here: Annotated[str, Meta(description="On this host")]
    elsewhere: Annotated[str, Meta(description="On most others, or their median")]
    alike: Annotated[Count, Meta(description="Hosts that have what this one has, itself included")]
    hosts: Annotated[Count, Meta(description="Hosts that tell")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetHost:
    """One host."""

    name: Annotated[str, Meta(description="Its name; a second host of this name has #2 after it")]
    boot_id: Annotated[str, Meta(description="Of its kernel; empty if unknown")]
    group: Annotated[Count | None, Meta(description="Index in groups; null if it told no facts")]
    verdict: Annotated[
        Verdict,
        Meta(
            description="slower or faster than the others in some metric of latency or speed, mixed: in some each; "
            "not judged: without a report, or with fewer than three hosts to compare"
        ),
    ]
    clock_ahead_s: Annotated[
        Figure, Meta(description="At least so far was its clock ahead of ours, seconds; negative: behind")
    ]
    facts: Annotated[dict[str, str], Meta(description="What hosts can differ in, by name")]
    runs: Annotated[tuple[FleetRun, ...], Meta(description="One for each verb")]
    differences: Annotated[
        tuple[FleetDifference, ...],
        Meta(description="Of a host that is slower, faster or mixed: what is rare among the others, the rarest first"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetGroup:
    """Hosts of the same hardware and kernel."""

    facts: Annotated[dict[str, str], Meta(description="Processor, CPUs, machine and kernel")]
    hosts: Annotated[Positive, Meta(description="How many")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetValue:
    """One metric of one host."""

    host: Annotated[str, Meta(description="Its name")]
    value: Annotated[Figure, Meta(description="Over its runs, their median; over CPUs, the mean or the largest")]
    runs: Annotated[Positive, Meta(description="Runs, or CPUs")]
    ratio: Annotated[Amount | None, Meta(description="To the median of all hosts; null if that is zero")]
    z: Annotated[
        Figure | None,
        Meta(description="Robust z-score among all hosts, positive: worse; null with fewer than three, or no spread"),
    ]
    group_z: Annotated[Figure | None, Meta(description="The same within its group; null with fewer than three there")]
    p: Annotated[
        Share | None,
        Meta(
            description="Two-sided p of a rank test of its runs and those of all others, times the number of hosts; "
            "null for a z-score that does not stand out, and with one run a host"
        ),
    ]
    outlier: Annotated[
        Outlier | None,
        Meta(description="Whether it stands out: z-score, rank test and ratio all beyond their limits; null: no"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetMetric:
    """One metric on all hosts that have it."""

    name: Annotated[str, Meta(description="e.g. p99, throughput, time lost")]
    verb: Annotated[str, Meta(description="The verb whose reports it is from")]
    unit: Annotated[Unit, Meta(description="Of its values")]
    higher_is_better: Annotated[bool, Meta(description="Whether a higher value is better")]
    explains: Annotated[
        bool, Meta(description="Whether it is a cause, such as time lost to another thread, and makes no verdict")
    ]
    median: Annotated[Figure, Meta(description="Of the hosts' values")]
    spread: Annotated[Amount | None, Meta(description="What a z-score of 1 is, in the unit; null without one")]
    scale: Annotated[
        Literal["mad", "floor", "none"],
        Meta(
            description="What the spread is from: mad, the median absolute deviation; floor, where that is smaller, as "
            "where most hosts have the same value; none, with fewer than three hosts, or where both are zero"
        ),
    ]
    values: Annotated[tuple[FleetValue, ...], Meta(description="By host, the worst first")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetGate:
    """The verdict on all rules."""

    verdict: Annotated[Literal["passed", "failed"], Meta(description="failed: a host is beyond a limit")]
    rules: Annotated[tuple[str, ...], Meta(description="As they were asked for")]
    failed: Annotated[tuple[str, ...], Meta(description="Hosts beyond a limit, with metric and ratio, in words")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The same measurements on many hosts."""

    schema: Annotated[Literal["lowlat.fleet/1"], Meta(description="Kind and version of the document")] = SCHEMA
    status: Annotated[
        Literal["ok", "incomplete", "interrupted"],
        Meta(description="incomplete: a host has no report; interrupted: Ctrl-C ended it early"),
    ]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why the status is not ok")]
    version: Annotated[str, Meta(description="Version of lowlat that made the document")]
    command: Annotated[tuple[str, ...], Meta(description="The command line that made the document")]
    warnings: Annotated[tuple[str, ...], Meta(description="What weakens the figures, a line each")]
    hosts: Annotated[tuple[FleetHost, ...], Meta(description="By name")]
    groups: Annotated[tuple[FleetGroup, ...], Meta(description="The largest first")]
    metrics: Annotated[tuple[FleetMetric, ...], Meta(description="Of each verb, in the order of its report")]
    gate: FleetGate

    @property
    def outliers(self) -> tuple[FleetHost, ...]:
        """Hosts that are slower, faster or mixed."""
        return tuple(host for host in self.hosts if host.verdict in {"slower", "faster", "mixed"})
