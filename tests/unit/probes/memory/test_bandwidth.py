"""Bytes a second: each thread has memory of its own, near to it, and nodes are measured from each other."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest

from lowlat.probes import _core
from lowlat.probes.clock.counter import calibrate_quick
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.errors import AffinityError
from lowlat.probes.memory import bandwidth, node_access
from lowlat.probes.memory.bandwidth import (
    THREAD_BYTES_MIN,
    MemoryWork,
    ThreadMemory,
    measure_by_threads,
    measure_rates,
    shares,
)
from lowlat.probes.memory.ladder import LadderPlan
from lowlat.probes.memory.node_access import measure_nodes
from lowlat.probes.memory.region import Region, open_region
from lowlat.probes.memory.sites import Site, sites_of
from lowlat.probes.reading import unknown
from lowlat.probes.topology import read_topology
from tests.synthetic_hosts import host, singles

MIB = 1 << 20
CPU = allowed_cpus()[0]


def base_pages(size_bytes: int) -> Region:
    region = open_region(size_bytes, "base", None).value
    assert region is not None
    return region


def words(region: Region, offset: int, count: int) -> list[int]:
    return list((ctypes.c_uint64 * count).from_address(region.native.address + offset))


def work(region: Region, size_bytes: int, kind: MemoryWork, offset: int = 0) -> float:
    own = (ThreadMemory(CPU, region.native.address + offset, size_bytes),)
    return measure_rates(own, (kind,), 20_000_000).bytes_per_s[kind]


def test_threads_read_write_and_copy_all_of_their_memory() -> None:
    region = base_pages(2 * MIB)
    half = MIB // 2
    assert work(region, MIB, MemoryWork.READ) > 0
    assert set(words(region, 0, MIB // 8)) == {0}  # a reader leaves it as it is
    assert work(region, half, MemoryWork.WRITE) > 0
    assert set(words(region, 0, half // 8)) == {1, 2}
    assert set(words(region, half, half // 8)) == {0}  # nothing beyond its own
    assert work(region, MIB, MemoryWork.COPY) > 0
    assert words(region, half, half // 8) == words(region, 0, half // 8)
    assert set(words(region, MIB, MIB // 8)) == {0}


def test_the_median_block_counts_and_threads_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    no_error = SimpleNamespace(error=0, priority=0)
    blocks = ([1e6, 1e6, 90e6], [4e6])  # ns of a MiB; another program hit the third
    given = [SimpleNamespace(ns_of_mebibyte=each, errors=no_error) for each in blocks]
    monkeypatch.setattr(_core, "measure_bandwidth", lambda *_: given)
    found = measure_rates((ThreadMemory(0, 0, 1), ThreadMemory(1, 0, 1)), MemoryWork, 3)
    assert found.bytes_per_s == dict.fromkeys(MemoryWork, MIB * 1e3 + MIB * 250)


def test_a_cpu_that_cannot_be_used_is_named() -> None:
    region = base_pages(MIB)
    with pytest.raises(AffinityError, match="no thread can run on CPU 4000"):
        measure_rates((ThreadMemory(4000, region.native.address, MIB),), (MemoryWork.READ,), 1000)


def test_threads_of_one_region_share_it_without_overlap() -> None:
    one, other = base_pages(3 * MIB), base_pages(MIB)
    found = shares((5, 6, 7), (one, other, one))
    assert [each.cpu for each in found] == [5, 6, 7]
    assert found[1] == ThreadMemory(6, other.native.address, other.native.bytes // THREAD_BYTES_MIN * THREAD_BYTES_MIN)
    first, last = found[0], found[2]
    assert first.size_bytes == last.size_bytes == one.native.bytes // 2 // THREAD_BYTES_MIN * THREAD_BYTES_MIN
    assert last.address == first.address + first.size_bytes
    assert last.address + last.size_bytes <= one.native.address + one.native.bytes


def test_each_count_of_threads_has_its_rates() -> None:
    cpus = allowed_cpus()[:2]
    topology = read_topology()
    found = list(measure_by_threads(topology, cpus, sites_of(topology, cpus), 4 * MIB, 60_000_000, lambda *_: None))
    assert [len(each.threads) for each in found] == list(range(1, len(cpus) + 1))
    for each in found:
        assert set(each.bytes_per_s) == set(MemoryWork)
        assert min(each.bytes_per_s.values()) > 0


def test_the_memory_of_two_nodes_is_the_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    two = host(singles(4), nodes=[(0, 1), (2, 3)])
    asked: list[tuple[int, int | None]] = []

    def opened(size_bytes: int, pages: str, node: int | None) -> object:
        asked.append((size_bytes, node))
        return unknown("x", "none") if pages == "huge" else open_region(size_bytes, "base", None)

    used: list[list[int]] = []

    def measured(threads: tuple[ThreadMemory, ...], *_: object) -> int:
        used.append([each.address for each in threads])
        return len(threads)

    monkeypatch.setattr(bandwidth, "open_region", opened)
    monkeypatch.setattr(bandwidth, "measure_rates", measured)
    sites = (Site(1, 3, bind=True, bytes_max=MIB), Site(0, 1, bind=True, bytes_max=8 * MIB))
    found = list(measure_by_threads(two, (2, 3, 0, 1), sites, 4 * MIB, 1, lambda *_: None))
    assert found == [1, 2, 3, 4]
    assert asked == [(MIB, 1), (MIB, 1), (2 * MIB, 0), (2 * MIB, 0)]  # huge, then base; what node 1 has, half the limit
    last = used[-1]
    assert len(set(last)) == 4
    assert abs(last[0] - last[1]) < MIB  # of one region, the first two threads


def test_nodes_are_measured_from_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a host with one node: the CPUs are real, and the memory of both nodes is where it is."""
    here = allowed_cpus()[:2]
    groups = [(here[0],), (here[-1],)] if len(here) > 1 else [(here[0],), ()]
    two = host([(cpu,) for cpu in here], nodes=groups)
    monkeypatch.setattr(node_access, "open_region", lambda size, _pages, _node: open_region(size, "base", None))
    sites = (Site(0, here[0], bind=True, bytes_max=MIB), Site(1, here[-1], bind=True, bytes_max=8 * MIB))
    plan = LadderPlan(2 * MIB, 64, 40_000_000, calibrate_quick().frequency_hz)
    found = list(measure_nodes(two, here, sites, plan, lambda *_: None))
    pairs = [(each.cpu_node, each.memory_node, each.load.size_bytes) for each in found]
    sources = range(len(here))
    assert pairs == [(cpu, node, size) for node, size in ((0, MIB), (1, 2 * MIB)) for cpu in sources]
    assert all(each.load.min_ns > 0 and each.read_bytes_per_s > 0 for each in found)


