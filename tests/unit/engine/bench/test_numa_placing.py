"""A run's memory belongs on the node of its CPU: the right node is chosen, binding is undone, misplaced pages are
found.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lowlat.engine.bench import numa
from lowlat.engine.bench.over_runs import hot_path_of
from lowlat.engine.bench.placement import Place, choose_place
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.errors import AffinityError, NumaError
from lowlat.probes.memory import numa_memory
from lowlat.probes.memory.numa_memory import PagePlacement, nearest_memory, thread_policy
from lowlat.probes.reading import Reading, known, not_applicable, unknown
from lowlat.probes.topology import Node, Topology, read_topology
from lowlat.probes.topology.nodes import memory_nodes
from lowlat.reports.model.results import HotPath
from lowlat.reports.terminal import text_lines


def host(*nodes: Node) -> Topology:
    return dataclasses.replace(read_topology(), nodes=known(nodes, "made up"))


def node(number: int, cpus: tuple[int, ...], distances: dict[int, int]) -> Node:
    return Node(number, "cpus and memory", cpus, 1, 1, distances, ())


TWO = host(node(0, (0, 1), {0: 10, 1: 21}), node(1, (2, 3), {0: 21, 1: 10}))


@pytest.mark.parametrize(("cpu", "wanted"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_memory_belongs_to_the_node_of_the_cpu(cpu: int, wanted: int) -> None:
    assert nearest_memory(TWO, cpu, known((0, 1), "x")).value == wanted


def test_cpu_of_a_memoryless_node_takes_the_nearest_memory() -> None:
    three = host(node(0, (0,), {0: 10, 1: 32, 8: 20}), node(1, (1,), {}), node(8, (2,), {}))
    assert nearest_memory(three, 0, known((1, 8), "x")).value == 8
    # A node outside Mems_allowed_list is as good as one without memory.
    assert nearest_memory(TWO, 3, known((0,), "x")).value == 0


def test_no_node_is_made_up() -> None:
    none = nearest_memory(TWO, 0, not_applicable("x", "the kernel shows no NUMA nodes"))
    assert (none.value, none.reason) == (None, "the kernel shows no NUMA nodes")
    assert nearest_memory(TWO, 9, known((0, 1), "x")).reason == "no NUMA node claims CPU 9"


def test_policy_holds_in_the_block_and_the_old_one_comes_back() -> None:
    nodes = memory_nodes()
    before = thread_policy().value
    if nodes.value is None or before is None:
        pytest.skip(f"{nodes.text}; {thread_policy().text}")
    with numa.memory_bound_to(nodes.value[0]) as bound:
        if bound.value is None:
            pytest.skip(bound.text)
        held = thread_policy().value
        memory = np.ones(1 << 16, dtype=np.uint64)  # half a MiB: its own mapping, touched here
        pages = numa.pages_of([(memory.ctypes.data, memory.nbytes)])
    assert held is not None and held.nodes == (nodes.value[0],) and held.policy == numa_memory.Policy.BIND
    assert thread_policy().value == before
    assert pages.value is not None and pages.value.on_node(nodes.value[0])
    assert sum(pages.value.pages_by_node.values()) in (128, 129)  # pages of 4 KiB, one more where they are straddled


def test_refused_binding_is_told_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(policy: object, number: int) -> None:
        raise NumaError(f"memory of this thread cannot be bound to node {number}: the container forbids it")

    monkeypatch.setattr(numa_memory, "set_thread_policy", refuse)
    with numa.memory_bound_to(0) as bound:
        pass
    assert bound.value is None
    assert "the container forbids it" in bound.text
    with numa.memory_bound_to(None) as bound:
        pass
    assert bound.text == "not available here, because no NUMA node was selected"


def test_pages_of_several_ranges_are_added_and_one_refusal_counts_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Reading[PagePlacement]] = [
        known(PagePlacement({0: 3}, 0, 1), "move_pages"),
        known(PagePlacement({0: 1, 1: 2}, 5, 0), "move_pages"),
        unknown("move_pages", "forbidden"),
    ]
    monkeypatch.setattr(numa, "page_placement", lambda address, size: answers[address])
    assert numa.pages_of([(0, 1), (1, 1)]).value == PagePlacement({0: 4, 1: 2}, 5, 1)
    assert numa.pages_of([(0, 1), (2, 1)]).reason == "forbidden"
    assert numa.pages_of([(0, 0)]).value is None


class Run:
    """The part of an outcome that the placement check uses."""

    def __init__(self, cpu: int, bound: int | None, pages: dict[str, int] | None, astray: int = 0) -> None:
        self.cpu = cpu
        self.hot_path = hot_path(numa_node=bound, numa_pages=pages)
        self.pages_astray = astray


def hot_path(**fields: object) -> HotPath:
    plain = dict.fromkeys(("allocations", "page_faults", "involuntary_switches", "huge_page_bytes", "locked"))
    return HotPath(**(plain | {"memory": {}, "numa_node": None} | fields))  # type: ignore[arg-type]


PLACE = Place((0, 2), TWO, known((0, 1), "x"), choose_place(None).placement)


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ([Run(0, 0, {"0": 9}), Run(2, 1, {"1": 9})], True),
        ([Run(0, 0, {"0": 9}), Run(2, 1, {"0": 1, "1": 8})], False),  # one page was left behind
        ([Run(0, 0, {"0": 9}, astray=1)], False),
        ([Run(0, 0, {"1": 9})], False),
        ([Run(0, None, {"0": 9})], True),  # not bound, yet found where it belongs
        ([Run(0, 0, {"0": 9}), Run(0, 0, None)], None),
        ([Run(7, None, {"0": 9})], None),  # no node claims its CPU
    ],
)
def test_verdict_over_runs(runs: list[Run], verdict: bool | None) -> None:
    assert hot_path_of(runs, PLACE).numa_verified is verdict  # type: ignore[arg-type]


def test_pages_of_runs_are_added() -> None:
    """By node, sorted numerically: 10 comes after 9."""
    runs = [Run(0, 10, {"10": 9, "9": 1}), Run(2, 1, {"1": 4, "9": 2})]
    pages = hot_path_of(runs, PLACE).numa_pages  # type: ignore[arg-type]
    assert pages is not None and [*pages.items()] == [("1", 4), ("9", 3), ("10", 9)]
    assert hot_path_of([*runs, Run(0, 0, None)], PLACE).numa_pages is None  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, None),  # a document older than these fields says nothing
        ({"numa_nodes": 0}, "no NUMA nodes"),
        ({"numa_node": 0, "numa_nodes": 1}, "single NUMA node"),
        (
            {"numa_node": 0, "numa_nodes": 1, "numa_pages": {"0": 1234}, "numa_verified": True},
            "single NUMA node (1,234 pages verified)",
        ),
        (
            {"numa_node": 1, "numa_nodes": 2, "numa_pages": {"1": 1234}, "numa_verified": True},
            "bound to node 1, pages verified: 1,234 on node 1",
        ),
        (
            {"numa_node": 1, "numa_nodes": 2, "numa_pages": {"0": 3, "1": 9}, "numa_verified": False},
            "bound to node 1, but pages are on OTHER NODES: 3 on node 0, 9 on node 1",
        ),
        ({"numa_node": 1, "numa_nodes": 2}, "bound to node 1, pages not verified"),
        ({"numa_nodes": 2}, "not bound to a node, pages not verified"),
    ],
)
def test_line_says_where_the_memory_is(fields: dict[str, object], words: str | None) -> None:
    assert text_lines.hot_path(hot_path(**fields)).split(" · ")[3:] == ([words] if words else [])


def test_asked_cpus_are_checked_and_named() -> None:
    cpu = allowed_cpus()[0]
    place = choose_place((cpu,))
    assert (place.cpus, place.placement.chosen_by, place.placement.cpus) == ((cpu,), "user", str(cpu))
    with pytest.raises(AffinityError, match=r"^CPU 4095 does not exist"):
        choose_place((4095,))


def test_planned_cpu_is_one_of_the_allowed_with_its_reasons() -> None:
    place = choose_place(None)
    assert place.cpus is not None and len(place.cpus) == 1
    assert place.cpus[0] in place.topology.cpu_sets.allowed
    assert place.placement.chosen_by == "plan"
    assert place.placement.reasons + place.placement.compromises
    summary = place.topology_facts
    assert summary.cores >= summary.packages >= 1
    assert all(cache.cpus >= 1 for cache in summary.caches)
