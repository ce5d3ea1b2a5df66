"""A proposed CPU for each thread, with reasons.

Rules, strongest first: a CPU that this process may use; one that no other role uses, least of all the matcher; no SMT
sibling of a busy CPU, least of all of the matcher's; the fastest kind of core; near the node of the memory; isolated,
and its siblings too; sharing the last-level cache with the matcher; not the core of CPU 0, where kernels put work that
has no other place. The reasons name every rule that cannot be met.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Count
from lowlat.documents import document_fields
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.cpu.placement_facts import CpuFacts
from lowlat.probes.cpu.placement_node import check_node, choose_node
from lowlat.probes.cpu.placement_reasons import Reasons
from lowlat.probes.errors import AffinityError
from lowlat.probes.topology import Topology, read_topology

SCHEMA: Final = "lowlat.placement/1"

ROLE_COUNT_MAX = 1_024
FIRST_ROLE = "matcher"
"""The role that chooses first wherever it stands in the list: all others wait for it."""


def thread_name(role: str, index: int) -> str:
    """`matcher`, or `producer[1]` where the role has several threads; the index of a single one is -1."""
    return role if index < 0 else f"{role}[{index}]"


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
        """Name of the thread."""
        return thread_name(self.role, self.index)


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

    `memory_node` is the NUMA node of the data; by default, the node with memory and the most free cores, isolated ones
    first. `busy` are CPUs in use by others. Raises `AffinityError` when no CPU may be used, or the node has no memory
    or no CPU for this process.
    """
    if isinstance(roles, str):
        roles = parse_roles(roles)
    topology = topology or read_topology()
    allowed = topology.cpu_sets.allowed
    if not allowed:
        raise AffinityError("the CPUs available to this process are unknown; name CPUs instead")
    facts = CpuFacts(topology, busy)
    planner = _Planner(facts, memory_node)
    threads = [(role.name, index if role.count > 1 else -1) for role in roles for index in range(role.count)]
    order = sorted(threads, key=lambda thread: thread[0] != FIRST_ROLE)  # stable: else as listed
    placed = {thread: planner.place(*thread) for thread in order}
    return Plan(
        assignments=tuple(planner.explain(*thread, placed[thread]) for thread in threads),
        memory_node=planner.memory_node,
        warnings=(*_warnings(topology, len(threads)), *_warn_of_half_cores(facts)),
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


def _warn_of_half_cores(facts: CpuFacts) -> Iterator[str]:
    """Isolated CPUs in use whose core is shared with the scheduler."""
    half = [cpu for cpu in facts.threads if facts.shared_isolation(cpu)]
    if half:
        beside = {sibling for cpu in half for sibling in facts.shared_isolation(cpu)}
        yield (
            f"CPU {format_cpu_list(half)} isolated, but not the SMT sibling on the same core, CPU "
            f"{format_cpu_list(beside)}: the scheduler may run other work there; isolate both"
        )


class _Planner:
    """Places threads one by one; each placement marks its CPU busy for the next."""

    def __init__(self, facts: CpuFacts, memory_node: int | None) -> None:
        self._facts = facts
        self.memory_node = choose_node(facts) if memory_node is None else check_node(facts, memory_node)

    def place(self, role: str, index: int) -> int:
        """Choose the best remaining CPU for a thread."""
        facts = self._facts
        cpu = min(facts.allowed, key=self._cost)
        facts.threads.setdefault(cpu, []).append(thread_name(role, index))
        if role == FIRST_ROLE and facts.matcher is None:
            facts.matcher = cpu
        return cpu

    def explain(self, role: str, index: int, cpu: int) -> Assignment:
        """The assignment with its reasons, which are true only once all threads have their CPUs."""
        reasons = Reasons(self._facts, self.memory_node, cpu, thread_name(role, index))
        return Assignment(role, index, cpu, self._facts.node.get(cpu), tuple(reasons.pro), tuple(reasons.contra))

    def _cost(self, cpu: int) -> tuple[int | bool, ...]:
        """Smaller is better; the first difference decides."""
        facts = self._facts
        return (
            cpu == facts.matcher,
            len(facts.threads.get(cpu, ())) + (cpu in facts.busy_by_others),
            facts.beside(cpu),
            facts.kind_rank.get(cpu, 0),
            facts.distance(cpu, self.memory_node),
            1 + bool(facts.shared_isolation(cpu)) if cpu in facts.isolated else 3,
            not facts.is_near(cpu),
            (0 in facts.core(cpu)) + (cpu == 0),
            cpu,
        )
