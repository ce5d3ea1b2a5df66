"""LOBSTER files as columns: comma-separated integers without a header, plain or compressed.

Every error names the file, the row (counted from 1), the column, the value and the expected format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.compression import COMPRESSED, Bound, chunks
from lowlat.engine.matching.records import QUANTITY_MAX
from lowlat.errors import InputError, LobsterError
from lowlat.inputs import opened
from lowlat.limits import FLOW_BYTES_MAX, FLOW_LINE_BYTES_MAX, FLOW_RATIO_MAX, UNPACKED_BYTES_FREE

Ints: TypeAlias = NDArray[np.int64]

TICK: Final = 100
"""Price units per tick: LOBSTER prices are in 10^-4 dollar, US stocks above a dollar trade in cents."""
UNIT: Final = Decimal("0.0001")
"""Dollars per price unit."""
INT64_MAX: Final = 2**63 - 1
DAY_NS: Final = 86_400 * 10**9

_ALPHABET: Final = frozenset("0123456789-.")
"""Characters of a number in these formats; rejects what `int` and `float` also accept (`1_0`, `nan`)."""
_BOUND: Final = Bound(FLOW_BYTES_MAX, FLOW_RATIO_MAX, UNPACKED_BYTES_FREE)
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
    """A message file: one int64 array of shape (n,) per column.

    `time` is in nanoseconds since midnight, `price` in units of 10^-4 dollar.
    """

    path: Path
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

    Times are rounded to the nanosecond. Raises `LobsterError` for an unreadable, truncated or empty file, or one beyond
    the limits on recorded orders (`lowlat.limits`); a row without six numbers; a time outside the day or before the
    previous row's; an unknown type or direction; for types 1 to 5 a size or price that is not positive; for types 1 to
    4 an id below 1, a size above 2^32 - 1, a price off the tick.
    """
    parts: list[Sequence[Ints]] = []
    last_ns = 0
    for block in _blocks(path):
        columns = _columns(block, _COLUMNS, (_nanoseconds, *[int] * 5))
        _check(block, columns, last_ns)
        last_ns = int(columns[0][-1])
        parts.append(columns)
    return Messages(path, *map(np.concatenate, zip(*parts, strict=True)))


def read_best_states(path: Path) -> Ints:
    """The best level of an order-book file of any depth: int64 of shape (n, 4).

    Columns: ask price, ask size, bid price, bid size. A side of size 0 is empty, and its price is set to 0 (vendors
    write an out-of-range price). Raises `LobsterError` as `read_messages` does.
    """
    names: tuple[str, ...] = ()
    parts = []
    for block in _blocks(path):
        names = names or _state_names(path, block.lines[0].count(",") + 1)
        parts.append(np.stack(_columns(block, names, [int] * 4), axis=1))
    return without_empty_prices(np.concatenate(parts))


def book_blocks(path: Path) -> Iterator[Ints]:
    """All levels of an order-book file, a block of rows at a time: int64 of shape (n, 4 * levels).

    Columns and empty levels as in `read_best_states`. Raises `LobsterError` as `read_messages` does.
    """
    names: tuple[str, ...] = ()
    for block in _blocks(path):
        names = names or _state_names(path, block.lines[0].count(",") + 1)
        states = np.stack(_columns(block, names, [int] * len(names)), axis=1)
        states[:, ::2] *= states[:, 1::2] != 0
        yield states


