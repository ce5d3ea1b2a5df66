"""Measures the engine of a shared library, and compares its every event with the native engine's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lowlat.engine import _core
from lowlat.engine.bench.compiled_run import CompiledRun
from lowlat.engine.bench.event_digest import TAIL_BYTES, digest_events
from lowlat.engine.bench.run_memory import unseen_memory
from lowlat.engine.bench.run_setup import MeasuredRun, Recorders, RunSetup
from lowlat.engine.foreign.compared import ComparedEngine
from lowlat.engine.foreign.description import STALL_LIMIT_S
from lowlat.engine.foreign.library import LibraryEngine, loaded, null_library, silenced
from lowlat.engine.matching.interface import Executes
from lowlat.engine.matching.native import Engine, MemoryPart
from lowlat.engine.matching.records import EVENT, Commands, Events
from lowlat.reports.model.context import Library
from lowlat.reports.model.results import NativeCheck

CALL_PASSES = 3


def measure_library(setup: RunSetup, path: str) -> MeasuredRun:
    """Load the library and measure its engine.

    Its events are compared before anything is measured, so that a wrong engine is found at once. Raises `PlugInError`,
    `NotValidError`; a library that crashes or hangs ends this process.
    """
    with silenced():
        library = loaded(path, STALL_LIMIT_S)
        return _LibraryRun(setup, LibraryEngine(library, setup.settings, extended=setup.job.wide)).measured_load()


class Remembered:
    """The engine, and the last events that it gave, byte by byte."""

    def __init__(self, engine: Executes) -> None:
        self._engine = engine
        self.tail = b""

    def process(self, commands: Commands) -> Events:
        """The engine's events."""
        events = self._engine.process(commands)
        self.tail = (self.tail + events[-TAIL_BYTES // EVENT.itemsize :].tobytes())[-TAIL_BYTES:]
        return events


class _LibraryRun(CompiledRun):
    engine: LibraryEngine

    def __init__(self, setup: RunSetup, engine: LibraryEngine) -> None:
        given = Remembered(engine)
        compared = ComparedEngine(given, Engine.of(setup.settings), engine.not_compared)
        digest = digest_events(compared, setup.seeding, setup.measured, setup.job.golden_commands)
        self._digest = replace(digest, tail=given.tail)  # with what is not compared, as a measured pass has it
        self._check = NativeCheck(
            commands=compared.commands,
            events=compared.events,
            difference=compared.difference,
            not_compared=engine.not_compared,
        )
        super().__init__(setup, engine)

    def after_passes(self, recorders: Recorders, commands: Commands, others: Sequence[MemoryPart] = ()) -> MeasuredRun:
        """The results, and what the calls cost."""
        del commands, others  # in their own order, and compared before
        growth = self._heap_growth()
        measured = MeasuredRun(
            passes=self.passes,
            recorders=recorders,
            memory=unseen_memory("the library's engine keeps its memory to itself", self.setup.bound),
            digest=self._digest,
            faults=() if self.log_fault is None else (self.log_fault,),
        )
        return replace(measured, library=self._facts(growth), native_check=self._check)

    def _facts(self, growth: int | None) -> Library:
        told = self.engine.library.description
        null = LibraryEngine(
            null_library(calls_back=told.calls_back), self.setup.settings, extended=self.setup.job.wide
        )
        return Library(
            file=told.file,
            version=told.version,
            events="callback" if told.calls_back else "buffer",
            capabilities=tuple(sorted(capability.name.lower() for capability in told.capabilities)),
            call_ns=self._call_ns(lambda: _core.run_one_at_a_time(null.matcher, self.measured)),
            batched_call_ns=self._call_ns(lambda: _core.run_batched(null.matcher, self.measured)),
            heap_growth_bytes=growth,
        )

    def _call_ns(self, null_pass: Callable[[], _core.Pass]) -> float:
        """CPU time per command around an engine that does nothing; of the fastest of several passes."""
        return min(null_pass().cpu_ns for _ in range(CALL_PASSES)) / max(len(self.measured), 1)

    def _heap_growth(self) -> int | None:
        """How much the heap grows from one execution of the flow to the next, with empty books after each. The first
        may grow it for good.
        """
        in_use = []
        for _ in range(3):
            self.seed()
            _core.run_batched(self.engine.matcher, self.measured)
            self.engine.reset()
            in_use.append(_core.heap_in_use())
        return None if -1 in in_use else max(0, in_use[-1] - in_use[-2])
