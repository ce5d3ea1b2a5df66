"""Where the caches of a ladder end: found in what other programs disturb, and not where there is no end."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from lowlat.reports.model.memory_ladder import LadderPoint, ReportedCache
from lowlat.reports.model.memory_levels import MeasuredLevel, levels_of

KIB, MIB = 1 << 10, 1 << 20
SIZES = [(4 << octave) * KIB * (4 + step) // 4 for octave in range(19) for step in range(4)]  # 4 KiB to 1.75 GiB
CACHES = (("L1d", 48 * KIB), ("L2", 2 * MIB), ("L3", 32 * MIB))
REPORTED = tuple(ReportedCache(name=name, size_bytes=size) for name, size in CACHES)
TIMES_NS = (2.0, 6.0, 30.0, 120.0)


def all_or_nothing(size: int, held: int) -> float:
    """The share of loads that a cache serves which keeps the latest lines: none of a cycle that it cannot hold."""
    return float(size <= held)


def by_chance(size: int, held: int) -> float:
    """The same for a cache that replaces any line."""
    return min(1.0, held / size)


def ladder(
    share: Callable[[int, int], float],
    caches: Sequence[tuple[str, int]] = CACHES,
    times_ns: Sequence[float] = TIMES_NS,
    sizes: Sequence[int] = SIZES,
    noise: float = 0.0,
) -> list[LadderPoint]:
    """What caches with these times serve; `noise`: the share of sizes at which others make all loads up to 3 times
    longer."""
    rng = random.Random(1)
    found = []
    for size in sizes:
        served = [share(size, held) for _, held in caches]
        shares = [after - before for before, after in zip([0.0, *served], [*served, 1.0], strict=True)]
        time_ns = sum(part * each for part, each in zip(shares, times_ns, strict=True))
        time_ns *= rng.uniform(1, 3) if rng.random() < noise else rng.uniform(1, 1.03)
        found.append(LadderPoint(size_bytes=size, samples=5, min_ns=time_ns, median_ns=time_ns * 1.1))
    return found


def knees(levels: Sequence[MeasuredLevel]) -> dict[str | None, tuple[str, int | None]]:
    return {level.name: (level.verdict, level.knee_bytes) for level in levels}


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("share", [all_or_nothing, by_chance])
def test_each_knee_is_at_its_cache(share: Callable[[int, int], float], noise: float) -> None:
    levels = levels_of(ladder(share, noise=noise), REPORTED)
    assert [level.name for level in levels] == ["L1d", "L2", "L3", "memory"]
    for level, (_, size) in zip(levels, CACHES, strict=False):
        assert level.verdict == "as reported"
        assert level.knee_bytes is not None
        assert 0.7 * size <= level.knee_bytes <= 1.5 * size
    assert levels[-1].verdict == "memory"
    assert levels[-1].knee_bytes is None


def test_figures_are_those_of_the_flat_part() -> None:
    levels = levels_of(ladder(all_or_nothing), REPORTED)
    for level, time_ns in zip(levels, TIMES_NS, strict=True):
        assert level.min_ns == pytest.approx(time_ns, rel=0.03)
        assert level.median_ns == pytest.approx(1.1 * time_ns, rel=0.03)


def test_a_cache_that_is_smaller_than_reported_differs() -> None:
    """As under a hypervisor that reports the whole L3 and gives a part."""
    reported = (*REPORTED[:2], ReportedCache(name="L3", size_bytes=300 * MIB))
    levels = knees(levels_of(ladder(all_or_nothing), reported))
    assert levels["L2"] == ("as reported", 2 * MIB)
    assert levels["L3"] == ("differs", 32 * MIB)
    assert levels["memory"] == ("memory", None)


def test_without_a_rise_there_is_no_knee() -> None:
    """Nor is a slow rise, such as that of address translation, one."""
    slow = [
        LadderPoint(size_bytes=size, samples=5, min_ns=2 * 1.3**octave, median_ns=9.0)
        for octave, size in ((at / 4, size) for at, size in enumerate(SIZES))
    ]
    for points in (ladder(all_or_nothing, (), (2.0,)), slow):
        found = knees(levels_of(points, REPORTED))
        assert {name: verdict for name, (verdict, _) in found.items()} == dict.fromkeys(
            ("L1d", "L2", "L3"), "no knee"
        ) | {"memory": "memory"}


def test_a_single_long_point_at_the_end_is_no_knee() -> None:
    points = ladder(all_or_nothing, (), (2.0,))
    points[-1] = LadderPoint(size_bytes=points[-1].size_bytes, samples=5, min_ns=40.0, median_ns=40.0)
    assert [level.knee_bytes for level in levels_of(points, ())] == [None]


@pytest.mark.parametrize(("limit", "last"), [(1 * MIB, "L2"), (16 * MIB, "L3")])
def test_what_lies_beyond_the_limit_has_a_time_and_no_knee(limit: int, last: str) -> None:
    sizes = [size for size in SIZES if size < limit] + [limit]
    levels = levels_of(ladder(all_or_nothing, sizes=sizes), REPORTED)
    found = {level.name: level for level in levels}
    assert "memory" not in found
    assert (found[last].verdict, found[last].knee_bytes) == ("beyond the limit", None)
    time_ns = dict(zip((*(name for name, _ in CACHES), "memory"), TIMES_NS, strict=True))[last]
    assert found[last].min_ns == pytest.approx(time_ns, rel=0.03)
    if last == "L2":
        assert (found["L3"].verdict, found["L3"].min_ns) == ("beyond the limit", None)


def test_a_cache_that_nobody_reports_is_shown() -> None:
    levels = levels_of(ladder(all_or_nothing), (REPORTED[0], REPORTED[2]))
    verdicts = [(level.name, level.verdict) for level in levels]
    assert ("memory", "memory") in verdicts
    assert len([each for each in verdicts if each[1] == "not reported"]) == 1
    assert levels_of(ladder(all_or_nothing), ())[0].verdict == "not reported"


@pytest.mark.parametrize("count", [0, 1, 2, 4, 5, 6, 9])
def test_a_ladder_that_ctrl_c_cut_has_what_there_is(count: int) -> None:
    levels = levels_of(ladder(all_or_nothing)[:count], REPORTED)
    assert len(levels) == (3 if count else 0)
    if count:
        assert (levels[0].name, levels[0].verdict) == ("L1d", "beyond the limit")
        assert levels[0].min_ns == pytest.approx(2.0, rel=0.03)
