"""Measures an engine that runs as a process, through its transport, and compares its every event with the native
engine's. What the transport costs is measured the same way, around an echo.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from shlex import join
from typing import Final

import msgspec

from lowlat.child_process import python_running
from lowlat.engine import _core
from lowlat.engine.bench.event_digest import TAIL_BYTES, digest_events
from lowlat.engine.bench.library_run import Remembered
from lowlat.engine.bench.passes import Pass, PassName, WatchedPasses
from lowlat.engine.bench.python_loops import Watch, operation
from lowlat.engine.bench.ring_run import RingRun
from lowlat.engine.bench.run_memory import unseen_memory
from lowlat.engine.bench.run_setup import MeasuredRun, RunSetup
from lowlat.engine.external.hosting import EngineHost
from lowlat.engine.external.line_engine import LineEngine, ProcessDescription
from lowlat.engine.external.naming import Transport
from lowlat.engine.external.process import ended_by_sigterm
from lowlat.engine.foreign.compared import ComparedEngine
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, Commands
from lowlat.probes.clock.counter import ticks
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.model.context import ExternalProcess
from lowlat.reports.model.results import NativeCheck

ECHO_COMMANDS: Final = 5_000
"""Commands that an echo answers for each of its figures, at most."""
ECHO_PASSES: Final = 3
_WAITS: Final = "lowlat's thread waits for the engine's process"


def measure_process(setup: RunSetup, name: str) -> MeasuredRun:
    """Start the process and measure its engine: by the compiled loops if it takes rings; otherwise in a closed loop:
    batched, one at a time, and timed.

    It runs on the CPUs that lowlat's thread leaves, if there are any. Raises `NotValidError`, `UsageError`.
    """
    cpus = [cpu for cpu in setup.allowed if cpu != setup.cpu] or [*setup.allowed]
    with ended_by_sigterm():
        with EngineHost(name, cpus=cpus) as host:
            measured, told = (_by_rings if host.has_rings else _by_lines)(setup, host), host.description
        return replace(measured, process=_facts(setup, told, cpus))


def _by_rings(setup: RunSetup, host: EngineHost) -> MeasuredRun:
    engine = host.ring_engine(setup.settings, extended=setup.job.wide)
    with engine.blamed():
        return RingRun(setup, engine, _cpu_clock(host)).measured_load()


def _by_lines(setup: RunSetup, host: EngineHost) -> MeasuredRun:
    engine = host.line_engine(setup.settings, extended=setup.job.wide)
    given = Remembered(engine)
    compared = ComparedEngine(given, Engine.of(setup.settings), engine.not_compared)
    digest = digest_events(compared, setup.seeding, setup.measured, setup.job.golden_commands)
    passes = WatchedPasses(setup.cpu, waits=_WAITS)
    recorders = {op: Recorder() for op in _core.operations()}
    loops: tuple[tuple[PassName, Callable[[], Pass]], ...] = (
        ("batched", partial(_batched, setup, host, engine)),
        ("one at a time", partial(_one_at_a_time, setup, host, engine)),
        ("timed", partial(_timed, setup, host, engine, recorders)),
    )
    for name, loop in loops:
        engine.reset()
        engine.process(setup.seeding)
        passes.run(name, loop)
    return MeasuredRun(
        passes=passes,
        recorders={("service", op): recorder for op, recorder in recorders.items()},
        memory=unseen_memory("the engine's memory is its process's own", setup.bound),
        digest=replace(digest, tail=given.tail),
        native_check=NativeCheck(
            commands=compared.commands,
            events=compared.events,
            difference=compared.difference,
            not_compared=engine.not_compared,
        ),
    )


def _batched(setup: RunSetup, host: EngineHost, engine: LineEngine) -> Pass:
    """All commands in one go, their lines made before; the events are read from the answers' lines afterward."""
    lines = b"".join(engine.lines(setup.measured))
    watch = Watch(_cpu_clock(host))
    answers = engine.exchange(lines, len(setup.measured))
    return _stopped(setup, engine, watch, answers)


def _one_at_a_time(setup: RunSetup, host: EngineHost, engine: LineEngine) -> Pass:
    """Each command when the one before it has been answered."""
    lines, answers = engine.lines(setup.measured), list[bytes]()
    exchange = engine.exchange
    watch = Watch(_cpu_clock(host))
    for line in lines:
        answers += exchange(line, 1)
    return _stopped(setup, engine, watch, answers)


