"""NUMA nodes on the terminal: a row for each, and the distances between them in a table of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import RenderableType
from rich.table import Table

from lowlat import units
from lowlat.probes.reading import Reading
from lowlat.probes.topology import Node
from lowlat.probes.topology.model import UNREACHABLE
from lowlat.text import plain_text
from lowlat_cli.views import layout
from lowlat_cli.views.memory_side import memory_side_view

MATRIX_MAX = 8
"""Nodes of a matrix that fits 80 columns; with more, a row lists the nodes at each distance."""
MERGED_MAX = 128
"""Nodes that are compared with each other to show those alike in one row; Linux supports 1,024."""


def numa_view(reading: Reading[tuple[Node, ...]]) -> Iterator[RenderableType]:
    """The nodes, and their distances if there are several."""
    nodes = reading.value
    if nodes is None:
        yield layout.facts([("NUMA nodes", layout.missing(reading))])
        return
    yield _table(nodes)
    if any(node.memory_side_caches or node.memory_access for node in nodes):
        yield memory_side_view(nodes)
    if len(nodes) > 1:
        yield _matrix(nodes) if len(nodes) <= MATRIX_MAX else _lists(nodes)


def _table(nodes: Sequence[Node]) -> Table:
    made = layout.table("NUMA node", "CPUs", "memory", "free", "", right=("memory", "free"), wrap=("CPUs", ""))
    # Nodes without CPUs come in dozens where a processor partitions its accelerators: those alike are one row.
    for _, alike in groupby(nodes, key=lambda node: node.node if node.cpus else (node.kind, *_memory(node))):
        first, *rest = alike
        made.add_row(
            layout.cpus([first.node, *(node.node for node in rest)]),
            layout.cpus(first.cpus),
            *_memory(first),
            plain_text(_remark(first), style="dim"),
        )
    return made


def _memory(node: Node) -> tuple[str, str]:
    return layout.size(node.memory_total_bytes), layout.size(node.memory_free_bytes)


def _remark(node: Node) -> str:
    kind = "" if node.kind == "cpus and memory" else node.kind
    pages = ", ".join(
        f"{units.plural(page.total, 'huge page')} of {layout.size(page.size_bytes)} ({page.free} free)"
        for page in node.huge_pages
        if page.total
    )
    return ", ".join(part for part in (kind, pages) if part)


def _matrix(nodes: Sequence[Node]) -> Table:
    numbers = [str(node.node) for node in nodes]
    made = layout.table("distance to", *numbers, right=numbers)
    for node in nodes:
        made.add_row(f"from {node.node}", *(_cell(node.distances.get(other.node)) for other in nodes))
    return made


def _cell(distance: int | None) -> str:
    return "?" if distance is None else "none" if distance == UNREACHABLE else str(distance)


def _lists(nodes: Sequence[Node]) -> Table:
    made = layout.table("distance", "to nodes", wrap=("to nodes",))
    for alike in _alike(nodes):
        made.add_row(f"from {layout.cpus(node.node for node in alike)}", _listed(alike))
    return made


def _alike(nodes: Sequence[Node]) -> list[list[Node]]:
    """Groups of nodes with the same distances to all others, to themselves, and to each other."""
    groups: list[list[Node]] = []
    for node in nodes:
        fits = (group for group in groups if len(nodes) <= MERGED_MAX and _joins(node, group))
        found = next(fits, None)
        if found is None:
            groups.append([node])
        else:
            found.append(node)
    return groups


def _joins(node: Node, group: Sequence[Node]) -> bool:
    first, second = group[0], group[1 if len(group) > 1 else 0]
    inside = {node.node, *(member.node for member in group)}
    mutual = {node.distances.get(member.node) for member in group} | {m.distances.get(node.node) for m in group}
    if len(group) > 1:
        mutual.add(first.distances.get(second.node))
    return (
        len(mutual) == 1
        and node.distances.get(node.node) == first.distances.get(first.node)
        and all(far == first.distances.get(other) for other, far in node.distances.items() if other not in inside)
    )


def _listed(alike: Sequence[Node]) -> str:
    """The nodes at each distance, nearest first."""
    first, inside = alike[0], {node.node for node in alike}
    at: dict[int, list[int]] = {}
    for other, distance in first.distances.items():
        if other not in inside:
            at.setdefault(distance, []).append(other)
    said = {distance: [layout.cpus(others)] for distance, others in at.items()}
    if len(alike) > 1 and (mutual := first.distances.get(alike[1].node)) is not None:
        said.setdefault(mutual, []).insert(0, "each other")
    if (own := first.distances.get(first.node)) is not None:
        said.setdefault(own, []).insert(0, "itself")
    names = {distance: "no path" if distance == UNREACHABLE else str(distance) for distance in said}
    return " · ".join(f"{names[distance]}: {', '.join(said[distance])}" for distance in sorted(said)) or "?"
