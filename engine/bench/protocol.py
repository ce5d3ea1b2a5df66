"""What a run's process is told, and what it tells: plain records, sent as JSON over its pipes."""

from __future__ import annotations

import signal
from typing import Literal

import msgspec

from lowlat.engine.flow.profile import Arrivals

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
    rules: list[tuple[int, int, int, int, int, int]]
    """Per symbol: tick, lot, lowest and highest price, `MatchAlgorithm`, `TickRounding`."""
    orders: int
    trades: int
    when_orders_dry: int
    when_trades_dry: int
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


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """One pass over the measured commands. Counters are None where they are not counted."""

    commands: int
    events: int
    wall_ns: int
    cpu_ns: int
    allocations: int | None
    minor_faults: int | None
    major_faults: int | None
    voluntary_switches: int | None
    involuntary_switches: int | None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A histogram on its way: of what, the V2 blob, and what the blob does not hold."""

    op: str
    measure: str
    hdr: str
    min_ns: int
    max_ns: int


class Disturbance(msgspec.Struct, frozen=True, kw_only=True):
    """What the probes saw around both measured passes; None with its reason in `absent`."""

    migrations: int | None
    timer_interrupts: int | None
    steal_ms: int | None
    reasons: list[str]
    absent: dict[str, str]


class ClockFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The counter as this run calibrated it."""

    source: str
    frequency_hz: float
    frequency_source: str
    invariant: bool | None
    uncertainty_ppm: float
    read_cost_ns: float
    step_ns: float


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of the engine by part, in bytes, and what the system granted.

    `node`: what it is bound to. `pages_by_node`: where the kernel says that the pages of engine and commands lie,
    after the passes; `pages_astray`: those without memory or whose node it does not tell. None has its reason in
    `absent`.
    """

    parts: dict[str, int]
    huge_page_bytes: int | None
    locked: bool | None
    node: int | None
    pages_by_node: dict[int, int] | None
    pages_astray: int
    absent: dict[str, str]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the commands that a pipeline's producers sent; `faults` says in words what went wrong."""

    sent: int
    acked: int
    rejected: int
    updates: int
    """Records of market data."""
    faults: list[str]


class JournaledPasses(msgspec.Struct, frozen=True, kw_only=True):
    """Passes with a journal of one policy, or without any; fdatasync as far as the policy has it called."""

    policy: Literal["off", "none", "interval", "batch"]
    commands: int
    """In each pass."""
    wall_ns: list[int]
    """Of each."""
    syncs: int
    sync_p50_ns: int | None
    sync_p99_ns: int | None


class JournalCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal costs under each policy."""

    batch: int
    size_bytes: int
    """Of the journal that was kept."""
    policies: list[JournaledPasses]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one run measured."""

    cpu: int
    clock: ClockFacts
    plain: Pass | None
    """Without time stamps; only in a closed loop."""
    stamped: Pass
    latencies: list[Recorded]
    out_of_range: int
    largest_gap_ns: int | None
    clock_ns: int
    """Median of two ordered reads around nothing."""
    loop_ns: float | None
    """Per command, of a loop that only reads the commands."""
    disturbance: Disturbance
    late_ns: int
    """How much later than it was due the last command ended; 0 without planned times."""
    log_fault: str | None
    """Why the interval log is not complete."""
    journal: JournalCost | None
    """If a journal was asked for."""
    delivery: Delivery | None
    """Of a pipeline."""
    digest: str
    """SHA-256 over every event of a pass that keeps them, seeding included."""
    digested_events: int
    """Events that the digest covers."""
    events: int
    """Events of the measured commands in that pass."""
    same_tail: bool
    """Whether the last events of the measured passes are byte for byte those of the digested one."""
    rejected: int
    refusals: int
    """Of these, commands for which a pool had no room."""
    growths: int
    """Times a pool grew, since the engine was made."""
    trades_recycled: int
    """Records of the trade tape overwritten in the stamped pass."""
    memory: Memory

    @property
    def passes(self) -> list[Pass]:
        """The measured passes."""
        return [done for done in (self.plain, self.stamped) if done is not None]
