"""Which file a path names: its size and SHA-256, so that no two workers replay different files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from lowlat import units
from lowlat.errors import InputError
from lowlat.inputs import opened
from lowlat.limits import LIBRARY_BYTES_MAX

_PIECE_BYTES: Final = 1 << 20


class FileIdentity(msgspec.Struct, frozen=True):
    """A file as it is stored: its path, size in bytes, and SHA-256."""

    path: str
    bytes: int
    sha256: str


def identity_of_library(path: Path) -> FileIdentity:
    """The same of the library of an engine, which is also a library with any number of zeros behind it. Raises
    `InputError` if it has more than `LIBRARY_BYTES_MAX`.
    """
    if (size := _size(path)) > LIBRARY_BYTES_MAX:
        raise InputError(f"{path}: it has {units.size(size)}; a library has at most {units.size(LIBRARY_BYTES_MAX)}")
    return identity_of(path)


def identity_of(path: Path) -> FileIdentity:
    """Read the whole file. Raises `InputError`, naming it, if it cannot be read or changes meanwhile."""
    digest, size = hashlib.sha256(), 0
    with opened(path) as stream:
        before = os.fstat(stream.fileno())
        while piece := stream.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
        after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
        raise InputError(f"{path}: it changed while it was read; replay it when it is whole")
    return FileIdentity(str(path), size, digest.hexdigest())


@contextmanager
def unchanged(expected: FileIdentity) -> Iterator[None]:
    """Check a file, and at the end of a `with` block that it was not written to meanwhile. Raises `InputError`."""
    check_identity(expected)
    before = _written(expected.path)
    yield
    if _written(expected.path) != before:
        raise InputError(f"{expected.path}: it changed while it was replayed; replay it when it is whole")


def _written(path: str) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def check_identity(expected: FileIdentity) -> None:
    """Raises `InputError`, naming the path, if it is missing here or is another file than expected."""
    path = Path(expected.path)
    if (size := _size(path)) != expected.bytes:  # told without reading it: it may be sparse, and of any size
        raise _another(expected, f"{size:,} bytes", f"{expected.bytes:,} bytes")
    found = identity_of(path)
    if found != expected:
        raise _another(expected, f"sha256:{found.sha256[:16]}...", f"sha256:{expected.sha256[:16]}...")


def _size(path: Path) -> int:
    with opened(path) as stream:
        return os.fstat(stream.fileno()).st_size


def _another(expected: FileIdentity, here: str, there: str) -> InputError:
    return InputError(f"{expected.path}: here it is another file: {here}, not {there}; all workers need the same files")
