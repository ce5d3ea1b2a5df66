"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lowlat.errors import OutputPathError


def check_writable(path: Path) -> None:
    """Find out, before a long run, whether `write_atomically` could write this file; leaves nothing behind.

    Raises `OutputPathError` with what to do about it.
    """
    target = _target(path)
    try:
        descriptor, temporary = _open_beside(target)
    except OSError as error:
        raise OutputPathError(f"cannot write {path}: {error.strerror}; choose another file") from error
    os.close(descriptor)
    temporary.unlink()


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file (text as UTF-8) whole or not at all: see `written_atomically`."""
    with written_atomically(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def written_atomically(path: Path) -> Iterator[BinaryIO]:
    """A file to be written in the block, so that a reader sees the old content or the new, even after a crash.

    Written beside the target, flushed to the disk, then renamed; a symbolic link keeps pointing where it did,
    and an existing file keeps its mode. Raises `OutputPathError` and leaves no partial file.
    """
    target = _target(path)
    try:
        descriptor, temporary = _open_beside(target)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            if target.exists():
                temporary.chmod(target.stat().st_mode)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        _flush_folder(target.parent)
    except OSError as error:
        raise OutputPathError(f"cannot write {path}: {error.strerror}") from error


def _target(path: Path) -> Path:
    """The file that the path leads to, which must be a regular one or none yet."""
    # /dev/stdout leads to whatever file the shell has opened: a rename would replace it under the shell's hands.
    shared_memory = path.absolute().is_relative_to("/dev/shm")  # a file system like others
    if not shared_memory and any(path.absolute().is_relative_to(folder) for folder in ("/dev", "/proc")):
        raise OutputPathError(f"cannot write {path}: it is no regular file; name another, or redirect stdout")
    try:
        target = path.resolve()
        if target.is_symlink():  # from Python 3.13 on, resolve() returns a loop of links as it is
            raise OutputPathError(f"cannot write {path}: its links lead in a circle; choose another file")
        if target.is_dir():
            raise OutputPathError(f"cannot write {path}: it is a folder; name a file in it")
        if target.exists() and not target.is_file():
            raise OutputPathError(f"cannot write {path}: it is no regular file; name another, or redirect stdout")
        if target.exists() and not os.access(target, os.W_OK):
            raise OutputPathError(f"cannot write {path}: it is write-protected; choose another file")
        if not target.parent.is_dir():
            raise OutputPathError(f"cannot write {path}: there is no folder {target.parent}; create it first")
    except (OSError, RuntimeError) as error:  # too long a name; before Python 3.13, a loop of links
        raise OutputPathError(f"cannot write {path}: {error}") from error
    return target


def _open_beside(target: Path) -> tuple[int, Path]:
    """A new file in the target's folder, which a rename can move onto it; its mode follows the umask."""
    temporary = target.with_name(f".lowlat-{secrets.token_hex(8)}.tmp")
    return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), temporary


def _flush_folder(folder: Path) -> None:
    """Make the rename last: without it a crash may bring the old name back."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
