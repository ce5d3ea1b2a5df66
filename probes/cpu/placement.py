"""A proposed CPU for each thread, with reasons.

Rules, strongest first: a CPU that this process may use; one that no other role uses, least of all the matcher; no SMT
sibling of a busy CPU; the fastest kind of core; the node of the memory; isolated; sharing the last-level cache with the
matcher; not CPU 0, where kernels put work that has no other place. The reasons name every rule that cannot be met.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Count
from lowlat.documents import document_fields
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.errors import AffinityError
from lowlat.probes.topology import Topology, read_topology

SCHEMA: Final = "lowlat.placement/1"

ROLE_COUNT_MAX = 1_024
FIRST_ROLE = "matcher"
"""The role that chooses first wherever it stands in the list: all others wait for it."""


@dataclass(frozen=True, slots=True)
class Role:
    """Threads with the same purpose."""

    name: str
    count: int


@document_fields(last=("thread",))
@dataclass(frozen=True, slots=True)
class Assignment:
    """One thread of a role on one CPU; `reasons` speak for the CPU, `compromises` against it."""

    role: Annotated[str, Meta(description="What the thread is for")]
    index: Annotated[int, Meta(ge=-1, description="Which of the role's threads, from 0; -1 where it has only one")]
    cpu: Annotated[Count, Meta(description="The CPU for it")]
    node: Annotated[Count | None, Meta(description="NUMA node of that CPU; null where there are none")]
    reasons: Annotated[tuple[str, ...], Meta(description="What speaks for the CPU")]
    compromises: Annotated[tuple[str, ...], Meta(description="What speaks against it and could not be helped")]

    @property
    def thread(self) -> str:
        """Name of the thread: `matcher`, or `producer[1]` where there are several."""
        return self.role if self.index < 0 else f"{self.role}[{self.index}]"


@dataclass(frozen=True, slots=True)
class Plan:
    """A proposal for all threads, in the order of the roles; `memory_node` is where their memory belongs."""

    schema: Annotated[Literal["lowlat.placement/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA, kw_only=True
    )
    assignments: Annotated[
        tuple[Assignment, ...], Meta(min_length=1, description="A CPU for each thread, in the order of the roles")
    ]
    memory_node: Annotated[
        int | None, Meta(description="NUMA node that the threads' memory belongs to; null where there are none")
    ]
    warnings: Annotated[tuple[str, ...], Meta(description="What any plan on this host suffers from")]

    def cpus_of(self, role: str) -> tuple[int, ...]:
        """CPUs of a role's threads, in the order of the threads."""
        return tuple(a.cpu for a in self.assignments if a.role == role)


def parse_roles(text: str) -> tuple[Role, ...]:
    """Parse roles such as `producer=2,matcher,publisher`.

    Raises `AffinityError` naming the part: a missing name, a count that is not a number from 1 to 1,024, a duplicate
    role.
    """
    roles: list[Role] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([A-Za-z][\w.-]*)\s*(?:=\s*([0-9]{1,6})\s*)?", part)
        if match is None:
            raise AffinityError(f"{part.strip()!r} is not a role; write roles like producer=2,matcher,publisher")
        count = int(match[2] or 1)
        if not 1 <= count <= ROLE_COUNT_MAX:
            raise AffinityError(f"{part.strip()!r} asks for {units.plural(count, 'thread')}; use 1 to {ROLE_COUNT_MAX}")
        if any(role.name == match[1] for role in roles):
            raise AffinityError(f"role {match[1]!r} is given twice; write its number of threads as {match[1]}=2")
        roles.append(Role(match[1], count))
    return tuple(roles)


