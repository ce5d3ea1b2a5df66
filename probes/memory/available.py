"""Memory that this process can take without the kernel ending a process for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lowlat.probes.host.cgroup import memory_groups
from lowlat.probes.host.host_tree import LIVE, HostTree, parse_integer
from lowlat.probes.reading import Reading, known

_UNLIMITED_BYTES = 1 << 60
"""Version 1 writes "no limit" as the largest multiple of a page that a signed number holds."""
_FILES_OF_GROUPS = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.high", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Limit, usage, and the field of memory.stat with what the kernel can drop at once: of version 2, then of 1."""


def available_memory(tree: HostTree = LIVE) -> Reading[int]:
    """Bytes that are free or can be made free: of the host, or of the tightest control group of this process."""
    source = "read from /proc/meminfo"
    match = re.search(r"^MemAvailable:\s+([0-9]{1,15}) kB", tree.text("proc/meminfo") or "", re.MULTILINE)
    if match is None:
        return tree.absence(source, "/proc/meminfo has no MemAvailable", "proc/meminfo")
    host = known(int(match[1]) * 1024, f"{source}: MemAvailable")
    return min([host, *_groups(tree)], key=lambda reading: reading.value or 0)


def _groups(tree: HostTree) -> Iterator[Reading[int]]:
    for folder in memory_groups(tree):
        for limit_file, usage_file, droppable in _FILES_OF_GROUPS:
            limit = parse_integer(tree.text(f"{folder}/{limit_file}") or "")  # "max": there is none
            usage = tree.integer(f"{folder}/{usage_file}")
            if limit is None or usage is None or limit >= _UNLIMITED_BYTES:
                continue
            match = re.search(rf"^{droppable} ([0-9]{{1,18}})$", tree.text(f"{folder}/memory.stat") or "", re.MULTILINE)
            left = limit - usage + (int(match[1]) if match is not None else 0)
            yield known(min(max(left, 0), limit), f"read from /{folder}/{limit_file}")
