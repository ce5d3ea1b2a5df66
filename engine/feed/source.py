"""The bytes of a recording, unpacked as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Final

from lowlat.compression import CHUNK_BYTES, Bound, chunks, compression_of
from lowlat.errors import InputError
from lowlat.inputs import beginning, opened

_PACKED_BYTES: Final = 1 << 16
"""How much of a compressed file is unpacked to see how it begins; `xz` gives nothing before its first block."""


def unpacked_beginning(path: Path, count: int) -> bytes:
    """The first bytes of a file's content, unpacked as `byte_chunks` does; what there is of it if it is damaged. Of a
    pipe, whose content can be read but once, none. Raises `OSError`.
    """
    packed = beginning(path, _PACKED_BYTES)
    compression = compression_of(packed)
    if compression is None:
        return packed[:count]
    found = b""
    with suppress(InputError):
        for piece in chunks(path, BytesIO(packed), compression, Bound(2 * CHUNK_BYTES)):
            found += piece
            if len(found) >= count:
                break
    return found[:count]


def byte_chunks(path: Path, bound: Bound) -> Iterator[bytes]:
    """The content of a file, unpacked if it begins as a compressed one, in pieces of at most `CHUNK_BYTES`.

    Raises `InputError`, naming the path, for a file that cannot be read, is damaged or cut short, or exceeds `bound`.
    """
    with opened(path) as stream:
        yield from chunks(path, stream, compression_of(stream.peek(8)), bound)
