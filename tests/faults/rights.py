"""Takes rights away from a command: system calls, files, memory, file systems, streams."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Drop = Callable[[], None]
"""Called in the new process, before the command takes its place."""

_NUMBERS: Final = {
    "x86_64": {
        "sched_getaffinity": 204,
        "sched_setaffinity": 203,
        "setsid": 112,
        "sysinfo": 99,
        "clone": 56,
        "clone3": 435,
        "vfork": 58,
        "fork": 57,
        "perf_event_open": 298,
        "mlock": 149,
        "madvise": 28,
        "sched_setscheduler": 144,
    },
    "aarch64": {
        "sched_getaffinity": 123,
        "sched_setaffinity": 122,
        "setsid": 157,
        "sysinfo": 179,
        "clone": 220,
        "clone3": 435,
        "perf_event_open": 241,
        "mlock": 228,
        "madvise": 233,
        "sched_setscheduler": 119,
    },
}
_CLONE_THREAD: Final = 0x10000


@dataclass(frozen=True, slots=True)
class Denied:
    """A system call that fails; with `flag`, only where its first argument has that bit."""

    call: str
    error: int = errno.EPERM
    flag: int = 0


NO_THREADS: Final = (Denied("clone3", errno.ENOSYS), Denied("clone", errno.EAGAIN, _CLONE_THREAD))
"""As RLIMIT_NPROC, which does not bind root. Without clone3 the C library uses clone, whose flags a filter can read."""
NO_PROCESSES: Final = (
    Denied("clone3", errno.ENOSYS),
    Denied("clone", errno.EAGAIN),
    Denied("vfork", errno.EAGAIN),
    Denied("fork", errno.EAGAIN),
)


def without_calls(*denied: Denied) -> Drop:
    """Let system calls fail, by a seccomp filter as a sandbox sets it."""
    numbers = _NUMBERS[platform.machine()]
    load, jump_if_equal, jump_if_set, give = 0x20, 0x15, 0x45, 0x06
    allow, refuse, number_at, argument_at = 0x7FFF_0000, 0x0005_0000, 0, 16
    steps = [(load, 0, 0, number_at)]
    for each in denied:
        if each.call not in numbers:
            continue
        steps.append((jump_if_equal, 0, 4 if each.flag else 1, numbers[each.call]))
        if each.flag:
            steps += [(load, 0, 0, argument_at), (jump_if_set, 1, 0, each.flag), (give, 0, 0, allow)]
        steps.append((give, 0, 0, refuse | each.error))
    steps.append((give, 0, 0, allow))

    def drop() -> None:
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
        filter_of = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program)))
        libc = ctypes.CDLL(None, use_errno=True)
        no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
        for arguments in ((no_new_privileges, 1, 0, 0, 0), (set_seccomp, filter_mode, filter_of, 0, 0)):
            if libc.prctl(*arguments) != 0:
                raise OSError(ctypes.get_errno(), "prctl")

    return drop


def limited(kind: int, limit: int) -> Drop:
    """Set a resource limit."""
    return lambda: resource.setrlimit(kind, (limit, limit))


def closed(*streams: int) -> Drop:
    """Close streams."""

    def drop() -> None:
        for stream in streams:
            os.close(stream)

    return drop
