"""What the groups of rows of a Parquet file unpack to, by the headers of their pages, before anything is unpacked.

pyarrow unpacks a page whole, to the size in its header: the sizes in the footer, which are told first, may be others.
The footer is read here too: pyarrow ends the process when it is asked for a column whose statistics contradict it.
Both are structs of `parquet.thrift`:

file    "PAR1" ... pages ... footer, its length (uint32), "PAR1"
footer  field 4 lists the groups of rows: field 1 lists the columns, field 2 is their size unpacked
column  field 3: its size in the file (7), where its pages (9) and the page of its dictionary (11) begin
page    a header: its size unpacked (2) and in the file (3), where the page follows the header
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from lowlat import units
from lowlat.engine.feed.thrift import I32, I64, CompactReader, Shape
from lowlat.errors import InputError
from lowlat.limits import FOOTER_BYTES_FREE, FOOTER_SHARE_MAX, PAGE_BYTES_MIN, PAGES_FREE

_TAIL: Final = struct.Struct("<I4s")
_GROUPS, _COLUMNS, _GROUP_BYTES, _ABOUT = 4, 1, 2, 3
_COLUMN_BYTES, _FIRST_PAGE, _DICTIONARY = 7, 9, 11
_UNPACKED, _PACKED = 2, 3

_COLUMN: Final[Shape] = {_ABOUT: {_COLUMN_BYTES: I64, _FIRST_PAGE: I64, _DICTIONARY: I64}}
_FOOTER: Final[Shape] = {_GROUPS: [{_COLUMNS: [_COLUMN], _GROUP_BYTES: I64}]}
_PAGE: Final[Shape] = {_UNPACKED: I32, _PACKED: I32}

_HEADER_BYTES: Final = (1 << 12, 1 << 20)
"""How much is read for a header of a page, and how much if it is longer: it may hold the least and greatest value."""


class _Column(NamedTuple):
    """Where the pages of a column are in the file: their bytes, and where the first and the dictionary's begin."""

    bytes_: int
    first: int
    dictionary: int

    @classmethod
    def told(cls, about: dict[int, int]) -> _Column:
        return cls(about[_COLUMN_BYTES], about[_FIRST_PAGE], about.get(_DICTIONARY, 0))


def unpacked_sizes(file: BinaryIO, path: str | Path) -> Iterator[int]:
    """The bytes of each group of rows, unpacked; `path`: for messages.

    Raises `InputError` for a file of too many small pages or with too large a footer, `ValueError` for one that
    contradicts itself, `OSError`.
    """
    whole = file.seek(0, os.SEEK_END)
    left, most = whole, PAGES_FREE + whole // PAGE_BYTES_MIN
    pages = 0
    for group_bytes, columns in _groups(file, whole, path):
        together = 0
        for column in columns:
            left -= column.bytes_
            if left < 0:
                raise ValueError("its columns are larger than the file")
            for size in _page_sizes(file, whole, column):
                together += size
                pages += 1
                if pages > most:
                    raise InputError(
                        f"{path}: {units.size(whole)} with more than {units.counted(most, 'page')}, the limit; write "
                        "it with larger pages"
                    )
        yield max(group_bytes, together)


def _groups(file: BinaryIO, whole: int, path: str | Path) -> Iterator[tuple[int, list[_Column]]]:
    """Of each group of rows, what the footer tells of its size, and of its columns."""
    if whole < 2 * _TAIL.size:
        raise ValueError("it ends within its footer")
    file.seek(whole - _TAIL.size)
    size, _ = _TAIL.unpack(file.read(_TAIL.size))
    if size > (most := FOOTER_BYTES_FREE + whole // FOOTER_SHARE_MAX):
        raise InputError(
            f"{path}: a footer of {units.size(size)} in a file of {units.size(whole)}; the limit is "
            f"{units.size(most)}: write larger groups of rows"
        )
    file.seek(max(0, whole - _TAIL.size - size))
    try:
        for group in CompactReader(file.read(size)).struct(_FOOTER).get(_GROUPS, []):
            yield group[_GROUP_BYTES], [_Column.told(column[_ABOUT]) for column in group[_COLUMNS]]
    except IndexError:
        raise ValueError("its footer has no end") from None
    except KeyError as error:
        raise ValueError(f"its footer has no field {error}") from None


def _page_sizes(file: BinaryIO, whole: int, column: _Column) -> Iterator[int]:
    """Of each page of a column, the one of its dictionary first."""
    at = column.dictionary if 0 < column.dictionary < column.first else column.first
    end = at + column.bytes_
    if not 0 <= at <= end <= whole:
        raise ValueError("a column is outside the file")
    while at < end:
        header, size = _header(file, at)
        unpacked, packed = header.get(_UNPACKED, -1), header.get(_PACKED, -1)
        if min(unpacked, packed) < 0:
            raise ValueError("a page without a size")
        yield unpacked
        at += size + packed


def _header(file: BinaryIO, at: int) -> tuple[dict[int, Any], int]:
    """The sizes in a header, by field, and its own."""
    for most in _HEADER_BYTES:
        file.seek(at)
        reader = CompactReader(file.read(most))
        try:
            return reader.struct(_PAGE), reader.at
        except IndexError:
            continue
    raise ValueError("a header of a page has no end")
