"""Reads a tar archive in one pass, with a limit on every part of it.

`tarfile` reads a long name, a PAX header or a sparse map of any size into memory before a caller can refuse it, and
takes an archive that ends too early for a short one. Formats: POSIX ustar and PAX, and GNU.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.errors import FormatError
from lowlat.limits import (
    ARCHIVE_ENTRIES_MAX,
    ARCHIVE_HEADER_BYTES_MAX,
    ARCHIVE_LINKS_MAX,
    ARCHIVE_TAIL_BYTES_MAX,
    PATH_DEPTH_MAX,
    TREE_FILE_BYTES_MAX,
)

BLOCK_BYTES: Final = 512
# name, size, checksum, type, target of a link, magic, prefix of the name
_HEADER: Final = struct.Struct("100s24x12s12x8sc100s8s80x155s12x")
_CHECKSUM: Final = slice(148, 156)
_OCTAL: Final = re.compile(rb"[0-7]*")
_DECIMAL: Final = re.compile(rb"[0-9]{1,19}")
_FILES, _LINK, _FOLDER = (b"0", b"\0", b"7"), b"2", b"5"
_LONG_NAME, _LONG_TARGET, _PAX, _PAX_OF_ALL, _SPARSE = b"L", b"K", b"x", b"g", b"S"


@dataclass(frozen=True, slots=True)
class TarEntry:
    """A file with its content, a symbolic link with its target, or a folder, which has neither."""

    name: str
    content: bytes | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class _Header:
    name: bytes
    size: int
    kind: bytes
    target: bytes


class _Blocks:
    """Takes exact numbers of bytes from pieces of any size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes. Raises `FormatError` if the archive ends before."""
        parts, missing = [], count
        while missing:
            if self._at == len(self._held):
                self._held, self._at = next(self._pieces, b""), 0
                if not self._held:
                    raise FormatError("it ends before its end mark: it is cut short, or not a tar archive")
            part = self._held[self._at : self._at + missing]
            parts.append(part)
            self._at += len(part)
            missing -= len(part)
        return b"".join(parts)

    def skip(self, count: int) -> None:
        """Drop the next bytes."""
        while count:
            count -= len(self.take(min(count, 1 << 20)))

    def finish(self) -> None:
        """Read to the end, where a compressed stream has its checksum. Raises `FormatError` if that is far away."""
        left = ARCHIVE_TAIL_BYTES_MAX - len(self._held) + self._at
        for piece in self._pieces:
            left -= len(piece)
            if left < 0:
                raise FormatError(f"more than {units.whole_size(ARCHIVE_TAIL_BYTES_MAX)} follow its end mark")


def entries(pieces: Iterator[bytes]) -> Iterator[TarEntry]:
    """The files, symbolic links and folders of an archive, in order; everything else is skipped.

    Raises `FormatError` for a damaged archive, one that ends without its end mark, and one beyond the limits.
    """
    blocks, seen, links = _Blocks(pieces), 0, 0
    said: dict[str, bytes] = {}
    while (block := blocks.take(BLOCK_BYTES)).strip(b"\0"):
        seen += 1
        header = _header(block)
        links += header.kind == _LINK
        if seen > ARCHIVE_ENTRIES_MAX or links > ARCHIVE_LINKS_MAX:
            most = f"{ARCHIVE_ENTRIES_MAX:,} entries or {ARCHIVE_LINKS_MAX:,} links"
            raise FormatError(f"it has more than {most}, the limit")
        if header.kind in (_LONG_NAME, _LONG_TARGET, _PAX, _PAX_OF_ALL):
            said |= _extension(header, _content(blocks, header.size, ARCHIVE_HEADER_BYTES_MAX, "an extended header"))
            continue
        yield from _entry(blocks, header, said)
        said = {}
    if blocks.take(BLOCK_BYTES).strip(b"\0"):
        raise FormatError("its end mark is damaged")
    blocks.finish()


def _header(block: bytes) -> _Header:
    name, size, checksum, kind, target, magic, prefix = _HEADER.unpack(block)
    expected = sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")
    if _number(checksum) != expected:
        raise FormatError("the checksum of a header does not match: it is damaged, or not a tar archive")
    whole = _until_nul(prefix) + b"/" if magic == b"ustar\x0000" and prefix[0] else b""
    return _Header(whole + _until_nul(name), _number(size), kind, _until_nul(target))


def _number(field: bytes) -> int:
    """Octal digits, or a binary number after a byte of 0x80."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not _OCTAL.fullmatch(digits):  # `int` takes signs and underscores too
        raise FormatError(f"{field[:12]!r} is not a number: it is damaged, or not a tar archive")
    return int(digits or b"0", 8)


def _until_nul(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _content(blocks: _Blocks, size: int, most: int, what: str) -> bytes:
    if size > most:
        raise FormatError(f"{what} has {size:,} bytes; at most {most:,} are read")
    content = blocks.take(size)
    blocks.skip(-size % BLOCK_BYTES)
    return content


def _extension(header: _Header, content: bytes) -> dict[str, bytes]:
    """What an extended header says of the next entry, by the names of PAX."""
    if header.kind == _LONG_NAME:
        return {"path": _until_nul(content)}
    if header.kind == _LONG_TARGET:
        return {"linkpath": _until_nul(content)}
    said = {}
    while content and header.kind == _PAX:
        digits, _, rest = content.partition(b" ")
        size = int(digits) if len(digits) <= 8 and _DECIMAL.fullmatch(digits) else 0
        if not len(digits) + 1 < size <= len(content) or content[size - 1 : size] != b"\n":
            raise FormatError("a PAX header is damaged")
        key, _, value = rest[: size - len(digits) - 2].partition(b"=")
        said[key.decode("utf-8", "replace")] = value
        content = content[size:]
    return {key: said[key] for key in ("path", "linkpath", "size") if key in said}


def _entry(blocks: _Blocks, header: _Header, said: dict[str, bytes]) -> Iterator[TarEntry]:
    """The entry of a header, unless it is of another kind; its content is read or skipped."""
    name = _checked_path(said.get("path", header.name))
    size = 0 if header.kind in (_LINK, _FOLDER) else header.size
    if "size" in said and header.kind in _FILES:
        size = int(said["size"]) if _DECIMAL.fullmatch(said["size"]) else TREE_FILE_BYTES_MAX + 1
    if header.kind == _SPARSE:
        raise FormatError(f"{name[:80]!r} is stored as a sparse file; make the archive without --sparse")
    if header.kind == _FOLDER or (header.kind in _FILES and name.endswith("/")):
        blocks.skip(size + -size % BLOCK_BYTES)
        yield TarEntry(name)
    elif header.kind == _LINK:
        yield TarEntry(name, target=_checked_path(said.get("linkpath", header.target)))
    elif header.kind in _FILES:
        yield TarEntry(name, _content(blocks, size, TREE_FILE_BYTES_MAX, f"{name[:80]!r}"))
    else:
        blocks.skip(size + -size % BLOCK_BYTES)


def _checked_path(path: bytes) -> str:
    if path.count(b"/") > PATH_DEPTH_MAX:
        raise FormatError(f"{path[:40].decode('utf-8', 'replace')!r}... is more than {PATH_DEPTH_MAX} directories deep")
    return path.decode("utf-8", "surrogateescape")
