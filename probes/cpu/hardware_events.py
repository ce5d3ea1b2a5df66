"""The processor's events that passes count, as `perf_event_open` names them, and why it may not count them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import Final, TypeAlias

from lowlat.probes.host.host_tree import LIVE

Event: TypeAlias = tuple[int, int]
"""Type and config of `perf_event_attr`."""

_HARDWARE, _CACHE = 0, 3  # PERF_TYPE_HARDWARE, PERF_TYPE_HW_CACHE
_LOAD_MISSES: Final = 1 << 16  # PERF_COUNT_HW_CACHE_OP_READ << 8 | PERF_COUNT_HW_CACHE_RESULT_MISS << 16
_L1D, _DTLB = 0, 3  # PERF_COUNT_HW_CACHE_L1D, PERF_COUNT_HW_CACHE_DTLB

HARDWARE_EVENTS: Final[dict[str, Event]] = {
    "cycles": (_HARDWARE, 0),
    "instructions": (_HARDWARE, 1),
    "branch_misses": (_HARDWARE, 5),
    "llc_misses": (_HARDWARE, 3),
    "l1d_misses": (_CACHE, _L1D | _LOAD_MISSES),
    "dtlb_misses": (_CACHE, _DTLB | _LOAD_MISSES),
}
"""By name. The kernel chooses the event of each processor: of `dtlb_misses`, Intel's counts page walks."""

HARDWARE_GROUPS: Final = (
    ("cycles", "instructions", "branch_misses", "l1d_misses"),
    ("cycles", "instructions", "llc_misses", "dtlb_misses"),
)
"""Events counted together. Beside cycles and instructions, which have counters of their own on Intel, a processor with
two threads per core has four counters, and the kernel's watchdog may hold one: no more than two share a group."""

_PARANOID: Final = "proc/sys/kernel/perf_event_paranoid"
_NONE: Final = frozenset({errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP, errno.ENXIO, errno.EINVAL})


def why_not_counted(errors: Iterable[int]) -> str:
    """Why no event of a group could be opened: "not available here, because ..."."""
    first = next((error for error in errors if error), 0)
    return f"not available here, because {_why(first)}"


def _why(error: int) -> str:
    if error in _NONE:
        return "the processor, or the virtual machine on it, has no counters for programs (no PMU)"
    if error in (errno.EACCES, errno.EPERM):
        level = LIVE.text(_PARANOID) or "unknown"
        return (
            f"perf_event_open is forbidden: kernel.perf_event_paranoid is {level}, and 2 or less allows it "
            "(sysctl -w kernel.perf_event_paranoid=2), unless a container's seccomp profile does not"
        )
    if error == errno.ENOSYS:
        return "the kernel has no performance events"
    return f"the counters cannot be opened: {os.strerror(error)}"
