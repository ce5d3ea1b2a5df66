"""The one file in a ZIP archive, unpacked from front to back, so that a pipe will do and nothing is read twice.

The interface is that of the decompressors of `lzma` and `bz2`. Structures: PKWARE's APPNOTE.TXT, 4.3.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, Literal, NamedTuple, Protocol

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_DESCRIPTORS: Final = (12, 16, 20, 24)
"""Bytes of the sizes and the checksum behind a member: with or without a mark, of 32 or 64 bits."""
_TAIL_BYTES_MAX: Final = 1 << 18
_STORED, _DEFLATED = 0, 8
_SEVERAL: Final = "it does not hold exactly one file: unpack it, and name the file"


class _Content(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Stored:
    """A member that is not compressed, of a known size."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.unused_data = self.unconsumed_tail = b""

    @property
    def eof(self) -> bool:
        return self._left == 0

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """As much of `data` as is asked for and belongs to the member."""
        out = data[: min(self._left, max_length)]
        self._left -= len(out)
        rest = data[len(out) :]
        self.unused_data, self.unconsumed_tail = (rest, b"") if self.eof else (b"", rest)
        return out


class _Local(NamedTuple):
    """The header in front of a member."""

    size: int
    described: bool
    """Sizes and checksum follow the member."""
    content: _Content


class ZipMember:
    """Decompresses an archive's only member, and checks it against the checksum in the directory behind it."""

    def __init__(self) -> None:
        self._part: Literal["header", "content", "tail"] = "header"
        self._held = b""
        self._member: _Local | None = None
        self._checksum = 0
        self.unused_data = b""

    @property
    def needs_input(self) -> bool:
        """Whether what was given is used up."""
        return not (self._part == "content" and self._held)

    @property
    def eof(self) -> bool:
        """Whether the archive is complete. Raises `OSError` if the member is not what its directory says."""
        return self._part == "tail" and self._complete()

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most so many bytes of the member. Raises `OSError`, and `zlib.error` for damaged content."""
        self._held += data
        if self._part == "header" and (member := _local(self._held)):
            self._member, self._part, self._held = member, "content", self._held[member.size :]
        if self._part != "content" or self._member is None:
            if len(self._held) > _TAIL_BYTES_MAX:
                raise OSError(_SEVERAL)
            return b""
        content = self._member.content
        out = content.decompress(self._held, max_length)
        self._checksum = zlib.crc32(out, self._checksum)
        self._held = content.unused_data if content.eof else content.unconsumed_tail
        self._part = "tail" if content.eof else "content"
        return out

    def _complete(self) -> bool:
        tail = self._held
        if self._member is not None and self._member.described:
            found = [size for size in _DESCRIPTORS if tail[size:].startswith((b"PK\1\2", b"PK\3\4"))]
            if not found:
                return False
            tail = tail[found[0] :]
        if len(tail) < _CENTRAL.size:
            return False
        mark, *_, checksum, _, _, name, extra, comment, _, _, _, _ = _CENTRAL.unpack_from(tail)
        if mark != b"PK\1\2":
            raise OSError(_SEVERAL if mark == b"PK\3\4" else "its directory is damaged")
        if checksum != self._checksum:
            raise OSError("its content does not have its checksum; fetch it again")
        return _ends(tail[_CENTRAL.size + name + extra + comment :])


def _local(held: bytes) -> _Local | None:
    """The header at the beginning; None until it is whole."""
    if len(held) < _LOCAL.size:
        return None
    mark, _, flags, method, _, _, _, packed, size, name, extra = _LOCAL.unpack_from(held)
    if mark != b"PK\3\4":
        raise OSError("it does not begin as an archive with a file in it")
    if flags & 1:
        raise OSError("it is encrypted: unpack it first")
    end = _LOCAL.size + name + extra
    if len(held) < end:
        return None
    described = bool(flags & 8)
    if method == _DEFLATED:
        return _Local(end, described, zlib.decompressobj(-zlib.MAX_WBITS))
    if method != _STORED or described:
        raise OSError(f"its compression, of number {method}, is not read here: unpack it first")
    if size == packed == 0xFFFFFFFF:
        size = _long_size(held[end - extra : end])
    return _Local(end, described, _Stored(size))


def _long_size(extra: bytes) -> int:
    """The size of a member above 4 GiB, from the header's extra field of number 1."""
    at = 0
    while at + 12 <= len(extra):
        number, count = struct.unpack_from("<HH", extra, at)
        if number == 1:
            return int(struct.unpack_from("<Q", extra, at + 4)[0])
        at += 4 + count
    raise OSError("its header is damaged")


def _ends(tail: bytes) -> bool:
    """Whether what follows the only entry of the directory is a whole end of it."""
    if tail.startswith(b"PK\1\2"):
        raise OSError(_SEVERAL)
    for mark, size in ((b"PK\6\6", 56), (b"PK\6\7", 20)):  # of archives above 4 GiB
        tail = tail[size:] if tail.startswith(mark) else tail
    if len(tail) < _END.size:
        return False
    mark, *_, comment = _END.unpack_from(tail)
    if mark != b"PK\5\6":
        raise OSError("its directory is damaged")
    if len(tail) > _END.size + comment:
        raise OSError("something follows its end; fetch it again")
    return len(tail) == _END.size + int(comment)
