"""What holds for all memory of this process, whoever maps it: locked, or kept off huge pages."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import sys
from typing import Final

from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.reading import Reading, known

LOCK_REFUSED: Final = frozenset({errno.EPERM, errno.ENOMEM, errno.EAGAIN})
"""With which mlock and mlockall fail if a process may not lock so much."""
_MCL_CURRENT, _MCL_FUTURE = 1, 2  # bits/mman-linux.h
_PR_SET_THP_DISABLE = 41  # linux/prctl.h
_HUGE = re.compile(r"^AnonHugePages:\s+([0-9]{1,15}) kB$", re.MULTILINE)


def lock_all_memory() -> None:
    """Lock all pages of this process, those of later mappings too, which are faulted in when they are made.

    Raises `OSError`: one of `LOCK_REFUSED` if the process may not lock so much.
    """
    _succeeded(_libc().mlockall(_MCL_CURRENT | _MCL_FUTURE), "mlockall")


def forbid_huge_pages() -> None:
    """Keep what this process maps from now on off transparent huge pages. Raises `OSError`."""
    _succeeded(_libc().prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0), "prctl")


def huge_pages_of_process(tree: HostTree = LIVE) -> Reading[int]:
    """Bytes of this process's own memory that are on transparent huge pages."""
    source = "read from /proc/self/smaps_rollup"
    text = tree.text("proc/self/smaps_rollup")
    found = _HUGE.search(text or "")
    if found is None:
        return tree.absence(source, "there is no AnonHugePages in /proc/self/smaps_rollup", "proc/self/smaps_rollup")
    return known(1024 * int(found[1]), source)


def _libc() -> ctypes.CDLL:
    if not sys.platform.startswith("linux"):
        raise OSError("these calls are Linux's")
    return ctypes.CDLL(None, use_errno=True)


def _succeeded(result: int, call: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), call)
