"""Compares an engine with the reference engine on stretches of the flow.

The reference engine, in Python, would need minutes for a whole flow. It executes the seeding commands and the first
measured ones, then further stretches spread over the rest, each from the state in which the native engine stands
there. A stretch shows that from these books on every event is right, and at its end the books of the symbols in it; it
says nothing about the commands between two stretches. For these there are the golden digests of `flow.golden`.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.bench.engines import NATIVE, EngineEntry
from lowlat.engine.bench.event_digest import CHUNK_COMMANDS
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.commands import describe
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import Commands, Events
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.engine.reference.resume import ResumedEngine
from lowlat.errors import PriceGridWarning

SEEDING_MAX: Final = 200_000
"""Seeding commands up to which a flow is compared: the reference engine, in Python, executes them one by one."""
STRETCHES_MAX: Final = 10
RESUMED_MAX: Final = 200_000
"""Orders that the reference engine takes over from the native one, over all stretches: it makes each in Python."""


@dataclass(frozen=True, slots=True)
class ReferenceCheck:
    """The comparison of two engines on the seeding commands and stretches of the measured ones.

    `engine`: the one compared with the reference engine. `commands`: their total number, `stretches`: in how many
    pieces. `difference`: the first that differs, None if all are equal. `reference_ns`: the reference engine's
    nanoseconds per measured command; None if there are none. `skipped`: why nothing was compared, None if it was.
    """

    engine: str
    commands: int
    stretches: int
    difference: str | None
    reference_ns: float | None
    skipped: str | None = None

    @property
    def equal(self) -> bool | None:
        """Whether all events are equal; None if nothing was compared."""
        return None if self.skipped else self.difference is None


def check_against_reference(
    flow: Flow, sized: EngineConfig, measured: int, entry: EngineEntry = NATIVE
) -> ReferenceCheck:
    """Execute the flow on this engine, or on the native one if its events are compared with that one's, and `measured`
    of its commands on the reference engine too, and compare their events and books. A flow of more than `SEEDING_MAX`
    seeding commands is not compared, since that would take longer than everything else.
    """
    entry = entry.stand_in
    if flow.seeded > SEEDING_MAX:
        return ReferenceCheck(entry.name, 0, 0, None, None, _skipped(flow.seeded))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PriceGridWarning)  # it is about the flow, whose notes tell of it
        return _Stretches(flow, sized, entry).compare(measured)


def stretches_of(total: int, compared: int, orders: int) -> list[range]:
    """Which of `total` measured commands are compared: equal stretches, evenly spread, the first and the last command
    included. `orders`: how many the books hold; the more they are, the fewer and longer the stretches.
    """
    if total <= compared:
        return [range(total)]
    count = min(STRETCHES_MAX, 1 + RESUMED_MAX // max(orders, 1), compared)
    cuts = [compared * index // count for index in range(count + 1)]
    skipped = [(total - compared) * index // max(count - 1, 1) for index in range(count)]
    return [range(start + gap, end + gap) for (start, end), gap in zip(pairwise(cuts), skipped, strict=True)]


class _Stretches:
    """The engine, and the reference engine, to which it hands its state."""

    def __init__(self, flow: Flow, sized: EngineConfig, entry: EngineEntry) -> None:
        self.flow, self.entry = flow, entry
        self.engine = entry.make_compiled(sized)
        self.reference: MatchingEngine = ReferenceEngine.of(sized)
        self.sized, self.spent_ns = sized, 0

    def compare(self, measured: int) -> ReferenceCheck:
        commands = self.flow.measured
        stretches = stretches_of(len(commands), measured, self.flow.seeded)
        difference = self._difference(self.flow.commands[: self.flow.seeded], "while the book is seeded")
        self.spent_ns = at = 0
        for stretch in stretches:
            if difference:
                break
            if stretch.start > at:
                self._skip(commands[at : stretch.start])
            at = stretch.stop
            difference = self._difference(commands[stretch.start : at], f"from measured command {stretch.start:,} on")
        done = sum(map(len, stretches))
        mean_ns = self.spent_ns / done if done and not difference else None
        return ReferenceCheck(self.entry.name, self.flow.seeded + done, len(stretches), difference, mean_ns)

    def _skip(self, commands: Commands) -> None:
        """Execute these, and let the reference engine take over where they end."""
        for start in range(0, len(commands), CHUNK_COMMANDS):
            self.engine.process(commands[start : start + CHUNK_COMMANDS])
        self.reference = ResumedEngine.resumed(self.sized, _core.save_state(self.engine.matcher)[0])

    def _difference(self, commands: Commands, where: str) -> str | None:
        """The first difference after executing these on all engines."""
        given = self.engine.process(commands)
        start = time.perf_counter_ns()
        expected = self.reference.process(commands)
        self.spent_ns += time.perf_counter_ns() - start
        found = first_difference(expected, given) or self._other_book(commands)
        return f"{where}, {found}" if found else None

    def _other_book(self, commands: Commands) -> str | None:
        """The first book of these commands that differs."""
        for symbol in np.unique(commands["symbol"]).tolist():
            if symbol >= len(self.sized.instruments):
                continue  # rejected
            for what in ("orders", "stops"):
                expected, given = (getattr(engine, what)(symbol) for engine in (self.reference, self.engine))
                if not np.array_equal(expected, given):
                    return f"the {what} of symbol {symbol} differ at the end"
        return None


def _skipped(seeded: int) -> str:
    return (
        f"not available here, because the reference engine, in Python, would first have to enter "
        f"{units.counted(seeded, 'order')}; it is given at most {SEEDING_MAX:,}"
    )


def first_difference(expected: Events, given: Events) -> str | None:
    """A line that describes the first difference between two event arrays, None if they are equal."""
    shorter = min(len(expected), len(given))
    different = np.flatnonzero(expected[:shorter] != given[:shorter])
    if len(different):
        at = int(different[0])
        return f"event {at}: expected {describe(expected[at])}, got {describe(given[at])}"
    if len(expected) != len(given):
        return f"expected {units.counted(len(expected), 'event')}, got {len(given):,}"
    return None
