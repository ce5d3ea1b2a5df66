"""A plan never puts the matcher on a busy core or far from its memory."""

from __future__ import annotations

import dataclasses

import pytest

from lowlat.probes.cpu.placement import Assignment, Plan, Role, parse_roles, plan
from lowlat.probes.errors import AffinityError
from lowlat.probes.host.cgroup import CpuQuota
from lowlat.probes.host.virtualization import Virtualization
from lowlat.probes.reading import known
from lowlat.probes.topology import CoreKind, read_topology
from tests.synthetic_hosts import ABSENT, host, singles


def by_thread(found: Plan) -> dict[str, int]:
    return {assignment.thread: assignment.cpu for assignment in found.assignments}


def of(found: Plan, thread: str) -> Assignment:
    return next(assignment for assignment in found.assignments if assignment.thread == thread)


def test_roles_are_read() -> None:
    assert parse_roles("producer=2, matcher,publisher = 1") == (
        Role("producer", 2),
        Role("matcher", 1),
        Role("publisher", 1),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a role"),
        ("matcher,,x", "'' is not a role"),
        ("=2", "'=2' is not a role"),
        ("a=b", "'a=b' is not a role"),
        ("a=0", "asks for 0 threads"),
        ("a=1025", "asks for 1,025 threads"),
        ("a,b,a", "role 'a' is given twice"),
    ],
)
def test_wrong_roles_are_named(text: str, message: str) -> None:
    with pytest.raises(AffinityError, match=message):
        parse_roles(text)


def test_matcher_chooses_first_and_not_cpu_0() -> None:
    found = plan("producer=2,matcher,publisher", host(singles(4)))
    assert by_thread(found) == {"producer[0]": 2, "producer[1]": 3, "matcher": 1, "publisher": 0}
    assert of(found, "matcher").compromises == ()
    assert "not CPU 0" in of(found, "matcher").reasons
    assert any("no better CPU is left" in text for text in of(found, "publisher").compromises)
    assert found.cpus_of("producer") == (2, 3)


def test_no_thread_is_the_sibling_of_another_while_cores_are_free() -> None:
    found = plan("matcher,publisher", host([(0, 2), (1, 3)]))
    assert by_thread(found) == {"matcher": 1, "publisher": 2}
    whole = "no other planned thread on its core (SMT sibling CPU 3, whose load is not measured)"
    assert whole in of(found, "matcher").reasons


def test_matchers_sibling_is_taken_last_and_said() -> None:
    found = plan("matcher,a,b", host([(0, 2), (1, 3)]))
    assert by_thread(found) == {"matcher": 1, "a": 2, "b": 0}
    assert "SMT sibling of CPU 2 (a): no free core is left" in of(found, "b").compromises
    found = plan("matcher,a,b,c", host([(0, 2), (1, 3)]))
    assert by_thread(found) == {"matcher": 1, "a": 2, "b": 0, "c": 3}
    assert "SMT sibling of CPU 1 (matcher): no free core is left" in of(found, "c").compromises


def test_reasons_are_those_of_the_whole_plan() -> None:
    """The matcher chooses first, when its core is still empty; what is said of it is what is so at the end."""
    matcher = of(plan("matcher,a,b,c", host([(0, 2), (1, 3)])), "matcher")
    assert "SMT sibling of CPU 3 (c): no free core is left" in matcher.compromises
    assert not any("no other planned thread" in text for text in matcher.reasons)


def test_core_of_cpu_0_is_left_to_the_kernel() -> None:
    found = plan("matcher", host([(0, 1), (2, 3)]))
    assert by_thread(found) == {"matcher": 2}
    (matcher,) = plan("matcher", host([(0, 1)])).assignments
    assert matcher.cpu == 1 and any("on the core of CPU 0" in text for text in matcher.compromises)


def test_sibling_that_others_may_use_is_said() -> None:
    (matcher,) = plan("matcher", host([(0, 2), (1, 3)], allowed=(1, 2))).assignments
    assert "SMT sibling CPU 3 is outside the allowed CPUs" in matcher.compromises


