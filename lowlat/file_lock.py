"""A lock on an open file, for its single writer. The kernel releases it when the process dies for any reason.

Uses open-file-description locks: a reader can query the lock without taking it, so it never blocks a writer.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import Final

_FLOCK: Final = struct.Struct("@hhqqi0q")  # type, whence, start, length, pid: zero for these locks


def lock(file: int) -> bool:
    """Take the writer's lock, unless another open file has it. Raises `OSError` if locks are not available."""
    if not hasattr(fcntl, "F_OFD_SETLK"):
        raise OSError(errno.ENOTSUP, "the system lacks F_OFD_SETLK")
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES}:  # depends on the system
            return False
        raise OSError(error.errno, f"the folder's file system gives no locks: {error.strerror}") from error
    return True


def unlock(file: int) -> None:
    """Release the writer's lock, also for copies of the descriptor."""
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, 0, 0, 0))


def is_held(file: int) -> bool:
    """Whether a writer holds the lock; does not take it. Raises `OSError` if locks are not available."""
    if not hasattr(fcntl, "F_OFD_GETLK"):
        raise OSError(errno.ENOTSUP, "the system lacks F_OFD_GETLK")
    asked = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
    return int(_FLOCK.unpack(asked)[0]) != fcntl.F_UNLCK
