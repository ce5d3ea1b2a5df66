"""What firmware tells of each node's memory on the terminal: its speed, and the caches in front of it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from lowlat import units
from lowlat.probes.topology import MemoryAccess, MemorySideCache, Node
from lowlat.text import plain_text
from lowlat_cli.views import layout


def memory_side_view(nodes: Sequence[Node]) -> Table:
    """A row for each node of which firmware tells anything."""
    figures = ("read", "write", "read/s", "write/s")
    last = "memory-side caches"
    made = layout.table("firmware says", "from nodes", *figures, last, right=figures, wrap=("from nodes", last))
    for node in nodes:
        if node.memory_access or node.memory_side_caches:
            caches = plain_text(", ".join(map(_cache, node.memory_side_caches)) or "none")
            made.add_row(f"node {node.node}", *_access(node.memory_access), caches)
    return made


def _access(access: MemoryAccess | None) -> tuple[str, ...]:
    if access is None:
        return ("?",) * 5
    return (
        layout.cpus(access.initiators),
        _latency(access.read_latency_ns),
        _latency(access.write_latency_ns),
        _bandwidth(access.read_bytes_per_s),
        _bandwidth(access.write_bytes_per_s),
    )


def _latency(figure_ns: int | None) -> str:
    return "?" if figure_ns is None else units.time(figure_ns)


def _bandwidth(bytes_per_s: int | None) -> str:
    return "?" if bytes_per_s is None else units.size(bytes_per_s)


def _cache(cache: MemorySideCache) -> str:
    parts = [
        layout.size(cache.size_bytes),
        f"lines of {layout.size(cache.line_bytes)}" if cache.line_bytes else None,
        "direct-mapped" if cache.direct_mapped else None,
        None if cache.write_back is None else "write-back" if cache.write_back else "write-through",
    ]
    return " ".join(part for part in parts if part)
