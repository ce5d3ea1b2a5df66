"""The measured line size is right every time: padding by a wrong one wastes memory or causes false sharing."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from lowlat.documents import values
from lowlat.probes import _core, cache_line
from lowlat.probes.cache_line import CacheLine, Prefetch, ReportedLine, choose_pair, classify_prefetch, granule
from lowlat.probes.errors import AffinityError
from lowlat.probes.reading import known, not_applicable
from lowlat.probes.topology import read_topology


def test_granule_is_where_times_fall_for_good() -> None:
    assert granule({8: 400, 16: 390, 32: 410, 64: 50, 128: 52}, 400, 50, "x").value == 64
    assert granule({32: 400, 64: 395, 128: 52}, 400, 50, "x").value == 128


@pytest.mark.parametrize(
    ("times", "slow", "fast", "reason"),
    [
        ({32: 400, 64: 50, 128: 400, 256: 50}, 400, 50, "do not drop in one step"),
        ({32: 400, 64: 400}, 400, 50, "do not drop in one step"),
        ({32: 60, 64: 50}, 60, 50, "differ too little: 60.0 and 50.0"),
        ({32: 0, 64: 0}, 0, 0, "differ too little"),
    ],
)
def test_undecided_times_are_unknown(times: dict[int, float], slow: float, fast: float, reason: str) -> None:
    found = granule(times, slow, fast, "x")
    assert found.status == "unknown"
    assert reason in str(found.reason)


@pytest.mark.parametrize(
    ("rates", "pair", "next_line", "previous_line"),
    [
        ((0.0, 1.0, 1.0, 0.0), True, False, False),  # the other half of the pair, whichever it is
        ((0.0, 1.0, 0.0, 1.0), False, True, False),  # always the next one
        ((0.0, 1.0, 1.0, 1.0), True, True, False),
        ((0.5, 1.0, 0.5, 1.0), False, True, True),  # follows the latest direction
        ((0.0, 0.0, 0.0, 0.0), False, False, False),
    ],
)
def test_prefetchers_are_told_apart(
    rates: tuple[float, float, float, float], pair: bool, next_line: bool, previous_line: bool
) -> None:
    names = ("lower_half_previous", "lower_half_next", "upper_half_previous", "upper_half_next")
    found: Prefetch = classify_prefetch(SimpleNamespace(**dict(zip(names, rates, strict=True))))
    assert (found.pair, found.next_line, found.previous_line) == (pair, next_line, previous_line)


def test_measured_line_beats_reports_and_disagreement_is_shown() -> None:
    line = CacheLine(
        reported=(
            ReportedLine("sysfs", known(64, "sysfs")),
            ReportedLine("py-cpuinfo", known(1024, "py-cpuinfo")),
            ReportedLine("ctr_el0", not_applicable("CTR_EL0", "not aarch64")),
        ),
        flush_granule_bytes=not_applicable("clflush", "not x86-64"),
        flush_times_ns={},
        sharing_granule_bytes=known(64, "sharing"),
        sharing_times_ns={},
        sharing_cpus=(0, 1),
        sharing_slices_dropped=0,
        prefetch=not_applicable("neighbors", "not x86-64"),
    )
    assert line.line_bytes == 64
    assert line.disagreements == ("py-cpuinfo says 1024 bytes, not 64",)


def test_flush_granule_is_right_every_time() -> None:
    if not _core.CAN_FLUSH_LINES:
        pytest.skip("only x86-64 flushes lines without privilege")
    reported = cache_line._from_cpuid_clflush().value
    found = [cache_line._flush_granule(_core.measure_flush_times(100)).value for _ in range(20)]
    assert found == [reported] * 20


def test_this_host_measures_what_it_reports() -> None:
    line = cache_line.measure_cache_line(2.5e9)
    assert line.line_bytes is not None
    assert line.line_bytes & (line.line_bytes - 1) == 0
    if line.sharing_granule_bytes.value is not None and line.flush_granule_bytes.value is not None:
        # Some processors share pairs of lines falsely; less than a line is a broken measurement.
        assert line.sharing_granule_bytes.value >= line.flush_granule_bytes.value
    json.dumps(values(line), allow_nan=False)


def test_cpus_must_exist() -> None:
    with pytest.raises(AffinityError, match=r"^CPU 60000 does not exist"):
        cache_line.measure_cache_line(2.5e9, (0, 60_000))


def test_one_cpu_cannot_share() -> None:
    reading, times, dropped = cache_line._sharing((3,), 2.5e9, read_topology())
    assert (
        reading.text == "not available here, because only one CPU is available to this process; false sharing needs two"
    )
    assert (times, dropped) == ({}, 0)


def test_pair_is_on_two_cores_of_one_node() -> None:
    siblings = {0: (0, 4), 4: (0, 4), 1: (1, 5), 5: (1, 5), 2: (2,), 3: (3,)}
    nodes = {0: 0, 1: 0, 4: 0, 5: 0, 2: 1, 3: 1}
    host = SimpleNamespace(cpu_sets=SimpleNamespace(allowed=(0, 1, 4, 5)), siblings_of=siblings.get, node_of=nodes.get)
    assert choose_pair(host) == (5, 4)
    host.cpu_sets.allowed = (0, 2, 4)
    assert choose_pair(host) == (4, 2)  # CPU 0 is the sibling of 4, so the other node
    host.cpu_sets.allowed = (0, 4)
    assert choose_pair(host) == (4, 0)
    host.cpu_sets.allowed = (0,)
    assert choose_pair(host) == (0,)
