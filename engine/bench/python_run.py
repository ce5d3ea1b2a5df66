"""Measures an engine that is called from Python, such as the reference engine or one of another package, and compares
its every event with the native engine's. It runs as its users run it: with Python's garbage collector on.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from lowlat.engine import _core
from lowlat.engine.bench.engines import EngineEntry
from lowlat.engine.bench.event_digest import digest_events
from lowlat.engine.bench.gc_watch import GcWatch
from lowlat.engine.bench.passes import Pass, PassName, WatchedPasses
from lowlat.engine.bench.python_loops import run_batched, run_one_at_a_time, run_timed
from lowlat.engine.bench.run_memory import unseen_memory
from lowlat.engine.bench.run_setup import MeasuredRun, RunSetup
from lowlat.engine.foreign.compared import ComparedEngine
from lowlat.engine.foreign.python_engine import PythonEngine, blaming
from lowlat.engine.matching.interface import Executes
from lowlat.engine.matching.native import Engine
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.model.results import NativeCheck


def measure_python(setup: RunSetup, entry: EngineEntry) -> MeasuredRun:
    """Measure engines of `entry` in a closed loop: batched, one at a time, and timed, each pass with a new engine.

    Its events are compared before, so that a wrong engine is found at once. Raises `PlugInError` for an engine that
    fails or returns something else than events.
    """
    gc.collect()
    gc.freeze()  # what lowlat has loaded is not for the engine's collections to walk over
    first = _engine(setup, entry)
    compared = ComparedEngine(first, Engine.of(setup.settings), first.not_compared)
    digest = digest_events(compared, setup.seeding, setup.measured, setup.job.golden_commands)
    passes, collector, commands, scale = WatchedPasses(setup.cpu), GcWatch(), setup.measured, setup.scale
    recorders = {op: Recorder() for op in _core.operations()}

    def measure(name: PassName, pass_over: Callable[[Executes], Pass]) -> None:
        engine = _engine(setup, entry)
        engine.process(setup.seeding)
        with blaming(entry.name):
            passes.run(name, lambda: pass_over(engine.made))

    measure("batched", lambda engine: run_batched(engine, commands, scale, collector))
    measure("one at a time", lambda engine: run_one_at_a_time(engine, commands, scale, collector))
    measure("timed", lambda engine: run_timed(engine, commands, scale, collector, recorders))
    return MeasuredRun(
        passes=passes,
        recorders={("service", op): recorder for op, recorder in recorders.items()},
        memory=unseen_memory(f"the {entry.name} engine's memory is Python's own", setup.bound),
        digest=digest,
        native_check=NativeCheck(
            commands=compared.commands,
            events=compared.events,
            difference=compared.difference,
            not_compared=first.not_compared,
        ),
        garbage_collection=collector.seen(setup.scale),
    )


def _engine(setup: RunSetup, entry: EngineEntry) -> PythonEngine:
    return PythonEngine(entry.name, entry.make, setup.settings, entry.claimed)
