"""The chain of loads is one cycle through all lines, and what it measures grows with the memory."""

from __future__ import annotations

import ctypes
import dataclasses
from itertools import pairwise

import pytest

from lowlat.probes import _core
from lowlat.probes.clock.counter import calibrate_quick
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.memory import ladder as ladders
from lowlat.probes.memory.chase import SAMPLES_MIN, SIZE_MIN_BYTES, Chase, data_caches, ladder_sizes, line_bytes_of
from lowlat.probes.memory.ladder import LadderPlan, measure_ladder
from lowlat.probes.memory.region import PageChoice, Region, open_region
from lowlat.probes.memory.sites import Site
from lowlat.probes.reading import known, unknown
from lowlat.probes.topology import Topology
from lowlat.probes.topology.model import Cache
from tests.synthetic_hosts import host, singles

KIB, MIB = 1 << 10, 1 << 20
CLOCK_HZ = calibrate_quick().frequency_hz
HERE = Site(None, allowed_cpus()[0], bind=False, bytes_max=1 << 62)


def base_pages(size_bytes: int) -> Region:
    region = open_region(size_bytes, "base", None).value
    assert region is not None
    return region


def cycle(region: Region, lines: int, line_bytes: int) -> list[int]:
    """The lines in the order in which the chain visits them, until it is back at the first."""
    start = region.native.address
    found = [0]
    while (at := ctypes.c_uint64.from_address(start + found[-1] * line_bytes).value) != start:
        found.append((at - start) // line_bytes)
        assert len(found) <= lines
    return found


@pytest.mark.parametrize("line_bytes", [64, 128])
def test_the_chain_is_one_cycle_at_every_size(line_bytes: int) -> None:
    region = base_pages(MIB)
    chase = _core.PointerChase(region.native, line_bytes)
    before: list[int] = []
    for size_bytes in (4 * KIB, 5 * KIB, 40 * KIB, MIB):
        chase.extend(size_bytes)
        lines = size_bytes // line_bytes
        found = cycle(region, lines, line_bytes)
        assert sorted(found) == list(range(lines))
        assert chase.bytes == size_bytes
        assert [line for line in found if line < len(before)] == before  # extended, not made anew
        before = found
    steps = [abs(after - at) for at, after in pairwise(before)]
    assert sum(steps) / len(steps) > lines / 5  # of a random order a third, of one that a prefetcher knows 1


def test_a_smaller_size_leaves_the_chain() -> None:
    chase = _core.PointerChase(base_pages(MIB).native, 64)
    chase.extend(MIB)
    chase.extend(4 * KIB)
    assert chase.bytes == MIB


def test_memory_takes_longer_than_the_nearest_cache() -> None:
    """32 MiB miss every cache but the last one, which takes several times as long as the first one."""
    chase = Chase(base_pages(32 * MIB), 64, CLOCK_HZ)
    near, far = (chase.measure(size_bytes, 5_000_000) for size_bytes in (SIZE_MIN_BYTES, 32 * MIB))
    assert 0 < near.min_ns <= near.median_ns
    assert near.samples >= SAMPLES_MIN
    assert far.min_ns > 2 * near.min_ns


def test_a_load_from_the_nearest_cache_takes_some_cycles() -> None:
    """3 to 7 on every x86-64 and aarch64 core; beside a core clock up to twice as fast as the counter, or as slow."""
    for _ in range(10):  # another program may share the core all the time; it does not make a load shorter
        load = Chase(base_pages(MIB), 64, CLOCK_HZ).measure(SIZE_MIN_BYTES, 10_000_000)
        speed = _core.measure_core_speed(20_000_000)
        cycles = load.min_ns * 1e-9 * CLOCK_HZ * speed.cycles_per_tick
        if 2.5 <= cycles <= 8:
            return
    pytest.fail(f"a load takes {cycles:.1f} cycles")


def test_sizes_have_four_steps_in_an_octave_and_end_at_the_limit() -> None:
    assert ladder_sizes(10 * KIB) == (4 * KIB, 5 * KIB, 6 * KIB, 7 * KIB, 8 * KIB, 10 * KIB)
    assert ladder_sizes(300 * MIB)[-3:] == (224 * MIB, 256 * MIB, 300 * MIB)
    assert {48 * KIB, 32 * KIB, 1280 * KIB, 2 * MIB} <= set(ladder_sizes(4 * MIB))


def with_caches(*caches: Cache) -> Topology:
    return dataclasses.replace(host(singles(4)), caches=known(caches, "x"))


def test_the_caches_of_a_cpu_are_those_that_hold_data() -> None:
    found = with_caches(
        Cache(3, "Unified", 32 * MIB, 128, None, None, ((0, 1, 2, 3),)),
        Cache(1, "Data", 48 * KIB, 64, None, None, ((0,), (1,))),
        Cache(1, "Data", 32 * KIB, 64, None, None, ((2,), (3,))),  # cores of another kind
        Cache(1, "Instruction", 32 * KIB, 64, None, None, ((0,), (1,), (2,), (3,))),
        Cache(2, "Unified", None, 64, None, None, ((0, 1), (2, 3))),
    )
    assert [(cache.level, cache.size_bytes) for cache in data_caches(found, 1)] == [(1, 48 * KIB), (3, 32 * MIB)]
    assert [cache.size_bytes for cache in data_caches(found, 3)] == [32 * KIB, 32 * MIB]
    assert line_bytes_of(data_caches(found, 1)) == 128
    assert line_bytes_of(()) == 64


def plan(limit_bytes: int) -> LadderPlan:
    return LadderPlan(limit_bytes, 64, 20_000_000, CLOCK_HZ)


def test_a_ladder_has_every_size() -> None:
    told: list[float] = []
    found = measure_ladder(HERE, "base", plan(MIB), lambda _, share: told.append(share))
    assert [point.size_bytes for point in found.points] == list(ladder_sizes(MIB))
    assert not found.interrupted
    assert told == sorted(told)
    assert told[-1] < 1.0


def test_a_node_with_little_memory_has_a_short_ladder() -> None:
    small = dataclasses.replace(HERE, bytes_max=64 * KIB)
    assert measure_ladder(small, "base", plan(MIB), lambda *_: None).points[-1].size_bytes == 64 * KIB


def test_a_node_without_free_memory_has_no_ladder() -> None:
    none = dataclasses.replace(HERE, bytes_max=0)
    found = measure_ladder(none, "base", plan(MIB), lambda *_: None)
    assert (found.points, found.region.reason) == ((), "the node has no free memory")


def test_memory_that_cannot_be_had_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladders, "open_region", lambda *_: unknown("x", "all is taken"))
    found = measure_ladder(HERE, "huge", plan(MIB), lambda *_: None)
    assert (found.points, found.region.reason, found.interrupted) == ((), "all is taken", False)


def test_ctrl_c_keeps_the_sizes_so_far() -> None:
    calls = 0

    def progress(_text: str, _share: float) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt

    found = measure_ladder(HERE, "base", plan(MIB), progress)
    assert found.interrupted
    assert [point.size_bytes for point in found.points] == list(ladder_sizes(MIB)[:3])


def test_the_names_of_pages_are_the_native_ones() -> None:
    assert [choice.value for choice in PageChoice] == [0, 1, 2]
