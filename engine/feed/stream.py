"""A recording opened as level-3 events: what every reader of a format gives, and all that a builder of books knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from lowlat.engine.feed.records import OrderEvents

TimeBase: TypeAlias = Literal["midnight", "unix"]
"""What the times of a recording count from: midnight at the venue, or the Unix epoch."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader is asked to leave out.

    `symbols`: only these, by the venue's names; empty: all. `until_ns`: no event at this time or later, in the stream's
    time. An event before a beginning is never left out, since it builds the book of the beginning. `time_base`: what
    the times asked for count from; None: none is. `columns`: what the columns of a table mean, as `--columns` says it;
    None: those that `lowlat convert` writes. `progress`: told what is done, and the share of it (`telling.py`).
    """

    symbols: frozenset[str] = frozenset()
    until_ns: int | None = None
    columns: str | None = None
    time_base: TimeBase | None = None
    progress: Callable[[str, float | None], None] | None = None


@dataclass(eq=False)
class OrderEventStream:
    """One recording as blocks of `ORDER_EVENT` rows, in the file's order. It can be read once.

    `noun`: the word for such a file in messages. `unit`: value of one price unit. `time_base`: what times count from.
    `displayed_levels`: the price levels of each side within which the file tells of orders; None: all.
    `ids_by_arrival`: the venue numbers orders as they arrive and queues them in that order, so an order told late
    belongs ahead of those with larger ids.

    `symbols` (names by symbol number), `messages` (messages by type), `left_out` (messages without an event, by reason)
    and `faults` (gaps, times that go back, and the like, by kind) grow while `blocks` is read, and are complete after.
    A block is the reader's own memory, valid until the next one. Reading raises `InputError`, which names file and row.
    """

    path: Path
    noun: str
    unit: Decimal
    time_base: TimeBase
    blocks: Iterator[OrderEvents]
    displayed_levels: int | None = None
    ids_by_arrival: bool = False
    symbols: list[str] = field(default_factory=list)
    messages: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
