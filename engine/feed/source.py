"""The bytes of a recording, unpacked as they are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Final

from lowlat.compression import CHUNK_BYTES, Bound, chunks, compression_of
from lowlat.errors import InputError
from lowlat.inputs import beginning, opened, pipe_beginning
from lowlat.limits import FLOW_RATIO_MAX, STREAM_BYTES_MAX, UNPACKED_BYTES_FREE

STDIN: Final = Path("/dev/stdin")
"""What `-` stands for."""
_PACKED_BYTES: Final = 1 << 20
"""How much of a compressed file is read to see how it begins: of `bzip2`, nothing comes before 900 kB are whole."""

_PATTERN: Final = re.compile(r"[*?]|\[.+\]", re.DOTALL)
_STREAM: Final = Bound(STREAM_BYTES_MAX, FLOW_RATIO_MAX, UNPACKED_BYTES_FREE)


def recordings(named: Sequence[Path]) -> list[Path]:
    """The files that are named, in this order: `-` is stdin, a folder is its files and a pattern those that match it,
    by name. Hidden files in a folder are left out. Raises `InputError` for a folder or a pattern without a file.
    """
    found: list[Path] = []
    for path in named:
        if str(path) == "-":
            found.append(STDIN)
        elif path.is_dir():
            found += _some(path, (each for each in path.iterdir() if not each.name.startswith(".") and each.is_file()))
        elif not path.exists() and _PATTERN.search(path.name):
            found += _some(path, path.parent.glob(path.name))
        else:
            found.append(path)
    return found


def _some(path: Path, files: Iterable[Path]) -> list[Path]:
    listed = sorted(files, key=lambda each: each.name)
    if not listed:
        raise InputError(f"{path}: no files; name a file, or a folder or a pattern of them")
    return listed


def unpacked_beginning(path: Path, count: int) -> bytes:
    """The first bytes of a file's content, unpacked as `byte_chunks` does; what there is of it if it is damaged. Those
    of a pipe stay in it. Raises `OSError`.
    """
    packed = beginning(path, _PACKED_BYTES) or pipe_beginning(path, _PACKED_BYTES)
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


def is_empty(path: Path) -> bool:
    """Whether a regular file has no content, once unpacked. One that is damaged has."""
    try:
        return path.is_file() and not any(byte_chunks(path, Bound(CHUNK_BYTES)))
    except InputError:
        return False


def byte_chunks(path: Path, bound: Bound) -> Iterator[bytes]:
    """The content of a file, unpacked if it begins as a compressed one, in pieces of at most `CHUNK_BYTES`.

    Raises `InputError`, naming the path, for a file that cannot be read, is damaged or cut short, or exceeds `bound`.
    """
    with opened(path) as stream:
        yield from chunks(path, stream, compression_of(stream.peek(8)), bound)


def begun(path: Path, least: int) -> tuple[bytes, Iterator[bytes]]:
    """How the content of a file that is read as a stream begins, at least so many bytes if it has them, and all of it,
    as `byte_chunks` gives it. Raises `InputError` as that does.
    """
    pieces = byte_chunks(path, _STREAM)
    start = b""
    while len(start) < least and (piece := next(pieces, None)) is not None:
        start += piece
    return start, chain([start], pieces)
