"""The processor's events that passes count, as `perf_event_open` names them, and why it may not count them."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from lowlat.probes.host.host_tree import LIVE, HostTree

Event: TypeAlias = tuple[int, int]
"""Type and config of `perf_event_attr`."""

_HARDWARE, _CACHE, _RAW = 0, 3, 4  # PERF_TYPE_HARDWARE, PERF_TYPE_HW_CACHE, PERF_TYPE_RAW
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
"""By name; the kernel chooses the event of each processor. `page_walks` are added by `hardware_events`."""

HARDWARE_GROUPS: Final = (
    ("cycles", "instructions", "branch_misses", "l1d_misses"),
    ("cycles", "instructions", "llc_misses", "dtlb_misses", "page_walks"),
)
"""Events counted together. Beside cycles and instructions, which have counters of their own there, an Intel core with
two threads has four counters, and the kernel's watchdog may hold one: no more than two different events share a group
on it. Cores of Arm have six.
"""

_WALKS: Final = dict.fromkeys(("GenuineIntel", "AuthenticAMD", "HygonGenuine"), HARDWARE_EVENTS["dtlb_misses"])
"""What counts walks of the page table for data, by vendor: on x86 the kernel's own choice for misses of the data TLB
(arch/x86/events/intel/core.c and amd/core.c in Linux)."""
_DTLB_WALK: Final = 0x34
"""The same of Arm's architecture (PMUv3), whose kernel counts misses of the first-level TLB as `dtlb_misses`."""
_PMUS: Final = "sys/bus/event_source/devices"


def hardware_events(tree: HostTree = LIVE) -> dict[str, Event]:
    """All events by name, with `page_walks` where this processor is known to count them."""
    vendor = re.search(r"^vendor_id\s*:\s*(\w+)", tree.text("proc/cpuinfo") or "", re.MULTILINE)
    walks = _WALKS.get(vendor[1]) if vendor else None
    if walks is None and any(tree.exists(f"{_PMUS}/{name}/events/dtlb_walk") for name in tree.names(_PMUS)):
        walks = (_RAW, _DTLB_WALK)
    return HARDWARE_EVENTS | ({"page_walks": walks} if walks else {})


_PARANOID: Final = "proc/sys/kernel/perf_event_paranoid"
_PARANOID_MAX: Final = 2
"""At which a thread may still count its own events in user mode."""
_NONE: Final = frozenset({errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP, errno.ENXIO, errno.EINVAL})


def why_not_counted(errors: Iterable[int]) -> str:
    """Why no event of a group could be opened: "not available here, because ..."."""
    first = next((error for error in errors if error), 0)
    return f"not available here, because {_why(first)}"


def _why_forbidden(level: str | None) -> str:
    if re.fullmatch(r"-?[0-9]{1,9}", level or "") and int(level or "") <= _PARANOID_MAX:
        return (
            "a sandbox forbids perf_event_open, as the seccomp profile of a container does (docker run --cap-add "
            f"PERFMON); kernel.perf_event_paranoid is {level}, which would allow it"
        )
    return (
        f"perf_event_open is forbidden: kernel.perf_event_paranoid is {level or 'unknown'}, and 2 or less allows it "
        "(sysctl -w kernel.perf_event_paranoid=2)"
    )


def _why(error: int) -> str:
    if error in _NONE:
        return "the processor, or the virtual machine on it, has no counters for programs (no PMU)"
    if error in (errno.EACCES, errno.EPERM):
        return _why_forbidden(LIVE.text(_PARANOID))
    if error == errno.ENOSYS:
        return "the kernel has no performance events, or a sandbox hides them (ENOSYS)"
    return f"the counters cannot be opened: {os.strerror(error)}"
