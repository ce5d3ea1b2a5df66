"""Rows of comma-separated numbers, a block at a time: whole lines, without what may stand before the first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lowlat.compression import Bound
from lowlat.engine.feed.source import byte_chunks
from lowlat.errors import InputError, LobsterError
from lowlat.limits import FLOW_BYTES_MAX, FLOW_LINE_BYTES_MAX, FLOW_RATIO_MAX, UNPACKED_BYTES_FREE
from lowlat.text import cut, printable

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BOUND: Final = Bound(FLOW_BYTES_MAX, FLOW_RATIO_MAX, UNPACKED_BYTES_FREE)
_HEADER: Final = re.compile(rb"\s*[A-Za-z][^,\n]*(,\s*[A-Za-z][^,\n]*)+\n")
"""A line of which every field begins with a letter."""
_FIRST_NAMES: Final = ("time", "ask")
"""How the line of names begins in a file of messages, and in a file of books."""
_SHOWN_CHARS: Final = 80


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Consecutive whole lines of a file, each with its line end: `lines` of them, and `before` before them."""

    path: Path
    before: int
    text: bytes
    lines: int

    def error(self, line: int, problem: str, column: str | None = None) -> LobsterError:
        """The error at a line of this block, from 0."""
        return LobsterError(self.path, problem, row=self.before + line + 1, column=column)


def line_blocks(path: Path, noticed: Counter[str]) -> Iterator[LineBlock]:
    """The lines of a file, a megabyte at a time, so that a file that is none of ours is refused at its first rows.

    A byte order mark and a line of names at the beginning are left out, and counted in `noticed`. Raises `LobsterError`
    for a file that cannot be read, is empty, has a line of other names, or is beyond the limits on recorded orders
    (`lowlat.limits`).
    """
    before, empty = 0, True
    for piece in _whole_lines(path):
        block = piece if before else _without_head(piece, noticed)
        before = block.before + block.lines
        if block.lines:
            empty = False
            yield block
    if empty:
        raise LobsterError(path, "the file is empty; expected at least one row")


def _whole_lines(path: Path) -> Iterator[LineBlock]:
    """The content of a file in pieces that end where a line does."""
    before, rest = 0, b""
    try:
        for chunk in byte_chunks(path, _BOUND):
            whole, ended, rest = (rest + chunk).rpartition(b"\n")
            if ended:
                block = LineBlock(path, before, whole + ended, whole.count(b"\n") + 1)
                yield block
                before += block.lines
            if len(rest) > FLOW_LINE_BYTES_MAX:
                long = f"it has more than {FLOW_LINE_BYTES_MAX:,} bytes, the limit"
                raise LineBlock(path, before, b"", 0).error(0, long)
    except InputError as error:
        raise error if isinstance(error, LobsterError) else _of_file(path, error) from None
    if rest:
        yield LineBlock(path, before, rest + b"\n", 1)


def _without_head(block: LineBlock, noticed: Counter[str]) -> LineBlock:
    if block.text.startswith(BYTE_ORDER_MARK):
        noticed["byte order mark"] += 1
        block = replace(block, text=block.text.removeprefix(BYTE_ORDER_MARK))
    if header := _HEADER.match(block.text):
        names = header[0].decode("latin-1").strip()
        if not names.lower().startswith(_FIRST_NAMES):
            raise block.error(0, f"its columns are not LOBSTER's; say with --columns what they mean: {_shown(names)}")
        noticed["line of column names"] += 1
        text = block.text[header.end() :]
        block = replace(block, before=block.before + 1, text=text, lines=block.lines - 1)
    return block


def _shown(names: str) -> str:
    return cut(printable(names), _SHOWN_CHARS)


def _of_file(path: Path, error: InputError) -> LobsterError:
    return LobsterError(path, str(error).removeprefix(f"{path}: "))
