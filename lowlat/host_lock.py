"""A lock that one measurement on a host holds at a time, so that two do not choose one CPU.

All users of a host share it: its file is in a folder where everybody may write. It belongs to the open file, so the
kernel releases it when its holder ends in any way; the file's text only names the holder. It does not reach beyond what
shares that folder: a container with a `/run/lock` of its own has a lock of its own.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lowlat import file_lock
from lowlat.errors import InputError, UsageError
from lowlat.inputs import open_regular, read_bytes

FOLDERS: Final = (Path("/run/lock"), Path("/tmp"))
"""Where the lock may be. The first that is open to everybody counts, so that it is the same for every user."""
NAME: Final = "lowlat.lock"
POLL_S: Final = 0.2
_OPEN_TO_ALL: Final = stat.S_ISVTX | stat.S_IWOTH
_HOLDER: Final = re.compile(
    r"(?P<pid>[0-9]{1,10})\t(?P<started>[0-9]{1,20})\t(?P<since>[0-9]{1,10})\t(?P<what>[^\n]{1,99})\n"
)
_BYTES_MAX: Final = 256
_STAT_BYTES_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that measures now. `started`: clock ticks after boot; `since`: of the lock, seconds since 1970."""

    pid: int
    started: int
    since: int
    what: str

    def __str__(self) -> str:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"{self.what} (process {self.pid}, since {when})"

    @property
    def is_ancestor(self) -> bool:
        """Whether the holder started this process, perhaps through others."""
        pid = os.getpid()
        while (found := _parent(pid)) is not None:
            if (pid := found[0]) == self.pid:
                above = _parent(pid)
                return above is not None and above[1] == self.started
        return False


@contextmanager
def measuring_alone(what: str, wait_s: float, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the host's lock for a `with` block. `what`: the command, for those who wait. `tell` takes what to show.

    Waits for another holder. Goes without the lock inside of a measurement that holds it, such as `lowlat ab`, and on a
    host where it cannot be used. Raises `UsageError` after `wait_s`.
    """
    file = _acquired(what, time.monotonic() + wait_s, tell)
    try:
        yield
    finally:
        if file is not None:
            with suppress(OSError):  # else who comes before the next holder has named itself would be told of this one
                os.ftruncate(file, 0)
            os.close(file)


def _acquired(what: str, deadline: float, tell: Callable[[str], None]) -> int | None:
    told: Holder | bool | None = False
    while True:
        try:
            file, holder = _attempt(what)
        except OSError as error:
            tell(f"measuring without the lock that keeps others from the same CPU: {lock_file()}: {error.strerror}")
            return None
        if file is not None or (holder is not None and holder.is_ancestor):
            return file
        who = holder or "another measurement"
        if time.monotonic() >= deadline:
            raise UsageError(f"{who} still measures on this host; --wait longer, or measure beside it with --no-lock")
        if told != holder:
            tell(f"waiting for {who}, which measures on this host; --no-lock measures beside it")
            told = holder
        time.sleep(POLL_S)


def _attempt(what: str) -> tuple[int | None, Holder | None]:
    """The locked file, or the holder if it has named itself. Raises `OSError`."""
    path = lock_file()
    file = _opened(path)
    try:
        if not file_lock.lock(file):
            return None, _read_holder(file)
        if not os.path.samestat(path.lstat(), os.fstat(file)):  # removed meanwhile
            return None, None
        _write_holder(file, what)
        kept, file = file, -1
        return kept, None
    except FileNotFoundError:  # removed meanwhile
        return None, None
    finally:
        if file >= 0:
            os.close(file)


def lock_file() -> Path:
    """The file of the lock; it may not exist yet."""
    for folder in FOLDERS:
        with suppress(OSError):
            mode = folder.stat().st_mode
            if stat.S_ISDIR(mode) and mode & _OPEN_TO_ALL == _OPEN_TO_ALL:
                return folder / NAME
    return FOLDERS[-1] / NAME


def _opened(path: Path) -> int:
    """The open file, created if it does not exist, for every user to lock. Raises `OSError`."""
    flags = os.O_RDWR | os.O_NOFOLLOW
    try:
        return open_regular(path, flags)
    except FileNotFoundError:
        pass
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:  # created meanwhile
        return open_regular(path, flags)
    with suppress(OSError):
        os.fchmod(file, 0o666)  # beyond the umask
    return file


def _write_holder(file: int, what: str) -> None:
    own = _parent(os.getpid())
    line = f"{os.getpid()}\t{own[1] if own else 0}\t{int(time.time())}\t{what}\n"
    with suppress(OSError):  # the lock holds without a name
        os.ftruncate(file, 0)
        os.pwrite(file, line.encode(), 0)


def _read_holder(file: int) -> Holder | None:
    found = _HOLDER.fullmatch(os.pread(file, _BYTES_MAX, 0).decode(errors="replace"))
    return found and Holder(int(found["pid"]), int(found["started"]), int(found["since"]), found["what"])


def _parent(pid: int) -> tuple[int, int] | None:
    """The id of a process's parent, and when the process started; None without either."""
    try:
        facts = read_bytes(Path(f"/proc/{pid}/stat"), _STAT_BYTES_MAX).rpartition(b")")[2].split()
        return int(facts[1]), int(facts[19])
    except (InputError, IndexError, ValueError):
        return None
