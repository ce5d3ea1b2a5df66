"""What was done to a recording to make commands of it, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

UNKNOWN_ORDER: Final = "order is not in the book"
HIDDEN: Final = "hidden execution"
CROSS: Final = "cross trade"
BUST: Final = "broken trade"
NO_ORDER: Final = "adds an order without an id or a quantity"
UNKNOWN_PHASE: Final = "unknown trading phase"
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

AUCTION: Final = "executions in an auction: applied, not checked"
HELD: Final = "executions in a locked or crossed book: applied, not checked"
"""Executions that are no burst."""


@dataclass(slots=True)
class Counts:
    """Over all symbols. `orders`: the most that rested at one time."""

    left_out: Counter[str] = field(default_factory=Counter)
    believed: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    never_added: int = 0
    moved_up: int = 0
    departures: int = 0
    orders: int = 0
