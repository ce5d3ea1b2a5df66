"""Memory to measure: on huge or on base pages, on one node, and verified to be so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from lowlat import units
from lowlat.probes import _core
from lowlat.probes.errors import NumaError
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.memory.numa_memory import bind_memory, page_placement
from lowlat.probes.memory.smaps import huge_page_bytes
from lowlat.probes.reading import Reading, known, unknown
from lowlat.probes.topology.nodes import read_huge_pages

Pages = Literal["huge", "base"]
PAGES_IN_WORDS: Final[Mapping[Pages, str]] = {"huge": "huge pages", "base": "base pages"}

GRANTED_MIN: Final = 0.95
"""Share of a region that has to be on the pages asked for."""
_HUGE_BYTES: Final = 2 << 20
"""Where the kernel does not tell the size of a transparent huge page."""
_THP: Final = "sys/kernel/mm/transparent_hugepage"
_RESERVED: Final = "sys/kernel/mm/hugepages"
_CHUNK_BYTES: Final = 64 << 20
"""Memory that the kernel gives at a time: Ctrl-C is heard in between."""


class PageChoice(IntEnum):
    """What the kernel is asked for; the values are those of `memory_region.hpp`."""

    BASE = 0
    TRANSPARENT = 1
    RESERVED = 2


@dataclass(frozen=True, slots=True)
class Region:
    """Memory that this process holds until the object is gone."""

    native: _core.MemoryRegion
    choice: PageChoice
    page_bytes: int


def open_region(bytes_wanted: int, pages: Pages, node: int | None, tree: HostTree = LIVE) -> Reading[Region]:
    """Memory on these pages, and on this node unless it is None; or why there is none.

    Huge pages are reserved ones if enough are free, else transparent ones, if the kernel really gives them.
    """
    if bytes_wanted < 1:
        return unknown("the free memory of the node", "the node has no free memory")
    if pages == "base":
        return _opened(bytes_wanted, PageChoice.BASE, os.sysconf("SC_PAGESIZE"), node, tree)
    if size_bytes := _reserved_page_bytes(bytes_wanted, tree):
        reserved = _opened(bytes_wanted, PageChoice.RESERVED, size_bytes, node, tree)
        if reserved.value is not None:
            return reserved
    return _transparent(bytes_wanted, node, tree)


def _transparent(bytes_wanted: int, node: int | None, tree: HostTree) -> Reading[Region]:
    path = f"{_THP}/enabled"
    source = f"read from /{path}"
    choices = tree.text(path)
    if choices is None:
        return tree.absence(source, "this kernel has no transparent huge pages, and too few are reserved", path)
    if "[never]" in choices:
        return unknown(source, f"transparent huge pages are off (/{path} says never), and too few are reserved")
    huge_bytes = tree.integer(f"{_THP}/hpage_pmd_size") or _HUGE_BYTES
    return _opened(bytes_wanted, PageChoice.TRANSPARENT, huge_bytes, node, tree)


def _reserved_page_bytes(bytes_wanted: int, tree: HostTree) -> int | None:
    """The size of the smallest reserved pages of which enough are free."""
    sizes = read_huge_pages(tree, _RESERVED)
    enough = (each.size_bytes for each in sizes if (each.free or 0) * each.size_bytes >= bytes_wanted)
    return next(enough, None)


def _opened(
    bytes_wanted: int, choice: PageChoice, page_bytes: int, node: int | None, tree: HostTree
) -> Reading[Region]:
    source = f"mmap of {units.size(bytes_wanted)}"
    native = _core.MemoryRegion(bytes_wanted, int(choice), page_bytes)
    error = native.error
    try:
        if not error and node is not None:
            bind_memory(native.address, native.bytes, node)
    except NumaError as refused:
        return unknown("mbind", str(refused))
    offsets = range(0, native.bytes, max(_CHUNK_BYTES, page_bytes))
    error = error or next(filter(None, (native.populate(at, offsets.step) for at in offsets)), 0)
    if error:
        return unknown(source, f"the kernel refuses {units.size(bytes_wanted)} of memory: {os.strerror(error)}")
    if wrong := _pages_wrong(native, choice, tree) or _node_wrong(native, node):
        return unknown(source, wrong)
    return known(Region(native, choice, page_bytes), source)


def _pages_wrong(native: _core.MemoryRegion, choice: PageChoice, tree: HostTree) -> str | None:
    huge = huge_page_bytes((native.address,), tree)
    if huge.value is None:
        return f"the size of its pages cannot be verified: {huge.reason}"
    share = min(huge.value / native.bytes, 1.0)
    granted = 1.0 - share if choice is PageChoice.BASE else share
    if granted >= GRANTED_MIN:
        return None
    kind = PAGES_IN_WORDS["base" if choice is PageChoice.BASE else "huge"]
    return f"the kernel put only {units.share(granted)} of {units.size(native.bytes)} on {kind} ({huge.source})"


def _node_wrong(native: _core.MemoryRegion, node: int | None) -> str | None:
    if node is None:
        return None
    placement = page_placement(native.address, native.bytes)
    if placement.value is None or placement.value.on_node(node):
        return None
    return f"its pages are not all on node {node}, but on nodes {', '.join(map(str, placement.value.pages_by_node))}"
