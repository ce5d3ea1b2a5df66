"""What every placement keeps, whatever the host: a check of a plan that shares no code with the planner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lowlat.probes.cpu.placement import Assignment, Plan
from lowlat.probes.topology import Topology


def broken_rules(plan: Plan, topology: Topology, busy: Iterable[int]) -> list[str]:
    """The rules that a plan breaks, each as a sentence; none for a good one."""
    return list(_Check(plan, topology, frozenset(busy)).run())


class _Check:
    def __init__(self, plan: Plan, topology: Topology, busy: frozenset[int]) -> None:
        self._plan = plan
        self._topology = topology
        self._busy = busy
        self._threads = Counter(each.cpu for each in plan.assignments)
        self._allowed = set(topology.cpu_sets.allowed)

    def run(self) -> Iterator[str]:
        for each in self._plan.assignments:
            if each.cpu not in self._allowed:
                yield f"{each.thread} is outside the allowed CPUs"
        yield from self._sharing()
        yield from self._memory()
        for each in self._plan.assignments:
            yield from self._claims(each)

    def _beside(self, cpu: int) -> set[int]:
        return set(self._topology.siblings_of(cpu)) - {cpu}

    def _used(self, cpu: int) -> bool:
        return self._threads[cpu] > 0 or cpu in self._busy

    def _shares_core(self, cpu: int) -> bool:
        return self._threads[cpu] + (cpu in self._busy) > 1 or any(map(self._used, self._beside(cpu)))

    def _sharing(self) -> Iterator[str]:
        free_cpus = {cpu for cpu in self._allowed if not self._used(cpu)}
        free_cores = {cpu for cpu in free_cpus if not self._shares_core(cpu)}
        for each in self._plan.assignments:
            if free_cores and self._shares_core(each.cpu):
                yield f"{each.thread} shares a core while CPU {min(free_cores)} has a core to itself"
            if free_cpus and self._threads[each.cpu] + (each.cpu in self._busy) > 1:
                yield f"{each.thread} shares a CPU while CPU {min(free_cpus)} is free"
        matcher = next((each.cpu for each in self._plan.assignments if each.role == "matcher"), None)
        if matcher is None:
            return
        beside = {cpu for cpu in self._beside(matcher) if self._threads[cpu]}
        if beside and free_cpus - self._beside(matcher):
            yield f"CPU {min(beside)} disturbs the matcher while another CPU is free"

    def _memory(self) -> Iterator[str]:
        having = {node.node for node in self._topology.nodes.value or () if node.memory_total_bytes}
        home = self._plan.memory_node
        if having and home not in having:
            yield f"node {home} has no memory"
        near = {cpu for cpu in self._allowed if self._topology.node_of(cpu) == home}
        first = self._plan.assignments[0]
        whole = {cpu for cpu in near if not self._beside(cpu) & self._busy and cpu not in self._busy}
        if having and whole and first.role == "matcher" and first.cpu not in near:
            yield "the matcher is away from the memory, where a core was free"

    def _claims(self, each: Assignment) -> Iterator[str]:
        isolated = set(self._topology.cpu_sets.isolated.value or ())
        core = {each.cpu, *self._beside(each.cpu)}
        false_if_said = {
            "no other planned thread on its core": sum(self._threads[cpu] for cpu in core) != 1,
            "where the memory is": each.node != self._plan.memory_node,
            "isolated from the scheduler": not core <= isolated,
            "a core with one thread": core != {each.cpu},
            "not CPU 0": 0 in core,
        }
        for claim, is_false in false_if_said.items():
            if is_false and any(claim in reason for reason in each.reasons):
                yield f"{each.thread} claims {claim!r}"
        if self._shares_core(each.cpu) and not any(
            "shared" in t or "SMT sib" in t or "busy" in t for t in each.compromises
        ):
            yield f"{each.thread} does not say that its core is shared"
