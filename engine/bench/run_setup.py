"""The input and the output of a run's measured part: the worker prepares a `RunSetup` and reports a `MeasuredRun`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from lowlat.engine.bench.event_digest import EventDigest
from lowlat.engine.bench.passes import Pass, WatchedPasses
from lowlat.engine.bench.protocol import Delivery, Job
from lowlat.engine.bench.run_memory import RunMemory
from lowlat.engine.matching.aligned import aligned_copy
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, Commands
from lowlat.probes.clock.counter import Calibration
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.reading import Reading
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.model import context, results
from lowlat.reports.model.series import series_of

Recorders: TypeAlias = Mapping[tuple[str, str], Recorder]
"""By measure and operation."""
QUIET_PASSES: Final = 2
"""Of the timed passes of a run, those whose latencies a comparison takes: the least noisy ones."""


@dataclass(frozen=True, slots=True)
class RunSetup:
    """A process that is ready to measure: pinned to its CPU, the clock calibrated, the commands in memory.

    `allowed`: the process's CPUs before it was pinned. `bound`: the NUMA node of its memory.
    """

    job: Job
    settings: EngineConfig
    cpu: int
    allowed: tuple[int, ...]
    clock: Calibration
    commands: Commands
    bound: Reading[int]

    @property
    def scale(self) -> TickScale:
        """Scale of the clock's ticks."""
        return TickScale(self.clock.scale.multiplier, self.clock.scale.shift)

    @property
    def seeding(self) -> Commands:
        """The commands that only build the books."""
        return self.commands[: self.job.seeded]

    @property
    def measured(self) -> Commands:
        """The commands after the seeding ones."""
        return self.commands[self.job.seeded :]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """The results of the measured passes, and of the last pass, which keeps every event.

    `growths`, `trades_recycled`: counters of the engine's pools. `late_ns`: how late the last command ended, relative
    to its intended start time. `faults`: reasons why the figures are invalid, in words.
    """

    passes: WatchedPasses
    recorders: Recorders
    memory: RunMemory
    digest: EventDigest
    growths: int = 0
    trades_recycled: int = 0
    largest_gap_ns: int | None = None
    late_ns: int = 0
    waited_ns: int | None = None
    """How long the thread waited for its CPU, if the latencies leave that out."""
    loop_ceiling: float | None = None
    """Commands per second of the load's own loop without an engine."""
    quiet: Recorders | None = None
    """Of the timed passes that took least CPU time; None if there was one."""
    journal: results.Journal | None = None
    delivery: Delivery | None = None
    """Only for a pipeline."""
    library: context.Library | None = None
    process: context.ExternalProcess | None = None
    native_check: results.NativeCheck | None = None
    """Of an engine of another's: a library's or a process's facts, and the check, which one in Python has too."""
    garbage_collection: results.GarbageCollection | None = None
    """Only of an engine that is called from Python."""
    faults: tuple[str, ...] = ()
    uncounted: str = (
        "not available here, because they are counted in a closed loop only, of an engine that compiled loops execute"
    )
    """Why the processor's events were not counted, if they were not."""


def commands_from(descriptor: int, *, wide: bool) -> Commands:
    """The commands in the file that the parent process passed on. `wide`: they are extended ones."""
    with os.fdopen(descriptor, "rb") as file:
        return aligned_copy(np.memmap(file, dtype=EXTENDED_COMMAND if wide else COMMAND, mode="r"))


def clock_context(clock: Calibration) -> context.Clock:
    """The clock as a report has it."""
    return context.Clock(
        source=clock.clock_source,
        frequency_hz=clock.frequency_hz,
        uncertainty_ppm=clock.uncertainty_ppm,
        read_cost_ns=clock.costs.fenced_ns,
        step_ns=clock.step_ns,
        frequency_source=clock.source,
        invariant=clock.flags.invariant.value,
        declared_hz=clock.declared_hz,
    )


def added_recorders(parts: Sequence[Recorders]) -> Recorders:
    """The latencies of several passes together."""
    total = {name: Recorder() for name in parts[0]}
    for part in parts:
        for name, recorder in part.items():
            total[name].add(recorder)
    return total


def quiet_recorders(parts: Sequence[tuple[Pass, Recorders]]) -> Recorders:
    """The latencies of the timed passes that took least CPU time, or least time if it is not known."""
    known = all(done.cpu_ns is not None for done, _ in parts)
    ordered = sorted(parts, key=lambda part: (part[0].cpu_ns or 0) if known else part[0].wall_ns)
    return added_recorders([recorders for _, recorders in ordered[:QUIET_PASSES]])


def recorded_series(recorders: Recorders) -> tuple[tuple[results.Series, ...], int]:
    """For each measure, a series per operation with samples and one for all; and the number of values out of range."""
    histograms = {name: Histogram.from_native(recorder) for name, recorder in recorders.items()}
    out_of_range = sum(histogram.out_of_range for histogram in histograms.values())
    return tuple(_series({name: each for name, each in histograms.items() if each.total})), out_of_range


def _series(histograms: Mapping[tuple[str, str], Histogram]) -> Iterator[results.Series]:
    for measure in dict.fromkeys(measure for measure, _ in histograms):
        by_op = {op: histogram for (of, op), histogram in histograms.items() if of == measure}
        yield from (series_of(op, measure, histogram) for op, histogram in by_op.items())
        yield series_of("all", measure, merge(by_op.values()))
