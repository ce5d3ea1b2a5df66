"""Gaps without a cause that come at a regular period are named by it; those at random times never are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lowlat.probes.jitter import periods
from lowlat.probes.jitter.periods import AFTERMATH_NS, GAPS_MIN, PERIOD_MIN_NS, SHARE_MIN

Gaps = tuple[NDArray[np.int64], NDArray[np.bool_]]
"""Starts, and whether no counter moved."""
SECOND = 1_000_000_000
LENGTH_NS, READING_NS = 8_000, 30_000


def random(seed: int, count: int, seconds: float = 1.0) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, round(seconds * SECOND), count)


def every(period_ns: float, *, seconds: float = 1.0, phase: float = 0.3, shaken_ns: float = 0.0) -> NDArray[np.int64]:
    """Starts of a timer, each up to `shaken_ns` late."""
    count = int(seconds * SECOND / period_ns)
    late = np.random.default_rng(7).uniform(0, shaken_ns, count)
    return ((np.arange(count) + phase) * period_ns + late).astype(np.int64)


def found(
    unexplained: NDArray[np.int64], explained: NDArray[np.int64] | None = None, explained_ns: int = LENGTH_NS
) -> list[tuple[float, int]]:
    """Each period, in milliseconds, with the number of gaps that have it; explained gaps have none."""
    others = np.array([], np.int64) if explained is None else explained
    starts = np.concatenate((unexplained, others))
    order = np.argsort(starts, kind="stable")
    none = np.concatenate((np.ones(len(unexplained), bool), np.zeros(len(others), bool)))[order]
    lengths = np.where(none, LENGTH_NS, explained_ns)
    found = periods.periods_of(starts[order], lengths, np.full(len(starts), READING_NS), none)
    assert not found[~none].any()
    values, counts = np.unique(found[found > 0].round(-3), return_counts=True)
    return [(value / 1e6, int(count)) for value, count in zip(values.tolist(), counts, strict=True)]


def outside(starts: NDArray[np.int64], theft_ns: int, lost_ns: int) -> NDArray[np.int64]:
    """Starts that no theft, which comes every so often and takes so long, hides."""
    return starts[starts % theft_ns >= lost_ns + READING_NS + AFTERMATH_NS]


@pytest.mark.parametrize("count", [40, 300, 3_000])
def test_gaps_at_random_times_have_no_period(count: int) -> None:
    assert [found(random(seed, count)) for seed in range(30)] == [[]] * 30


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.1, 0.3])
def test_gaps_of_a_short_watch_have_no_period(seconds: float) -> None:
    assert [found(random(seed, 60, seconds)) for seed in range(60)] == [[]] * 60


def test_thefts_at_regular_times_give_the_gaps_between_them_no_period() -> None:
    """Another thread has the CPU for 4 of each 8 ms."""
    thefts = np.arange(0, SECOND, 8_000_000)
    for seed in range(20):
        assert found(outside(random(seed, 2_000), 8_000_000, 4_000_000), thefts, 4_000_000) == []


def test_forgetting_when_nothing_was_watched_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken test: phases alike, whether watched or not. With thefts of most of the time it names a period."""
    thefts = np.arange(0, SECOND, 4_000_000)
    starts = outside(random(1, 9_000), 4_000_000, 3_500_000)
    assert found(starts, thefts, 3_500_000) == []
    monkeypatch.setattr(periods._Stretch, "_exposure", lambda *_: np.full(periods.PHASES, 1 / periods.PHASES))
    monkeypatch.setattr(periods._Watched, "between", lambda _self, edges: np.diff(edges))
    assert found(starts, thefts, 3_500_000) != []


def test_bursts_have_no_period() -> None:
    """Thirty bursts of forty gaps, 10 us apart."""
    for seed in range(20):
        bursts = random(seed, 30)[:, None] + np.arange(40) * 10_000
        assert found(np.sort(bursts.ravel())) == []


def test_gaps_as_close_as_the_counters_can_be_read_have_no_period() -> None:
    """As with a threshold so low that each turn of the loop is a gap."""
    assert found(every(LENGTH_NS + READING_NS + 50.0)) == []
    starts = every(2_000_000.0)
    slow = np.full(len(starts), 1_900_000)
    assert not periods.periods_of(starts, np.full(len(starts), 100), slow, np.ones(len(starts), bool)).any()


@pytest.mark.parametrize("period_ns", [PERIOD_MIN_NS * 1.5, 1e6, 1e9 / 300, 4e6, 1e7, 2e7, 6e7])
@pytest.mark.parametrize("others", [0, 200])
def test_a_timer_is_named_with_its_period(period_ns: float, others: int) -> None:
    seconds = 3.0
    starts = every(period_ns, seconds=seconds, shaken_ns=period_ns / 200)
    ((period_ms, gaps),) = found(np.concatenate((starts, random(3, others, seconds))))
    assert period_ms == pytest.approx(period_ns / 1e6, rel=5e-4)
    assert len(starts) * 0.95 <= gaps <= len(starts) + others * 0.2 + 5


def test_a_timer_that_is_seen_half_of_the_time_is_named() -> None:
    starts = every(1e6)[np.random.default_rng(1).random(1_000) < 0.5]
    assert found(starts) == [(1.0, len(starts))]


def test_a_timer_keeps_its_period_over_a_long_watch() -> None:
    """Thirty seconds are three stretches."""
    assert found(every(1e6, seconds=30.0)) == [(1.0, 30_000)]


def test_two_timers_have_a_period_each() -> None:
    starts = np.concatenate((every(1e6, seconds=3.0), every(3.7e6, seconds=3.0, phase=0.8)))
    first, second = found(starts)
    assert (first[0], second[0]) == (1.0, 3.7)
    assert second[1] > 0.9 * 3_000 / 3.7


def test_the_kernels_own_tick_and_what_follows_it_have_no_period() -> None:
    """The tick is explained; a short gap comes 100 us after each."""
    tick = every(4e6, seconds=3.0)
    assert found(tick + 100_000, tick) == []
    assert found(tick + 100_000) == [(4.0, len(tick))], "without the tick it is a timer's"


def test_few_gaps_and_a_trace_of_regularity_have_no_name() -> None:
    assert found(every(1e6)[: GAPS_MIN - 1]) == []
    starts = every(2e7, seconds=3.0)
    assert len(starts) < SHARE_MIN * 3_000
    assert found(np.concatenate((starts, random(1, 3_000, 3.0)))) == []
    assert found(np.array([], np.int64)) == []
