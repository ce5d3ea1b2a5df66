"""What was done to a recording to make commands of it, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

UNKNOWN_ORDER: Final = "order is not in the book"
HIDDEN: Final = "hidden execution"
CROSS: Final = "cross trade"
BUST: Final = "broken trade"
NO_ORDER: Final = "adds an order without an id or a quantity"
UNKNOWN_ACTION: Final = "unknown action"
UNKNOWN_PHASE: Final = "unknown trading phase"
SIDELESS: Final = "no row tells the side of its order"
"""Why a row has no command."""

DUPLICATE: Final = "adds an order that is in the book"
DIFFERS: Final = "differs from its order in side or price"
MORE_THAN_SHOWN: Final = "takes more than shown"
LOCKED: Final = "locks or crosses the book"
"""How a row contradicts the book. It is believed all the same."""

CROSSED: Final = "a displayed order crosses them"
AHEAD: Final = "executions pass over them, and no later row names them"
NOT_SHOWN: Final = "the venue's book does not show them"
"""What gave ghosts away: orders that the venue's book no longer held, although no row says so."""

AUCTION: Final = "executions in an auction"
ELSEWHERE: Final = "executions at another price than their orders'"
HELD: Final = "executions in a locked or crossed book"
"""Executions that are no burst: the venue's word, which is not checked."""

REFILLED: Final = "iceberg orders refilled, at the back of their queue"
RESERVE: Final = "executions of an iceberg order beyond what it showed"
PASSED: Final = "orders passed over and taken out by the same step, as by self-match prevention"
"""What looks as if the venue had not followed price-time priority, until another row of the same time explains it."""


@dataclass(slots=True)
class Changes:
    """Over all symbols.

    `left_out`: rows without a command, by reason. `explained`: what other rows of the same time explain. `believed`:
    rows that contradict the book and are followed all the same, by what is wrong. `removed`: ghosts, by what gave them
    away. `applied`: executions that are not checked, by reason. `faults`: what the reader found wrong. `never_added`:
    orders that the file never adds. `moved_up`: orders entered earlier than their row. `departures`: bursts in which
    the venue did not follow price-time priority on the book that its own file describes. `orders`: the most that rested
    at one time, in one symbol.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    believed: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    never_added: int = 0
    moved_up: int = 0
    departures: int = 0
    orders: int = 0

    def notes(self) -> Iterator[str]:
        """What was changed, a line each."""
        counted = {
            "orders never added in the file": self.never_added,
            "orders entered earlier than their row, by order id": self.moved_up,
            "bursts that violate price-time priority; the book is restored after each": self.departures,
            **_headed("explained", self.explained),
            **_headed("ghosts removed", self.removed),
            **_headed("rows believed against the book", self.believed),
            **_headed("not checked", self.applied),
            **_headed("rows skipped", self.left_out),
            **_headed("found in the file", self.faults),
        }
        return (f"{what}: {count:,}" for what, count in counted.items() if count)


def _headed(head: str, counts: Counter[str]) -> dict[str, int]:
    return {f"{head}: {what}": count for what, count in counts.items()}
