"""What the batches of an Arrow file unpack to, by their headers, before anything is unpacked.

pyarrow unpacks a batch whole and tells no size before. The headers are FlatBuffers (`Message.fbs` and `File.fbs` of the
Arrow format):

file    ... batches ... footer, its length (int32), "ARROW1"
footer  its fields 2 and 3 list the batches of dictionaries and of rows: where each begins, bytes of its header and body
batch   a marker (not in old files), the header's length, the header, then the body: a buffer after another
header  field 2 is the batch, whose field 2 lists its buffers; a compressed one begins with its unpacked length (int64)

That buffers are compressed is said by field 3 of the batch, or, as Arrow 0.17 wrote it, by a key beside it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

_TAIL: Final = struct.Struct("<i6s")
_BLOCK: Final = struct.Struct("<qi4xq")
_BUFFER: Final = struct.Struct("<qq")
_LENGTH: Final = struct.Struct("<q")
_MARKER: Final = b"\xff" * 4
_KEY_OF_0_17: Final = b"ARROW:experimental_compression"
_OF_DICTIONARY: Final = 2
"""The type of a header whose batch holds the values of a dictionary, one table further down."""


def unpacked_sizes(file: BinaryIO) -> Iterator[int]:
    """The bytes of each batch, unpacked. Raises `ValueError` for a file that contradicts itself, `OSError`."""
    whole = file.seek(0, os.SEEK_END)
    try:
        for begin, header_bytes, body_bytes in _blocks(file, whole):
            told = _read(file, begin, header_bytes)
            header = _Table.root(told[8:] if told.startswith(_MARKER) else told[4:])
            yield sum(_buffer_sizes(file, header, begin + header_bytes, body_bytes))
    except struct.error as error:
        raise ValueError(f"a header of a batch: {error}") from error


def _blocks(file: BinaryIO, whole: int) -> list[tuple[int, int, int]]:
    """Where each batch begins, and the bytes of its header and of its body: together no more than the file has."""
    size, _ = _TAIL.unpack(_read(file, whole - _TAIL.size, _TAIL.size))
    footer = _Table.root(_read(file, whole - _TAIL.size - size, size))
    blocks = [block for field in (2, 3) for block in footer.structs(field, _BLOCK)]
    outside = any(min(block) < 0 or block[0] > whole for block in blocks)
    if outside or sum(header + body for _, header, body in blocks) > whole:
        raise ValueError("its batches are larger than the file")
    return [(begin, header, body) for begin, header, body in blocks]


def _buffer_sizes(file: BinaryIO, header: _Table, body: int, body_bytes: int) -> Iterator[int]:
    batch = header.table(2)
    if batch is not None and header.byte(1) == _OF_DICTIONARY:
        batch = batch.table(1)
    if batch is None:
        return
    compressed = batch.table(3) is not None or _KEY_OF_0_17 in header.data
    for begin, size in batch.structs(2, _BUFFER):
        if not 0 <= begin <= begin + size <= body_bytes:
            raise ValueError("a buffer is outside its batch")
        told = _LENGTH.unpack(_read(file, body + begin, _LENGTH.size))[0] if compressed and size else -1
        yield size if told < 0 else told


def _read(file: BinaryIO, begin: int, size: int) -> bytes:
    if begin < 0 or size < 0:
        raise ValueError("a length below 0")
    file.seek(begin)
    return file.read(size)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a FlatBuffer: at `at`, how far before it its list of fields is; there, how far behind it each is."""

    data: bytes
    at: int

    @classmethod
    def root(cls, data: bytes) -> _Table:
        return cls(data, struct.unpack_from("<I", data)[0])

    def _place(self, field: int) -> int | None:
        listed = self.at - struct.unpack_from("<i", self.data, self.at)[0]
        if 4 + 2 * field >= struct.unpack_from("<H", self.data, listed)[0]:
            return None
        offset: int = struct.unpack_from("<H", self.data, listed + 4 + 2 * field)[0]
        return self.at + offset if offset else None

    def byte(self, field: int) -> int:
        place = self._place(field)
        return 0 if place is None else int(struct.unpack_from("<B", self.data, place)[0])

    def table(self, field: int) -> _Table | None:
        place = self._place(field)
        return None if place is None else _Table(self.data, place + struct.unpack_from("<I", self.data, place)[0])

    def structs(self, field: int, layout: struct.Struct) -> Iterator[tuple[int, ...]]:
        """A vector of structs."""
        place = self._place(field)
        if place is None:
            return
        begin = place + struct.unpack_from("<I", self.data, place)[0]
        for number in range(struct.unpack_from("<I", self.data, begin)[0]):
            yield layout.unpack_from(self.data, begin + 4 + number * layout.size)