def test_one_node_has_no_matrix() -> None:
    one = host(singles(2), nodes=[(0, 1)])
    plan = LadderPlan(MIB, 64, 1, 1e9)
    assert list(measure_nodes(one, (0, 1), sites_of(one, (0, 1)), plan, lambda *_: None)) == []


def test_a_node_whose_memory_cannot_be_had_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    two = host(singles(2), nodes=[(0,), (1,)])
    monkeypatch.setattr(node_access, "open_region", lambda *_: unknown("x", "none"))
    plan = LadderPlan(MIB, 64, 1, 1e9)
    assert list(measure_nodes(two, (0, 1), sites_of(two, (0, 1)), plan, lambda *_: None)) == []


def test_threads_that_have_too_little_memory_are_left_out() -> None:
    """Of 1 MiB, 8 have 128 KiB each; the region of the first CPU is real, and so is that CPU."""
    many = host(singles(64))
    site = Site(None, CPU, bind=False, bytes_max=1 << 62)
    cpus = (CPU, *(cpu for cpu in range(64) if cpu != CPU))
    counts = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bandwidth, "measure_rates", lambda threads, *_: counts.append(threads))
        found = measure_by_threads(many, cpus, (site,), MIB, 1, lambda *_: None)
        assert len(list(found)) == len(counts)
    assert all(each.size_bytes >= THREAD_BYTES_MIN for threads in counts for each in threads)
    at_once = [len(threads) for threads in counts]
    assert at_once[:8] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert 64 not in at_once


@pytest.mark.parametrize("bytes_max", [0, 4096])
def test_a_node_without_free_memory_is_left_out(monkeypatch: pytest.MonkeyPatch, bytes_max: int) -> None:
    monkeypatch.setattr(bandwidth, "open_region", lambda size, _pages, _node: open_region(size, "base", None))
    monkeypatch.setattr(node_access, "open_region", lambda size, _pages, _node: open_region(size, "base", None))
    two = host(singles(2), nodes=[(0,), (1,)])
    sites = tuple(Site(node, CPU, bind=True, bytes_max=bytes_max) for node in (0, 1))
    plan = LadderPlan(MIB, 64, 1, 1e9)
    assert list(measure_nodes(two, (0, 1), sites, plan, lambda *_: None)) == []
    assert list(measure_by_threads(two, (0, 1), sites, MIB, 1, lambda *_: None)) == []
