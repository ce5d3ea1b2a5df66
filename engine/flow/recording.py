"""Recorded order flow: a venue's day as commands, with the venue's own executions kept as the expected answer."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.aligned import aligned_copy
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import EVENT, Commands, CommandType, Events, ExecType, Side, TimeInForce
from lowlat.errors import ArrayError

Ints: TypeAlias = NDArray[np.int64]

FILL: Final = np.dtype([("maker_id", "<u8"), ("price", "<i8"), ("quantity", "<i8")])
"""One execution: the resting order hit, the price printed, the quantity."""

LOOK_AHEAD_ROWS: Final = 2_000
"""How far `compare_best` looks for a state in the vendor's file before it calls the state missing."""


class Origin(IntEnum):
    """Where a command of a recorded flow comes from."""

    RECORDED = 0
    """A row of the file, or the rows of one burst."""
    SEEDED = 1
    """Entered before the file's first row: the order was in the book when the recording began."""
    PLACED = 2
    """Entered elsewhere than a row of the file says, because its order id proves when it came."""
    RESTORED = 3
    """Puts the book back to what the file says, after a burst that departs from price-time priority."""


@dataclass(frozen=True, eq=False)
class Bursts:
    """The aggressive orders of a recording and what each hit.

    `command`: int64 (b,), index into the flow's commands. `fills`: `FILL` (f,), of all bursts, in order.
    `first_fill`: int64 (b + 1,); burst `i` hit `fills[first_fill[i]:first_fill[i + 1]]`.
    """

    command: Ints
    fills: NDArray[np.void]
    first_fill: Ints

    def __len__(self) -> int:
        return len(self.command)


