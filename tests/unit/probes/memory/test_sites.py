"""Which memory is measured from which CPU, and in which order CPUs take part."""

from __future__ import annotations

import dataclasses

import pytest

from lowlat.probes.memory.bandwidth import cores_first, thread_counts
from lowlat.probes.memory.sites import sites_of
from lowlat.probes.reading import known
from lowlat.probes.topology import Topology
from tests.synthetic_hosts import host, singles

TWO_NODES = host([(0, 4), (1, 5), (2, 6), (3, 7)], nodes=[(0, 1, 4, 5), (2, 3, 6, 7)])


def with_free(topology: Topology, *free_bytes: int) -> Topology:
    nodes = zip(topology.nodes.value or (), free_bytes, strict=True)
    return dataclasses.replace(
        topology, nodes=known(tuple(dataclasses.replace(node, memory_free_bytes=free) for node, free in nodes), "x")
    )


def test_each_node_is_loaded_from_its_highest_cpu_home_first() -> None:
    found = sites_of(with_free(TWO_NODES, 1 << 30, 3 << 30), range(8))
    assert [(site.node, site.cpu, site.node_to_bind, site.bytes_max) for site in found] == [
        (1, 7, 1, 3 << 29),
        (0, 5, 0, 1 << 29),
    ]


def test_memory_without_cpus_is_loaded_from_the_nearest() -> None:
    far = host(singles(4), nodes=[(0, 1), (2, 3), ()])
    assert [(site.node, site.cpu) for site in sites_of(far, (0, 1, 2))] == [(1, 2), (0, 1), (2, 2)]


def test_cpus_of_one_node_load_from_the_other_one_too() -> None:
    assert [(site.node, site.cpu) for site in sites_of(TWO_NODES, (0, 1))] == [(0, 1), (1, 1)]


@pytest.mark.parametrize("nodes", [[], [(0, 1)]])
def test_one_node_is_not_bound_to(nodes: list[tuple[int, ...]]) -> None:
    (site,) = sites_of(host(singles(2), nodes=nodes), (0, 1))
    assert (site.node, site.cpu, site.node_to_bind) == (0 if nodes else None, 1, None)
    assert site.bytes_max > 1 << 40


def test_threads_are_added_core_by_core_on_the_first_node_first() -> None:
    assert cores_first(TWO_NODES, range(8), 1) == (2, 3, 0, 1, 6, 7, 4, 5)
    assert cores_first(TWO_NODES, (0, 4), 1) == (0, 4)


@pytest.mark.parametrize(
    ("cpus", "counts"),
    [
        (1, (1,)),
        (2, (1, 2)),
        (8, (1, 2, 3, 4, 5, 6, 7, 8)),
        (9, (1, 2, 3, 4, 5, 6, 7, 8, 9)),
        (40, (1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 40)),
        (64, (1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64)),
    ],
)
def test_many_threads_double(cpus: int, counts: tuple[int, ...]) -> None:
    assert thread_counts(cpus) == counts
