"""Compares the books of a feed with the venue's own order book file, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.book_builder import STATE_COLUMNS
from lowlat.errors import UsageError
from lowlat.reports.model.rebuild import ExpectedBook

Ints: TypeAlias = NDArray[np.int64]


class BookCheck:
    """Takes the states after a feed's events, and compares the last one of each row with that row of the venue's file.

    `blocks`: the venue's rows in order, int64 (n, 4 * levels), zeros for levels that there are not. `levels`: how many
    are compared: all that the file has.
    """

    def __init__(self, path: Path, blocks: Iterator[Ints]) -> None:
        """Reads the first block. Raises what reading raises, and `UsageError` for a file without rows."""
        self._path, self._blocks = path, blocks
        self._rows: Ints | None = next(blocks, None)
        if self._rows is None or not len(self._rows):
            raise UsageError(f"{path} has no rows; give --expect the venue's order book file")
        self._first = 1  # the number of the first row in `_rows`
        self.levels = self._rows.shape[1] // len(STATE_COLUMNS)
        self._last: tuple[int, Ints] | None = None  # a row whose last event may not have come yet
        self._compared = self._equal = self._missing = 0
        self._difference: str | None = None

    def compare(self, rows: NDArray[np.uint64], states: Ints) -> None:
        """Take the row of each event, never less than the one before, and the book after it, int64 (n, levels, 4)."""
        if not len(rows):
            return
        numbers, flat = rows.astype(np.int64), states.reshape(len(states), -1)
        if self._last is not None and self._last[0] != numbers[0]:
            self._take(np.array([self._last[0]]), self._last[1][None])
        ends = np.flatnonzero(numbers[1:] != numbers[:-1])
        self._take(numbers[ends], flat[ends])
        self._last = int(numbers[-1]), flat[-1]

    def finish(self) -> ExpectedBook:
        """What was found, once all events have come."""
        if self._last is not None:
            self._take(np.array([self._last[0]]), self._last[1][None])
            self._last = None
        return ExpectedBook(
            file=str(self._path),
            levels=self.levels,
            rows=self._compared,
            equal=self._equal,
            missing=self._missing,
            first_difference=self._difference,
        )

    def _take(self, numbers: Ints, states: Ints) -> None:
        if len(numbers) and numbers.min() < self._first:
            back = f"the feed's rows go back to {numbers.min()}"
            raise UsageError(f"{self._path}: {back}; compare one file with its own order book file")
        while len(numbers):
            if self._rows is None:
                self._missing += len(numbers)
                return
            count = int(np.searchsorted(numbers, self._first + len(self._rows)))
            self._compare(numbers[:count], states[:count], self._rows[numbers[:count] - self._first])
            numbers, states = numbers[count:], states[count:]
            if len(numbers):
                self._first += len(self._rows)
                self._rows = next(self._blocks, None)

    def _compare(self, numbers: Ints, states: Ints, wanted: Ints) -> None:
        differs = (states != wanted).any(axis=1)
        self._compared += len(numbers)
        self._equal += len(numbers) - int(differs.sum())
        if self._difference is None and differs.any():
            at = int(differs.argmax())
            self._difference = _difference(int(numbers[at]), states[at], wanted[at])


def _difference(row: int, state: Ints, wanted: Ints) -> str:
    """The first level of a row that differs, in words."""
    column = int((state != wanted).argmax()) // 2 * 2
    level, side = column // len(STATE_COLUMNS) + 1, "bid" if column % len(STATE_COLUMNS) else "ask"
    here, there = (_level(*each[column : column + 2].tolist()) for each in (state, wanted))
    return f"row {row:,}: {side} {level} is {here}; expected {there}"


def _level(price: int, quantity: int) -> str:
    return f"{quantity:,} at {price:,}" if quantity else "none"
