"""Decompresses files piece by piece, up to a limit, and to the checksum at the end of the stream."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from lowlat import units
from lowlat.errors import InputError
from lowlat.limits import PADDING_BYTES_MAX, STREAM_BYTES_MIN, STREAMS_FREE, UNPACK_MEMORY_BYTES_MAX
from lowlat.zip_member import ZipMember

CHUNK_BYTES: Final = 1 << 20
_FIRST_BYTES: Final = 1 << 12


class _Decoder(Protocol):
    """What the decompressors of `lzma` and `bz2` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """That of `zlib`, with the same interface."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length
        return out


class _Zstandard:
    """That of Zstandard, with a bound on the memory that a file may ask for."""

    def __init__(self) -> None:
        zstd = _zstd()
        window = (UNPACK_MEMORY_BYTES_MAX // 2).bit_length() - 1  # its buffers take up to twice as much
        self._error = zstd.ZstdError
        self._inner: _Decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window})

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        try:
            return self._inner.decompress(data, max_length)
        except self._error as error:
            raise OSError(str(error)) from error


def _zstd() -> Any:
    """Zstandard of the standard library, or what provides it for Python before 3.14."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


_DECODERS: Final[Mapping[str, tuple[bytes, Callable[[], _Decoder]]]] = {
    ".xz": (b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, UNPACK_MEMORY_BYTES_MAX)),
    ".gz": (b"\x1f\x8b", _Gzip),
    ".bz2": (b"BZh", bz2.BZ2Decompressor),
    ".zst": (b"\x28\xb5\x2f\xfd", _Zstandard),
    ".zip": (b"PK\3\4", ZipMember),
}
COMPRESSED: Final = tuple(_DECODERS)
"""Suffixes of files that are decompressed."""


def compression_of(start: bytes) -> str | None:
    """The suffix of the compression that a file with these first bytes has; None without one."""
    return next((suffix for suffix, (magic, _) in _DECODERS.items() if start.startswith(magic)), None)


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a file may hold: `most` bytes, and beyond `free` bytes no more than `ratio` for each byte read."""

    most: int
    ratio: int | None = None
    free: int = 0


def chunks(path: Path, stream: BinaryIO, compression: str | None, bound: Bound) -> Iterator[bytes]:
    """The content of an open file in pieces of at most `CHUNK_BYTES`, decompressed to the end and checked.

    Raises `InputError`, naming the path, as soon as it exceeds the bound, and if it is damaged or cut short.
    """
    read = given = 0

    def more() -> bytes:
        nonlocal read
        data = stream.read(CHUNK_BYTES)
        read += len(data)
        return data

    try:
        for piece in iter(more, b"") if compression is None else _unpacked(_DECODERS[compression][1], more):
            given += len(piece)
            if given > bound.most:
                raise InputError(f"{path}: it holds more than {units.whole_size(bound.most)}, the limit")
            if compression and bound.ratio and given > bound.free + bound.ratio * read:
                raise InputError(
                    f"{path}: its first {units.size(read)} unpack to more than {units.size(given - 1)}: "
                    f"above {bound.ratio} times as much is not order flow"
                )
            yield piece
    except EOFError as error:
        raise InputError(f"{path}: the compressed stream is truncated; fetch the file again") from error
    except (lzma.LZMAError, zlib.error, OSError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path}: cannot be read as {compression or 'text'}: {why}") from error


def _unpacked(decoder_of: Callable[[], _Decoder], more: Callable[[], bytes]) -> Iterator[bytes]:
    """All streams of a file, one after the other.

    Raises `EOFError` if the last one does not end, and `OSError` if there are too many for the bytes read,
    or too much padding, as in a sparse file.

    A stream gets `_FIRST_BYTES` first, and then twice as much each time: at its end it copies what it has not used,
    which would be all the rest of the file for each of many small streams.
    """
    decoder, size, begun = decoder_of(), _FIRST_BYTES, False
    allowed, padding = STREAMS_FREE * STREAM_BYTES_MIN, PADDING_BYTES_MAX
    for piece in iter(more, b""):
        at, allowed = 0, allowed + len(piece)
        while at < len(piece) or (begun and not decoder.needs_input and not decoder.eof):
            if decoder.eof:
                ended, at = at, _behind_padding(piece, at)
                padding -= at - ended
                if padding < 0:
                    raise OSError(f"more than {units.whole_size(PADDING_BYTES_MAX)} of padding, the limit")
                if at == len(piece):
                    break
                decoder, size, allowed = decoder_of(), _FIRST_BYTES, allowed - STREAM_BYTES_MIN
                if allowed < 0:
                    raise OSError("it consists of too many small streams; unpack it, and compress it as one")
            given = piece[at : at + size] if decoder.needs_input else b""
            begun, at, size = True, at + len(given), min(2 * size, CHUNK_BYTES)
            yield decoder.decompress(given, CHUNK_BYTES)
            if decoder.eof:
                at -= len(decoder.unused_data)
    while begun and not decoder.eof and (last := decoder.decompress(b"", CHUNK_BYTES)):
        yield last
    if not decoder.eof:
        raise EOFError


def _behind_padding(data: bytes, at: int) -> int:
    """Where in `data`, from `at` on, the next stream begins."""
    while at < len(data):
        part = data[at : at + _FIRST_BYTES]
        if kept := part.lstrip(b"\0"):
            return at + len(part) - len(kept)
        at += len(part)
    return at
