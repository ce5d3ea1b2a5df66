"""Compressed files, and archives with one file in them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final
from unittest import mock

from lowlat import compression, zip_member
from lowlat.compression import CHUNK_BYTES, Bound, chunks, compression_of
from lowlat.engine.feed.source import byte_chunks
from tests.fuzz.parsers.target import Target, written

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_TEXT: Final = b"".join(b"%d,1,%d,10,1000000,-1\n" % (row, row % 7) for row in range(60))
_MOST: Final = 1 << 20
_RATIO: Final = 20
_FREE: Final = 1 << 16
_AT_ONCE: Final = 61
"""Bytes that the second reading is given at a time: a prime number, so that they end within every part of a format."""


class _Trickle(io.BytesIO):
    """A pipe whose other end writes a few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(_AT_ONCE if size is None or size < 0 else min(size, _AT_ONCE))


def _content(data: bytes, folder: Path) -> bytes:
    """What the bytes unpack to, in whatever pieces they come."""
    path = written(folder, "day.csv", data)
    pieces = list(byte_chunks(path, Bound(_MOST, _RATIO, _FREE)))
    content = b"".join(pieces)
    assert all(len(piece) <= CHUNK_BYTES for piece in pieces), "a piece is bounded"
    if compression_of(data) is not None:
        assert len(content) <= _FREE + _RATIO * len(data), "it unpacks to no more than its size allows"
    trickled = b"".join(chunks(path, _Trickle(data), compression_of(data), Bound(_MOST)))
    assert trickled == content, "the borders of pieces do not matter"
    return content


# -- streams ---------------------------------------------------------------------------------------------------------

_OTHERS: Final[dict[str | None, Callable[[bytes], bytes]]] = {
    ".xz": lzma.decompress,
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".zst": lambda data: zstd.decompress(_unpadded(data)),
}


def _read_packed(data: bytes, folder: Path) -> None:
    content = _content(data, folder)
    other = _OTHERS.get(compression_of(data))
    assert other is None or other(data) == content, "as another reader has it"


def _unpadded(data: bytes) -> bytes:
    """Frames without zeros behind them, which other decoders pass over by themselves."""
    frames = b""
    while data:
        frame = zstd.ZstdDecompressor()
        frame.decompress(data)
        frames += data[: len(data) - len(frame.unused_data)]
        data = frame.unused_data.lstrip(b"\0")
    return frames


def _packed_seeds() -> list[bytes]:
    part = _TEXT[:200]
    packed = [lzma.compress(_TEXT), gzip.compress(_TEXT, mtime=0), bz2.compress(_TEXT), zstd.compress(_TEXT)]
    again = [lzma.compress(part), gzip.compress(part, mtime=0), bz2.compress(part), zstd.compress(part)]
    return [first + second for first, second in zip(packed, again, strict=True)]


def _plant_packed() -> None:
    """A reader that lets the errors of its libraries through."""
    mock.patch.object(compression, "InputError", lambda *words: ValueError(words)).start()


PACKED = Target(
    "packed",
    _read_packed,
    _packed_seeds,
    _plant_packed,
    ("lowlat/compression.py", "engine/feed/source.py"),
)

# -- archives --------------------------------------------------------------------------------------------------------


def _read_zip(data: bytes, folder: Path) -> None:
    """What zipfile refuses, though it reads from the back, may be read here; what both read is the same."""
    content = _content(data, folder)
    if compression_of(data) != ".zip":
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            (name,) = archive.namelist()
            other = archive.read(name)
    except (zipfile.BadZipFile, RuntimeError, OSError, ValueError, EOFError, compression.zlib.error):
        return
    assert other == content, "as another reader has it"


def _zip_seeds() -> list[bytes]:
    return [_zipped(method, piped=piped) for method, piped in ((8, False), (8, True), (0, False))]


def _zipped(method: int, *, piped: bool) -> bytes:
    """`piped`: its sizes follow the file, as where they were not known before."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return not piped

        def tell(self) -> int:
            if piped:
                raise OSError
            return super().tell()

    target = Pipe()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo("day.csv", (2026, 1, 5, 0, 0, 0)), _TEXT, method)
    return target.getvalue()


def _plant_zip() -> None:
    """A reader whose own errors are not those that its caller expects."""
    mock.patch.object(zip_member, "OSError", KeyError, create=True).start()


ZIP = Target("zip", _read_zip, _zip_seeds, _plant_zip, ("lowlat/zip_member.py",))
