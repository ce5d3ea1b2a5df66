"""A venue's day as commands, with the venue's own executions kept as the expected answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.recording.changes import Changes
from lowlat.engine.matching.aligned import aligned_copy
from lowlat.engine.matching.config import ORDERS
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import Commands, CommandType, TimeInForce
from lowlat.errors import UsageError

Ints: TypeAlias = NDArray[np.int64]

FILL: Final = np.dtype([("maker_id", "<u8"), ("price", "<i8"), ("quantity", "<i8")])
"""One execution: the resting order, the trade price, the quantity."""


class Origin(IntEnum):
    """Origin of a command of a recorded flow."""

    RECORDED = 0
    """A row of the file, or the rows of one burst."""
    SEEDED = 1
    """Entered before the file's first row: the order was in the book at the start of the recording."""
    PLACED = 2
    """At another position than its row: the order id shows when the order arrived, or another row of the same time
    shows that the order had gone."""
    RESTORED = 3
    """Restores the book to the file's state after a burst that departs from price-time priority."""
    REMOVED = 4
    """Takes out what the venue's book no longer held, although no row says so (a ghost)."""
    APPLIED = 5
    """The venue's word where an engine has no say: trades of an auction, and phases in which nothing may trade."""


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


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution: `quantity` against order `maker_id` at `price`."""

    maker_id: int
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class RecordedAuction:
    """An auction whose executions are what the displayed orders explain.

    `command`: index of the command with which an engine uncrosses. `fills`: of bids and of asks, as the venue tells
    them. An engine must give each order as much; its price, at which hidden orders may have traded too, is its own.
    """

    command: int
    fills: tuple[tuple[Fill, ...], tuple[Fill, ...]]


@dataclass(frozen=True, eq=False)
class RecordedFlow:
    """A recording as commands for a fresh engine with these symbols.

    `commands`: `COMMAND` (n,); the first `seeded` enter the orders that were in the book before the recording.
    `origin` uint8 (n,): an `Origin` per command. `row` int64 (n,): the file's row (from 1) of a command, or the row
    before which (SEEDED, PLACED, REMOVED) or after which (RESTORED) it was entered. `time_ns` int64 (n,): time of that
    row. `rows`: rows of the file by type. `changes`: what was done to make commands of them.
    `book_rows`: for how many events, from the first on, the venue's order book file has a row; 0: it is of another
    kind, None: there is none. `orders`: resting orders for which an engine needs room. `displayed_levels`: price levels
    of each side that the file tells of; None: all. `ticks`: of each symbol, the largest that all its prices are
    multiples of. `building`: how many commands only build the book with which measuring begins.
    """

    path: Path
    commands: Commands
    seeded: int
    origin: NDArray[np.uint8]
    row: Ints
    time_ns: Ints
    bursts: Bursts
    auctions: tuple[RecordedAuction, ...]
    rows: Mapping[str, int]
    changes: Changes
    book_rows: int | None
    orders: int
    symbols: tuple[str, ...]
    displayed_levels: int | None
    ticks: tuple[int, ...]
    unit: Decimal
    building: int = 0

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """The instruments of this flow's symbols: prices are the file's integers."""
        return tuple(Instrument(tick=tick, unit=self.unit) for tick in self.ticks)

    def instrument(self) -> Instrument:
        """The instrument of symbol 0."""
        return self.instruments[0]

    @property
    def name(self) -> str:
        """The file's name, with the number of levels that it displays if that is known."""
        levels = self.displayed_levels
        return self.path.name if levels is None else f"{self.path.name}, {units.plural(levels, 'level')}"

    def flow(self) -> Flow:
        """The same commands as a `Flow` for measured runs, with as much room for orders as other flows have.

        Its notes list the changes made to the recording. Raises `UsageError` for a recording without commands.
        """
        if not len(self.commands):
            kinds = [units.plural(count, name.replace("_", " ")) for name, count in self.rows.items() if count]
            raise UsageError(f"{self.path}: nothing to replay: {', '.join(kinds) or 'no message'}")
        measured_from = max(self.seeded, self.building)
        mix = Counter(self._purposes(measured_from))
        return Flow(
            name=self.name,
            commands=aligned_copy(self.commands),
            seeded=measured_from,
            orders=max(self.orders, ORDERS),
            mix={purpose: mix[purpose] for purpose in (*_PURPOSES.values(), "aggressive", *_IF_ANY & mix.keys())},
            instruments=self.instruments,
            notes=tuple(self._notes()),
        )

    def measured_from(self, time_ns: int) -> RecordedFlow:
        """The same; what was before this time, in the recording's own, only builds the book. Its fills are checked too.

        Raises `UsageError` if nothing is left to measure.
        """
        building = int(np.count_nonzero(self.time_ns < time_ns))
        if building == len(self.commands):
            raise UsageError(f"{self.path}: nothing to replay: no order at --from or later")
        return replace(self, building=building)

    def _purposes(self, measured_from: int) -> Iterator[str]:
        for kind, force in self.commands[["kind", "time_in_force"]][measured_from:].tolist():
            yield "aggressive" if force == TimeInForce.IOC else _PURPOSES.get(kind, "phase")

    def _notes(self) -> Iterator[str]:
        if self.seeded:
            yield f"orders seeded before the first row: {self.seeded:,}"
        if self.building:
            yield f"the first {units.counted(self.building, 'command')}, before --from, build the book"
        yield from self.changes.notes()
        rows = sum(self.rows.values())
        if self.book_rows == 0:
            yield "the order book file has no row for each message: no ghost is found with it"
        elif self.book_rows and self.book_rows < rows:
            told = units.counted(rows, "message")
            yield f"the order book file ends after {self.book_rows:,} of {told}, and is compared up to there"


_IF_ANY: Final = {"phase"}
_PURPOSES: Final = {CommandType.LIMIT: "add", CommandType.CANCEL: "cancel", CommandType.REDUCE: "reduce"}
