"""The context of a report: tool, engine, workload, host, clock.

Plain frozen data. Each field's description and bounds go into the published JSON Schema. A fact that is not available
is None, with the reason in `Report.not_available`. Published fields are never removed; fields added later have a
default, so that older documents can still be read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Amount, Count, Percent, Positive, Seed, Whole


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
class Library:
    """The shared library that an engine came from, and what calling it costs."""

    file: Annotated[str, Meta(description="Its file")]
    version: Annotated[str, Meta(description="Of the engine, by its own word")]
    events: Annotated[
        Literal["callback", "buffer"], Meta(description="callback: it hands over each event; buffer: it fills one")
    ]
    capabilities: Annotated[tuple[str, ...], Meta(description="What it takes beside limit orders and cancels, sorted")]
    call_ns: Annotated[
        Amount,
        Meta(description="CPU nanoseconds per command of an engine that does nothing, called one command at a time"),
    ]
    batched_call_ns: Annotated[Amount, Meta(description="The same in batches")]
    heap_growth_bytes: Annotated[
        Count | None,
        Meta(description="Growth of the heap from one execution of the flow to the next; of the worst run"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalProcess:
    """The process that an engine ran as, and what talking to it costs."""

    command: Annotated[str, Meta(description="Its transport and command, as given")]
    transport: Annotated[
        Literal["ndjson", "ring"],
        Meta(
            description="ndjson: a line of JSON for each command and its events; ring: records through rings in shared "
            "memory"
        ),
    ]
    version: Annotated[str, Meta(description="Of the engine, by its own word")]
    language: Annotated[str, Meta(description="What it is written in, by its own word; may be empty")]
    capabilities: Annotated[tuple[str, ...], Meta(description="What it takes beside limit orders and cancels, sorted")]
    cpus: Annotated[str, Meta(description="CPUs that it may run on, e.g. 2-3")]
    echo_ns: Annotated[
        Amount,
        Meta(
            description="Elapsed nanoseconds per command of an echo, a process that does nothing but answer, asked one "
            "command at a time through the same transport"
        ),
    ]
    batched_echo_ns: Annotated[Amount, Meta(description="The same in batches")]
    echo_cpu_ns: Annotated[Amount, Meta(description="CPU nanoseconds per command of the echo, one command at a time")]
    batched_echo_cpu_ns: Annotated[Amount, Meta(description="The same in batches")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredEngine:
    """The matching engine that was measured, with every setting that changes its speed."""

    name: Annotated[
        str, Meta(description="native, reference, that of a package, or as a library or a process calls its engine")
    ]
    settings: Annotated[
        dict[str, str | Whole | float | bool | None],
        Meta(description="Setting by name, e.g. order_pool: 50000; reports with different ones do not compare"),
    ]
    library: Annotated[Library | None, Meta(description="null for an engine that is not of a shared library")] = None
    process: Annotated[ExternalProcess | None, Meta(description="null for an engine that is no process")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """A quantity that changes over a run."""

    mean: Annotated[Amount, Meta(description="Mean over the commands of a run")]
    peak: Annotated[Count, Meta(description="Largest value seen")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The commands that the engine was given."""

    profile: Annotated[
        str, Meta(description="Name of the order flow profile, or of the file replayed; of a recording, its own")
    ]
    seed: Annotated[
        Seed | None,
        Meta(description="Seed of the generator, any 64-bit integer; null for recorded flow"),
    ]
    commands: Annotated[Count | None, Meta(description="Commands in one run; null in a recording, whose runs differ")]
    mix: Annotated[dict[str, Count], Meta(description="Commands by kind")]
    live_orders: Annotated[Extent | None, Meta(description="Orders resting in the books")]
    levels: Annotated[Extent | None, Meta(description="Price levels that hold an order")]
    depth_touched: Annotated[Extent | None, Meta(description="Levels that a trading command trades on")]
    trades: Annotated[Count | None, Meta(description="Trades in one run")]
    hash: Annotated[
        str | None, Meta(description="Hash over the command array: equal hash, equal work; null in a recording")
    ]
    seeded: Annotated[Count, Meta(description="Warm-up commands that pre-populate the book, not measured")] = 0
    notes: Annotated[tuple[str, ...], Meta(description="Notes on the workload, one line each")] = ()


