"""Measures an engine by the compiled loops, ours, that of a library or one behind rings: in a closed loop a batched
pass, one with a command at a time and a timed one, all of them several times; in an open loop one at intended times.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.bench.loop_ceiling import ceiling_of
from lowlat.engine.bench.pass_counters import PassCounters
from lowlat.engine.bench.passes import Pass, WatchedPasses
from lowlat.engine.bench.protocol import OpenLoop
from lowlat.engine.bench.run_setup import MeasuredRun, Recorders, RunSetup, added_recorders, quiet_recorders
from lowlat.engine.flow.arrivals import arrivals
from lowlat.engine.flow.profile import Arrivals
from lowlat.engine.matching.native import Engine, MemoryPart
from lowlat.engine.matching.records import Commands

if TYPE_CHECKING:
    from lowlat.engine.external.ring_engine import RingEngine
    from lowlat.engine.foreign.library import LibraryEngine

OPEN_MEASURES = ("response", "service", "scheduling_delay")
CLOSED_PASSES = 5
"""How often a closed loop makes each pass. Other programs slow an engine down for milliseconds to seconds: of several
passes, spread over the run, one is seldom noisy, and the latencies of all of them are those of more moments."""


class CompiledRun(ABC):
    """The measured passes over `engine`, whose `matcher` the loops take. `counts_events`: whether this thread executes
    it, and so counts what the processor does.
    """

    counts_events = True

    def __init__(self, setup: RunSetup, engine: Engine | LibraryEngine | RingEngine) -> None:
        """Executes the whole flow once, as a warm-up."""
        self.setup = setup
        self.measured = setup.measured
        self.scale = setup.scale
        self.factors = self.scale.multiplier, self.scale.shift
        self.passes = WatchedPasses(setup.cpu)
        self.log_fault: str | None = None
        self.engine = engine
        self.seed()
        _core.run_batched(self.engine.matcher, self.measured)
        self.seed()

    def measured_load(self) -> MeasuredRun:
        """Measure with the job's load, and the load itself."""
        ceiling = ceiling_of(self.setup.job.load, logged=self.setup.job.log is not None)
        return replace(self.measure(), loop_ceiling=ceiling.commands_per_s if ceiling else None)

    @abstractmethod
    def after_passes(self, recorders: Recorders, commands: Commands, others: Sequence[MemoryPart] = ()) -> MeasuredRun:
        """The results, with a digest of the events of `commands`. `others`: memory beside the engine's."""

    def measure(self) -> MeasuredRun:
        """Measure with the job's load."""
        match self.setup.job.load:
            case OpenLoop(arrivals=due, on_cpu=on_cpu):
                return self.open(due, on_cpu=on_cpu)
            case _:
                return self.closed()

    def seed(self) -> None:
        """Bring the engine to where the measured commands begin."""
        self.engine.reset()
        _core.run_batched(self.engine.matcher, self.setup.seeding)

    def closed(self) -> MeasuredRun:
        """Batched, one at a time, and timed, several times."""
        latencies = _core.Latencies(["service"])
        counters = PassCounters() if self.counts_events else None

        def counted_pass(loop: Callable[[], _core.Pass]) -> Pass:
            if counters is None:
                return self.native_pass(loop)
            native, counts = counters.count(loop)
            return replace(self.one_pass(native), counts=counts)

        def timed_pass() -> Pass:
            return self.native_pass(
                lambda: _core.run_timed(self.engine.matcher, self.measured, *self.factors, latencies)
            )

        parts: list[tuple[Pass, Recorders]] = []
        for repeat in range(1 if self.setup.job.log else CLOSED_PASSES):
            if repeat:
                self.seed()
            if counters:
                counters.choose(repeat)
            self.passes.run("batched", lambda: counted_pass(self.batched_loop))
            self.seed()
            self.passes.run("one at a time", lambda: counted_pass(self.single_loop))
            self.seed()
            done, recorders = self.recorded(timed_pass, latencies, ["service"])
            parts.append((done, {name: recorder.take() for name, recorder in recorders.items()}))
        measured = self.after_passes(added_recorders([recorders for _, recorders in parts]), self.measured)
        quiet = quiet_recorders(parts) if len(parts) > 1 else None
        if counters:
            measured = replace(measured, uncounted=counters.why_absent)
        return replace(measured, largest_gap_ns=self.largest_gap_ns(latencies), quiet=quiet)

    def open(self, due: Arrivals, *, on_cpu: bool) -> MeasuredRun:
        """At intended start times."""
        latencies, planned = _core.Latencies(OPEN_MEASURES), self.planned(due)
        timestamps = _core.Timestamps(len(self.measured))

        def paced_pass() -> Pass:
            matcher = self.engine.matcher
            return self.native_pass(
                lambda: _core.run_paced(
                    matcher, self.measured, planned, *self.factors, timestamps, latencies, on_cpu=on_cpu
                )
            )

        done, recorders = self.recorded(paced_pass, latencies, OPEN_MEASURES)
        return replace(
            self.after_passes(recorders, self.measured, [MemoryPart(*timestamps.memory)]),
            largest_gap_ns=self.largest_gap_ns(latencies),
            late_ns=self.late_ns(done, planned, latencies.waited_ns or 0),
            waited_ns=latencies.waited_ns,
        )

    def batched_loop(self) -> _core.Pass:
        """All commands in one call."""
        return _core.run_batched(self.engine.matcher, self.measured)

    def single_loop(self) -> _core.Pass:
        """A call for each command."""
        return _core.run_one_at_a_time(self.engine.matcher, self.measured)

    def native_pass(self, loop: Callable[[], _core.Pass]) -> Pass:
        """A pass by a native loop."""
        return self.one_pass(loop())

    def one_pass(self, native: _core.Pass, ticks: int | None = None) -> Pass:
        """A pass with its times in ns. `ticks`: how long it took, if not as long as its loop."""
        return Pass.of_native(native, self.scale, ticks)

    def recorded(
        self, measured: Callable[[], Pass], latencies: _core.Latencies, measures: Sequence[str]
    ) -> tuple[Pass, Recorders]:
        """A watched pass that records these measures; the first one is logged if there is a log."""
        operations = _core.operations()
        recorders = {(name, op): latencies.histogram(name, at) for name in measures for at, op in enumerate(operations)}
        job = self.setup.job.log
        if job is None:
            return self.passes.run("timed", measured), recorders
        from lowlat.engine.bench.interval_log import logged

        with logged(job, latencies, measures[0], self.scale, self._idle_cpus()) as log:
            done = self.passes.run("timed", measured)
        self.log_fault = log.fault
        return done, recorders | {(measures[0], op): log.intervals.total(at) for at, op in enumerate(operations)}

    def _idle_cpus(self) -> list[int]:
        """Allowed CPUs without a measured thread, or at least without the matcher."""
        path = self.setup.job.path
        measured = {self.setup.cpu, *((path.publisher, *path.producers) if path else ())}
        others = [cpu for cpu in self.setup.allowed if cpu not in measured]
        return others or [cpu for cpu in self.setup.allowed if cpu != self.setup.cpu]

    def planned(self, due: Arrivals) -> NDArray[np.uint64]:
        """When each measured command is due, in ticks from the start."""
        times_ps = arrivals(
            due.process,
            len(self.measured),
            due.rate,
            self.setup.job.seed,
            branching=due.branching,
            decay_spacings=due.decay_spacings,
            kernels=due.kernels,
        )
        planned: NDArray[np.uint64] = np.rint(times_ps * (self.setup.clock.frequency_hz / 1e12)).astype(np.uint64)
        return planned

    def largest_gap_ns(self, latencies: _core.Latencies) -> int:
        """The longest time between two timestamps."""
        return self.scale.to_ns(latencies.gap_max_ticks)

    def late_ns(self, done: Pass, planned: NDArray[np.uint64], waited_ns: int = 0) -> int:
        """How much later than planned the last command ended."""
        return max(0, done.wall_ns - waited_ns - self.scale.to_ns(int(planned[-1])))
