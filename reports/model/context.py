"""What a report says about the run's surroundings: tool, engine, work, host, clock.

Plain frozen data. Each field's text and bounds are its entry in the published JSON Schema. A fact that is
not available is None, and `Report.not_available` says why. A field once published stays; one added later has
a default, so that documents written before it still read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
Amount: TypeAlias = Annotated[float, Meta(ge=0)]
Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How the native modules were compiled."""

    compiler: Annotated[str, Meta(description="Compiler and version")]
    flags: Annotated[str, Meta(description="Compiler flags")]
    isa: Annotated[str, Meta(description="Instruction set compiled for, e.g. x86-64-v2 or native")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """The program that wrote the document."""

    version: Annotated[str, Meta(description="Version of lowlat")]
    git: Annotated[str | None, Meta(description="Commit it was built from, with -dirty when the tree was")]
    build: Build


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The matching engine that was measured, with every setting that changes its speed."""

    name: Annotated[str, Meta(description="native or reference")]
    settings: Annotated[
        dict[str, str | int | float | bool | None],
        Meta(description="Setting by name, e.g. order_pool: 50000; reports with different ones do not compare"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """A quantity that changes over a run."""

    mean: Annotated[Amount, Meta(description="Mean over the commands of a run")]
    peak: Annotated[Count, Meta(description="Largest value seen")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The commands that the engine was given."""

    profile: Annotated[str, Meta(description="Name of the flood profile, or of the file replayed")]
    seed: Annotated[
        Count | None,
        Meta(description="Seed of the generator, any 64-bit integer; null for recorded flow"),
    ]
    commands: Annotated[Count, Meta(description="Commands in one run")]
    mix: Annotated[dict[str, Count], Meta(description="Commands by kind")]
    live_orders: Annotated[Extent | None, Meta(description="Orders resting in the books")]
    levels: Annotated[Extent | None, Meta(description="Price levels that hold an order")]
    depth_touched: Annotated[Extent | None, Meta(description="Levels that a trading command trades on")]
    trades: Annotated[Count | None, Meta(description="Trades in one run")]
    hash: Annotated[str, Meta(description="Hash over the command array: equal hash, equal work")]
    seeded: Annotated[Count, Meta(description="Commands before the measured ones that only build the book")] = 0
    notes: Annotated[tuple[str, ...], Meta(description="What else to know of the workload, a line each")] = ()


LoadModel: TypeAlias = Literal["closed", "open", "pipeline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How commands reached the engine, and what became of them, summed over runs."""

    model: Annotated[
        LoadModel,
        Meta(
            description="closed: the next when the last is done; open: by planned arrival times; "
            "pipeline: by other threads"
        ),
    ]
    target_rate: Annotated[Amount | None, Meta(description="Commands per second asked; null in a closed loop")]
    achieved_rate: Annotated[Amount | None, Meta(description="Commands per second reached")]
    sent: Annotated[Count, Meta(description="Commands handed over")]
    acked: Annotated[Count, Meta(description="Commands carried out; with those rejected it is all that were sent")]
    rejected: Annotated[
        Count, Meta(description="Commands answered by a reject; sent is acked and rejected, or some were lost")
    ]
    out_of_range: Annotated[
        Count,
        Meta(description="Latencies that no histogram could hold (above 2^42 ns); above 0 is not valid"),
    ]
    missed: Annotated[
        tuple[str, ...],
        Meta(description="Those of status_reasons that say the rate was not kept up; empty when it was"),
    ] = ()
    arrivals: Annotated[
        str | None, Meta(description="constant, poisson or burst; null where commands have no planned times")
    ] = None
    producers: Annotated[Count | None, Meta(description="Threads that send commands; null without a pipeline")] = None
    updates: Annotated[Count | None, Meta(description="Records of market data; null without a pipeline")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine, as the process saw it."""

    cpu: Annotated[str | None, Meta(description="Processor brand")]
    cores: Annotated[Positive | None, Meta(description="Logical CPUs of the host")]
    measured_cpus: Annotated[str | None, Meta(description="CPUs that the measured threads were pinned to, e.g. 2-3")]
    kernel: Annotated[str | None, Meta(description="Kernel and version")]
    cmdline: Annotated[str | None, Meta(description="Kernel command line")]
    governor: Annotated[str | None, Meta(description="Frequency governor of the measured CPUs")]
    turbo: Annotated[bool | None, Meta(description="Whether the processor may exceed its base frequency")]
    isolated: Annotated[str | None, Meta(description="CPUs isolated from the scheduler; empty for none")]
    clocksource: Annotated[str | None, Meta(description="The kernel's clock source")]
    virtualization: Annotated[str | None, Meta(description="Hypervisor or container; none on bare metal")]
    steal_percent: Annotated[
        Percent | None, Meta(description="CPU time taken by the hypervisor during the runs, percent")
    ]
    load_average: Annotated[
        tuple[float, float, float] | None,
        Meta(description="Load over 1, 5 and 15 minutes before the first run"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The clock that stamped the commands. Every latency holds one read of it."""

    source: Annotated[str, Meta(description="e.g. rdtscp, cntvct, clock_monotonic")]
    frequency_hz: Annotated[Amount | None, Meta(description="Ticks per second as calibrated")]
    uncertainty_ppm: Annotated[Amount | None, Meta(description="Uncertainty of the frequency, parts per million")]
    read_cost_ns: Annotated[Amount | None, Meta(description="Cost of one read, nanoseconds")]
    step_ns: Annotated[
        Amount | None,
        Meta(description="Smallest step between two reads, nanoseconds: latencies come in these"),
    ]
    frequency_source: Annotated[str | None, Meta(description="How the frequency was found")] = None
    invariant: Annotated[
        bool | None, Meta(description="Whether the processor promises one rate in every power state")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuCache:
    """One cache of a CPU."""

    level: Annotated[Positive, Meta(description="1 is the nearest")]
    type: Annotated[str, Meta(description="data, instruction, unified or unknown")]
    size_bytes: Annotated[Positive | None, Meta(description="Size of this one cache, not of all on the socket")]
    line_bytes: Annotated[Positive | None, Meta(description="Line size")]
    cpus: Annotated[Positive, Meta(description="Logical CPUs that share it")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """What the host is made of, in short; `lowlat topology` has the whole."""

    packages: Annotated[Count, Meta(description="Sockets")]
    cores: Annotated[Count, Meta(description="Cores online")]
    threads_per_core: Annotated[Count, Meta(description="Logical CPUs of the core that has most")]
    nodes: Annotated[Count | None, Meta(description="NUMA nodes; null where the kernel shows none")]
    guest_view: Annotated[bool, Meta(description="Under a hypervisor, which may invent what is shared")]
    caches: Annotated[tuple[CpuCache, ...], Meta(description="Caches of the first CPU measured on")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Why the measured threads ran where they ran."""

    cpus: Annotated[str, Meta(description="CPUs of the runs, taken in turn; empty when not pinned")]
    chosen_by: Annotated[
        Literal["plan", "user", "system"],
        Meta(description="plan: proposed from the topology; user: named; system: the scheduler's choice"),
    ]
    reasons: Annotated[tuple[str, ...], Meta(description="What speaks for the CPU")]
    compromises: Annotated[tuple[str, ...], Meta(description="What speaks against it and could not be helped")]
    warnings: Annotated[tuple[str, ...], Meta(description="What any choice on this host suffers from")]
    threads: Annotated[
        dict[str, Count], Meta(description="CPU of each thread of a pipeline, e.g. matcher, producer[0], publisher")
    ] = field(default_factory=dict)