def _state_names(path: Path, width: int) -> tuple[str, ...]:
    """The columns of an order-book file."""
    if width % len(_STATE):
        raise LobsterError(
            path, f"{units.plural(width, 'column')}; expected four per level: {', '.join(_STATE)}", row=1
        )
    return (*_STATE, *[f"{name} of level {level}" for level in range(2, width // 4 + 1) for name in _STATE])


def without_empty_prices(states: Ints) -> Ints:
    """Best states with the price of each side of size 0 set to 0: int64 of shape (n, 4), a copy."""
    states = states.copy()
    for price, size in ((0, 1), (2, 3)):
        states[states[:, size] == 0, price] = 0
    return states


@dataclass(frozen=True, slots=True)
class _Block:
    """Consecutive rows of a file, and the number of rows before them."""

    path: Path
    before: int
    lines: list[str]

    def error(self, index: int, problem: str, column: str | None = None) -> LobsterError:
        """The error at a row of this block."""
        return LobsterError(self.path, problem, row=self.before + index + 1, column=column)


def _blocks(path: Path) -> Iterator[_Block]:
    """The rows of a file, a megabyte at a time, so that a file that is none of ours is refused at its first rows."""
    rows, rest = 0, b""
    try:
        with opened(path) as stream:
            for chunk in chunks(path, stream, path.suffix if path.suffix in COMPRESSED else None, _BOUND):
                whole, ended, rest = (rest + chunk).rpartition(b"\n")
                if ended:
                    block = _Block(path, rows, _text(whole).split("\n"))
                    yield block
                    rows += len(block.lines)
                if len(rest) > FLOW_LINE_BYTES_MAX:
                    raise _Block(path, rows, []).error(0, f"it has more than {FLOW_LINE_BYTES_MAX:,} bytes, the limit")
    except InputError as error:
        raise error if isinstance(error, LobsterError) else _of_file(path, error) from None
    if rest:
        yield _Block(path, rows, [rest.decode("latin-1")])
    elif not rows:
        raise LobsterError(path, "the file is empty; expected at least one row")


def _text(rows: bytes) -> str:
    return rows.decode("latin-1").replace("\r\n", "\n").removesuffix("\r")


def _of_file(path: Path, error: InputError) -> LobsterError:
    return LobsterError(path, str(error).removeprefix(f"{path}: "))


def _nanoseconds(field: str) -> int:
    # A double holds a second of the day to 10^-11 s: rounding to nanoseconds is exact.
    seconds = float(field)
    return round(seconds * 1e9) if 0 <= seconds <= 86_400 else -1


def _columns(block: _Block, names: Sequence[str], converters: Sequence[Callable[[str], int]]) -> list[Ints]:
    """The first `len(converters)` columns: all at once if every field is valid, else row by row up to the bad field."""
    commas = len(names) - 1
    text = ",".join(block.lines)
    try:
        sound = _ALPHABET.issuperset(set(text) - {","}) and all(line.count(",") == commas for line in block.lines)
        fields = text.split(",") if sound else []
        if sound:
            return [
                np.array(list(map(convert, fields[n :: len(names)])), dtype=np.int64)
                for n, convert in enumerate(converters)
            ]
    except (ValueError, OverflowError):
        pass
    rows = [_row(block, index, names, converters) for index in range(len(block.lines))]
    return list(np.array(rows, dtype=np.int64).T)


def _row(block: _Block, index: int, names: Sequence[str], converters: Sequence[Callable[[str], int]]) -> list[int]:
    line = block.lines[index]
    width = line.count(",") + 1
    if width != len(names):
        raise block.error(index, f"{units.plural(width, 'column')} in {line[:60]!r}; expected {len(names)}")
    return [
        _number(block, index, name, field, convert)
        for name, field, convert in zip(names, line.split(","), converters, strict=False)
    ]


def _number(block: _Block, index: int, name: str, field: str, convert: Callable[[str], int]) -> int:
    expected = "a number of seconds" if convert is _nanoseconds else "an integer of 64 bits"
    try:
        number = convert(field) if _ALPHABET.issuperset(field) else None
    except ValueError:
        number = None
    if number is None or not -INT64_MAX <= number <= INT64_MAX:
        raise block.error(index, f"{field[:40]!r} is not {expected}", name)
    return number


def _check(block: _Block, columns: Sequence[Ints], last_ns: int) -> None:
    """Raise for the first invalid row, and its first invalid column. `last_ns`: the time of the row before."""
    time, kind, order_id, size, price, direction = columns
    visible = kind <= MessageType.EXECUTION
    traded = kind <= MessageType.HIDDEN_EXECUTION
    earlier = np.concatenate(([last_ns], time[:-1]))
    rules = [
        ("time", ~((time >= 0) & (time <= DAY_NS)), "seconds after midnight, 0 to 86400"),
        ("time", time < earlier, "a time not before that of the row above"),
        ("type", ~np.isin(kind, list(MessageType)), "a type from 1 to 7"),
        ("order id", visible & (order_id < 1), "a positive order id"),
        ("size", traded & (size < 1), "a positive size"),
        ("size", visible & (size > QUANTITY_MAX), f"a size of at most {QUANTITY_MAX}"),
        ("price", traded & (price < 1), "a positive price"),
        ("price", visible & (price % TICK != 0), f"a multiple of the tick, {TICK} units of {UNIT} dollar"),
        ("direction", traded & ~np.isin(direction, (1, -1)), "1 (buy) or -1 (sell)"),
    ]
    broken = [(int(bad.argmax()), column, expected) for column, bad, expected in rules if bad.any()]
    if broken:
        row, column, expected = min(broken, key=lambda rule: rule[0])
        field = block.lines[row].split(",")[_COLUMNS.index(column)]
        raise block.error(row, f"{field[:40]!r} is not {expected}", column)
