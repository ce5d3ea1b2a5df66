"""What a placement needs to know of each CPU of a host: its core, its node, its caches, and who uses it."""

from __future__ import annotations

from collections.abc import Iterable

from lowlat.probes.cpu.cpu_sets import Cpus
from lowlat.probes.topology import Topology
from lowlat.probes.topology.model import UNREACHABLE

MATCHER_BESIDE = 1_000
"""Weight of the matcher on a sibling: more than any number of other threads on one core."""


class CpuFacts:
    """The host as it is, and the threads placed on it so far."""

    def __init__(self, topology: Topology, busy: Iterable[int]) -> None:
        self.topology = topology
        self.allowed: Cpus = topology.cpu_sets.allowed
        self.isolated = frozenset(topology.cpu_sets.isolated.value or ())
        self.busy_by_others = frozenset(busy)
        self.threads: dict[int, list[str]] = {}
        self.matcher: int | None = None
        self.kind_rank = {cpu: rank for rank, kind in enumerate(topology.core_kinds) for cpu in kind.cpus}
        self.node = {cpu: node.node for node in reversed(topology.nodes.value or ()) for cpu in node.cpus}
        self.last_level = _last_level_caches(topology)
        self._cores = {cpu: core.cpus for core in topology.cores for cpu in core.cpus}

    def core(self, cpu: int) -> Cpus:
        """Online CPUs of the same core, including this one."""
        return self._cores.get(cpu, (cpu,))

    def siblings(self, cpu: int) -> Cpus:
        """The other CPUs of the same core."""
        return tuple(sibling for sibling in self.core(cpu) if sibling != cpu)

    def is_busy(self, cpu: int) -> bool:
        """Whether a planned thread or other work uses it."""
        return cpu in self.threads or cpu in self.busy_by_others

    def beside(self, cpu: int) -> int:
        """How much is on the siblings: 1 for each busy one, and far more for the matcher's."""
        busy = [sibling for sibling in self.siblings(cpu) if self.is_busy(sibling)]
        return len(busy) + MATCHER_BESIDE * (self.matcher in busy)

    def shared_isolation(self, cpu: int) -> Cpus:
        """For an isolated CPU, the siblings that are not: the scheduler may run other work on them."""
        if cpu not in self.isolated:
            return ()
        return tuple(sibling for sibling in self.siblings(cpu) if sibling not in self.isolated)

    def is_near(self, cpu: int) -> bool:
        """Whether it shares the last-level cache of the matcher."""
        return self.matcher is None or self.last_level.get(cpu) == self.last_level.get(self.matcher)

    def distance(self, cpu: int, node: int | None) -> int:
        """How far a CPU is from a node's memory: 0 on the node itself or where there are no nodes."""
        own = self.node.get(cpu)
        if node is None or own == node:
            return 0
        return self.distance_of_nodes(own, node)

    def distance_of_nodes(self, from_node: int | None, to_node: int) -> int:
        """The kernel's distance between nodes; the longest where it gives none."""
        found = next((node for node in self.topology.nodes.value or () if node.node == from_node), None)
        return UNREACHABLE if found is None else found.distances.get(to_node, UNREACHABLE)


def _last_level_caches(topology: Topology) -> dict[int, int]:
    """For each CPU, the lowest CPU that shares its last-level cache; empty if the caches are not known."""
    caches = topology.caches.value or ()
    last = max((cache.level for cache in caches), default=0)
    return {cpu: cpus[0] for cache in caches if cache.level == last for cpus in cache.instances for cpu in cpus}