LoadModel: TypeAlias = Literal["closed", "open", "pipeline", "recorded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How commands reached the engine, and what became of them, summed over runs."""

    model: Annotated[
        LoadModel,
        Meta(
            description="closed: the next when the last is done; open: by intended start times; "
            "pipeline: by other threads; recorded: as another program did, which took the latencies"
        ),
    ]
    target_rate: Annotated[Amount | None, Meta(description="Commands per second requested; null in a closed loop")]
    achieved_rate: Annotated[Amount | None, Meta(description="Commands per second achieved")]
    sent: Annotated[Count, Meta(description="Commands sent; in a recording, the operations that have a latency")]
    acked: Annotated[Count, Meta(description="Commands executed; with the rejected ones, all that were sent")]
    rejected: Annotated[
        Count, Meta(description="Commands rejected; if acked and rejected are fewer than sent, some were lost")
    ]
    out_of_range: Annotated[
        Count,
        Meta(description="Latencies above the histogram range (2^42 ns); above 0 makes the run invalid"),
    ]
    missed: Annotated[
        tuple[str, ...],
        Meta(description="Those of status_reasons that say the rate was not sustained; empty when it was"),
    ] = ()
    arrivals: Annotated[
        str | None, Meta(description="constant, poisson, burst or long-memory; null without intended start times")
    ] = None
    producers: Annotated[Count | None, Meta(description="Threads that send commands; null without a pipeline")] = None
    updates: Annotated[Count | None, Meta(description="Records of market data; null without a pipeline")] = None
    loop_ceiling: Annotated[
        Amount | None,
        Meta(
            description="Commands per second of the load's own loop around an engine that does nothing, in the slowest "
            "run; null in a closed loop"
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Where the latencies of a recording come from. Another program measured them: lowlat has only read them."""

    source: Annotated[
        Literal["command", "pipe", "stdin", "file"],
        Meta(description="command: what it printed; pipe: a named pipe; stdin: the standard input; file: saved before"),
    ]
    command: Annotated[tuple[str, ...], Meta(description="The command and its arguments; empty unless it was run")]
    files: Annotated[tuple[str, ...], Meta(description="Named pipe or files, one for each run; empty for others")]
    format: Annotated[
        Literal["lines", "ndjson", "csv", "hlog"],
        Meta(description="lines: a number each; ndjson: objects; csv: a column; hlog: an interval log"),
    ]
    unit: Annotated[Literal["ns", "us", "ms", "s"], Meta(description="Unit of the numbers that were read")]
    skip: Annotated[Count, Meta(description="First latencies of each run that were left out, as warm-up")]
    other_lines: Annotated[Count, Meta(description="Lines without a latency that were ignored, over all runs")]


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
    """The clock behind all timestamps. Every latency holds one read of it."""

    source: Annotated[str, Meta(description="e.g. rdtscp, cntvct, clock_monotonic; of a recording, unknown")]
    frequency_hz: Annotated[Amount | None, Meta(description="Ticks per second as calibrated")]
    uncertainty_ppm: Annotated[Amount | None, Meta(description="Uncertainty of the frequency, parts per million")]
    read_cost_ns: Annotated[Amount | None, Meta(description="Cost of one read, nanoseconds")]
    step_ns: Annotated[
        Amount | None,
        Meta(description="Resolution: smallest difference between two reads, nanoseconds"),
    ]
    frequency_source: Annotated[str | None, Meta(description="How the frequency was found")] = None
    invariant: Annotated[
        bool | None, Meta(description="Whether the processor promises one rate in every power state")
    ] = None
    declared_hz: Annotated[
        Amount | None,
        Meta(
            description="Ticks per second as processor, hypervisor or kernel declare them; null when none does. 1% or "
            "more beside frequency_hz makes the report invalid"
        ),
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
class TopologySummary:
    """What the host is made of, in short; `lowlat topology` has the whole."""

    packages: Annotated[Count, Meta(description="Sockets")]
    cores: Annotated[Count, Meta(description="Cores online")]
    threads_per_core: Annotated[Count, Meta(description="Logical CPUs of the core that has the most")]
    nodes: Annotated[Count | None, Meta(description="NUMA nodes; null where the kernel shows none")]
    guest_view: Annotated[bool, Meta(description="Under a hypervisor, which may present a made-up topology")]
    caches: Annotated[tuple[CpuCache, ...], Meta(description="Caches of the first CPU measured on")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Why the measured threads ran where they ran."""

    cpus: Annotated[str, Meta(description="CPUs of the runs, interleaved; empty when not pinned")]
    chosen_by: Annotated[
        Literal["plan", "user", "system"],
        Meta(description="plan: auto-selected from the topology; user: requested; system: the scheduler's choice"),
    ]
    reasons: Annotated[tuple[str, ...], Meta(description="Reasons for the CPU")]
    compromises: Annotated[
        tuple[str, ...], Meta(description="Compromises: what speaks against it but could not be avoided")
    ]
    warnings: Annotated[tuple[str, ...], Meta(description="Warnings about any placement on this host")]
    threads: Annotated[
        dict[str, Count], Meta(description="CPU of each thread of a pipeline, e.g. matcher, producer[0], publisher")
    ] = field(default_factory=dict)
