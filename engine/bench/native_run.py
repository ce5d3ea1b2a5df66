"""Measures the native engine: in a closed loop a batched pass, one with a command at a time and a timed one, all of
them several times; in an open loop one at intended start times; in a pipeline a pass through it. The whole flow is
executed once before, as a warm-up.

What only some loads need is imported where it is used: the import of this module is a part of every run's time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.bench.event_digest import digest_events
from lowlat.engine.bench.loop_ceiling import ceiling_of
from lowlat.engine.bench.passes import Pass, WatchedPasses
from lowlat.engine.bench.protocol import ClosedLoop, Delivery, OpenLoop, Pipeline
from lowlat.engine.bench.run_memory import native_memory
from lowlat.engine.bench.run_setup import MeasuredRun, Recorders, RunSetup, added_recorders, quiet_recorders
from lowlat.engine.flow.arrivals import arrivals
from lowlat.engine.flow.profile import Arrivals
from lowlat.engine.matching.native import Engine, MemoryPart
from lowlat.engine.matching.records import Commands
from lowlat.reports.model.results import Journal

OPEN_MEASURES = ("response", "service", "scheduling_delay")
CLOSED_PASSES = 5
"""How often a closed loop makes each pass. Other programs slow an engine down for milliseconds to seconds: of several
passes, spread over the run, one is seldom noisy, and the latencies of all of them are those of more moments."""


def measure_native(setup: RunSetup, engine: Engine) -> MeasuredRun:
    """Measure with the job's load."""
    run = _NativeRun(setup, engine)
    ceiling = ceiling_of(setup.job.load, logged=setup.job.log is not None)
    return replace(run.measure(), loop_ceiling=ceiling.commands_per_s if ceiling else None)


