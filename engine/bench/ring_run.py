"""Measures an engine that runs as a process behind rings, by the compiled loops, and compares its every event with the
native engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lowlat.engine import _core
from lowlat.engine.bench.compiled_run import CompiledRun
from lowlat.engine.bench.event_digest import digest_events
from lowlat.engine.bench.library_run import Remembered
from lowlat.engine.bench.passes import Pass
from lowlat.engine.bench.run_memory import unseen_memory
from lowlat.engine.bench.run_setup import MeasuredRun, Recorders, RunSetup
from lowlat.engine.external.ring_engine import RingEngine
from lowlat.engine.foreign.compared import ComparedEngine
from lowlat.engine.matching.native import Engine, MemoryPart
from lowlat.engine.matching.records import Commands
from lowlat.reports.model.results import NativeCheck


class RingRun(CompiledRun):
    """The passes over an engine that has been asked for nothing yet."""

    engine: RingEngine
    counts_events = False

    def __init__(self, setup: RunSetup, engine: RingEngine, cpu_clock: Callable[[], int]) -> None:
        """`cpu_clock`: reads the CPU time of the engine's process, in nanoseconds."""
        given = Remembered(engine)
        compared = ComparedEngine(given, Engine.of(setup.settings), engine.not_compared)
        digest = digest_events(compared, setup.seeding, setup.measured, setup.job.golden_commands)
        self._digest = replace(digest, tail=given.tail)
        self._check = NativeCheck(
            commands=compared.commands,
            events=compared.events,
            difference=compared.difference,
            not_compared=engine.not_compared,
        )
        self._cpu_clock = cpu_clock
        super().__init__(setup, engine)

    def native_pass(self, loop: Callable[[], _core.Pass]) -> Pass:
        """A pass with the CPU time of the engine's process: lowlat's own thread only waits."""
        before = self._cpu_clock()
        native = loop()
        return replace(self.one_pass(native), cpu_ns=self._cpu_clock() - before)

    def after_passes(self, recorders: Recorders, commands: Commands, others: Sequence[MemoryPart] = ()) -> MeasuredRun:
        """The results."""
        del commands, others  # in their own order, and compared before
        return MeasuredRun(
            passes=self.passes,
            recorders=recorders,
            memory=unseen_memory("the engine's memory is its process's own", self.setup.bound),
            digest=self._digest,
            native_check=self._check,
            faults=() if self.log_fault is None else (self.log_fault,),
        )
