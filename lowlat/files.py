"""Atomic writes of files and folders."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from lowlat.errors import OutputPathError
from lowlat.inputs import real_path
from lowlat.text import printable

_TEMPORARY: Final = re.compile(r"\.lowlat-[0-9a-f]{16}\.tmp")
"""The names of temporary files. A writer keeps its own locked until it has its final name."""


def check_writable(path: Path) -> None:
    """Check before a long run that `write_atomically` can write this file; leaves no file behind.

    Raises `OutputPathError` with what to do about it.
    """
    target = _target(path)
    try:
        with _beside(target) as (descriptor, _):
            os.close(descriptor)
    except OSError as error:
        raise OutputPathError(f"cannot write {path}: {error.strerror}; choose another file") from error


def write_atomically(path: Path, content: str | bytes, like: Path | None = None) -> None:
    """Write a file atomically (text as UTF-8): see `written_atomically`."""
    with written_atomically(path, like) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def written_atomically(path: Path, like: Path | None = None) -> Iterator[BinaryIO]:
    """Open a file for the block to write. Readers see either the old content or the new, even after a crash.

    Writes a temporary file next to the target, flushes it to disk, then renames it. Symbolic links are followed and
    kept. A new file gets its mode from the umask; an existing file keeps its mode and, where the system permits that,
    its owner. With `like`, the file gets those of that file. On failure, raises `OutputPathError`
    and leaves no partial file; only a killed process leaves the temporary file behind (see `remove_abandoned`). If
    only the folder cannot be flushed, the message says that the file is written.
    """
    target = _target(path)
    try:
        with _beside(target, like) as (descriptor, temporary), os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            temporary.replace(target)  # still locked
    except OSError as error:
        raise OutputPathError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        flush_folder(target.parent)
    except OSError as error:
        raise OutputPathError(
            f"{path} is written, but may be lost in a crash: its folder cannot be flushed: {error.strerror}"
        ) from error


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files of this user in a folder whose writers were killed: those that nobody keeps locked.

    One that cannot be opened or locked stays. Raises `OSError` if the folder cannot be read.
    """
    for entry in os.scandir(folder):
        if not _TEMPORARY.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
            continue
        with contextlib.suppress(OSError):
            descriptor = os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_uid == os.geteuid():
                    Path(entry.path).unlink()
            finally:
                os.close(descriptor)


def check_new_folder(path: Path) -> None:
    """Check that `new_folder` can make this folder. Raises `OutputPathError`."""
    try:
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise OutputPathError(f"cannot write {path}: it is not a directory; name another")
        if path.is_dir() and any(path.iterdir()):
            raise OutputPathError(f"cannot write {path}: it is not empty; name a new directory")
        if path.is_dir() and path.samefile("."):  # replaced, it would be lost to the shell that is in it
            raise OutputPathError(f"cannot write {path}: it is the current directory; name a new one")
        parent = path.absolute().parent
        if not parent.is_dir():
            raise OutputPathError(f"cannot write {path}: there is no directory {parent}; create it first")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise OutputPathError(f"cannot write {path}: no permission to write in {parent}; name another directory")
    except OSError as error:
        raise OutputPathError(f"cannot write {path}: {error.strerror or error}; name another directory") from error


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give the block a folder to fill, which becomes `path` when the block ends; on failure, nothing is left.

    `path` must not exist, or be an empty folder. Raises `OutputPathError`.
    """
    check_new_folder(path)
    target = path.absolute()
    temporary = target.with_name(f".lowlat-{secrets.token_hex(8)}.tmp")
    try:
        try:
            temporary.mkdir()
            yield temporary
            temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        flush_folder(target.parent)
    except OSError as error:
        raise OutputPathError(f"cannot write {path}: {error.strerror or error}") from error


def write_inside(folder: Path, name: str, content: str | bytes) -> None:
    """Write a file (text as UTF-8) in the folder that `new_folder` gives, which is not seen before it is whole."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def flush_folder(folder: Path) -> None:
    """Flush a folder, so that a new or changed file name survives a crash."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _target(path: Path) -> Path:
    """The file that the path resolves to; it must be a regular file or not exist yet."""
    if "\0" in str(path):
        raise OutputPathError(f"cannot write {printable(str(path))}: a file name cannot contain NUL")
    # /dev/stdout resolves to a file that the shell has open: a rename would replace it while the shell uses it.
    shared_memory = path.absolute().is_relative_to("/dev/shm")  # an ordinary file system
    if not shared_memory and any(path.absolute().is_relative_to(folder) for folder in ("/dev", "/proc")):
        raise OutputPathError(f"cannot write {path}: it is not a regular file; name another, or redirect stdout")
    try:
        target = real_path(path)
        if target.is_symlink():
            raise OutputPathError(f"cannot write {path}: its links form a loop; choose another file")
        if target.is_dir():
            raise OutputPathError(f"cannot write {path}: it is a directory; name a file in it")
        if target.exists() and not target.is_file():
            raise OutputPathError(f"cannot write {path}: it is not a regular file; name another, or redirect stdout")
        if target.exists() and not os.access(target, os.W_OK):
            raise OutputPathError(f"cannot write {path}: it is write-protected; choose another file")
        if not target.parent.is_dir():
            raise OutputPathError(f"cannot write {path}: there is no directory {target.parent}; create it first")
    except OSError as error:  # name too long
        raise OutputPathError(f"cannot write {path}: {error}") from error
    return target


def make_like(descriptor: int, other: Path) -> None:
    """Give a file the mode of another and, where the system permits that, its owner and group. A group that the other
    does not have may do with it what all others may. Raises `OSError`.
    """
    wanted, now = other.stat(), os.fstat(descriptor)
    if (wanted.st_uid, wanted.st_gid) != (now.st_uid, now.st_gid):
        for owner in (wanted.st_uid, -1):  # who may not give a file away may give it to a group of theirs
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, owner, wanted.st_gid)
                break
    mode = stat.S_IMODE(wanted.st_mode)
    if os.fstat(descriptor).st_gid != wanted.st_gid:
        mode = mode & ~stat.S_IRWXG | (mode & stat.S_IRWXO) << 3
    os.fchmod(descriptor, mode)


@contextlib.contextmanager
def _beside(target: Path, like: Path | None = None) -> Iterator[tuple[int, Path]]:
    """A new file in the target's folder, locked and with its final mode, which the block renames onto the target, and
    closes; else it is removed. It has a name before it is created, so that a signal leaves none behind.

    The mode is set before any content is written, so private content is never readable by others.
    """
    while True:
        temporary = target.with_name(f".lowlat-{secrets.token_hex(8)}.tmp")
        try:
            descriptor = _open_locked(temporary, like or target)
            if descriptor is not None:
                yield descriptor, temporary
                return
        finally:
            temporary.unlink(missing_ok=True)


def _open_locked(temporary: Path, like: Path) -> int | None:
    """The new file; None if `remove_abandoned` has it, which may remove it later too: another needs another name."""
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        if _locked_in_time(descriptor):
            with contextlib.suppress(FileNotFoundError):
                make_like(descriptor, like)
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _locked_in_time(descriptor: int) -> bool:
    """Lock a new file, as long as it is open; false if `remove_abandoned` was faster. Some file systems have no locks:
    there, files are never taken for abandoned.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return os.fstat(descriptor).st_nlink > 0
