"""Text of comma-separated numbers as integer columns, all rows of a block at once.

Numbers are taken from their digits' bytes by integer arithmetic: no number passes through a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.engine.flow.readers.lobster.lines import LineBlock
from lowlat.errors import LobsterError

Ints: TypeAlias = NDArray[np.int64]
Places: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.bool_]

INT64_MAX: Final = 2**63 - 1
_DIGITS_MAX: Final = 19
_FRACTION_DIGITS: Final = 9
_BLANKS_MAX: Final = 8
_COMMA, _NEWLINE, _RETURN, _BLANK, _MINUS, _DOT, _ZERO = (ord(each) for each in ",\n\r -.0")


@dataclass(frozen=True, eq=False)
class NumberTable:
    """The rows of a block. `columns`: int64 (n,) each; `sound`: whether a field is a number, bool (n, columns)."""

    block: LineBlock
    names: Sequence[str]
    starts: Places
    ends: Places
    columns: list[Ints]
    sound: Mask

    def field(self, row: int, column: int) -> str:
        """The text of a field, as a message shows it."""
        text = self.block.text[self.starts[row, column] : self.ends[row, column]]
        return repr(text.decode("latin-1").strip(" \r")[:40])

    def error(self, row: int, column: int, expected: str) -> LobsterError:
        """The error that a field is not what is expected."""
        return self.block.error(row, f"{self.field(row, column)} is not {expected}", self.names[column])


def number_table(block: LineBlock, names: Sequence[str], seconds: int | None = None) -> tuple[NumberTable, int]:
    """The numbers of a block up to its first row of another width, and how many rows that are.

    `seconds`: the column of decimal seconds, which becomes nanoseconds; all others are integers. A field that is no
    such number is marked, not raised, so that the caller can name the first fault of a row.
    """
    text = np.frombuffer(block.text, np.uint8)
    separators = np.flatnonzero((text == _COMMA) | (text == _NEWLINE))
    line_ends = np.flatnonzero(text[separators] == _NEWLINE)
    widths = np.diff(line_ends, prepend=-1)
    wrong = np.flatnonzero(widths != len(names))
    rows = int(wrong[0]) if len(wrong) else len(widths)
    ends = separators[: rows * len(names)]
    starts = np.concatenate(([0], ends[:-1] + 1)) if rows else ends
    shape = (rows, len(names))
    first, end = _stripped(text, starts, ends)
    columns, sound = [np.empty(0, np.int64)] * len(names), np.empty(shape, bool)
    whole = [column for column in range(len(names)) if column != seconds]
    first, end = first.reshape(shape), end.reshape(shape)
    values, sound[:, whole] = _integers(text, first[:, whole], end[:, whole])
    for place, column in enumerate(whole):
        columns[column] = values[:, place]
    if seconds is not None:
        columns[seconds], sound[:, seconds] = _nanoseconds(text, first[:, seconds], end[:, seconds])
    return NumberTable(block, names, starts.reshape(shape), ends.reshape(shape), columns, sound), rows


def width_error(block: LineBlock, row: int, expected: int) -> LobsterError:
    """The error at a row of another width."""
    line = block.text.split(b"\n", row + 1)[row].rstrip(b"\r").decode("latin-1")
    width = line.count(",") + 1
    return block.error(row, f"{units.plural(width, 'column')} in {line[:60]!r}; expected {expected}")


def _stripped(text: Bytes, starts: Places, ends: Places) -> tuple[Places, Places]:
    """Where fields begin and end without blanks around them, and without a carriage return."""
    starts, ends = starts.copy(), ends.copy()
    for _ in range(_BLANKS_MAX):
        blank = (text[starts] == _BLANK) & (starts < ends)
        if not blank.any():
            break
        starts += blank
    for _ in range(_BLANKS_MAX):
        last = text[ends - 1]
        blank = ((last == _BLANK) | (last == _RETURN)) & (starts < ends)
        if not blank.any():
            break
        ends -= blank
    return starts, ends


def _integers(text: Bytes, starts: Places, ends: Places) -> tuple[Ints, Mask]:
    """The integers of these fields, of any shape, and which fields are one of 64 bits."""
    negative = text[starts] == _MINUS
    length = ends - starts - negative
    sound = (length >= 1) & (length <= _DIGITS_MAX)
    values = np.zeros(starts.shape, np.uint64)
    for place in range(int(min(length.max(initial=0), _DIGITS_MAX))):
        inside = length > place
        digits = text[ends - 1 - place] - np.uint8(_ZERO)
        sound &= ~inside | (digits <= 9)
        values += np.where(inside, digits, 0).astype(np.uint64) * np.uint64(10**place)
    sound &= values <= INT64_MAX
    signed = values.view(np.int64)
    return np.where(negative, -signed, signed), sound


def _nanoseconds(text: Bytes, starts: Places, ends: Places) -> tuple[Ints, Mask]:
    """Decimal seconds in nanoseconds, rounded, and which fields are such a number."""
    dots = ends.copy()
    every_dot = np.flatnonzero(text == _DOT)
    field = np.searchsorted(ends, every_dot)
    inside = (field < len(ends)) & (every_dot >= np.append(starts, 0)[field])
    dots[field[inside]] = every_dot[inside]  # a second dot makes the digits before or behind it unsound
    whole, sound = _integers(text, starts, dots)
    sound &= whole <= 10**6
    fraction_length = np.maximum(ends - dots - 1, 0)
    sound &= fraction_length <= _DIGITS_MAX
    fraction = np.zeros(len(starts), np.int64)
    for place in range(int(min(fraction_length.max(initial=0), _DIGITS_MAX))):
        present = fraction_length > place
        digits = text[np.where(present, dots + 1 + place, 0)] - np.uint8(_ZERO)
        sound &= ~present | (digits <= 9)
        if place < _FRACTION_DIGITS:
            fraction += np.where(present, digits, 0).astype(np.int64) * 10 ** (_FRACTION_DIGITS - 1 - place)
        elif place == _FRACTION_DIGITS:
            fraction += present & (digits >= 5)
    negative = text[starts] == _MINUS
    return whole * 10**_FRACTION_DIGITS + np.where(negative, -fraction, fraction), sound
