"""The input and output of a run's process: plain records, sent as JSON over its pipes."""

from __future__ import annotations

import signal
from typing import Any

import msgspec

from lowlat.engine.flow.profile import Arrivals
from lowlat.reports.model import context, results

INTERRUPTIONS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
"""Signals that end a set of runs early. They are blocked while a run's process starts, and it inherits the mask."""


class ClosedLoop(msgspec.Struct, frozen=True, tag="closed"):
    """Each command is sent when the previous one is done."""


class OpenLoop(msgspec.Struct, frozen=True, tag="open"):
    """Commands at intended start times."""

    arrivals: Arrivals
    on_cpu: bool = False
    """Whether time stands still, for plan and latencies, while other programs have the thread's CPU."""


class Pipeline(msgspec.Struct, frozen=True, tag="pipeline"):
    """Commands from `producers` threads through both rings to the mapped books; at maximum rate without `arrivals`."""

    producers: int
    arrivals: Arrivals | None = None


Load = ClosedLoop | OpenLoop | Pipeline


class PathPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """Where the threads of a pipeline other than the matcher run, and where its books are published."""

    producers: list[int | None]
    """CPU of each; None for unpinned."""
    publisher: int | None
    may_spin: bool
    """Whether the CPU quota lets all threads run continuously."""
    folder: str | None
    """None for the default folder of `MappedBookReader`."""
    books: list[str]
    """Name of each symbol's mapped book."""


class LogJob(msgspec.Struct, frozen=True, kw_only=True):
    """An open interval log (`IntervalLog`), which the run's process continues."""

    path: str
    descriptor: int
    base_ns: int


class JournalJob(msgspec.Struct, frozen=True, kw_only=True):
    """A journal of the run, to be kept and measured."""

    folder: str
    """Folder of the kept journal and of temporary ones."""
    batch: int
    """Number of commands appended and committed together."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run. The commands come in a file, by descriptor: first the `seeded` ones, then the measured ones."""

    engine: str
    """Its name in `ENGINES`, the file of its library, or its process."""
    parent: int
    """Process id of the parent, which waits for the outcome."""
    commands_fd: int
    wide: bool
    """Whether the commands are `EXTENDED_COMMAND` records."""
    seeded: int
    settings: dict[str, Any]
    """The engine's settings, from `config_codec.to_plain`."""
    cpu: int | None
    memory_node: int | None
    """NUMA node for the memory; None leaves it to the kernel."""
    load: Load
    seed: int
    """Seed of the arrivals."""
    golden_commands: int
    """Measured commands whose events have a golden digest; 0 for none."""
    path: PathPlaces | None
    """Only for a pipeline."""
    log: LogJob | None
    journal: JournalJob | None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Number of commands sent, acknowledged and rejected."""

    sent: int
    acked: int
    rejected: int
    updates: int | None
    """Records of market data; None without a pipeline."""


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The results of one run, in the report's structures."""

    cpu: int
    clock: context.Clock
    """As calibrated by this run."""
    throughput: results.Throughput
    """The batched pass of a closed loop, otherwise the pass with the load."""
    one_at_a_time: results.Throughput | None
    """None unless in a closed loop."""
    timed: results.Throughput | None
    """None unless in a closed loop: elsewhere `throughput` is of the timed pass."""
    passes: int
    """How often each pass was made; `throughput` and the like are the median one."""
    least_cpu_ns: int | None
    """CPU time of the batched pass that took least of it; None unless in a closed loop."""
    counters: results.HardwareCounters | None = None
    """The processor's events in the batched passes; None if they were not counted."""
    counters_one_at_a_time: results.HardwareCounters | None = None
    os_noise: results.OsNoise
    series: tuple[results.Series, ...]
    quiet: tuple[results.Series, ...]
    """Of the timed passes that took least CPU time; empty if there was one."""
    out_of_range: int
    """Number of latencies out of the histograms' range."""
    late_ns: int
    """How late the last command ended, relative to its intended start time; 0 without intended start times."""
    waited_ns: int | None = None
    """How long the measuring thread waited for its CPU, if the latencies leave that out."""
    loop_ceiling: float | None
    """Commands per second of the load's own loop without an engine; None in a closed loop."""
    delivery: Delivery
    hot_path: results.HotPath
    pages_astray: int
    """Pages without memory, or whose node the kernel does not report."""
    clock_ns: int
    """Timer overhead: median of two back-to-back ordered reads."""
    loop_ns: float
    """Nanoseconds per command of a loop that only reads the commands."""
    journal: results.Journal | None
    """If requested; its file is where the run left it."""
    digest: str
    """SHA-256 over every event of the digest pass, seeding included."""
    golden_part: str | None
    """The same up to the job's `golden_commands`; None without any."""
    digested_events: int
    """Events that the digest covers."""
    events: tuple[int, ...]
    """Number of events of the measured commands: in the digest pass, and in each measured pass."""
    same_tail: bool
    """Whether the last events of the measured passes are byte for byte those of the digested one."""
    faults: tuple[str, ...]
    """Other reasons why the figures are invalid, in words."""
    library: context.Library | None = None
    process: context.ExternalProcess | None = None
    native_check: results.NativeCheck | None = None
    """Of an engine of another's: a library's or a process's facts, and the check, which one in Python has too."""
    garbage_collection: results.GarbageCollection | None = None
    """Only of an engine that is called from Python."""
    absent: dict[str, str]
    """Why fields are None, by their path in the report."""