def _timed(setup: RunSetup, host: EngineHost, engine: LineEngine, recorders: Mapping[str, Recorder]) -> Pass:
    """The same, each between two reads of the counter; recorded by its outcome afterward."""
    lines, answers, took = engine.lines(setup.measured), list[bytes](), list[int]()
    exchange = engine.exchange
    watch = Watch(_cpu_clock(host))
    for line in lines:
        start = ticks()
        answers += exchange(line, 1)
        took.append(ticks() - start)
    done = _stopped(setup, engine, watch, answers)
    kinds = setup.measured["kind"].tolist()
    for kind, answer, duration in zip(kinds, engine.answers_in(answers), took, strict=True):
        recorders[operation(kind, [event.kind for event in answer.events])].record(setup.scale.to_ns(duration))
    return done


def _stopped(setup: RunSetup, engine: LineEngine, watch: Watch, answers: list[bytes]) -> Pass:
    """The pass, with what the answers say."""
    done = watch.stop(len(setup.measured), 0, setup.scale)
    events = engine.events_in(answers)
    tail = events[-TAIL_BYTES // EVENT.itemsize :].tobytes()
    return replace(done, events=len(events), off_cpu_ns=None, tail=tail)


def _cpu_clock(host: EngineHost) -> Callable[[], int]:
    """Reads the CPU time of the engine's process, all its threads together, in ns: see clock_getcpuclockid(3)."""
    per_process_scheduler_clock = 2
    clock = ~host.process.pid << 3 | per_process_scheduler_clock
    return lambda: time.clock_gettime_ns(clock)


# -- what the transport costs -----------------------------------------------------------------------------------------


def echo_command(transport: Transport) -> str:
    """The echo, as an engine."""
    module = {"ndjson": "lowlat.engine.external.echo", "ring": "lowlat.engine.external.ring_echo"}[transport]
    return f"{transport}:{join(python_running(module))}"


def _facts(setup: RunSetup, told: ProcessDescription, cpus: list[int]) -> ExternalProcess:
    commands = setup.measured[:ECHO_COMMANDS]
    few = replace(setup, commands=commands, job=msgspec.structs.replace(setup.job, seeded=0))
    with EngineHost(echo_command(told.transport), cpus=cpus) as host:
        single, batched = (_echo_by_rings if host.has_rings else _echo_by_lines)(few, host)
    count = max(len(commands), 1)
    return ExternalProcess(
        command=told.file,
        version=told.version,
        language=told.language,
        transport=told.transport,
        capabilities=tuple(sorted(capability.name.lower() for capability in told.capabilities)),
        cpus=format_cpu_list(cpus),
        echo_ns=single.wall_ns / count,
        batched_echo_ns=batched.wall_ns / count,
        echo_cpu_ns=(single.cpu_ns or 0) / count,
        batched_echo_cpu_ns=(batched.cpu_ns or 0) / count,
    )


def _echo_by_lines(setup: RunSetup, host: EngineHost) -> tuple[Pass, Pass]:
    engine = host.line_engine(setup.settings, extended=setup.job.wide)
    engine.process(setup.measured)
    return _one_at_a_time(setup, host, engine), _batched(setup, host, engine)


def _echo_by_rings(setup: RunSetup, host: EngineHost) -> tuple[Pass, Pass]:
    """Of several passes the fastest: they are short."""
    engine, cpu_clock = host.ring_engine(setup.settings, extended=setup.job.wide), _cpu_clock(host)
    engine.process(setup.measured)

    def fastest(loop: Callable[[_core.RingProcess, Commands], _core.Pass]) -> Pass:
        return min((one(loop) for _ in range(ECHO_PASSES)), key=lambda done: done.wall_ns)

    def one(loop: Callable[[_core.RingProcess, Commands], _core.Pass]) -> Pass:
        before = cpu_clock()
        done = Pass.of_native(loop(engine.matcher, setup.measured), setup.scale)
        return replace(done, cpu_ns=cpu_clock() - before)

    with engine.blamed():
        return fastest(_core.run_one_at_a_time), fastest(_core.run_batched)
