"""The measured passes over an engine that is called from Python, such as the reference engine: the interpreted
baseline, timed by the same counter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lowlat.engine.bench.gc_watch import GcWatch
from lowlat.engine.bench.passes import Pass
from lowlat.engine.matching.interface import Executes
from lowlat.engine.matching.records import EVENT, Commands, CommandType, ExecType
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.probes._core import read_thread_usage
from lowlat.probes.clock.counter import ticks
from lowlat.probes.clock.scale import TickScale
from lowlat.reports._core import Histogram as Recorder

_EVENT_KIND = (EVENT.names or ()).index("kind")
_CHANGES = {CommandType.CANCEL: "cancel", CommandType.REDUCE: "reduce", CommandType.REPLACE: "replace"}


def run_batched(engine: Executes, commands: Commands, scale: TickScale, collector: GcWatch) -> Pass:
    """Execute every command once, in one call, without a clock in the loop."""
    collector.settle()
    watch = Watch()
    with collector:
        events = engine.process(commands)
    return watch.stop(len(commands), len(events), scale)


def run_one_at_a_time(engine: Executes, commands: Commands, scale: TickScale, collector: GcWatch) -> Pass:
    """Execute every command once, in a call of its own, and count its events; without a clock in the loop."""
    execute, single = _one_by_one(engine, commands)
    count = 0
    collector.settle()
    watch = Watch()
    with collector:
        for command in single:
            count += len(execute(command))
    return watch.stop(len(commands), count, scale)


def run_timed(
    engine: Executes, commands: Commands, scale: TickScale, collector: GcWatch, recorders: Mapping[str, Recorder]
) -> Pass:
    """Execute every command once, each between two reads of the counter, and record it by its outcome."""
    execute, single = _one_by_one(engine, commands)
    kinds = commands["kind"].tolist()
    count = 0
    collector.settle()
    watch = Watch()
    with collector:
        for kind, command in zip(kinds, single, strict=True):
            start = ticks()
            events = execute(command)
            end = ticks()
            recorders[operation(kind, [event[_EVENT_KIND] for event in events])].record(scale.to_ns(end - start))
            count += len(events)
    return watch.stop(len(kinds), count, scale)


def _one_by_one(engine: Executes, commands: Commands) -> tuple[Callable[[Any], Any], Iterable[Any]]:
    """A function that executes one command, and its arguments, prepared before timing starts."""
    if isinstance(engine, ReferenceEngine):  # avoids the arrays, which would cost as much as its matching
        return engine.execute, commands.tolist()
    return engine.process, [commands[at : at + 1] for at in range(len(commands))]


def operation(kind: int, event_kinds: list[int]) -> str:
    """What a command did, by its kind and those of its events: one of `_core.operations`."""
    if ExecType.REJECTED in event_kinds[-1:]:
        return "reject"
    if kind in _CHANGES:
        return _CHANGES[CommandType(kind)]
    return "take" if ExecType.TRADE in event_kinds else "add"


class Watch:
    """Counters of this thread right before a pass, and their differences right after it.

    `cpu_clock`: reads the CPU time in nanoseconds of what is measured; this thread's unless told.
    """

    def __init__(self, cpu_clock: Callable[[], int | None] | None = None) -> None:
        self._cpu_clock = cpu_clock or _thread_cpu_ns
        self._usage = read_thread_usage()
        self._cpu_ns = self._cpu_clock()
        self._ticks = ticks()

    def stop(self, commands: int, events: int, scale: TickScale) -> Pass:
        """The pass, with so many commands and events.

        Counters that the platform lacks are None; allocations are Python's own and not counted.
        """
        wall_ns = max(scale.to_ns(ticks() - self._ticks), 1)
        now_ns = self._cpu_clock()
        cpu_ns = None if now_ns is None or self._cpu_ns is None else now_ns - self._cpu_ns
        usage = read_thread_usage()

        def counted(name: str) -> int | None:
            return None if usage.error else getattr(usage, name) - getattr(self._usage, name)

        return Pass(
            commands=commands,
            events=events,
            wall_ns=wall_ns,
            cpu_ns=cpu_ns,
            off_cpu_ns=None if cpu_ns is None else max(0, wall_ns - cpu_ns),
            allocations=None,
            minor_faults=counted("minor_faults"),
            major_faults=counted("major_faults"),
            voluntary_switches=counted("voluntary_switches"),
            involuntary_switches=counted("involuntary_switches"),
        )


def _thread_cpu_ns() -> int | None:
    try:
        return time.thread_time_ns()
    except OSError:
        return None
