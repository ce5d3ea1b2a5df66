"""The latency of each level is that of its own cache, and no memory is taken that is not there."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lowlat.probes.clock.counter import calibrate_quick
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.host.host_tree import LIVE, FolderTree, HostTree
from lowlat.probes.memory import level_latency
from lowlat.probes.memory.level_latency import LevelLatency, measure_levels
from lowlat.probes.memory.region import open_region
from lowlat.probes.reading import known, unknown
from lowlat.probes.topology import Topology
from lowlat.probes.topology.model import Cache
from tests.synthetic_hosts import host

KIB, MIB = 1 << 10, 1 << 20
CPU = allowed_cpus()[-1]
CLOCK_HZ = calibrate_quick().frequency_hz


def with_caches(*sizes: int) -> Topology:
    one = host([(CPU,)])
    caches = (
        Cache(level, "Data" if level == 1 else "Unified", size, 64, None, None, ((CPU,),))
        for level, size in enumerate(sizes, start=1)
    )
    return dataclasses.replace(one, caches=known(tuple(caches), "x"))


def measured(topology: Topology, tree: HostTree = LIVE) -> tuple[LevelLatency, ...]:
    found = measure_levels(topology, CLOCK_HZ, tree).value
    assert found is not None
    return found


def test_each_level_is_loaded_from_half_of_its_size() -> None:
    found = measured(with_caches(32 * KIB, MIB, 8 * MIB))
    assert [(level.name, level.reported_bytes, level.loaded_bytes) for level in found] == [
        ("L1d", 32 * KIB, 16 * KIB),
        ("L2", MIB, 512 * KIB),
        ("L3", 8 * MIB, 4 * MIB),
        ("memory", None, 32 * MIB),
    ]
    assert all(level.cpu == CPU and 0 < level.min_ns <= level.median_ns for level in found)
    assert found[-1].min_ns > 2 * found[0].min_ns


def test_a_cache_within_a_larger_one_of_a_nearer_level_has_no_load() -> None:
    assert [level.name for level in measured(with_caches(32 * KIB, 48 * KIB, 8 * MIB))] == ["L1d", "L3", "memory"]


def test_with_little_memory_far_levels_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemAvailable: 2048 kB\n")
    (tmp_path / "proc/self/smaps").symlink_to("/proc/self/smaps")
    short = FolderTree(tmp_path)
    assert [level.name for level in measured(with_caches(32 * KIB, 512 * KIB, 64 * MIB), _with_smaps(short))] == [
        "L1d",
        "L2",
    ]


def _with_smaps(tree: HostTree) -> HostTree:
    """The tree, but with this process's real smaps."""
    real = tree.text

    def text(path: str) -> str | None:
        return LIVE.text(path) if path == "proc/self/smaps" else real(path)

    tree.text = text  # type: ignore[method-assign]
    return tree


def test_what_cannot_be_had_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert measure_levels(host([(CPU,)]), CLOCK_HZ).reason == "absent"
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemAvailable: 8 kB\n")
    assert "too little memory" in str(measure_levels(with_caches(32 * KIB), CLOCK_HZ, FolderTree(tmp_path)).reason)
    monkeypatch.setattr(level_latency, "open_region", lambda *_: unknown("x", "all is taken"))
    assert measure_levels(with_caches(32 * KIB), CLOCK_HZ).reason == "all is taken"


def test_without_huge_pages_base_pages_are_loaded_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        level_latency,
        "open_region",
        lambda size, pages, *_: unknown("x", "none") if pages == "huge" else open_region(size, "base", None),
    )
    assert {level.pages for level in measured(with_caches(32 * KIB))} == {"base"}
