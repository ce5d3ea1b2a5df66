"""The memory of a run: size, pages and NUMA node of each part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lowlat.engine.bench.numa import pages_of
from lowlat.engine.matching.native import MemoryPart
from lowlat.engine.matching.records import Commands
from lowlat.probes.memory.smaps import huge_page_bytes
from lowlat.probes.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMemory:
    """The memory that the engine requested and the system granted. `absent` has the reason for each None.

    `parts`: bytes of each. `numa_node`: the node it is bound to. `numa_pages`: pages of engine and commands by node
    after the passes, as the kernel reports; `pages_astray`: those without memory or with an unknown node.
    """

    parts: dict[str, int]
    huge_page_bytes: int | None
    locked: bool | None
    numa_node: int | None
    numa_pages: dict[str, int] | None
    pages_astray: int
    absent: dict[str, str]


def native_memory(mappings: Sequence[MemoryPart], commands: Commands, bound: Reading[int]) -> RunMemory:
    """The memory of an engine with these mappings. `bound`: the node to which the run is bound."""
    parts: Counter[str] = Counter()
    for part in mappings:
        parts[part.part] += part.size_bytes
    ranges = [(part.address, part.size_bytes) for part in mappings]
    pages = pages_of([*ranges, (commands.ctypes.data, commands.nbytes)])
    absent: dict[str, Reading[Any]] = {"numa_node": bound, "numa_pages": pages}
    found = pages.value
    return RunMemory(
        parts=dict(parts),
        huge_page_bytes=huge_page_bytes(part.address for part in mappings).value,
        locked=all(part.lock_error == 0 for part in mappings),
        numa_node=bound.value,
        numa_pages={str(node): count for node, count in found.pages_by_node.items()} if found else None,
        pages_astray=found.pages_untouched + found.pages_unknown if found else 0,
        absent={name: reading.text for name, reading in absent.items() if reading.value is None},
    )


def unseen_memory(why: str, bound: Reading[int]) -> RunMemory:
    """The memory of an engine that does not show it, and why."""
    absent = dict.fromkeys(("numa_pages", "locked"), f"not available here, because {why}")
    if bound.value is None:
        absent["numa_node"] = bound.text
    return RunMemory(
        parts={},
        huge_page_bytes=None,
        locked=None,
        numa_node=bound.value,
        numa_pages=None,
        pages_astray=0,
        absent=absent,
    )
