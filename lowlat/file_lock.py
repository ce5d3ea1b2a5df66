"""A lock on an open file, for its one writer: the kernel gives it up when the process dies, however it dies.

Open-file-description locks: readers can ask for one without taking it, so that no writer is kept out by being watched.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import Final

from lowlat.errors import LowlatError

_FLOCK: Final = struct.Struct("@hhqqi0q")  # type, whence, start, length, pid: zero for these locks


class LockUnavailableError(LowlatError):
    """The system or the file system has no such locks; the message is the reason alone."""


def lock(file: int) -> bool:
    """Take the writer's lock, unless another open file has it. Raises `LockUnavailableError`."""
    if not hasattr(fcntl, "F_OFD_SETLK"):
        raise LockUnavailableError("the system lacks F_OFD_SETLK")
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES}:  # as the system likes
            return False
        raise LockUnavailableError(f"the folder's file system gives no locks: {error.strerror}") from error
    return True


def unlock(file: int) -> None:
    """Give the writer's lock up, also for copies of the descriptor."""
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, 0, 0, 0))


def is_held(file: int) -> bool:
    """Whether a writer holds the lock. Takes nothing. Raises `LockUnavailableError`."""
    if not hasattr(fcntl, "F_OFD_GETLK"):
        raise LockUnavailableError("the system lacks F_OFD_GETLK")
    asked = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
    return int(_FLOCK.unpack(asked)[0]) != fcntl.F_UNLCK
