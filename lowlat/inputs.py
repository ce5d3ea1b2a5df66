"""The one way in for files: opened without waiting, checked to be files, read up to a limit.

A device, socket, directory or named pipe is refused, since it may be endless or never answer. A pipe without a name, as
from `<(command)` or `/dev/stdin`, is read like a file: whoever typed it knows its other end. `open_pipe` opens a named
one, for a verb that is asked to wait for what another program writes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, Final, TypeVar

from lowlat import units
from lowlat.errors import InputError

T = TypeVar("T")

_KINDS: Final = (
    (stat.S_ISDIR, errno.EISDIR, "it is a directory; name a file in it"),
    (stat.S_ISFIFO, errno.EINVAL, "it is a named pipe; name a regular file"),
    (stat.S_ISSOCK, errno.EINVAL, "it is a socket; name a regular file"),
    (stat.S_ISCHR, errno.EINVAL, "it is a device; name a regular file"),
    (stat.S_ISBLK, errno.EINVAL, "it is a device; name a regular file"),
)


def open_regular(path: str | Path, flags: int = os.O_RDONLY, *, pipes: bool = False) -> int:
    """A descriptor of a regular file; with `pipes`, also of a pipe without a name.

    Raises `OSError`, whose `strerror` says what to do if the path is something else.
    """
    try:
        # O_NONBLOCK: otherwise opening a named pipe would wait for its other end.
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)
    except ValueError as error:
        raise OSError(errno.EINVAL, "a file name cannot contain NUL", str(path)) from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            if not (pipes and stat.S_ISFIFO(found.st_mode) and found.st_dev == _device_of_pipes()):
                raise _refusal(found.st_mode, path)
            os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_pipe(path: Path) -> int:
    """A descriptor of a named pipe, which need not have a writer yet: wait with `poll` before reading it.

    Raises `InputError`, naming the path, for anything else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except ValueError as error:
        raise InputError(f"{path}: a file name cannot contain NUL") from error
    except OSError as error:
        raise InputError(f"{path}: {unreadable(error)}; make it with mkfifo") from error
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path}: it is not a named pipe; name a file without --from")
    return descriptor


def real_path(path: str | Path) -> Path:
    """The path without symbolic links. A loop of them stays as it is, and so does a name that no file can have."""
    try:
        return Path(os.path.realpath(path))  # `Path.resolve` raises `RuntimeError` for a loop before Python 3.13
    except (OSError, ValueError):
        return Path(path)


def _refusal(mode: int, path: str | Path) -> OSError:
    number, why = next((number, why) for is_kind, number, why in _KINDS if is_kind(mode))
    return OSError(number, why, str(path))


def _device_of_pipes() -> int:
    """The device of the kernel's own pipes: a named one has that of its file system."""
    ends = os.pipe()
    try:
        return os.fstat(ends[0]).st_dev
    finally:
        for end in ends:
            os.close(end)


def check_regular(path: Path) -> None:
    """Raises `OSError`, as `open_regular` does, if a path is neither a readable file nor an unnamed pipe."""
    os.close(open_regular(path, pipes=True))


class _Complete(FileIO):
    """Nothing to read now, as in /proc/kmsg, is an error: it is not the end."""

    def readinto(self, buffer: Any) -> int:
        count: int | None = super().readinto(buffer)
        return self._some(count)

    def readall(self) -> bytes:
        data: bytes | None = super().readall()
        return self._some(data)

    def _some(self, got: T | None) -> T:
        if got is None:
            raise BlockingIOError(errno.EAGAIN, "it has no end, and nothing more now; name a regular file")
        return got


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader[Any]]:
    """Open a file or unnamed pipe for the block. Raises `InputError`, naming the path, also for a read that fails."""
    try:
        with BufferedReader(_Complete(open_regular(path, pipes=True))) as stream:
            yield stream
    except OSError as error:
        raise InputError(f"{path}: {unreadable(error)}") from error


def unreadable(error: OSError) -> str:
    """Why a file cannot be read, for a message that begins with its name."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    why = error.strerror or str(error)
    return why if is_refusal(error) else f"cannot be read: {why}"


def is_refusal(error: OSError) -> bool:
    """Whether `open_regular` refused something that is there, but is not a regular file."""
    return error.strerror in {why for _, _, why in _KINDS}


def share_read(path: Path) -> float | None:
    """How much of a regular file this process has read, by where its descriptor of that file is; None of anything else,
    and of a file that is not open.
    """
    try:
        named = path.stat()
        if not stat.S_ISREG(named.st_mode) or not named.st_size:
            return None
        for number in (int(each.name) for each in Path("/proc/self/fd").iterdir()):
            with suppress(OSError):  # that of the listing is gone
                found = os.fstat(number)
                if (found.st_dev, found.st_ino) == (named.st_dev, named.st_ino):
                    return min(1.0, os.lseek(number, 0, os.SEEK_CUR) / named.st_size)
    except (OSError, ValueError):
        pass
    return None


def read_bytes(path: Path, most: int) -> bytes:
    """The whole file. Raises `InputError`, naming the path, if it cannot be read or has more than `most` bytes."""
    with opened(path) as stream:
        # A sparse file may claim any size; it is refused without reading.
        if (size := os.fstat(stream.fileno()).st_size) <= most:
            data = stream.read(most + 1)
            size = len(data)
    if size > most:
        raise InputError(f"{path}: it is larger than {units.whole_size(most)}, the limit")
    return data


def beginning(path: Path, count: int) -> bytes:
    """The first bytes of a regular file; none of a pipe, whose content can be read but once. Raises `OSError`."""
    try:
        if not path.is_file():
            return b""
    except ValueError:  # a NUL in the name, which `open_regular` refuses
        return b""
    with BufferedReader(_Complete(open_regular(path))) as stream:
        return stream.read(count)


_PEEKED_BYTES: Final = 64
_PEEK_S: Final = 0.5
"""For so many bytes of a pipe is waited so long, once it has the first."""
_SPLICE_F_NONBLOCK: Final = 2


def pipe_beginning(path: Path, count: int) -> bytes:
    """The first bytes of an unnamed pipe, at most `count`, which stay in it; none of a regular file. Waits until the
    pipe holds some, or is at its end. Raises `OSError`.
    """
    descriptor = open_regular(path, pipes=True)
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return b""
        waiting, found = select.poll(), b""
        waiting.register(descriptor, select.POLLIN)
        begun: float | None = None
        while len(found) < min(count, _PEEKED_BYTES) and (begun is None or time.monotonic() - begun < _PEEK_S):
            ended = all(event & select.POLLHUP for _, event in waiting.poll())
            begun = begun or time.monotonic()
            found = _peeked(descriptor, count)
            if ended:
                break
            time.sleep(0.001 if len(found) < _PEEKED_BYTES else 0)
        return found
    finally:
        os.close(descriptor)


def _peeked(descriptor: int, count: int) -> bytes:
    """What is in a pipe, copied by tee(2), for which Python has no name; nothing where that is not allowed."""
    here, there = os.pipe()
    try:
        taken = ctypes.CDLL(None).tee(descriptor, there, ctypes.c_size_t(count), _SPLICE_F_NONBLOCK)
        return os.read(here, taken) if taken > 0 else b""
    finally:
        os.close(here)
        os.close(there)
