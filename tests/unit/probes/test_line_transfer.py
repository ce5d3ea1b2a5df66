"""Which CPUs `lowlat cores` pairs, and what a pair without figures is."""

from __future__ import annotations

import pytest

from lowlat.probes import _core
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.cpu.line_transfer import CPUS_MAX, measure_pairs, sampled_cpus


@pytest.mark.parametrize("count", [2, CPUS_MAX])
def test_few_cpus_are_all_measured(count: int) -> None:
    assert sampled_cpus(range(count)) == tuple(range(count))


@pytest.mark.parametrize("count", [17, 64, 128, 255])
def test_of_many_cpus_neighbors_are_spread_evenly(count: int) -> None:
    found = sampled_cpus(range(count))
    assert len(set(found)) == CPUS_MAX
    assert found == tuple(sorted(found))
    assert all(second == first + 1 for first, second in zip(found[::2], found[1::2], strict=True))
    assert found[-1] >= count * 3 // 4


def test_no_block_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        one_way_ticks: tuple[float, ...] = ()
        error = 0

    monkeypatch.setattr("lowlat.probes._core.measure_line_transfer", lambda *_: Nothing)
    (pair,), stopped = measure_pairs((0, 1), 1e9, lambda *_: None)
    assert (pair.blocks, pair.min_ns, pair.median_ns, stopped) == (0, None, None, False)


@pytest.mark.parametrize("second", [0, -1])
def test_a_block_cannot_outlast_the_limit(second: int) -> None:
    """Of hours, on one CPU, where the two never run at once, and on two: it returns, and is not counted."""
    cpus = allowed_cpus()
    found = _core.measure_line_transfer(cpus[0], cpus[second], 0, 30_000_000, 5, 10**12)
    assert found.error == 0
    assert list(found.one_way_ticks) == []