def test_half_isolated_core_is_worse_than_a_whole_one_and_warned_of() -> None:
    found = plan("matcher,a,b", host([(0, 3), (1, 4), (2, 5)], isolated=(1, 2, 5)))
    assert by_thread(found) == {"matcher": 2, "a": 1, "b": 3}
    assert "only a part of its core is isolated: the scheduler may run work on SMT sibling CPU 4" in (
        of(found, "a").compromises
    )
    assert of(found, "b").compromises[-1].startswith("on the core of CPU 0")
    assert any("CPU 1 isolated, but not the SMT sibling on the same core, CPU 4" in text for text in found.warnings)
    assert not any("but not the SMT sibling" in text for text in plan("matcher", host(singles(2))).warnings)


def test_memory_decides_the_node() -> None:
    found = plan("matcher", host(singles(6), nodes=[(0, 1, 2), (3, 4), (5,)], without_memory=[0]))
    assert (found.memory_node, by_thread(found)) == (1, {"matcher": 3})
    found = plan("matcher,a", host(singles(6), nodes=[(0, 1), (2, 3), (4, 5)], without_memory=[0, 2], isolated=(4,)))
    assert (found.memory_node, by_thread(found)) == (1, {"matcher": 2, "a": 3})


def test_without_memory_on_its_nodes_the_nearest_is_named() -> None:
    nodes = [(0, 1), (2, 3), (4, 5)]
    found = plan("matcher", host(singles(6), nodes=nodes, without_memory=[0, 1], allowed=(0, 1, 2, 3)))
    assert (found.memory_node, by_thread(found)) == (2, {"matcher": 2})
    assert "on node 1, away from the memory on node 2" in of(found, "matcher").compromises


def test_overflow_goes_to_the_next_node() -> None:
    found = plan("matcher,a,b", host(singles(6), nodes=[(0, 1), (2, 3), (4, 5)]), memory_node=2)
    assert by_thread(found) == {"matcher": 4, "a": 5, "b": 2}


def test_sibling_of_other_work_is_avoided() -> None:
    assert by_thread(plan("matcher", host([(0, 3), (1, 4), (2, 5)]), busy=[1])) == {"matcher": 2}
    found = plan("matcher", host([(0, 1)]), busy=[0])
    assert of(found, "matcher").cpu == 1
    assert "SMT sibling of CPU 0 (other work): no free core is left" in of(found, "matcher").compromises


def test_isolated_cpus_come_first() -> None:
    found = plan("matcher,publisher,extra", host(singles(5), isolated=(2, 4)))
    assert by_thread(found) == {"matcher": 2, "publisher": 4, "extra": 1}
    assert "isolated from the scheduler" in of(found, "matcher").reasons
    assert "not isolated: no isolated CPU is left" in of(found, "extra").compromises
    assert not any("isolated" in warning for warning in found.warnings)


def test_isolated_cpus_are_used_though_the_affinity_lacks_them() -> None:
    assert by_thread(plan("matcher", host(singles(4), isolated=(3,), allowed=(0, 1)))) == {"matcher": 3}


def test_threads_stay_on_the_node_of_the_memory() -> None:
    two_nodes = host(singles(6), nodes=[(0, 1, 2), (3, 4, 5)])
    found = plan("matcher,publisher", two_nodes, memory_node=1)
    assert by_thread(found) == {"matcher": 3, "publisher": 4}
    assert "on node 1, where the memory is" in of(found, "matcher").reasons
    found = plan("matcher,a,b,c", two_nodes, memory_node=1)
    assert of(found, "c").node == 0
    assert "on node 0, away from the memory on node 1" in of(found, "c").compromises


def test_memory_goes_where_the_isolated_cores_are() -> None:
    found = plan("matcher", host(singles(6), nodes=[(0, 1, 2, 3), (4, 5)], isolated=(5,)))
    assert (found.memory_node, found.cpus_of("matcher")) == (1, (5,))


