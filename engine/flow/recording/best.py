"""Compares the best bid and ask of a replay with the venue's."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.recording.model import Ints, Origin, RecordedFlow
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import Commands
from lowlat.errors import ArrayError

LOOK_AHEAD_ROWS: Final = 2_000
"""How far `compare_best` searches the vendor's file before it changes a state as missing."""


@dataclass(frozen=True, slots=True)
class BestCheck:
    """How many of a replay's best-bid/ask states occur, in order, in the vendor's file.

    `total` changes states that differ from the previous one. `missing_rows`: the flow's rows whose resulting state was
    not found.
    """

    found: int
    total: int
    missing_rows: tuple[int, ...]


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
    `VenueBook.best` holds it. Only states after RECORDED commands count, and equal neighbors count once. The search
    for each starts after the last match and spans at most `LOOK_AHEAD_ROWS` changes, so the count is a lower bound.
    Where the vendor's file has a row for each message but ends earlier (`RecordedFlow.book_rows`), so does the search.
    Raises `ArrayError` for another shape.
    """
    if states.shape != (len(flow.commands), 4) or vendor.shape[1:] != (4,):
        raise ArrayError(
            f"states of shape {states.shape} and vendor states of shape {vendor.shape}; "
            f"expected ({len(flow.commands)}, 4) and (m, 4)"
        )
    recorded = flow.origin == Origin.RECORDED
    if flow.book_rows:
        recorded &= flow.row <= flow.book_rows
    rows, seen = flow.row[recorded], states[recorded]
    changed = _changes(seen)
    rows, seen = rows[changed], seen[changed]
    missing = _missing(seen, vendor[_changes(vendor)])
    return BestCheck(len(seen) - len(missing), len(seen), tuple(rows[missing].tolist()))


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
