"""The memory of each NUMA node from the CPUs of each: latency and bandwidth, local and remote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lowlat.probes.cpu.affinity import pinned
from lowlat.probes.memory.bandwidth import THREAD_BYTES_MIN, MemoryWork, measure_rates, shares
from lowlat.probes.memory.chase import Chase, LoadTime
from lowlat.probes.memory.ladder import LadderPlan
from lowlat.probes.memory.region import open_region
from lowlat.probes.memory.sites import Site
from lowlat.probes.topology import Topology


@dataclass(frozen=True, slots=True)
class AccessTimes:
    """The memory of a node from CPUs of one node, the first of which loads."""

    cpu_node: int
    memory_node: int
    cpus: tuple[int, ...]
    load: LoadTime
    read_bytes_per_s: float


def measure_nodes(
    topology: Topology,
    cpus: Sequence[int],
    sites: Sequence[Site],
    plan: LadderPlan,
    progress: Callable[[str, float], None],
) -> Iterator[AccessTimes]:
    """Every pair of nodes; none where there is one node. `cpus` are in the order in which threads are added.

    A node whose memory cannot be had is left out. Raises `AffinityError` if a thread cannot run on its CPU.
    """
    nodes = [site.node for site in sites if site.node is not None]
    by_node = {node: [cpu for cpu in cpus if topology.node_of(cpu) == node] for node in nodes}
    groups = {node: tuple(group) for node, group in by_node.items() if group}
    if len(nodes) < 2:
        return
    for at, site in enumerate(sites):
        progress(f"memory of node {site.node}", at / len(sites))
        yield from _from_each(site, groups, plan, plan.duration_ns // len(sites))


def _from_each(
    site: Site, groups: dict[int, tuple[int, ...]], plan: LadderPlan, duration_ns: int
) -> Iterator[AccessTimes]:
    size_bytes = min(plan.limit_bytes, site.bytes_max)
    region = open_region(size_bytes, "huge", site.node_to_bind).value
    region = region or open_region(size_bytes, "base", site.node_to_bind).value
    if region is None or site.node is None or region.native.bytes < THREAD_BYTES_MIN:
        return
    each_ns = duration_ns // len(groups) // 2
    loads = {}
    chase = Chase(region, plan.line_bytes, plan.clock_hz)
    for node, cpus in groups.items():
        with pinned(cpus[:1]):
            loads[node] = chase.measure(size_bytes, each_ns)
    for node, cpus in groups.items():  # after all loads: threads that only read leave the chain as it is
        readers = cpus[: region.native.bytes // THREAD_BYTES_MIN]
        read = measure_rates(shares(readers, [region] * len(readers)), (MemoryWork.READ,), each_ns)
        yield AccessTimes(node, site.node, readers, loads[node], read.bytes_per_s[MemoryWork.READ])
