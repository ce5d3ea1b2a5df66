"""The measured results of a report: latency series, runs, the hot path, verification.

Plain frozen data, as in `lowlat.reports.model.context`. Times are integer nanoseconds; a mean or a deviation may have a
fraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentileValue:
    """A percentile of ceiling rank."""

    value: Annotated[Count, Meta(description="Nanoseconds: largest value of the sample's bucket, at most the maximum")]
    beyond: Annotated[
        Count, Meta(description="Samples ranked after it, in the tail; below 10 the value is not significant")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The latencies of one operation, by one measure."""

    op: Annotated[str, Meta(description="Operation: a kind of command, or all")]
    measure: Annotated[
        str,
        Meta(
            pattern="^(response|service|scheduling_delay|recorded|stage:.+)$",
            description="response: from the intended start; service: from the actual start; "
            "scheduling_delay: from the intended to the actual start; stage:NAME: within one stage; "
            "recorded: whatever another program measured",
        ),
    ]
    unit: Annotated[Literal["ns"], Meta(description="Unit of every latency here")]
    count: Annotated[Positive, Meta(description="Samples; an operation without any has no series")]
    min: Annotated[Count, Meta(description="Smallest sample, nanoseconds, exact")]
    max: Annotated[Count, Meta(description="Largest sample, nanoseconds, exact")]
    mean: Annotated[Amount, Meta(description="Mean, nanoseconds, from bucket middles (within 0.05%)")]
    stddev: Annotated[Amount, Meta(description="Standard deviation, nanoseconds, from bucket middles")]
    percentiles: Annotated[dict[str, PercentileValue], Meta(description="By percent, e.g. 99.9")]
    hdr: Annotated[str, Meta(description="The whole histogram: HdrHistogram V2, compressed, base64")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far single runs lie apart."""

    min: Annotated[Count, Meta(description="Smallest value of any run, nanoseconds")]
    max: Annotated[Count, Meta(description="Largest value of any run, nanoseconds")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Samples of a named range. A bucket that holds a boundary counts below it, which moves the boundary."""

    name: Annotated[str, Meta(description="The range as named, e.g. 100-500 µs")]
    from_ns: Annotated[Count, Meta(description="Smallest value counted here, nanoseconds")]
    below_ns: Annotated[Count | None, Meta(description="First value not counted here, nanoseconds; null: no end")]
    count: Annotated[Count, Meta(description="Samples")]
    share: Annotated[Share, Meta(description="Samples as a share of the series")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarySeries(Series):
    """One operation over all runs: histograms added, percentiles taken from the sum."""

    spread: Annotated[dict[str, Spread], Meta(description="By percent: the values of the single runs")]
    bands: Annotated[tuple[Band, ...], Meta(description="Samples by latency range")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """One pass over the commands, timed as a whole."""

    commands: Annotated[Count, Meta(description="Commands in the pass")]
    wall_ns: Annotated[Positive, Meta(description="Elapsed time, nanoseconds")]
    cpu_ns: Annotated[
        Count | None,
        Meta(
            description="Processor time of the measured thread, nanoseconds; of an engine that runs as a process, of "
            "that process"
        ),
    ]
    commands_per_s: Annotated[Amount, Meta(description="Commands per second of elapsed time")]
    ns_per_command: Annotated[Amount | None, Meta(description="Elapsed nanoseconds per command")]

    @classmethod
    def of(cls, commands: int, wall_ns: int, cpu_ns: int | None) -> Throughput:
        """A pass with computed rates; `wall_ns` is above 0."""
        return cls(
            commands=commands,
            wall_ns=wall_ns,
            cpu_ns=cpu_ns,
            commands_per_s=commands * 1e9 / wall_ns,
            ns_per_command=wall_ns / commands if commands else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareCounters:
    """Events of the processor per command, in user mode only: of each, the median over the passes that counted it.
    Null: this processor does not count it, or no pass of the run did.
    """

    cycles: Annotated[Amount | None, Meta(description="Cycles of the core, which vary with its frequency")]
    instructions: Annotated[Amount | None, Meta(description="Instructions retired")]
    branch_misses: Annotated[Amount | None, Meta(description="Mispredicted branches")]
    l1d_misses: Annotated[Amount | None, Meta(description="Loads that missed the first-level data cache")]
    llc_misses: Annotated[Amount | None, Meta(description="Accesses that missed the last cache that the core counts")]
    dtlb_misses: Annotated[
        Amount | None,
        Meta(description="Loads that missed the data TLB: on Intel and AMD its last level, on Arm the first"),
    ]
    page_walks: Annotated[Amount | None, Meta(description="Walks of the page table for data")] = None


HARDWARE_COUNTERS: Final = tuple(field.name for field in fields(HardwareCounters))
"""Names of the processor's events."""


def typical_ns(passes: Sequence[Throughput]) -> float | None:
    """Elapsed nanoseconds per command in the median pass, which a single preempted one does not move."""
    known = [done.ns_per_command for done in passes if done.ns_per_command is not None]
    return median(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OsNoise:
    """What happened to the measuring thread and its CPU during a run: what explains the tail."""

    wall_ns: Annotated[Count, Meta(description="Elapsed nanoseconds of all passes, in which this happened")]
    involuntary_switches: Annotated[Count | None, Meta(description="Involuntary context switches")]
    voluntary_switches: Annotated[Count | None, Meta(description="Voluntary context switches")]
    migrations: Annotated[Count | None, Meta(description="Migrations to another CPU")]
    minor_faults: Annotated[Count | None, Meta(description="Minor page faults: served from memory")]
    major_faults: Annotated[Count | None, Meta(description="Major page faults: waited for a device")]
    timer_interrupts: Annotated[Count | None, Meta(description="Timer interrupts on the CPU")]
    steal_ns: Annotated[Count | None, Meta(description="CPU time stolen by the hypervisor, nanoseconds")]
    largest_gap_ns: Annotated[
        Count | None, Meta(description="Longest time between two timestamps of the busy thread, nanoseconds")
    ]
    noisy: Annotated[
        bool | None,
        Meta(
            description="Whether any of it exceeded its threshold; null when nothing did, and neither context switches "
            "nor time off the CPU were counted"
        ),
    ]
    reasons: Annotated[tuple[str, ...], Meta(description="Which ones did, in words")]
    off_cpu_ns: Annotated[
        Count | None, Meta(description="Elapsed time in which the measuring thread had no CPU, nanoseconds")
    ] = None
    throttled_periods: Annotated[
        Count | None, Meta(description="Scheduler periods in which the CPU quota stopped the process")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPolicy:
    """The commands in batches with a journal of one policy, or without."""

    policy: Annotated[
        Literal["off", "none", "interval", "batch"],
        Meta(description="When fdatasync is called; off: no journal, none: never"),
    ]
    commands: Annotated[Count, Meta(description="Commands in a pass; the slowest policy's pass ends early")]
    ns_per_command: Annotated[Amount, Meta(description="Nanoseconds a command: median of all passes of all runs")]
    more_ns_per_command: Annotated[
        float | None, Meta(description="Cost over running without a journal, median over runs; null for off")
    ]
    syncs: Annotated[Count, Meta(description="Number of fdatasync calls, over all runs")]
    sync_p50_ns: Annotated[Count | None, Meta(description="fdatasync latency: median of the runs' medians")]
    sync_p99_ns: Annotated[Count | None, Meta(description="fdatasync latency: median of the runs' 99th percentiles")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What a journal costs here."""

    file: Annotated[str, Meta(description="File of the journal that was kept")]
    size_bytes: Annotated[Count, Meta(description="Its size")]
    batch: Annotated[Positive, Meta(description="Commands appended and committed together")]
    policies: tuple[JournalPolicy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GarbageCollection:
    """What Python's garbage collector did during the passes over an engine that is called from Python."""

    collections: Annotated[Count, Meta(description="Collections of any generation")]
    pause_ns: Annotated[Count, Meta(description="Time that they took together, nanoseconds; part of the figures")]
    longest_ns: Annotated[Count, Meta(description="The longest one, nanoseconds")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One repeat, in a process of its own."""

    number: Annotated[Positive, Meta(description="Order of start, from 1")]
    started: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]{4}-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9](\.[0-9]+)?Z$",
            description="Start, UTC, RFC 3339; of a recorded file without one, when it was last written",
        ),
    ]
    duration_s: Annotated[
        Amount | None,
        Meta(description="Elapsed time of the whole run, seconds; null if a file that was recorded does not tell"),
    ]
    throughput: Annotated[
        Throughput | None,
        Meta(
            description="Closed loop: the batched pass, all commands in one call and no timestamps inside, so that the "
            "engine looks ahead; otherwise the pass with the load; null when not run"
        ),
    ]
    timed: Annotated[Throughput | None, Meta(description="The pass with per-command timestamps")]
    os_noise: OsNoise
    series: Annotated[tuple[Series, ...], Meta(description="Latencies by operation and measure")]
    late_ns: Annotated[
        Count | None,
        Meta(description="How late the last command ended, nanoseconds; null without intended start times"),
    ] = None
    waited_ns: Annotated[
        Count | None,
        Meta(
            description="Time in which other programs had the thread's CPU, nanoseconds: the schedule stood still "
            "meanwhile, and the latencies leave it out; null: they leave none out"
        ),
    ] = None
    one_at_a_time: Annotated[
        Throughput | None,
        Meta(
            description="The pass with a call for each command, whose events are read before the next; no look-ahead "
            "and no timestamps inside; null outside a closed loop"
        ),
    ] = None
    passes: Annotated[
        Positive,
        Meta(
            description="How often each pass was made, interleaved; the passes above are those of median duration, the "
            "series have the latencies of all"
        ),
    ] = 1
    least_cpu_ns: Annotated[
        Count | None,
        Meta(
            description="Processor time of the batched pass that took least of it, nanoseconds: what comparisons use, "
            "since interference only adds time; null outside a closed loop"
        ),
    ] = None
    quiet: Annotated[
        tuple[Series, ...],
        Meta(
            description="Latencies of the two timed passes that took least processor time, also part of series: what "
            "comparisons use; empty if there was one pass"
        ),
    ] = ()
    garbage_collection: Annotated[
        GarbageCollection | None,
        Meta(description="Of an engine that is called from Python, with its collector on; null for any other"),
    ] = None

    counters: Annotated[
        HardwareCounters | None,
        Meta(
            description="The processor's events in the pass of throughput; null where nothing counts them, or for an "
            "engine that lowlat's thread does not execute"
        ),
    ] = None
    counters_one_at_a_time: Annotated[
        HardwareCounters | None, Meta(description="The same in the pass of one_at_a_time; null outside a closed loop")
    ] = None

    @property
    def compared_series(self) -> tuple[Series, ...]:
        """The latencies that comparisons use."""
        return self.quiet or self.series


@dataclass(frozen=True, slots=True, kw_only=True)
class HotPath:
    """What the measured passes asked of the system, summed over runs; memory as taken once at start."""

    allocations: Annotated[
        Count | None, Meta(description="Heap allocations and mappings of the engine's module in the passes")
    ]
    page_faults: Annotated[Count | None, Meta(description="Page faults after start")]
    involuntary_switches: Annotated[Count | None, Meta(description="Involuntary context switches")]
    memory: Annotated[dict[str, Count], Meta(description="Bytes by part, e.g. orders, ids, levels, events")]
    huge_page_bytes: Annotated[Count | None, Meta(description="Bytes of it on huge pages")]
    locked: Annotated[bool | None, Meta(description="Whether it is locked into memory")]
    numa_node: Annotated[Count | None, Meta(description="NUMA node it was bound to; null when not bound")]
    numa_nodes: Annotated[Count | None, Meta(description="NUMA nodes with memory; 0 when the kernel shows none")] = None
    numa_pages: Annotated[
        dict[str, Count] | None,
        Meta(description="Pages of engine and commands by node, asked of the kernel after the passes, over all runs"),
    ] = None
    numa_verified: Annotated[
        bool | None,
        Meta(description="Whether every page lies on the node of its run's CPU; null when the kernel does not tell"),
    ] = None
    pool_refusals: Annotated[
        Count | None, Meta(description="Commands rejected on pool exhaustion, in the pass that keeps every event")
    ] = None
    pool_growths: Annotated[
        Count | None, Meta(description="Number of times a pool grew, the unmeasured execution of the flow included")
    ] = None
    trades_recycled: Annotated[
        Count | None, Meta(description="Trade tape records overwritten by later ones, in the timed passes")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """Baselines of the throughput, measured on this host in the same runs; medians."""

    loop_ns: Annotated[Amount | None, Meta(description="Nanoseconds per command of a read-only loop over the commands")]
    clock_ns: Annotated[
        Amount | None, Meta(description="Timer overhead: nanoseconds between two back-to-back timestamps")
    ]
    reference_ns: Annotated[Amount | None, Meta(description="Nanoseconds per command of the reference engine")]
    reference_commands: Annotated[Count, Meta(description="Commands it executed, as in verification")]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenCheck:
    """The events beside those of the reference engine, as far as lowlat ships their digest."""

    commands: Annotated[Positive, Meta(description="Measured commands up to which the golden digest goes")]
    digest: Annotated[str, Meta(description="Digest over the events up to there, seeding included")]
    expected: Annotated[str, Meta(description="The golden one; another makes the report invalid")]


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeCheck:
    """The comparison of an engine of a library, or called from Python, with the native one, over every command of the
    flow.
    """

    commands: Annotated[Count, Meta(description="Commands that both executed, warm-up commands included")]
    events: Annotated[Count, Meta(description="Events that are equal, up to the first difference")]
    difference: Annotated[str | None, Meta(description="The first difference, in words; null if there is none")]
    not_compared: Annotated[
        tuple[str, ...], Meta(description="Fields of an event that the engine does not claim to give")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What shows that the engine did the work right."""

    digest: Annotated[str, Meta(description="Digest over the ordered event stream of one run")]
    events: Annotated[Count | None, Meta(description="Events in that stream")]
    reference_commands: Annotated[Count, Meta(description="Commands also given to the reference engine")]
    reference_stretches: Annotated[
        Count,
        Meta(description="Stretches of the flow that they come from, evenly spread; the first one populates the book"),
    ]
    equal: Annotated[bool | None, Meta(description="Whether both gave the same events; null when not compared")]
    bursts: Annotated[
        Count | None, Meta(description="Recorded aggressive orders and sides of auctions checked; null without any")
    ]
    matched: Annotated[Count | None, Meta(description="Those filled as on the exchange")]
    quotes: Annotated[Count | None, Meta(description="Recorded best bids and asks checked; null without any")]
    quotes_matched: Annotated[Count | None, Meta(description="Those that equal the engine's own")]
    mismatches: Annotated[tuple[str, ...], Meta(description="What did not match, one line each")]
    golden: Annotated[
        GoldenCheck | None,
        Meta(description="null for other flows than those of built-in profiles, and other seeds"),
    ] = None
    native: Annotated[NativeCheck | None, Meta(description="null for an engine of lowlat's own in C++")] = None
