"""Memory-side caches of a node, and the speed of its memory, as firmware tells them in the HMAT (ACPI 6.2)."""

from __future__ import annotations

import re
from typing import Final

from lowlat.bounded import COUNT_MAX
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.topology.model import MemoryAccess, MemorySideCache

MEMORY_SIDE_CACHES_MAX: Final = 16
"""Levels of one node; HMAT has room for 15."""
INITIATORS_MAX: Final = 1_024
_MEBIBYTE: Final = 1 << 20


def read_memory_side_caches(tree: HostTree, node_folder: str) -> tuple[MemorySideCache, ...]:
    """Read the caches that stand between a node's memory and everyone who uses it, nearest to the memory first."""
    folder = f"{node_folder}/memory_side_cache"
    names = (re.fullmatch(r"index([0-9]{1,2})", name) for name in tree.names(folder))
    levels = sorted({int(match[1]) for match in names if match is not None} - {0})[:MEMORY_SIDE_CACHES_MAX]
    return tuple(
        MemorySideCache(
            level=level,
            size_bytes=_positive(tree, f"{folder}/index{level}/size"),
            line_bytes=_positive(tree, f"{folder}/index{level}/line_size"),
            direct_mapped=_is_zero(tree, f"{folder}/index{level}/indexing"),
            write_back=_is_zero(tree, f"{folder}/index{level}/write_policy"),
        )
        for level in levels
    )


def read_memory_access(tree: HostTree, node_folder: str) -> MemoryAccess | None:
    """Read what the nearest initiators see of a node's memory; None where firmware tells nothing."""
    folder = f"{node_folder}/access0/initiators"
    names = (re.fullmatch(r"node([0-9]{1,4})", name) for name in tree.names(folder))
    found = (int(match[1]) for match in names if match is not None and tree.exists(f"{folder}/{match[0]}"))
    initiators = tuple(sorted(set(found)))[:INITIATORS_MAX]
    figures = (
        _positive(tree, f"{folder}/read_latency"),
        _positive(tree, f"{folder}/write_latency"),
        _positive(tree, f"{folder}/read_bandwidth", _MEBIBYTE),
        _positive(tree, f"{folder}/write_bandwidth", _MEBIBYTE),
    )
    return MemoryAccess(initiators, *figures) if any(figures) else None


def _positive(tree: HostTree, path: str, unit: int = 1) -> int | None:
    number = tree.integer(path)
    return number * unit if number is not None and 0 < number <= COUNT_MAX // unit else None


def _is_zero(tree: HostTree, path: str) -> bool | None:
    number = tree.integer(path)
    return None if number is None or number < 0 else number == 0
