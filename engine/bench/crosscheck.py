"""Compares an engine with the reference engine on a prefix of the flow."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from lowlat.engine.bench.engines import NATIVE, REFERENCE, EngineEntry
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.commands import describe
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.records import Events

SEEDING_MAX = 200_000
"""Seeding commands up to which a flow is compared: the reference engine, in Python, executes them one by one."""


@dataclass(frozen=True, slots=True)
class PrefixCheck:
    """The comparison of two engines on the seeding commands and the first measured ones.

    `engine`: the one compared with the reference engine. `commands`: their total number. `difference`: the first event
    that differs, None if all are equal. `reference_ns`: the reference engine's nanoseconds per measured command; None
    if there are none. `skipped`: why nothing was compared, None if it was.
    """

    engine: str
    commands: int
    difference: str | None
    reference_ns: float | None
    skipped: str | None = None

    @property
    def equal(self) -> bool | None:
        """Whether all events are equal; None if nothing was compared."""
        return None if self.skipped else self.difference is None


def check_prefix(flow: Flow, sized: EngineConfig, measured: int, entry: EngineEntry = NATIVE) -> PrefixCheck:
    """Execute the seeding commands and `measured` more on this engine (on the native one, if this is the reference
    engine) and on the reference engine, and compare every event. A flow of more than `SEEDING_MAX` seeding commands is
    not compared, since that would take longer than everything else.
    """
    entry = NATIVE if entry is REFERENCE else entry
    if flow.seeded > SEEDING_MAX:
        return PrefixCheck(entry.name, 0, None, None, _skipped(flow.seeded))
    engine, reference = entry.make(sized), REFERENCE.make(sized)
    seeding, rest = flow.commands[: flow.seeded], flow.measured[:measured]
    seeded = reference.process(seeding)
    start = time.perf_counter_ns()
    played = reference.process(rest)
    reference_ns = (time.perf_counter_ns() - start) / len(rest) if len(rest) else None
    expected = np.concatenate([seeded, played])
    given = np.concatenate([engine.process(seeding), engine.process(rest)])
    return PrefixCheck(entry.name, len(seeding) + len(rest), first_difference(expected, given), reference_ns)


def _skipped(seeded: int) -> str:
    return (
        f"not available here, because the reference engine, in Python, would first have to enter {seeded:,} orders; "
        f"it is given at most {SEEDING_MAX:,}"
    )


def first_difference(expected: Events, given: Events) -> str | None:
    """A line that describes the first difference between two event arrays, None if they are equal."""
    shorter = min(len(expected), len(given))
    different = np.flatnonzero(expected[:shorter] != given[:shorter])
    if len(different):
        at = int(different[0])
        return f"event {at}: expected {describe(expected[at])}, got {describe(given[at])}"
    if len(expected) != len(given):
        return f"expected {len(expected)} events, got {len(given)}"
    return None
