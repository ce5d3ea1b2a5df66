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

from lowlat import units
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.aligned import aligned_copy
from lowlat.engine.matching.config import ORDERS
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import EVENT, Commands, CommandType, Events, ExecType, Side, TimeInForce
from lowlat.errors import ArrayError

Ints: TypeAlias = NDArray[np.int64]

FILL: Final = np.dtype([("maker_id", "<u8"), ("price", "<i8"), ("quantity", "<i8")])
"""One execution: the resting order, the trade price, the quantity."""

LOOK_AHEAD_ROWS: Final = 2_000
"""How far `compare_best` searches the vendor's file before it counts a state as missing."""


class Origin(IntEnum):
    """Origin of a command of a recorded flow."""

    RECORDED = 0
    """A row of the file, or the rows of one burst."""
    SEEDED = 1
    """Entered before the file's first row: the order was in the book at the start of the recording."""
    PLACED = 2
    """Entered at another position than its row, because the order id shows when the order arrived."""
    RESTORED = 3
    """Restores the book to the file's state after a burst that departs from price-time priority."""


@dataclass(frozen=True, eq=False)
class Bursts:
    """The aggressive orders of a recording and their fills.

    `command`: int64 (b,), index into the flow's commands. `fills`: `FILL` (f,), of all bursts, in order.
    `first_fill`: int64 (b + 1,); the fills of burst `i` are `fills[first_fill[i]:first_fill[i + 1]]`.
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
    `origin` uint8 (n,): an `Origin` per command. `row` int64 (n,): the file's row (from 1) of a command, or the row
    before which (SEEDED, PLACED) or after which (RESTORED) it was entered. `time_ns` int64 (n,): time of that row since
    midnight. `rows`: rows of the file by type. `left_out`: rows without a command, by reason. `never_added`: number of
    orders that the file never adds. `moved_up`: orders entered earlier than their row. `departures`: bursts in which
    the venue did not follow price-time priority on the book that its own file describes. `orders`: resting orders for
    which an engine needs room.
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
        """The instrument for this flow: prices are the file's integers."""
        return Instrument(tick=self.tick, unit=self.unit)

    def flow(self) -> Flow:
        """The same commands as a `Flow` for measured runs, with as much room for orders as other flows have.

        Its notes list the changes made to the recording.
        """
        mix = Counter(self._purposes())
        return Flow(
            name=self.path.name,
            commands=aligned_copy(self.commands),
            seeded=self.seeded,
            orders=max(self.orders, ORDERS),
            mix={purpose: mix[purpose] for purpose in ("add", "cancel", "reduce", "aggressive")},
            instruments=(self.instrument(),),
            notes=self._notes(),
        )

    def _purposes(self) -> Iterator[str]:
        names = {CommandType.LIMIT: "add", CommandType.CANCEL: "cancel", CommandType.REDUCE: "reduce"}
        for kind, force in self.commands[["kind", "time_in_force"]][self.seeded :].tolist():
            yield "aggressive" if force == TimeInForce.IOC else names[kind]

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
    """One burst that an engine filled differently from the venue."""

    burst: int
    row: int
    order_id: int
    side: Side
    expected: tuple[Fill, ...]
    actual: tuple[Fill, ...]


@dataclass(frozen=True, slots=True)
class BurstCheck:
    """How many bursts an engine filled exactly as the venue did: same orders, prices and quantities, in order.

    `stray_trades`: executions of commands that are not bursts. `rejected`: commands that the engine rejected. Both are
    0 if the engine's book matches the recorded one throughout.
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

    `total` counts states that differ from the previous one. `missing_rows`: the flow's rows whose resulting state was
    not found.
    """

    found: int
    total: int
    missing_rows: tuple[int, ...]


def verify(flow: RecordedFlow, events: Events) -> BurstCheck:
    """Compare the fills in `events` with the venue's.

    `events`: all events of `flow.commands`, processed once and in order: an `EVENT` array of any length.
    Raises `ArrayError` for another dtype, for events out of order, or for events of more commands than the flow has.
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
    """Search the vendor's best states, in order, for those of a replay.

    `states`: int64 (n, 4), after each of the flow's commands, as `best_states` gives them; `vendor`: int64 (m, 4), as
    `read_best_states` gives it. Only states after RECORDED commands count, and equal neighbors count once. The search
    for each starts after the last match and spans at most `LOOK_AHEAD_ROWS` changes, so the count is a lower bound.
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
            f"events of {units.counted(int(position.max()) + 1, 'command')}; the flow has {len(flow.commands)}: "
            "pass what process(flow.commands) returned"
        )
    return position


def _fills(trades: Events) -> NDArray[np.void]:
    fills = np.empty(len(trades), dtype=FILL)
    for name in FILL.names or ():
        fills[name] = trades[name]
    return fills


def _matched(bursts: Bursts, fills: NDArray[np.void], burst: Ints) -> tuple[NDArray[np.bool_], Ints]:
    """Which bursts were filled as expected, and where the fills of each begin. Events are in command order."""
    counts = np.bincount(burst, minlength=len(bursts))
    expected_counts = np.diff(bursts.first_fill)
    matched = counts == expected_counts
    # Bursts with the expected number of fills have them at the same positions in both selections.
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
    """Which rows differ from the previous one; the first always does."""
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
