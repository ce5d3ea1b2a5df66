"""The measured passes over the reference engine: the interpreted baseline, timed by the same counter."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lowlat.engine.bench.protocol import Pass
from lowlat.engine.matching.records import Commands, CommandType, ExecType
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.probes._core import read_thread_usage
from lowlat.probes.clock.counter import ticks
from lowlat.probes.clock.scale import TickScale
from lowlat.reports._core import Histogram as Recorder

_CHANGES = {CommandType.CANCEL: "cancel", CommandType.REDUCE: "reduce", CommandType.REPLACE: "replace"}


def run_plain(engine: ReferenceEngine, commands: Commands, scale: TickScale) -> Pass:
    """Every command once, no clock inside."""
    watch = _Watch()
    events = engine.process(commands)
    return watch.stop(len(commands), len(events), scale)


def run_stamped(
    engine: ReferenceEngine, commands: Commands, scale: TickScale, recorders: Mapping[str, Recorder]
) -> Pass:
    """Every command once, each between two reads of the counter; recorded by what it turned out to do."""
    rows = commands.tolist()
    count = 0
    watch = _Watch()
    for row in rows:
        start = ticks()
        events = engine.execute(row)
        end = ticks()
        recorders[_operation(row[4], [event[9] for event in events])].record(scale.to_ns(end - start))
        count += len(events)
    return watch.stop(len(rows), count, scale)


def _operation(kind: int, event_kinds: list[int]) -> str:
    if event_kinds[-1] == ExecType.REJECTED:
        return "reject"
    if kind in _CHANGES:
        return _CHANGES[CommandType(kind)]
    return "take" if ExecType.TRADE in event_kinds else "add"


class _Watch:
    """Counters of this thread right before a pass, and their differences right after it."""

    def __init__(self) -> None:
        self._usage = read_thread_usage()
        self._cpu_ns = time.thread_time_ns()
        self._ticks = ticks()

    def stop(self, commands: int, events: int, scale: TickScale) -> Pass:
        """The pass; what the platform does not count is None, allocations are Python's own and not counted."""
        wall_ns = max(scale.to_ns(ticks() - self._ticks), 1)
        cpu_ns = time.thread_time_ns() - self._cpu_ns
        usage = read_thread_usage()

        def counted(name: str) -> int | None:
            return None if usage.error else getattr(usage, name) - getattr(self._usage, name)

        return Pass(
            commands=commands,
            events=events,
            wall_ns=wall_ns,
            cpu_ns=cpu_ns,
            allocations=None,
            minor_faults=counted("minor_faults"),
            major_faults=counted("major_faults"),
            voluntary_switches=counted("voluntary_switches"),
            involuntary_switches=counted("involuntary_switches"),
        )
