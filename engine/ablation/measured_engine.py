"""The engine that a run measures: ours, a library's, or one in Python."""

from __future__ import annotations

from typing import Protocol

from lowlat.engine import _core
from lowlat.engine.ablation.passes import UNCOUNTED, figures_of, figures_of_passes, with_latencies
from lowlat.engine.ablation.technique import VariantFigures, VariantRun
from lowlat.engine.bench.engines import EngineEntry, engine_entry
from lowlat.engine.bench.gc_watch import GcWatch
from lowlat.engine.bench.passes import Pass
from lowlat.engine.bench.python_loops import run_batched, run_one_at_a_time, run_timed
from lowlat.engine.foreign.description import STALL_LIMIT_S
from lowlat.engine.foreign.library import LibraryEngine, loaded, silenced
from lowlat.engine.foreign.python_engine import PythonEngine, blaming
from lowlat.engine.matching.interface import Executes
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EXTENDED_COMMAND
from lowlat.reports._core import Histogram as Recorder


class EnginePasses(Protocol):
    """Each of the figures is of passes over the same commands, from the same books."""

    def batched(self) -> VariantFigures:
        """All commands in one call."""

    def one_at_a_time(self) -> VariantFigures:
        """A call for each command, and a pass with a clock around each."""

    def seeded(self) -> object:
        """The engine, where the measured commands begin."""


def engine_of(run: VariantRun) -> EnginePasses:
    """The run's engine, which has executed the commands once. Raises `PlugInError`."""
    entry = engine_entry(run.engine)
    return CompiledEngine(run, _made(run, entry)) if entry.compiled else InterpretedEngine(run, entry)


def first_executions(run: VariantRun) -> VariantFigures:
    """Figures of the first execution of the commands: each pass has a new engine, whose memory is new."""
    entry = engine_entry(run.engine)
    if not entry.compiled:
        return InterpretedEngine(run, entry).one_at_a_time()

    def untimed() -> _core.Pass:
        engine = CompiledEngine(run, _made(run, entry), warm=False)
        return _core.run_one_at_a_time(engine.seeded(), engine.measured)

    return figures_of(run, untimed, lambda recorder: CompiledEngine(run, _made(run, entry), warm=False).timed(recorder))


def _made(run: VariantRun, entry: EngineEntry) -> Engine | LibraryEngine:
    if entry.library is None:
        return entry.make_compiled(run.settings)
    with silenced():
        library = loaded(entry.library, STALL_LIMIT_S)
        return LibraryEngine(library, run.settings, extended=run.commands.dtype == EXTENDED_COMMAND)


class CompiledEngine:
    """An engine that the compiled loops take."""

    def __init__(self, run: VariantRun, engine: Engine | LibraryEngine, *, warm: bool = True) -> None:
        """`warm`: with an execution of all commands before those that are measured."""
        self._run, self._engine = run, engine
        self._seeding = run.commands[: run.seeded]
        self.measured = run.commands[run.seeded :][: run.operations]
        if warm:
            _core.run_batched(self.seeded(), self.measured)

    def seeded(self) -> _core.Matcher | _core.ForeignEngine:
        """What the loops take, back where the measured commands begin."""
        self._engine.reset()
        _core.run_batched(self._engine.matcher, self._seeding)
        return self._engine.matcher

    def batched(self) -> VariantFigures:
        """See `EnginePasses`."""
        return figures_of(self._run, lambda: _core.run_batched(self.seeded(), self.measured))

    def one_at_a_time(self) -> VariantFigures:
        """See `EnginePasses`."""
        return figures_of(self._run, lambda: _core.run_one_at_a_time(self.seeded(), self.measured), self.timed)

    def timed(self, recorder: Recorder) -> None:
        """A pass with a clock around each command."""
        latencies, scale = _core.Latencies(["service"]), self._run.scale
        _core.run_timed(self.seeded(), self.measured, scale.multiplier, scale.shift, latencies)
        for operation in range(len(_core.operations())):
            recorder.add(latencies.histogram("service", operation))


class InterpretedEngine:
    """An engine in Python. The garbage collector is on, as where it is used. Each pass has a new engine, which takes
    longer to fill with orders than the pass; so there is one without a clock, whatever the run asks for.
    """

    def __init__(self, run: VariantRun, entry: EngineEntry) -> None:
        self.collector = GcWatch()
        self._run, self._entry = run, entry
        self._seeding = run.commands[: run.seeded]
        self._measured = run.commands[run.seeded :][: run.operations]

    def batched(self) -> VariantFigures:
        """See `EnginePasses`."""
        with blaming(self._entry.name):
            return self._figures(run_batched(self.seeded(), self._measured, self._run.scale, self.collector))

    def one_at_a_time(self) -> VariantFigures:
        """See `EnginePasses`."""
        run = self._run
        with blaming(self._entry.name):
            figures = self._figures(run_one_at_a_time(self.seeded(), self._measured, run.scale, self.collector))
            recorders, all_of_them = {name: Recorder() for name in _core.operations()}, Recorder()
            run_timed(self.seeded(), self._measured, run.scale, self.collector, recorders)
        for recorder in recorders.values():
            all_of_them.add(recorder)
        return with_latencies(figures, all_of_them)

    def seeded(self) -> Executes:
        """A new engine, where the measured commands begin."""
        engine = PythonEngine(self._entry.name, self._entry.make, self._run.settings, self._entry.claimed)
        engine.process(self._seeding)
        return engine.made

    def _figures(self, done: Pass) -> VariantFigures:
        return figures_of_passes([done], UNCOUNTED)
