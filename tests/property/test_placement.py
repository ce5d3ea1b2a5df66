"""On any host, a plan keeps threads apart, near their memory, inside the allowed CPUs, and says what is so.

Hosts are drawn with 1 to 4 CPUs a core, numbered side by side or in rows, nodes with and without memory, isolated and
busy CPUs. Planners that break one rule each show that the check can fail.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowlat.probes.cpu import placement
from lowlat.probes.cpu.placement import Plan, plan
from lowlat.probes.cpu.placement_facts import CpuFacts
from lowlat.probes.topology import Topology
from tests.property.placement_rules import broken_rules
from tests.property.strategies import EXAMPLES
from tests.synthetic_hosts import host

ROLES = ("matcher", "matcher,publisher", "matcher,producer,publisher", "matcher,producer=4,publisher=2")


@dataclass(frozen=True)
class Case:
    """A host, and what is asked of it."""

    topology: Topology
    roles: str
    busy: frozenset[int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    width, count, nodes = draw(st.integers(1, 4)), draw(st.integers(1, 8)), draw(st.integers(1, 3))
    side_by_side = draw(st.booleans())
    cores = [
        tuple(core * width + cpu if side_by_side else core + count * cpu for cpu in range(width))
        for core in range(count)
    ]
    cpus = [cpu for core in cores for cpu in core]
    some = st.frozensets(st.sampled_from(cpus))
    split = [tuple(sorted(cpu for core in cores[node::nodes] for cpu in core)) for node in range(nodes)]
    topology = host(
        cores,
        nodes=[each for each in split if each],
        without_memory=draw(st.frozensets(st.integers(0, min(nodes, count) - 1), max_size=min(nodes, count) - 1)),
        isolated=tuple(sorted(draw(some))),
        allowed=tuple(sorted(draw(st.frozensets(st.sampled_from(cpus), min_size=1)))),
    )
    return Case(topology, draw(st.sampled_from(ROLES)), draw(some))


def planned(case: Case) -> Plan:
    return plan(case.roles, case.topology, busy=case.busy)


@pytest.mark.scaled
@given(cases())
@settings(max_examples=10 * EXAMPLES, deadline=None)
def test_every_plan_keeps_the_rules(case: Case) -> None:
    found = planned(case)
    assert broken_rules(found, case.topology, case.busy) == [], found


def blind_to_the_matcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any busy sibling counts the same: the publisher goes beside the matcher."""
    monkeypatch.setattr(CpuFacts, "beside", lambda self, cpu: any(map(self.is_busy, self.siblings(cpu))))


def blind_to_siblings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads go to cores that are in use."""
    monkeypatch.setattr(CpuFacts, "beside", lambda self, cpu: 0)


def blind_to_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lowest node is home, with memory or without."""
    monkeypatch.setattr(placement, "choose_node", lambda facts: min(facts.node.values(), default=None))


def blind_to_the_allowed_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """All CPUs of the host are taken."""

    def every_cpu(facts: CpuFacts, topology: Topology, busy: frozenset[int]) -> None:
        known(facts, topology, busy)
        facts.allowed = topology.cpu_sets.online.value or ()

    known = CpuFacts.__init__
    monkeypatch.setattr(CpuFacts, "__init__", every_cpu)


def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reasons are written when a thread is placed, not when the plan is done."""
    place, explain = placement._Planner.place, placement._Planner.explain
    early: dict[tuple[str, int], placement.Assignment] = {}

    def place_and_explain(self: placement._Planner, role: str, index: int) -> int:
        cpu = place(self, role, index)
        early[role, index] = explain(self, role, index, cpu)
        return cpu

    monkeypatch.setattr(placement._Planner, "place", place_and_explain)
    monkeypatch.setattr(placement._Planner, "explain", lambda self, role, index, cpu: early[role, index])


SMT = host([(0, 2), (1, 3)])
MEMORYLESS = host([(0,), (1,)], nodes=[(0,), (1,)], without_memory=[0])


@pytest.mark.parametrize(
    ("fault", "topology", "roles", "words"),
    [
        (blind_to_the_matcher, SMT, "matcher,producer,publisher", "disturbs the matcher"),
        (blind_to_siblings, host([(0, 1), (2, 3), (4, 5)]), "matcher,publisher", "shares a core while"),
        (blind_to_memory, MEMORYLESS, "matcher", "node 0 has no memory"),
        (blind_to_the_allowed_set, host([(0,), (1,), (2,)], allowed=(2,)), "matcher", "outside the allowed CPUs"),
        (hasty, SMT, "matcher,a,b,c", "claims 'no other planned thread on its core'"),
    ],
)
def test_a_planner_with_a_fault_is_found(
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch], None],
    topology: Topology,
    roles: str,
    words: str,
) -> None:
    case = Case(topology, roles, frozenset())
    assert broken_rules(planned(case), topology, ()) == []
    fault(monkeypatch)
    found = broken_rules(planned(case), topology, ())
    assert any(words in each for each in found), found


def test_a_false_home_is_found() -> None:
    good = plan("matcher", MEMORYLESS)
    (matcher,) = good.assignments
    away = dataclasses.replace(matcher, cpu=0, node=0)
    found = broken_rules(dataclasses.replace(good, assignments=(away,)), MEMORYLESS, ())
    assert "the matcher is away from the memory, where a core was free" in found
    assert "matcher claims 'where the memory is'" in found
