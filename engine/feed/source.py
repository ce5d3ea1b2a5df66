"""The bytes of a recording, unpacked as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lowlat.compression import Bound, chunks, compression_of
from lowlat.inputs import opened


def byte_chunks(path: Path, bound: Bound) -> Iterator[bytes]:
    """The content of a file, unpacked if it begins as a compressed one, in pieces of at most `CHUNK_BYTES`.

    Raises `InputError`, naming the path, for a file that cannot be read, is damaged or cut short, or exceeds `bound`.
    """
    with opened(path) as stream:
        yield from chunks(path, stream, compression_of(stream.peek(8)), bound)