class _NativeRun:
    def __init__(self, setup: RunSetup, engine: Engine) -> None:
        self.setup = setup
        self.measured = setup.measured
        self.scale = setup.scale
        self.factors = self.scale.multiplier, self.scale.shift
        self.passes = WatchedPasses(setup.cpu)
        self.log_fault: str | None = None
        self.engine = engine
        self._seed()
        _core.run_batched(self.engine.matcher, self.measured)  # the warm-up
        self._seed()

    def measure(self) -> MeasuredRun:
        match self.setup.job.load:
            case ClosedLoop():
                return self.closed()
            case OpenLoop(arrivals=due, on_cpu=on_cpu):
                return self.open(due, on_cpu=on_cpu)
            case Pipeline(arrivals=due):
                return self.pipeline(due)

    def _seed(self) -> None:
        self.engine.reset()
        _core.run_batched(self.engine.matcher, self.setup.seeding)

    def closed(self) -> MeasuredRun:
        matcher, latencies = self.engine.matcher, _core.Latencies(["service"])

        def timed_pass() -> Pass:
            return self._pass(_core.run_timed(matcher, self.measured, *self.factors, latencies))

        parts: list[tuple[Pass, Recorders]] = []
        for repeat in range(1 if self.setup.job.log else CLOSED_PASSES):
            if repeat:
                self._seed()
            self.passes.run("batched", lambda: self._pass(_core.run_batched(matcher, self.measured)))
            self._seed()
            self.passes.run("one at a time", lambda: self._pass(_core.run_one_at_a_time(matcher, self.measured)))
            self._seed()
            done, recorders = self._recorded(timed_pass, latencies, ["service"])
            parts.append((done, {name: recorder.take() for name, recorder in recorders.items()}))
        measured = self._after_passes(added_recorders([recorders for _, recorders in parts]), self.measured)
        quiet = quiet_recorders(parts) if len(parts) > 1 else None
        return replace(
            measured, largest_gap_ns=self._largest_gap_ns(latencies), journal=self._journal_cost(), quiet=quiet
        )

    def open(self, due: Arrivals, *, on_cpu: bool) -> MeasuredRun:
        latencies, planned = _core.Latencies(OPEN_MEASURES), self._planned(due)
        timestamps = _core.Timestamps(len(self.measured))

        def paced_pass() -> Pass:
            matcher = self.engine.matcher
            paced = _core.run_paced(
                matcher, self.measured, planned, *self.factors, timestamps, latencies, on_cpu=on_cpu
            )
            return self._pass(paced)

        done, recorders = self._recorded(paced_pass, latencies, OPEN_MEASURES)
        return replace(
            self._after_passes(recorders, self.measured, [MemoryPart(*timestamps.memory)]),
            largest_gap_ns=self._largest_gap_ns(latencies),
            late_ns=self._late_ns(done, planned, latencies.waited_ns or 0),
            waited_ns=latencies.waited_ns,
        )

    def pipeline(self, due: Arrivals | None) -> MeasuredRun:
        from lowlat.engine.bench.pipeline import PACED_MEASURES, PATH_MEASURES, OrderPath

        setup = self.setup
        assert setup.job.path is not None, "a pipeline has its places"
        measures = PACED_MEASURES if due else PATH_MEASURES
        latencies = _core.Latencies(measures)
        planned = self._planned(due) if due else None
        with OrderPath(
            self.engine, setup.settings, setup.job.path, setup.job.cpu, self.measured, planned, self.scale, latencies
        ) as path:
            path.start()
            done, recorders = self._recorded(lambda: self._pass(path.run(), path.ticks), latencies, measures)
            passed = path.passed()
            measured = self._after_passes(recorders, self.measured[passed.order], path.memory)
            faults = tuple(path.faults(passed, self.engine, measured.digest.event_hash))
        return replace(
            measured,
            largest_gap_ns=self._largest_gap_ns(latencies),
            late_ns=0 if planned is None else self._late_ns(done, planned),
            delivery=Delivery(sent=passed.sent, acked=passed.acked, rejected=passed.rejected, updates=passed.updates),
            faults=(*faults, *measured.faults),
        )

    def _after_passes(self, recorders: Recorders, commands: Commands, others: Sequence[MemoryPart] = ()) -> MeasuredRun:
        """Collect the results, then execute `commands` once more, in matching order, for their events."""
        memory = native_memory([*self.engine.memory, *others], self.setup.commands, self.setup.bound)
        counters = self.engine.counters
        self.engine.reset()
        return MeasuredRun(
            passes=self.passes,
            recorders=recorders,
            memory=memory,
            digest=digest_events(self.engine, self.setup.seeding, commands, self.setup.job.golden_commands),
            growths=counters.growths,
            trades_recycled=counters.trades_recycled,
            faults=() if self.log_fault is None else (self.log_fault,),
        )

    def _pass(self, native: _core.Pass, ticks: int | None = None) -> Pass:
        return Pass.of_native(native, self.scale, ticks)

    def _recorded(
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

    def _journal_cost(self) -> Journal | None:
        job = self.setup.job.journal
        if job is None:
            return None
        from lowlat.engine.bench.journal_cost import journal_cost

        return journal_cost(job, self.engine, self.setup.seeding, self.measured, self.scale)

    def _idle_cpus(self) -> list[int]:
        """Allowed CPUs without a measured thread, or at least without the matcher."""
        path = self.setup.job.path
        measured = {self.setup.cpu, *((path.publisher, *path.producers) if path else ())}
        others = [cpu for cpu in self.setup.allowed if cpu not in measured]
        return others or [cpu for cpu in self.setup.allowed if cpu != self.setup.cpu]

    def _planned(self, due: Arrivals) -> NDArray[np.uint64]:
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

    def _largest_gap_ns(self, latencies: _core.Latencies) -> int:
        return self.scale.to_ns(latencies.gap_max_ticks)

    def _late_ns(self, done: Pass, planned: NDArray[np.uint64], waited_ns: int = 0) -> int:
        return max(0, done.wall_ns - waited_ns - self.scale.to_ns(int(planned[-1])))