def plan(
    roles: str | Sequence[Role],
    topology: Topology | None = None,
    *,
    memory_node: int | None = None,
    busy: Iterable[int] = (),
) -> Plan:
    """Propose a CPU for every thread of the roles, among the CPUs this process may use.

    `memory_node` is the NUMA node of the data; by default, the node with the most free cores, isolated ones first.
    `busy` are CPUs in use by others. Raises `AffinityError` when no CPU may be used, or none on the node.
    """
    if isinstance(roles, str):
        roles = parse_roles(roles)
    topology = topology or read_topology()
    allowed = topology.cpu_sets.allowed
    if not allowed:
        raise AffinityError("the CPUs available to this process are unknown; name CPUs instead")
    planner = _Planner(topology, memory_node, frozenset(busy))
    threads = [(role.name, index if role.count > 1 else -1) for role in roles for index in range(role.count)]
    order = sorted(threads, key=lambda thread: thread[0] != FIRST_ROLE)  # stable: else as listed
    placed = {thread: planner.place(*thread) for thread in order}
    return Plan(
        assignments=tuple(placed[thread] for thread in threads),
        memory_node=planner.home,
        warnings=_warnings(topology, len(threads)),
    )


def _warnings(topology: Topology, threads: int) -> tuple[str, ...]:
    found = []
    allowed = topology.cpu_sets.allowed
    if threads > len(allowed):
        found.append(
            f"{units.plural(threads, 'thread')} on {units.plural(len(allowed), 'available CPU')}: threads that "
            "share a CPU measure the scheduler"
        )
    if not set(topology.cpu_sets.isolated.value or ()).intersection(allowed):
        found.append("no available CPU is isolated: the scheduler may run other work on any of them")
    quota = topology.cpu_quota.value
    if quota is not None and quota.cpus is not None and quota.cpus < threads:
        found.append(f"the CPU quota is {quota.cpus:g}: {units.plural(threads, 'spinning thread')} will be throttled")
    if topology.guest_view:
        found.append("guest view: SMT siblings and shared caches are as the hypervisor presents them")
    return tuple(found)


