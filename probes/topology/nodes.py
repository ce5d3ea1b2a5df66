"""NUMA nodes from sysfs: CPUs, memory, distances, huge pages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lowlat import units
from lowlat.errors import InputError
from lowlat.limits import NODES_MAX
from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, Cpus, cpu_folders, cpus_of_list
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.host.host_tree import LIVE, HostTree, parse_integer
from lowlat.probes.reading import Reading, known
from lowlat.probes.topology.groups import read_cpus
from lowlat.probes.topology.memory_side import read_memory_access, read_memory_side_caches
from lowlat.probes.topology.model import HugePages, Node, NodeKind
from lowlat.probes.topology.warnings import Warn

NODE_FOLDER = "sys/devices/system/node"
_LOCAL_DISTANCE = 10  # ACPI SLIT


def read_nodes(tree: HostTree, online: Cpus, warn: Warn) -> Reading[tuple[Node, ...]]:
    """Read all nodes, by number; ids may have gaps. Without nodes, none is invented."""
    source = f"read from /{NODE_FOLDER}"
    ids = _node_ids(tree)
    if not ids:
        why = "the kernel shows no NUMA nodes (built without CONFIG_NUMA, or hidden)"
        return tree.absence(source, why, NODE_FOLDER)
    if len(ids) > NODES_MAX:
        raise InputError(f"/{NODE_FOLDER} has {len(ids):,} nodes; Linux supports at most {NODES_MAX:,}")
    with_folder = frozenset(online).intersection(cpu_folders(tree))
    found = tuple(_read_node(tree, node, ids, frozenset(online), with_folder, warn) for node in ids)
    _check_distances(found, warn)
    _check_cpus(found, online, warn)
    return known(found, source)


def memory_nodes(tree: HostTree = LIVE) -> Reading[Cpus]:
    """Nodes with memory that this process may use (`Mems_allowed_list`), ascending."""
    path = f"{NODE_FOLDER}/has_memory"
    nodes, source = cpus_of_list(tree.text(path) or "") or (), f"read from /{path}"
    if not nodes:
        nodes, source = _with_memory(tree), f"read from /{NODE_FOLDER}/nodeN/meminfo"
    if not nodes:
        why = "the kernel shows no memory on any NUMA node" if _node_ids(tree) else "the kernel shows no NUMA nodes"
        return tree.absence(f"read from /{path}", why, path)
    match = re.search(r"^Mems_allowed_list:(.*)$", tree.text("proc/self/status") or "", re.MULTILINE)
    allowed = cpus_of_list(match[1].strip()) if match is not None else None
    if not allowed:
        return known(nodes, source)
    return known(tuple(sorted(set(nodes) & set(allowed))), f"{source} and /proc/self/status")


def _with_memory(tree: HostTree) -> Cpus:
    totals = ((node, tree.text(f"{NODE_FOLDER}/node{node}/meminfo") or "") for node in _node_ids(tree))
    return tuple(node for node, meminfo in totals if _memory(meminfo, "MemTotal"))


def _node_ids(tree: HostTree) -> list[int]:
    names = (re.fullmatch(r"node([0-9]{1,4})", name) for name in tree.names(NODE_FOLDER))
    return sorted(int(match[1]) for match in names if match is not None)


def _read_node(
    tree: HostTree, node: int, ids: Sequence[int], online: frozenset[int], with_folder: frozenset[int], warn: Warn
) -> Node:
    # Access files by name, never list the folder: it has a link for each block of memory, thousands of them.
    folder = f"{NODE_FOLDER}/node{node}"
    cpus = read_cpus(tree, folder, "cpumap", "cpulist", warn)
    if cpus is None:
        cpus = tuple(cpu for cpu in with_folder if tree.exists(f"{CPU_FOLDER}/cpu{cpu}/node{node}"))
    cpus = tuple(sorted(online.intersection(cpus)))
    meminfo = tree.text(f"{folder}/meminfo") or ""
    total = _memory(meminfo, "MemTotal")
    return Node(
        node=node,
        kind=_kind(bool(cpus), total),
        cpus=cpus,
        memory_total_bytes=total,
        memory_free_bytes=_memory(meminfo, "MemFree"),
        distances=_distances(tree, node, ids, warn),
        huge_pages=read_huge_pages(tree, f"{folder}/hugepages"),
        memory_side_caches=read_memory_side_caches(tree, folder),
        memory_access=read_memory_access(tree, folder),
    )


def _kind(has_cpus: bool, memory_bytes: int | None) -> NodeKind:
    if memory_bytes is None:
        return "unknown memory"
    if memory_bytes == 0:
        return "no memory" if has_cpus else "empty"
    return "cpus and memory" if has_cpus else "memory only"


def _memory(meminfo: str, name: str) -> int | None:
    match = re.search(rf"\b{name}:\s+([0-9]{{1,15}}) kB", meminfo)
    return None if match is None else int(match[1]) * 1024


def _distances(tree: HostTree, node: int, ids: Sequence[int], warn: Warn) -> dict[int, int]:
    """Distances by node: the row has one number for each online node, in order."""
    path = f"{NODE_FOLDER}/node{node}/distance"
    text = tree.text(path)
    if not text:
        return {}
    row = [far for field in text.split() if (far := parse_integer(field)) is not None and far >= 0]
    if len(row) != len(text.split()):
        warn("a row of distances is damaged", f"/{path}: {text[:40]!r}")
        return {}
    if len(row) == len(ids):
        return dict(zip(ids, row, strict=True))
    listed = cpus_of_list(tree.text(f"{NODE_FOLDER}/online") or "") or ()
    if len(row) == len(listed):
        return {other: far for other, far in zip(listed, row, strict=True) if other in ids}
    warn(
        f"a row has {units.plural(len(row), 'distance')} for {units.plural(len(ids), 'node')}; the rest is ignored",
        f"/{path}",
    )
    return {other: row[other] for other in ids if other < len(row)}


def _check_distances(nodes: Sequence[Node], warn: Warn) -> None:
    by_id = {node.node: node for node in nodes}
    for node in nodes:
        own = node.distances.get(node.node)
        if own is not None and own != _LOCAL_DISTANCE:
            warn(f"a node is not at distance {_LOCAL_DISTANCE} from itself", f"node {node.node}: {own}")
        for other, far in node.distances.items():
            back = by_id[other].distances.get(node.node)
            if node.node < other and back is not None and back != far:
                warn("distances are not symmetric", f"nodes {node.node} and {other}: {far} there, {back} back")


def _check_cpus(nodes: Sequence[Node], online: Cpus, warn: Warn) -> None:
    claimed: dict[int, int] = {}
    for node in nodes:
        for cpu in node.cpus:
            if cpu in claimed:
                warn(
                    "nodes claim the same CPU; the lower node is used",
                    f"CPU {cpu}, nodes {claimed[cpu]}, {node.node}",
                )
            claimed.setdefault(cpu, node.node)
    homeless = [cpu for cpu in online if cpu not in claimed]
    if homeless:
        warn("no node claims some CPUs", units.cpus(format_cpu_list(homeless)))


def read_huge_pages(tree: HostTree, folder: str) -> tuple[HugePages, ...]:
    """Read the huge pages of a folder with one subfolder for each size, smallest first."""
    names = (re.fullmatch(r"hugepages-([0-9]{1,15})kB", name) for name in tree.names(folder))
    sizes_kb = sorted(int(match[1]) for match in names if match is not None)
    return tuple(
        HugePages(
            size_bytes=size_kb * 1024,
            total=tree.integer(f"{folder}/hugepages-{size_kb}kB/nr_hugepages"),
            free=tree.integer(f"{folder}/hugepages-{size_kb}kB/free_hugepages"),
        )
        for size_kb in sizes_kb
    )