def test_node_is_worth_more_than_isolation_and_a_free_core_more_than_the_node() -> None:
    found = plan("matcher", host(singles(4), nodes=[(0, 1), (2, 3)], isolated=(3,)), memory_node=0)
    assert by_thread(found) == {"matcher": 1}
    found = plan("matcher,b", host([(0, 1), (2,)], nodes=[(0, 1), (2,)]), memory_node=0)
    assert by_thread(found) == {"matcher": 1, "b": 2}


def test_threads_gather_around_the_matchers_cache() -> None:
    found = plan("producer,matcher", host(singles(6), last_level=[(0, 1, 5), (2, 3, 4)], isolated=(2, 1, 4)))
    assert by_thread(found) == {"matcher": 1, "producer": 2}
    assert any("does not share the last-level cache" in text for text in of(found, "producer").compromises)
    found = plan("producer,matcher", host(singles(6), last_level=[(0, 2, 4), (1, 3, 5)]))
    assert by_thread(found) == {"matcher": 1, "producer": 3}
    assert "shares the last-level cache of CPU 1 (matcher)" in of(found, "producer").reasons


def test_fast_cores_come_first_on_hybrid_machines() -> None:
    kinds = (CoreKind("performance", (4, 5), "x"), CoreKind("efficiency", (0, 1, 2, 3), "x"))
    found = plan("matcher,a,b", dataclasses.replace(host(singles(6)), core_kinds=kinds))
    assert by_thread(found) == {"matcher": 4, "a": 5, "b": 1}
    assert "core type 'efficiency'" in of(found, "b").compromises


def test_nothing_outside_the_allowed_set() -> None:
    found = plan("matcher,a,b", host(singles(8), allowed=(2, 6)))
    assert set(by_thread(found).values()) == {2, 6}
    assert by_thread(found) == {"matcher": 2, "a": 6, "b": 6}  # the matcher's CPU is shared last
    assert "shared with a: 2 CPUs available" in of(found, "b").compromises
    assert any("3 threads on 2 available CPUs" in warning for warning in found.warnings)


def test_one_cpu_takes_all() -> None:
    assert by_thread(plan("matcher,publisher", host(singles(1)))) == {"matcher": 0, "publisher": 0}


def test_quota_and_guest_are_warned_of() -> None:
    quota = known(CpuQuota(1.5, 150_000, 100_000), "x")
    guest = Virtualization(known("KVM", "x"), ABSENT)
    topology = dataclasses.replace(host(singles(4)), cpu_quota=quota, virtualization=guest)
    warnings = plan("matcher,publisher", topology).warnings
    assert "the CPU quota is 1.5: 2 spinning threads will be throttled" in warnings
    assert any("no available CPU is isolated" in warning for warning in warnings)
    assert any("guest view" in warning for warning in warnings)


def test_impossible_wishes_are_refused() -> None:
    with pytest.raises(AffinityError, match="the CPUs available to this process are unknown"):
        plan("matcher", host(singles(2), allowed=()))
    with pytest.raises(AffinityError, match=r"node 7 has no CPU that this process may use; choose from 0"):
        plan("matcher", host(singles(2), nodes=[(0, 1)]), memory_node=7)
    with pytest.raises(AffinityError, match=r"node 0 has no memory that this process may use; choose from 1"):
        plan("matcher", host(singles(2), nodes=[(0,), (1,)], without_memory=[0]), memory_node=0)
    with pytest.raises(AffinityError, match="node 0 cannot be used: absent"):
        plan("matcher", host(singles(2)), memory_node=0)


def test_plan_of_this_host_uses_allowed_cpus() -> None:
    topology = read_topology()
    found = plan("producer=2,matcher,publisher", topology)
    assert {assignment.cpu for assignment in found.assignments} <= set(topology.cpu_sets.allowed)
    assert all(assignment.reasons or assignment.compromises for assignment in found.assignments)
