"""The NUMA node that the threads' memory belongs to, by itself or by a network card."""

from __future__ import annotations

from collections import defaultdict

from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.cpu.placement_facts import CpuFacts
from lowlat.probes.errors import AffinityError
from lowlat.probes.topology import Topology


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


def node_of_card(topology: Topology, name: str) -> int | None:
    """The node that a network card is attached to; None on a host with a single one. Raises `AffinityError`."""
    nodes = {each.name: each.node for each in topology.devices if each.kind == "network card"}
    if name not in nodes:
        raise AffinityError(f"--nic {name[:60]!r}: there is no such network card; {_suggestion(name, sorted(nodes))}")
    if nodes[name] is None and len(topology.nodes.value or ()) > 1:
        raise AffinityError(f"--nic {name}: the firmware does not say which node it is attached to; use --node N")
    return nodes[name]


def _suggestion(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"choose from {', '.join(known[:20])}" if known else "this host has none; leave out --nic"


def _cpus_of_nodes(facts: CpuFacts) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for cpu in facts.allowed:
        if cpu in facts.node:
            found[facts.node[cpu]].append(cpu)
    return found
