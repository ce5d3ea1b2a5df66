"""The measured passes over the reference engine: the interpreted baseline, timed by the same counter."""

from __future__ import annotations

from collections.abc import Mapping

from engine.job import Pass
from engine.records import Commands, EventKind, Kind
from engine.reference import ReferenceEngine
from probes.clock import ticks
from probes.clock_scale import TickScale
from reports._core import Histogram as Recorder

_CHANGES = {Kind.CANCEL: "cancel", Kind.REDUCE: "reduce", Kind.REPLACE: "replace"}


def run_plain(engine: ReferenceEngine, commands: Commands, scale: TickScale) -> Pass:
    """Every command once, no clock inside."""
    start = ticks()
    events = engine.process(commands)
    return _pass(len(commands), len(events), scale.to_ns(ticks() - start))


def run_stamped(
    engine: ReferenceEngine, commands: Commands, scale: TickScale, recorders: Mapping[str, Recorder]
) -> Pass:
    """Every command once, each between two reads of the counter; recorded by what it turned out to do."""
    rows = commands.tolist()
    count = 0
    begin = ticks()
    for row in rows:
        start = ticks()
        events = engine.execute(row)
        end = ticks()
        recorders[_operation(row[4], [event[9] for event in events])].record(scale.to_ns(end - start))
        count += len(events)
    return _pass(len(rows), count, scale.to_ns(ticks() - begin))


def _operation(kind: int, event_kinds: list[int]) -> str:
    if event_kinds[-1] == EventKind.REJECTED:
        return "reject"
    if kind in _CHANGES:
        return _CHANGES[Kind(kind)]
    return "take" if EventKind.TRADE in event_kinds else "add"


def _pass(commands: int, events: int, wall_ns: int) -> Pass:
    return Pass(
        commands=commands,
        events=events,
        wall_ns=max(wall_ns, 1),
        cpu_ns=wall_ns,
        allocations=None,
        minor_faults=None,
        major_faults=None,
        voluntary_switches=None,
        involuntary_switches=None,
    )
