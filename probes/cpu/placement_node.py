"""The NUMA node that the threads' memory belongs to."""

from __future__ import annotations

from collections import defaultdict

from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.cpu.placement_facts import CpuFacts
from lowlat.probes.errors import AffinityError


def choose_node(facts: CpuFacts) -> int | None:
    """The node with memory and the most free cores, isolated ones first, the lowest among equals.

    If no usable CPU is on a node with memory, the nearest node that has some. None where there are no nodes.
    """
    with_memory = facts.topology.memory_nodes.value
    cpus_of = _cpus_of_nodes(facts)
    candidates = [(own, memory) for own in sorted(cpus_of) for memory in with_memory or (own,)]

    def merit(candidate: tuple[int, int]) -> tuple[int, int, int]:
        own, memory = candidate
        cores = {facts.core(cpu) for cpu in cpus_of[own] if not any(map(facts.is_busy, facts.core(cpu)))}
        isolated = {core for core in cores if facts.isolated.issuperset(core)}
        half = {core for core in cores if facts.isolated.intersection(core)}
        far = 0 if own == memory else facts.distance_of_nodes(own, memory)
        return -far, 2 * len(isolated) + len(half - isolated), len(cores)

    best = max(candidates, key=merit, default=None)
    return None if best is None else best[1]


def check_node(facts: CpuFacts, node: int) -> int:
    """The node, if it has memory and a CPU for this process. Raises `AffinityError`."""
    nodes, with_memory = facts.topology.nodes, facts.topology.memory_nodes.value
    if nodes.value is None:
        raise AffinityError(f"node {node} cannot be used: {nodes.reason}")
    with_cpus = set(_cpus_of_nodes(facts))
    usable = with_cpus if with_memory is None else with_cpus.intersection(with_memory)
    if node not in usable:
        lacks = "memory" if node in with_cpus else "CPU"
        having = format_cpu_list(usable) or "none"
        raise AffinityError(f"node {node} has no {lacks} that this process may use; choose from {having}")
    return node


def _cpus_of_nodes(facts: CpuFacts) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for cpu in facts.allowed:
        if cpu in facts.node:
            found[facts.node[cpu]].append(cpu)
    return found
