"""LOBSTER order book files: the book after each row of the message file, four columns a level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.engine.flow.readers.lobster.lines import LineBlock, line_blocks
from lowlat.engine.flow.readers.lobster.number_table import INT64_MAX, Ints, number_table, width_error
from lowlat.engine.flow.recording.venue_book import HEAD_ROWS, VenueBook

_STATE: Final = ("ask price", "ask size", "bid price", "bid size")


def read_book(path: Path) -> VenueBook:
    """The rows of an order-book file of any depth.

    A side of size 0 is empty, and its best price is set to 0 (the vendor writes an out-of-range price). Raises
    `LobsterError` as `open_messages` says, and for a number of columns that is no multiple of four.
    """
    names: tuple[str, ...] = ()
    best, head, wider, displayed = [], [], [], []
    reach, before = None, 0
    for block in line_blocks(path, Counter()):
        names = names or _names(block)
        states = _states(block, names)
        best.append(without_empty_prices(states[:, :4]))
        head.append(states[: max(0, HEAD_ROWS - before)])
        reaches = _reaches(states)
        grown = np.flatnonzero(_grown(reaches, reach))
        wider.append(before + grown)
        displayed.append(states[grown])
        reach, before = reaches[-1:], before + len(states)
    return VenueBook(path, len(names) // 4, *(np.concatenate(parts) for parts in (best, head, wider, displayed)))


def open_book(path: Path) -> Iterator[Ints]:
    """All levels of these rows, a block at a time: int64 (n, 4 * levels), zeros for a level of size 0.

    Raises what `read_book` does.
    """
    names: tuple[str, ...] = ()
    for block in line_blocks(path, Counter()):
        names = names or _names(block)
        states = _states(block, names)
        states[:, ::2] *= states[:, 1::2] != 0
        yield states


def without_empty_prices(states: Ints) -> Ints:
    """Best states with the price of each side of size 0 set to 0: int64 of shape (n, 4), a copy."""
    states = states.copy()
    for price, size in ((0, 1), (2, 3)):
        states[states[:, size] == 0, price] = 0
    return states


def _names(block: LineBlock) -> tuple[str, ...]:
    """The columns of an order-book file, of which this is the first block."""
    width = block.text.partition(b"\n")[0].count(b",") + 1
    if width % len(_STATE):
        problem = f"{units.plural(width, 'column')}; expected four per level: {', '.join(_STATE)}"
        raise block.error(0, problem)
    return (*_STATE, *[f"{name} of level {level}" for level in range(2, width // 4 + 1) for name in _STATE])


def _states(block: LineBlock, names: Sequence[str]) -> Ints:
    table, rows = number_table(block, names)
    if not table.sound.all():
        row, column = (int(place) for place in np.argwhere(~table.sound)[0])
        raise table.error(row, column, "an integer of 64 bits")
    if rows < block.lines:
        raise width_error(block, rows, len(names))
    return np.stack(table.columns, axis=1)


def _reaches(states: Ints) -> Ints:
    """How far each side is displayed: ask price and negative bid price of the last level; int64 (n, 2)."""
    last = states[:, -4:]
    return np.stack(
        [
            np.where(last[:, 1] > 0, last[:, 0], INT64_MAX),
            np.where(last[:, 3] > 0, -last[:, 2], INT64_MAX),
        ],
        axis=1,
    )


def _grown(reaches: Ints, reach: Ints | None) -> NDArray[np.bool_]:
    """Which rows reach farther than the row before; the file's first does."""
    first = reaches[:1] - 1 if reach is None else reach
    grown: NDArray[np.bool_] = np.any(reaches > np.concatenate((first, reaches[:-1])), axis=1)
    return grown
