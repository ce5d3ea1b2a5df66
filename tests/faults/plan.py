"""Which call of the C library fails, in a file that the shim maps, and how often each kind was called."""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Role = Literal["command", "child"]
ROLES: Final[tuple[Role, ...]] = ("command", "child")
PARTLY: Final = -1
"""Instead of an errno: the call transfers half of the bytes."""
ERRORS: Final[dict[str, tuple[int, ...]]] = {
    "open": (errno.EIO, errno.EMFILE, errno.EACCES),
    "read": (errno.EIO, PARTLY),
    "write": (errno.ENOSPC, errno.EIO, PARTLY),
    "sync": (errno.EIO, errno.ENOSPC),
    "mmap": (errno.ENOMEM, errno.EAGAIN),
    "allocate": (errno.ENOMEM,),
    "thread": (errno.EAGAIN,),
    "process": (errno.EAGAIN, errno.ENOMEM),
    "stat": (errno.EIO, errno.EACCES),
    "truncate": (errno.EIO, errno.EPERM),
    "link": (errno.EIO, errno.EACCES),
    "folder": (errno.EACCES, errno.ENOSPC),
    "pipe": (errno.EMFILE, errno.ENOMEM),
    "seek": (errno.EIO,),
    "control": (errno.EINVAL, errno.ENOLCK),
    "close": (errno.EIO,),
    "wait": (errno.ECHILD,),
    "affinity": (errno.EPERM, errno.ENOSYS),
}
"""The kinds of calls, in the order of the shim's `Call`, and the errors that each fails with."""
_CALLS: Final = tuple(ERRORS)
_HEAD: Final = struct.Struct("=iiiiQQ")
_COUNTS: Final = struct.Struct(f"={len(ROLES) * len(_CALLS)}Q")
_WHERE: Final = 256


@dataclass(frozen=True, slots=True)
class Fault:
    """The call that fails: the `nth` of its kind, from 0; with `onward`, all later ones too."""

    role: Role
    call: str
    nth: int
    error: int
    onward: bool = False

    def __str__(self) -> str:
        how = "transfers half" if self.error == PARTLY else errno.errorcode[self.error]
        return f"{self.role}: {self.call} {self.nth}{' and later' if self.onward else ''}: {how}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the shim saw: how often each kind was called, how often one failed, and the first that did."""

    counts: dict[tuple[Role, str], int]
    fired: int
    where: str


def write_plan(path: Path, fault: Fault | None) -> None:
    """Plan a failure; without one, calls are only counted."""
    head = (0, -1, 0, 0, 0, 0)
    if fault is not None:
        head = (ROLES.index(fault.role), _CALLS.index(fault.call), fault.error, int(fault.onward), fault.nth, 0)
    path.write_bytes(_HEAD.pack(*head) + bytes(_COUNTS.size + _WHERE))


def read_plan(path: Path) -> Seen:
    """What the shim saw."""
    data = path.read_bytes()
    fired = _HEAD.unpack_from(data)[-1]
    numbers = iter(_COUNTS.unpack_from(data, _HEAD.size))
    counts = {(role, call): next(numbers) for role in ROLES for call in _CALLS}
    return Seen(counts, fired, data[_HEAD.size + _COUNTS.size :].split(b"\0")[0].decode(errors="replace"))
