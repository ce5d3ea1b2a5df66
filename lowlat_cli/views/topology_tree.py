"""The tree of a topology: package, NUMA node and die, cluster, core, CPU. Levels that split nothing are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text
from rich.tree import Tree

from lowlat import units
from lowlat.probes.cpu.cpu_sets import Cpus
from lowlat.probes.topology import Cluster, Core, Die, Node, Package, Topology
from lowlat.text import plain_text
from lowlat_cli.views import layout

CORES_LISTED_MAX = 16
"""Hosts with more cores show them in a line for each group; the caches are then in their table only."""


def topology_tree(topology: Topology) -> Tree:
    """The tree of the host, from packages down to CPUs."""
    return _Drawing(topology).tree()


class _Drawing:
    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._nodes = [node for node in topology.nodes.value or () if node.cpus]
        self._lists_cores = len(topology.cores) <= CORES_LISTED_MAX
        self._caches = _caches_by_cpus(topology)

    def tree(self) -> Tree:
        root = Tree("", hide_root=True, guide_style="dim")
        for package in self._topology.packages:
            self._package(root, package)
        return root

    def _package(self, root: Tree, package: Package) -> None:
        nodes = self._nodes_of(package.cpus)
        name = _named("package", package.label)
        if len(nodes) == 1:
            name += f", node {nodes[0].node}"
        branch = self._add(root, name, package.cpus, package.cores)
        if len(nodes) > 1 and all(len(self._nodes_of(die.cpus)) == 1 for die in package.dies):
            for node in nodes:
                dies = [die for die in package.dies if set(die.cpus) <= set(node.cpus)]
                cpus = tuple(sorted(cpu for die in dies for cpu in die.cpus))
                self._dies(self._node(branch, node, cpus, dies), dies)
        else:
            self._dies(branch, package.dies)

    def _dies(self, above: Tree, dies: Sequence[Die]) -> None:
        for die in dies:
            cores = _cores(die)
            branch = above if len(dies) == 1 else self._add(above, _named("die", die.label), die.cpus, cores)
            nodes = self._nodes_of(die.cpus)
            if len(nodes) < 2:
                self._clusters(branch, die.clusters)
                continue
            for node in nodes:
                inside = [c for cluster in die.clusters if (c := _part(cluster, node.cpus)) is not None]
                part = Die(die.label, tuple(sorted(set(die.cpus) & set(node.cpus))), tuple(inside))
                self._clusters(self._node(branch, node, part.cpus, [part]), inside)

    def _node(self, above: Tree, node: Node, cpus: Cpus, dies: Iterable[Die]) -> Tree:
        return self._add(above, f"node {node.node}", cpus, [core for die in dies for core in _cores(die)])

    def _clusters(self, above: Tree, clusters: Sequence[Cluster]) -> None:
        if len(clusters) > 1 and any(len(cluster.cores) > 1 for cluster in clusters):
            for cluster in clusters:
                name = _named("cluster", cluster.label)
                self._leaves(self._add(above, name, cluster.cpus, cluster.cores), cluster.cores)
        else:
            self._leaves(above, [core for cluster in clusters for core in cluster.cores])

    def _leaves(self, above: Tree, cores: Sequence[Core]) -> None:
        if not self._lists_cores:
            if isinstance(above.label, Text) and any(len(core.cpus) > 1 for core in cores):
                above.label.append(f"  cores {layout.groups([core.cpus for core in cores])}", style="not bold")
            return
        for core in cores:
            line = plain_text(f"{_named('core', core.label)}  ")
            line.append_text(plain_text(", ".join(map(self._cpu, core.cpus)), style="bold"))
            self._append_caches(line, core.cpus)
            above.add(line)

    def _cpu(self, cpu: int) -> str:
        sets = self._topology.cpu_sets
        marks = [
            "isolated" if cpu in (sets.isolated.value or ()) else None,
            "nohz_full" if cpu in (sets.nohz_full.value or ()) else None,
            None if cpu in sets.allowed else "not allowed",
            next((kind.name for kind in self._topology.core_kinds if cpu in kind.cpus), None),
        ]
        said = ", ".join(mark for mark in marks if mark)
        return f"CPU {cpu}" + (f" ({said})" if said else "")

    def _add(self, above: Tree, name: str, cpus: Cpus, cores: Sequence[Core]) -> Tree:
        line = plain_text(name, style="bold")
        counts = f"  {units.plural(len(cores), 'core')}, {units.plural(len(cpus), 'CPU')}: {layout.cpus(cpus)}"
        line.append(counts, style="not bold")
        self._append_caches(line, cpus)
        return above.add(line)

    def _append_caches(self, line: Text, cpus: Cpus) -> None:
        """Name the caches shared by exactly these CPUs; each once, at the widest group that fits."""
        if names := self._caches.pop(cpus, None):
            line.append(f"  {', '.join(names)}", style="dim not bold")

    def _nodes_of(self, cpus: Cpus) -> list[Node]:
        return [node for node in self._nodes if set(node.cpus).intersection(cpus)]


def _caches_by_cpus(topology: Topology) -> dict[Cpus, list[str]]:
    found: dict[Cpus, list[str]] = {}
    for cache in topology.caches.value or ():
        name = f"{cache.name} {layout.size(cache.size_bytes)}"
        for cpus in cache.instances:
            found.setdefault(cpus, []).append(name)
    return found


def _named(kind: str, label: int | None) -> str:
    return kind if label is None else f"{kind} {label}"


def _cores(die: Die) -> list[Core]:
    return [core for cluster in die.clusters for core in cluster.cores]


def _part(cluster: Cluster, cpus: Cpus) -> Cluster | None:
    """The part of a cluster on these CPUs."""
    inside = tuple(core for core in cluster.cores if set(core.cpus) <= set(cpus))
    return Cluster(cluster.label, tuple(sorted(c for core in inside for c in core.cpus)), inside) if inside else None
