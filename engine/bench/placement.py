"""Placement of the runs of a plan: their CPUs, the reasons, and the NUMA nodes of their memory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from lowlat.probes.cpu.affinity import check_cpus
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.cpu.placement import FIRST_ROLE, Plan, plan
from lowlat.probes.memory.numa_memory import nearest_memory
from lowlat.probes.reading import Reading, not_applicable
from lowlat.probes.topology import Topology, read_topology
from lowlat.reports.model import context


@dataclass(frozen=True, slots=True)
class Place:
    """CPUs of the runs, round-robin (None: the system chooses), and their description in the report."""

    cpus: tuple[int, ...] | None
    topology: Topology
    nodes: Reading[tuple[int, ...]]
    placement: context.Placement

    def memory_node(self, cpu: int | None) -> Reading[int]:
        """The NUMA node for the memory of a run on this CPU."""
        if cpu is None:
            return not_applicable(self.nodes.source, "the run is not pinned to a CPU")
        return nearest_memory(self.topology, cpu, self.nodes)

    @property
    def topology_facts(self) -> context.TopologySummary:
        """A summary of the host's topology, with the caches of the first measured CPU."""
        cores = self.topology.cores
        return context.TopologySummary(
            packages=len(self.topology.packages),
            cores=len(cores),
            threads_per_core=max((len(core.cpus) for core in cores), default=0),
            nodes=None if self.topology.nodes.value is None else len(self.topology.nodes.value),
            guest_view=self.topology.guest_view,
            caches=_caches_of(self.cpus[0], self.topology) if self.cpus else (),
        )


def choose_place(asked: Sequence[int] | None) -> Place:
    """Check and use the requested CPUs, or let the plan choose the best one for a single matching thread.

    Raises what `lowlat.probes.cpu.affinity.check_cpus` raises.
    """
    if asked is not None:
        check_cpus(asked)
    topology = read_topology()
    cpus, placement = _asked(asked) if asked is not None else _planned(topology)
    return Place(cpus, topology, topology.memory_nodes, placement)


def _asked(cpus: Sequence[int]) -> tuple[tuple[int, ...], context.Placement]:
    listed = format_cpu_list(cpus)
    return tuple(cpus), context.Placement(cpus=listed, chosen_by="user", reasons=(), compromises=(), warnings=())


def _planned(topology: Topology) -> tuple[tuple[int, ...] | None, context.Placement]:
    if not sys.platform.startswith("linux"):
        why = ("this platform cannot pin threads to CPUs",)
        return None, context.Placement(cpus="", chosen_by="system", reasons=(), compromises=(), warnings=why)
    proposal = plan(FIRST_ROLE, topology)
    return proposal.cpus_of(FIRST_ROLE), described(proposal)


def described(proposal: Plan) -> context.Placement:
    """The first thread's place in a report, with the reasons that are true of the whole plan."""
    chosen = proposal.assignments[0]
    return context.Placement(
        cpus=str(chosen.cpu),
        chosen_by="plan",
        reasons=chosen.reasons,
        compromises=chosen.compromises,
        warnings=proposal.warnings,
    )


def _caches_of(cpu: int, topology: Topology) -> tuple[context.CpuCache, ...]:
    return tuple(
        context.CpuCache(
            level=cache.level,
            type=cache.type.lower(),
            size_bytes=cache.size_bytes,
            line_bytes=cache.line_bytes,
            cpus=len(sharers),
        )
        for cache in topology.caches.value or ()
        for sharers in cache.instances
        if cpu in sharers
    )