class _Planner:
    """Places threads one by one; each placement marks its CPU busy for the next."""

    def __init__(self, topology: Topology, memory_node: int | None, busy: frozenset[int]) -> None:
        self._topology = topology
        self._allowed = topology.cpu_sets.allowed
        self._isolated = frozenset(topology.cpu_sets.isolated.value or ())
        self._busy_by_others = busy
        self._owners: dict[int, str] = {}
        self._loads = dict.fromkeys(self._allowed, 0)
        self._kind_rank = {cpu: rank for rank, kind in enumerate(topology.core_kinds) for cpu in kind.cpus}
        self._last_level = _last_level_caches(topology)
        self._siblings = {cpu: core.cpus for core in topology.cores for cpu in core.cpus}
        self._node = {cpu: node.node for node in reversed(topology.nodes.value or ()) for cpu in node.cpus}
        self._matcher: int | None = None
        self.home = self._home() if memory_node is None else self._checked(memory_node)

    def _checked(self, node: int) -> int:
        nodes = self._topology.nodes
        if nodes.value is None:
            raise AffinityError(f"node {node} cannot be used: {nodes.reason}")
        usable = {self._node[cpu] for cpu in self._allowed if cpu in self._node}
        if node not in usable:
            raise AffinityError(
                f"node {node} has no CPU that this process may use; choose from {format_cpu_list(usable) or 'none'}"
            )
        return node

    def _home(self) -> int | None:
        """Node with the most unused isolated cores, else the most unused cores; the lowest among equals."""
        cpus_of: dict[int, list[int]] = {}
        for cpu in self._allowed:
            if cpu in self._node:
                cpus_of.setdefault(self._node[cpu], []).append(cpu)

        def free_cores(node: int) -> tuple[int, int]:
            cores = {self._siblings.get(cpu, (cpu,)) for cpu in cpus_of[node] if not self._busy_sibling(cpu)}
            isolated = {core for core in cores if self._isolated.intersection(core)}
            return len(isolated), len(cores)

        return max(sorted(cpus_of), key=free_cores, default=None)

    def place(self, role: str, index: int) -> Assignment:
        """Choose the best remaining CPU, with reasons."""
        cpu = min(self._allowed, key=self._cost)
        pro, contra = self._explain(cpu)
        assignment = Assignment(role, index, cpu, self._node.get(cpu), pro, contra)
        self._owners.setdefault(cpu, assignment.thread)
        self._loads[cpu] += 1
        if role == FIRST_ROLE and self._matcher is None:
            self._matcher = cpu
        return assignment

    def _busy_sibling(self, cpu: int) -> int | None:
        """A busy CPU of the same core."""
        siblings = self._siblings.get(cpu, (cpu,))
        return next((s for s in siblings if s != cpu and (s in self._owners or s in self._busy_by_others)), None)

    def _is_near(self, cpu: int) -> bool:
        return self._matcher is None or self._last_level.get(cpu) == self._last_level.get(self._matcher)

    def _cost(self, cpu: int) -> tuple[int | bool, ...]:
        """Smaller is better; the first difference decides."""
        return (
            cpu == self._matcher,
            self._loads[cpu] + (cpu in self._busy_by_others),
            self._busy_sibling(cpu) is not None,
            self._kind_rank.get(cpu, 0),
            self.home is not None and self._node.get(cpu) != self.home,
            cpu not in self._isolated,
            not self._is_near(cpu),
            cpu == 0,
            cpu,
        )

    def _explain(self, cpu: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        pro: list[str] = []
        contra: list[str] = []
        self._explain_sharing(cpu, pro, contra)
        self._explain_place(cpu, pro, contra)
        if cpu in self._isolated:
            pro.append("isolated from the scheduler")
        elif self._isolated.intersection(self._allowed):
            contra.append("not isolated: no isolated CPU is left")
        if cpu == 0:
            contra.append("CPU 0, which handles most kernel housekeeping: no other CPU is left")
        elif 0 in self._allowed:
            pro.append("not CPU 0")
        return tuple(pro), tuple(contra)

    def _explain_sharing(self, cpu: int, pro: list[str], contra: list[str]) -> None:
        sibling = self._busy_sibling(cpu)
        if cpu in self._owners:
            contra.append(f"shared with {self._owners[cpu]}: {units.plural(len(self._allowed), 'CPU')} available")
        elif cpu in self._busy_by_others:
            contra.append("busy with other work: no idle CPU is left")
        if sibling is not None:
            who = self._owners.get(sibling, "other work")
            contra.append(f"SMT sibling of CPU {sibling} ({who}): no free core is left")
        elif cpu not in self._owners:
            siblings = [s for s in self._siblings.get(cpu, (cpu,)) if s != cpu]
            idle = f" (sibling CPU {format_cpu_list(siblings)})" if siblings else ""
            pro.append(f"no SMT sibling in use{idle}")

    def _explain_place(self, cpu: int, pro: list[str], contra: list[str]) -> None:
        kinds = self._topology.core_kinds
        if kinds:
            rank = self._kind_rank.get(cpu, 0)
            (pro if rank == 0 else contra).append(f"core type {kinds[rank].name!r}")
        node = self._node.get(cpu)
        if self.home is not None:
            if node == self.home:
                pro.append(f"on node {node}, where the memory is")
            else:
                contra.append(f"on node {node}, away from the memory on node {self.home}")
        if self._matcher is not None and self._last_level:
            if self._is_near(cpu):
                pro.append(f"shares the last-level cache of CPU {self._matcher} ({FIRST_ROLE})")
            else:
                contra.append(f"does not share the last-level cache of CPU {self._matcher} ({FIRST_ROLE})")


def _last_level_caches(topology: Topology) -> dict[int, int]:
    """For each CPU, the lowest CPU that shares its last-level cache; empty if the caches are not known."""
    caches = topology.caches.value or ()
    last = max((cache.level for cache in caches), default=0)
    return {cpu: cpus[0] for cache in caches if cache.level == last for cpus in cache.instances for cpu in cpus}
