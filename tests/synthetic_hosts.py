"""Small hosts for tests of placements, built from their cores; every set can be checked by eye."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from lowlat.probes.cpu.cpu_sets import CpuSets
from lowlat.probes.host.virtualization import Virtualization
from lowlat.probes.reading import known, not_applicable
from lowlat.probes.topology import Cache, Cluster, Core, Die, Node, Package, Topology, read_topology

ABSENT = not_applicable("file", "absent")


def host(
    cores: Iterable[tuple[int, ...]],
    *,
    nodes: Iterable[tuple[int, ...]] = (),
    without_memory: Iterable[int] = (),
    last_level: Iterable[tuple[int, ...]] = (),
    isolated: tuple[int, ...] = (),
    allowed: tuple[int, ...] | None = None,
) -> Topology:
    """A host with these cores, each a tuple of SMT siblings, in one package."""
    groups = tuple(Core(None, core) for core in cores)
    cpus = tuple(sorted(cpu for core in groups for cpu in core.cpus))
    package = Package(0, cpus, (Die(0, cpus, (Cluster(None, cpus, groups),)),))
    numbered = _nodes(tuple(nodes), frozenset(without_memory))
    having = tuple(node.node for node in numbered if node.memory_total_bytes)
    caches = Cache(3, "Unified", 1 << 25, 64, 16, 32_768, tuple(last_level))
    return dataclasses.replace(
        read_topology(),
        virtualization=Virtualization(ABSENT, ABSENT),
        cpu_sets=CpuSets(
            possible=known(cpus, "x"),
            present=known(cpus, "x"),
            online=known(cpus, "x"),
            isolated=known(isolated, "x"),
            nohz_full=ABSENT,
            affinity=known(cpus if allowed is None else allowed, "x"),
            cpuset=ABSENT,
        ),
        cpu_quota=ABSENT,
        packages=(package,),
        core_kinds=(),
        caches=known((caches,), "x") if caches.instances else ABSENT,
        nodes=known(numbered, "x") if numbered else ABSENT,
        memory_nodes=known(having, "x") if numbered else ABSENT,
    )


def _nodes(nodes: Sequence[tuple[int, ...]], without_memory: frozenset[int]) -> tuple[Node, ...]:
    """Nodes in a line: each is 10 further away than its neighbor."""
    return tuple(
        Node(
            number,
            "no memory" if number in without_memory else "cpus and memory",
            cpus,
            0 if number in without_memory else 1 << 30,
            0 if number in without_memory else 1 << 30,
            {other: 10 + 10 * abs(number - other) for other in range(len(nodes))},
            (),
        )
        for number, cpus in enumerate(nodes)
    )


def singles(count: int) -> list[tuple[int, ...]]:
    """Cores of one CPU each."""
    return [(cpu,) for cpu in range(count)]
