"""What the groups of rows of a Parquet file unpack to, by the headers of their pages, before anything is unpacked.

pyarrow unpacks a page whole, to the size in its header: the sizes in the footer, which are told first, may be others.
The header is a `PageHeader` of `parquet.thrift` in Thrift's compact protocol: field 2 is the page's size unpacked,
field 3 its size in the file, where it follows the header.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from lowlat import units
from lowlat.errors import InputError
from lowlat.limits import PAGE_BYTES_MIN, PAGES_FREE

_UNPACKED, _PACKED = 2, 3
_HEADER_BYTES: Final = (1 << 12, 1 << 20)
"""How much is read for a header, and how much if it is longer: it may hold the least and the greatest value."""
_DEPTH_MAX: Final = 4
"""Structs in a struct: a header has two."""


def unpacked_sizes(file: BinaryIO, about: Any, path: str | Path) -> Iterator[int]:
    """The bytes of each group of rows, unpacked; `about`: the file's metadata, of pyarrow; `path`: for messages.

    Raises `InputError` for a file of too many small pages, `ValueError` for one that contradicts itself, `OSError`.
    """
    whole = file.seek(0, os.SEEK_END)
    left, most = whole, PAGES_FREE + whole // PAGE_BYTES_MIN
    pages = 0
    for number in range(about.num_row_groups):
        group = about.row_group(number)
        together = 0
        for column in map(group.column, range(group.num_columns)):
            left -= column.total_compressed_size
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
        yield max(group.total_byte_size, together)


def _page_sizes(file: BinaryIO, whole: int, column: Any) -> Iterator[int]:
    """Of each page of a column, the one of its dictionary first."""
    first, dictionary = column.data_page_offset, column.dictionary_page_offset
    at = dictionary if dictionary is not None and 0 < dictionary < first else first
    end = at + column.total_compressed_size
    if not 0 <= at <= end <= whole:
        raise ValueError("a column is outside the file")
    while at < end:
        header, size = _header(file, at)
        unpacked, packed = header.get(_UNPACKED, -1), header.get(_PACKED, -1)
        if min(unpacked, packed) < 0:
            raise ValueError("a page without a size")
        yield unpacked
        at += size + packed


def _header(file: BinaryIO, at: int) -> tuple[dict[int, int], int]:
    """The numbers in a header, by field, and its size."""
    for most in _HEADER_BYTES:
        file.seek(at)
        reader = _CompactReader(file.read(most))
        try:
            return reader.struct(), reader.at
        except IndexError:
            continue
    raise ValueError("a header of a page has no end")


class _CompactReader:
    """Thrift's compact protocol, as far as headers of pages need it. Raises `IndexError` at the end of its bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int = 0) -> dict[int, int]:
        """The values of the fields that are whole numbers, by the number of the field."""
        if depth > _DEPTH_MAX:
            raise ValueError("a header of a page is nested too deeply")
        found, field = {}, 0
        while (head := self._take(1)[0]) & 0x0F:
            field = field + (head >> 4) if head >> 4 else self._number()
            found[field] = self._value(head & 0x0F, depth)
        return found

    def _value(self, kind: int, depth: int) -> int:
        match kind:
            case 1 | 2:  # true and false, which the kind says
                return 2 - kind
            case 4 | 5 | 6:
                return self._number()
            case 12:
                self.struct(depth + 1)
            case 3 | 7 | 8:
                self._take(1 if kind == 3 else 8 if kind == 7 else self._varint())
            case _:
                raise ValueError(f"a header of a page has a field of kind {kind}")
        return 0

    def _number(self) -> int:
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("a number of more than 64 bits")

    def _take(self, count: int) -> bytes:
        if self.at + count > len(self._data):
            raise IndexError
        self.at += count
        return self._data[self.at - count : self.at]
