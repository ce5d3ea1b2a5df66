"""Measures the native engine: as any compiled one, through a pipeline too, and with a journal.

What only some loads need is imported where it is used: the import of this module is a part of every run's time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lowlat.engine import _core
from lowlat.engine.bench.compiled_run import CompiledRun
from lowlat.engine.bench.event_digest import digest_events
from lowlat.engine.bench.protocol import Delivery, Pipeline
from lowlat.engine.bench.run_memory import native_memory
from lowlat.engine.bench.run_setup import MeasuredRun, Recorders, RunSetup
from lowlat.engine.flow.profile import Arrivals
from lowlat.engine.matching.native import Engine, MemoryPart
from lowlat.engine.matching.records import Commands


class NativeRun(CompiledRun):
    """A run of our engine."""

    engine: Engine

    def __init__(self, setup: RunSetup, engine: Engine) -> None:
        """Executes the whole flow once, as a warm-up."""
        super().__init__(setup, engine)

    def measure(self) -> MeasuredRun:
        """Measure with the job's load."""
        match self.setup.job.load:
            case Pipeline(arrivals=due):
                return self.pipeline(due)
            case _:
                return super().measure()

    def closed(self) -> MeasuredRun:
        """Batched, one at a time, and timed, several times; then with a journal, if the job has one."""
        measured, job, seeding = super().closed(), self.setup.job.journal, self.setup.seeding
        if job is None:
            return measured
        from lowlat.engine.bench.journal_cost import journal_cost

        return replace(measured, journal=journal_cost(job, self.engine, seeding, self.measured, self.scale))

    def pipeline(self, due: Arrivals | None) -> MeasuredRun:
        """Through the rings to the mapped books. `due`: None for maximum rate."""
        from lowlat.engine.bench.pipeline import PACED_MEASURES, PATH_MEASURES, OrderPath

        setup = self.setup
        assert setup.job.path is not None, "a pipeline has its places"
        measures = PACED_MEASURES if due else PATH_MEASURES
        latencies = _core.Latencies(measures)
        planned = self.planned(due) if due else None
        with OrderPath(
            self.engine, setup.settings, setup.job.path, setup.job.cpu, self.measured, planned, self.scale, latencies
        ) as path:
            path.start()
            done, recorders = self.recorded(lambda: self.one_pass(path.run(), path.ticks), latencies, measures)
            passed = path.passed()
            measured = self.after_passes(recorders, self.measured[passed.order], path.memory)
            faults = tuple(path.faults(passed, self.engine, measured.digest.event_hash))
        return replace(
            measured,
            largest_gap_ns=self.largest_gap_ns(latencies),
            late_ns=0 if planned is None else self.late_ns(done, planned),
            delivery=Delivery(sent=passed.sent, acked=passed.acked, rejected=passed.rejected, updates=passed.updates),
            faults=(*faults, *measured.faults),
        )

    def after_passes(self, recorders: Recorders, commands: Commands, others: Sequence[MemoryPart] = ()) -> MeasuredRun:
        """The results, and the events of `commands`, executed once more, in matching order."""
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