@dataclass(frozen=True, eq=False)
class RecordedFlow:
    """A recording as commands for one symbol (0) of a fresh engine.

    `commands`: `COMMAND` (n,); the first `seeded` enter the orders that were in the book before the recording.
    `origin` uint8 (n,): an `Origin` each. `row` int64 (n,): the file's row (from 1) that a command stands for, or
    that it was entered before (SEEDED, PLACED) or after (RESTORED). `time_ns` int64 (n,): since midnight, that row's.
    `rows`: rows of the file by type. `left_out`: rows that gave no command, by reason. `never_added`: orders whose
    own entry the file lacks. `moved_up`: orders entered earlier than their row. `departures`: bursts in which the
    venue did not follow price-time priority on the book that its own file describes. `orders`: resting orders that an
    engine needs room for.
    """

    path: Path
    commands: Commands
    seeded: int
    origin: NDArray[np.uint8]
    row: Ints
    time_ns: Ints
    bursts: Bursts
    rows: Mapping[str, int]
    left_out: Mapping[str, int]
    never_added: int
    moved_up: int
    departures: int
    orders: int
    tick: int
    unit: Decimal

    def instrument(self) -> Instrument:
        """The symbol that an engine needs for this flow: the prices are the file's own integers."""
        return Instrument(tick=self.tick, unit=self.unit)

    def flow(self) -> Flow:
        """The same commands as every measured run takes them, with what was done to the recording as notes."""
        mix = Counter(self._purposes())
        return Flow(
            name=self.path.name,
            commands=aligned_copy(self.commands),
            seeded=self.seeded,
            orders=self.orders,
            mix={purpose: mix[purpose] for purpose in ("add", "cancel", "reduce", "aggress")},
            instruments=(self.instrument(),),
            notes=self._notes(),
        )

    def _purposes(self) -> Iterator[str]:
        names = {CommandType.LIMIT: "add", CommandType.CANCEL: "cancel", CommandType.REDUCE: "reduce"}
        for kind, force in self.commands[["kind", "time_in_force"]][self.seeded :].tolist():
            yield "aggress" if force == TimeInForce.IOC else names[kind]

    def _notes(self) -> tuple[str, ...]:
        counted = {
            "orders seeded before the first row": self.seeded,
            "orders never added in the file": self.never_added,
            "orders entered earlier than their row, by order id": self.moved_up,
            "bursts that violate price-time priority; the book is restored after each": self.departures,
            **{f"rows skipped: {reason}": count for reason, count in self.left_out.items()},
        }
        return tuple(f"{what}: {count:,}" for what, count in counted.items() if count)


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution: `quantity` against order `maker_id` at `price`."""

    maker_id: int
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class BurstMismatch:
    """One burst that an engine filled otherwise than the venue did."""

    burst: int
    row: int
    order_id: int
    side: Side
    expected: tuple[Fill, ...]
    actual: tuple[Fill, ...]


@dataclass(frozen=True, slots=True)
class BurstCheck:
    """How many bursts an engine filled exactly as the venue did: same orders, prices and quantities, in order.

    `stray_trades`: executions of commands that are no burst. `rejected`: commands that the engine refused. Both are 0
    when the engine's book is the recorded one throughout.
    """

    matched: int
    total: int
    mismatches: tuple[BurstMismatch, ...]
    stray_trades: int
    rejected: int

    @property
    def share(self) -> float | None:
        """Matched bursts over all bursts; None without a burst."""
        return self.matched / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class BestCheck:
    """How many of a replay's best-bid/ask states occur, in order, in the vendor's file.

    `total` counts states that differ from the one before. `missing_rows`: the flow's rows after which the states that
    were not found stood.
    """

    found: int
    total: int
    missing_rows: tuple[int, ...]


def verify(flow: RecordedFlow, events: Events) -> BurstCheck:
    """Compare the fills in `events` with the venue's.

    `events`: all events of `flow.commands`, processed once and in order: an `EVENT` array of any length.
    Raises `ArrayError` for another dtype, events out of order, or events of more commands than the flow has.
    """
    position = _command_of_event(flow, events)
    is_trade = events["kind"] == ExecType.TRADE
    burst_of_command = np.full(len(flow.commands), -1, dtype=np.int64)
    burst_of_command[flow.bursts.command] = np.arange(len(flow.bursts))
    burst = burst_of_command[position[is_trade]]
    fills = _fills(events[is_trade][burst >= 0])
    stray_trades = int(np.count_nonzero(burst < 0))
    matched, first_fill = _matched(flow.bursts, fills, burst[burst >= 0])
    mismatches = tuple(
        _mismatch(flow, int(n), fills[first_fill[n] : first_fill[n + 1]]) for n in np.flatnonzero(~matched)
    )
    rejected = int(np.count_nonzero(events["kind"] == ExecType.REJECTED))
    return BurstCheck(int(matched.sum()), len(matched), mismatches, stray_trades, rejected)


def best_states(engine: MatchingEngine, commands: Commands) -> Ints:
    """Execute `commands` one at a time; the best ask and bid of symbol 0 after each.

    int64 (n, 4): ask price, ask quantity, bid price, bid quantity, as in LOBSTER's files; zeros for an empty side.
    """
    states = np.zeros((len(commands), 4), dtype=np.int64)
    for n in range(len(commands)):
        engine.process(commands[n : n + 1])
        best = engine.best()
        states[n] = (best.ask or 0, best.ask_quantity or 0, best.bid or 0, best.bid_quantity or 0)
    return states


def compare_best(flow: RecordedFlow, states: Ints, vendor: Ints) -> BestCheck:
    """Look for a replay's best states, in order, in the vendor's own.

    `states`: int64 (n, 4), after each of the flow's commands, as `best_states` gives them; `vendor`: int64 (m, 4), as
    `read_best_states` gives it. Only states after RECORDED commands count, and of equal neighbors one. Each is sought
    after the place of the last one found, at most `LOOK_AHEAD_ROWS` changes further: the count is a lower bound.
    Raises `ArrayError` for another shape.
    """
    if states.shape != (len(flow.commands), 4) or vendor.shape[1:] != (4,):
        raise ArrayError(
            f"states of shape {states.shape} and vendor states of shape {vendor.shape}; "
            f"expected ({len(flow.commands)}, 4) and (m, 4)"
        )
    recorded = flow.origin == Origin.RECORDED
    rows, seen = flow.row[recorded], states[recorded]
    changed = _changes(seen)
    rows, seen = rows[changed], seen[changed]
    missing = _missing(seen, vendor[_changes(vendor)])
    return BestCheck(len(seen) - len(missing), len(seen), tuple(rows[missing].tolist()))


def _command_of_event(flow: RecordedFlow, events: Events) -> Ints:
    if events.dtype != EVENT or events.ndim != 1:
        raise ArrayError(f"events are {events.dtype} of shape {events.shape}; expected EVENT of one dimension")
    sequence = events["sequence"]
    if (sequence[1:] < sequence[:-1]).any():
        raise ArrayError("events are out of order: pass what process(flow.commands) returned")
    position: Ints = (sequence - sequence[:1]).astype(np.int64)
    if len(position) and not 0 <= int(position.max()) < len(flow.commands):
        raise ArrayError(
            f"events of {int(position.max()) + 1} commands; the flow has {len(flow.commands)}: "
            "pass what process(flow.commands) returned"
        )
    return position


def _fills(trades: Events) -> NDArray[np.void]:
    fills = np.empty(len(trades), dtype=FILL)
    for name in FILL.names or ():
        fills[name] = trades[name]
    return fills


def _matched(bursts: Bursts, fills: NDArray[np.void], burst: Ints) -> tuple[NDArray[np.bool_], Ints]:
    """Which bursts were filled as expected, and where each one's fills begin. Events come in command order."""
    counts = np.bincount(burst, minlength=len(bursts))
    expected_counts = np.diff(bursts.first_fill)
    matched = counts == expected_counts
    # Bursts with as many fills as expected have their fills at the same places of both selections.
    expected_burst = np.repeat(np.arange(len(bursts)), expected_counts)
    differs = bursts.fills[matched[expected_burst]] != fills[matched[burst]]
    matched[burst[matched[burst]][differs]] = False
    return matched, np.concatenate(([0], np.cumsum(counts)))


def _mismatch(flow: RecordedFlow, burst: int, actual: NDArray[np.void]) -> BurstMismatch:
    bursts = flow.bursts
    index = int(bursts.command[burst])
    expected = bursts.fills[bursts.first_fill[burst] : bursts.first_fill[burst + 1]]
    record = flow.commands[index]
    return BurstMismatch(
        burst=burst,
        row=int(flow.row[index]),
        order_id=int(record["order_id"]),
        side=Side(int(record["side"])),
        expected=tuple(Fill(*row) for row in expected.tolist()),
        actual=tuple(Fill(*row) for row in actual.tolist()),
    )


def _changes(states: Ints) -> NDArray[np.bool_]:
    """Which rows differ from the one before; the first does."""
    changed = np.ones(len(states), dtype=np.bool_)
    changed[1:] = (states[1:] != states[:-1]).any(axis=1)
    return changed


def _missing(seen: Ints, vendor: Ints) -> list[int]:
    places: dict[tuple[int, ...], list[int]] = {}
    for place, state in enumerate(map(tuple, vendor.tolist())):
        places.setdefault(state, []).append(place)
    missing, last = [], -1
    for n, state in enumerate(map(tuple, seen.tolist())):
        ahead = places.get(state, [])
        next_ = bisect_right(ahead, last)
        if next_ < len(ahead) and (last < 0 or ahead[next_] - last <= LOOK_AHEAD_ROWS):
            last = ahead[next_]
        else:
            missing.append(n)
    return missing
