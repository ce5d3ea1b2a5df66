"""What a run's process is told, and what it tells: plain records, sent as JSON over its pipes."""

from __future__ import annotations

import signal
from typing import Any

import msgspec

from lowlat.engine.flow.profile import Arrivals
from lowlat.reports.model import context, results

INTERRUPTIONS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
"""Signals that end a set of runs early. They are blocked while a run's process is started, which inherits that."""


class ClosedLoop(msgspec.Struct, frozen=True, tag="closed"):
    """The next command when the last is done."""


class OpenLoop(msgspec.Struct, frozen=True, tag="open"):
    """Commands at planned times."""

    arrivals: Arrivals


class Pipeline(msgspec.Struct, frozen=True, tag="pipeline"):
    """Commands from `producers` threads through both rings to the mapped books; as fast as it goes if no `arrivals`."""

    producers: int
    arrivals: Arrivals | None = None


Load = ClosedLoop | OpenLoop | Pipeline


class PathPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """Where the threads of a pipeline run, beside the matcher, and where its books are shown."""

    producers: list[int | None]
    """CPU of each; None leaves it to the scheduler."""
    publisher: int | None
    may_spin: bool
    """Whether the CPU quota lets every thread run all the time."""
    folder: str | None
    """None: where `MappedBookReader` looks by itself."""
    books: list[str]
    """Name of each symbol's mapped book."""


class LogJob(msgspec.Struct, frozen=True, kw_only=True):
    """An open interval log (`IntervalLog`), for the run's process to go on with."""

    path: str
    descriptor: int
    base_ns: int


class JournalJob(msgspec.Struct, frozen=True, kw_only=True):
    """A journal to be kept of the run, and measured."""

    folder: str
    """Where, beside others that go again."""
    batch: int
    """Commands that are appended, and committed, together."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run. The commands come as a file, by descriptor: `seeded` of them, then the measured ones."""

    engine: str
    """By its name in `ENGINES`."""
    parent: int
    """Process id of who waits for the outcome."""
    commands_fd: int
    wide: bool
    """Whether they are `EXTENDED_COMMAND` records."""
    seeded: int
    settings: dict[str, Any]
    """The engine's, as `config_codec.to_plain` gives them."""
    cpu: int | None
    memory_node: int | None
    """NUMA node to take the memory from; None leaves it to the kernel."""
    load: Load
    seed: int
    """Of the arrivals."""
    path: PathPlaces | None
    """For a pipeline."""
    log: LogJob | None
    journal: JournalJob | None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the commands that were sent."""

    sent: int
    acked: int
    rejected: int
    updates: int | None
    """Records of market data; None without a pipeline."""


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one run measured, in the report's own structures, which here describe this run alone."""

    cpu: int
    clock: context.Clock
    """As this run calibrated it."""
    throughput: results.Throughput
    stamped: results.Throughput | None
    """None where the first pass has time stamps: in any but a closed loop."""
    disturbances: results.Disturbances
    series: tuple[results.Series, ...]
    out_of_range: int
    """Latencies that no histogram could hold."""
    late_ns: int
    """How late the last command ended, by its planned time; 0 without planned times."""
    delivery: Delivery
    hot_path: results.HotPath
    pages_astray: int
    """Pages without memory, or whose node the kernel does not tell."""
    clock_ns: int
    """Median of two ordered reads around nothing."""
    loop_ns: float
    """Per command, of a loop that only reads the commands."""
    journal: results.Journal | None
    """If one was asked for; its file is where the run left it."""
    digest: str
    """SHA-256 over every event of a pass that keeps them, seeding included."""
    digested_events: int
    """Events that the digest covers."""
    events: tuple[int, ...]
    """Events of the measured commands: in that pass, and in each measured one."""
    same_tail: bool
    """Whether the last events of the measured passes are byte for byte those of the digested one."""
    faults: tuple[str, ...]
    """Other reasons not to trust the figures, in words."""
    absent: dict[str, str]
    """Why fields are None, by their path in the report."""
