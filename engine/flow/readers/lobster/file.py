"""LOBSTER files as columns: comma-separated integers without a header, plain or compressed.

Every error names the file, the row (counted from 1), the column, the value and the expected format.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.engine.matching.records import QUANTITY_MAX
from lowlat.errors import LobsterError

Ints: TypeAlias = NDArray[np.int64]

TICK: Final = 100
"""Price units per tick: LOBSTER prices are in 10^-4 dollar, US stocks above a dollar trade in cents."""
UNIT: Final = Decimal("0.0001")
"""Dollars per price unit."""
INT64_MAX: Final = 2**63 - 1
DAY_NS: Final = 86_400 * 10**9

_ALPHABET: Final = frozenset("0123456789-.")
"""Characters of a number in these formats; rejects what `int` and `float` also accept (`1_0`, `nan`)."""
_OPEN: Final[Mapping[str, Callable[..., Any]]] = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}
COMPRESSED: Final = tuple(_OPEN)
"""Suffixes of files that are decompressed."""
_COLUMNS: Final = ("time", "type", "order id", "size", "price", "direction")
_STATE: Final = ("ask price", "ask size", "bid price", "bid size")


class MessageType(IntEnum):
    """The second column of a message file."""

    ADD = 1
    PARTIAL_CANCEL = 2
    DELETE = 3
    EXECUTION = 4
    HIDDEN_EXECUTION = 5
    CROSS_TRADE = 6
    HALT = 7


@dataclass(frozen=True, eq=False)
class Messages:
    """A message file: one int64 array of shape (n,) per column, and the original rows.

    `time` is in nanoseconds since midnight, `price` in units of 10^-4 dollar.
    """

    path: Path
    lines: Sequence[str]
    time: Ints
    type: Ints
    order_id: Ints
    size: Ints
    price: Ints
    direction: Ints

    def rows(self, chosen: Ints | slice = slice(None)) -> Iterator[tuple[int, ...]]:
        """Time, type, order id, size, price, direction of the chosen rows, as Python integers."""
        columns = (self.time, self.type, self.order_id, self.size, self.price, self.direction)
        return zip(*(column[chosen].tolist() for column in columns), strict=True)


def read_messages(path: Path) -> Messages:
    """The rows of a message file; suffixes `.xz`, `.gz`, `.bz2` are decompressed.

    Times are rounded to the nanosecond. Raises `LobsterError` for an unreadable, truncated or empty file; a row without
    six numbers; a time outside the day or before the previous row's; an unknown type or direction; for types 1 to 5 a
    size or price that is not positive; for types 1 to 4 an id below 1, a size above 2^32 - 1, a price off the tick.
    """
    lines = _lines(path)
    time, *integers = _columns(path, lines, _COLUMNS, (_nanoseconds, *[int] * 5))
    messages = Messages(path, lines, time, *integers)
    _check(messages)
    return messages


def read_best_states(path: Path) -> Ints:
    """The best level of an order-book file of any depth: int64 of shape (n, 4).

    Columns: ask price, ask size, bid price, bid size. A side of size 0 is empty, and its price is set to 0 (vendors
    write an out-of-range price). Raises `LobsterError` as `read_messages` does.
    """
    lines = _lines(path)
    width = lines[0].count(",") + 1
    if width % len(_STATE):
        raise LobsterError(
            path, f"{units.plural(width, 'column')}; expected four per level: {', '.join(_STATE)}", row=1
        )
    names = (*_STATE, *[f"{name} of level {level}" for level in range(2, width // 4 + 1) for name in _STATE])
    states = np.stack(_columns(path, lines, names, [int] * 4), axis=1)
    return without_empty_prices(states)


def without_empty_prices(states: Ints) -> Ints:
    """Best states with the price of each side of size 0 set to 0: int64 of shape (n, 4), a copy."""
    states = states.copy()
    for price, size in ((0, 1), (2, 3)):
        states[states[:, size] == 0, price] = 0
    return states


def _lines(path: Path) -> list[str]:
    try:
        with _OPEN.get(path.suffix, open)(path, "rb") as file:
            data: bytes = file.read()
    except EOFError as error:
        raise LobsterError(path, f"the compressed stream is truncated ({error}); fetch the file again") from None
    except FileNotFoundError:
        raise LobsterError(path, "no such file") from None
    except (OSError, lzma.LZMAError, zlib.error) as error:
        raise LobsterError(path, f"cannot be read as {path.suffix or 'text'}: {error}") from None
    lines = data.decode("latin-1").replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines == [""]:
        raise LobsterError(path, "the file is empty; expected at least one row")
    return lines


def _nanoseconds(field: str) -> int:
    # A double holds a second of the day to 10^-11 s: rounding to nanoseconds is exact.
    seconds = float(field)
    return round(seconds * 1e9) if 0 <= seconds <= 86_400 else -1


def _columns(
    path: Path, lines: list[str], names: Sequence[str], converters: Sequence[Callable[[str], int]]
) -> list[Ints]:
    """The first `len(converters)` columns: all at once if every field is valid, else row by row up to the bad field."""
    commas = len(names) - 1
    text = ",".join(lines)
    try:
        sound = _ALPHABET.issuperset(set(text) - {","}) and all(line.count(",") == commas for line in lines)
        fields = text.split(",") if sound else []
        if sound:
            return [
                np.array(list(map(convert, fields[n :: len(names)])), dtype=np.int64)
                for n, convert in enumerate(converters)
            ]
    except (ValueError, OverflowError):
        pass
    rows = [_row(path, row, line, names, converters) for row, line in enumerate(lines, start=1)]
    return list(np.array(rows, dtype=np.int64).T)


def _row(
    path: Path, row: int, line: str, names: Sequence[str], converters: Sequence[Callable[[str], int]]
) -> list[int]:
    fields = line.split(",")
    if len(fields) != len(names):
        raise LobsterError(
            path, f"{units.plural(len(fields), 'column')} in {line[:60]!r}; expected {len(names)}", row=row
        )
    return [
        _number(path, row, name, field, convert)
        for name, field, convert in zip(names, fields, converters, strict=False)
    ]


def _number(path: Path, row: int, name: str, field: str, convert: Callable[[str], int]) -> int:
    expected = "a number of seconds" if convert is _nanoseconds else "an integer of 64 bits"
    try:
        number = convert(field) if _ALPHABET.issuperset(field) else None
    except ValueError:
        number = None
    if number is None or not -INT64_MAX <= number <= INT64_MAX:
        raise LobsterError(path, f"{field[:40]!r} is not {expected}", row=row, column=name)
    return number


def _check(messages: Messages) -> None:
    """Raise for the first invalid row, and its first invalid column."""
    kind, size, price = messages.type, messages.size, messages.price
    visible = kind <= MessageType.EXECUTION
    traded = kind <= MessageType.HIDDEN_EXECUTION
    earlier = np.concatenate(([0], messages.time[:-1]))
    rules = [
        ("time", ~((messages.time >= 0) & (messages.time <= DAY_NS)), "seconds after midnight, 0 to 86400"),
        ("time", messages.time < earlier, "a time not before that of the row above"),
        ("type", ~np.isin(kind, list(MessageType)), "a type from 1 to 7"),
        ("order id", visible & (messages.order_id < 1), "a positive order id"),
        ("size", traded & (size < 1), "a positive size"),
        ("size", visible & (size > QUANTITY_MAX), f"a size of at most {QUANTITY_MAX}"),
        ("price", traded & (price < 1), "a positive price"),
        ("price", visible & (price % TICK != 0), f"a multiple of the tick, {TICK} units of {UNIT} dollar"),
        ("direction", traded & ~np.isin(messages.direction, (1, -1)), "1 (buy) or -1 (sell)"),
    ]
    broken = [(int(bad.argmax()), column, expected) for column, bad, expected in rules if bad.any()]
    if broken:
        row, column, expected = min(broken, key=lambda rule: rule[0])
        field = messages.lines[row].split(",")[_COLUMNS.index(column)]
        raise LobsterError(messages.path, f"{field[:40]!r} is not {expected}", row=row + 1, column=column)
