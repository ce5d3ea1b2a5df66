"""Of interleaved runs, the test counts the ways to exchange the two runs of each pair, so that drift cancels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from lowlat.errors import UsageError
from lowlat.reports.compare.compare import WALL, Samples, compare
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.compare.rank_test import EXACT_MAX, SIGNIFICANT, can_pair, p_value, ratio_estimate
from lowlat.reports.compare.verdict import judge
from lowlat.reports.model.comparison import Interleaving
from tests.unit.reports.compare.test_rank_test import score

PValue = Callable[[Sequence[float], Sequence[float]], float]
Pairs = tuple[list[float], list[float]]


def paired(base: Sequence[float], head: Sequence[float]) -> float:
    return p_value(base, head, paired=True)


def by_hand(base: Sequence[float], head: Sequence[float]) -> float:
    """Exchange the runs of each pair in all ways; p is twice the share with scores at least as extreme."""
    both = [*base, *head]
    scores = [(score(both, b), score(both, h)) for b, h in zip(base, head, strict=True)]
    seen = sum(pair[1] for pair in scores)
    drawn = [sum(chosen) for chosen in itertools.product(*scores)]
    tails = sum(each <= seen for each in drawn), sum(each >= seen for each in drawn)
    return min(1.0, 2 * min(tails) / len(drawn))


def wrong_by(p: PValue, *, ties: bool) -> float:
    """The largest difference from `by_hand` over many small samples."""
    random = np.random.default_rng(5)
    worst = 0.0
    for _ in range(60):
        size = (2, random.integers(2, 8))
        base, head = (random.integers(4, 8, size) * 10 if ties else random.random(size)).tolist()
        worst = max(worst, abs(p(base, head) - by_hand(base, head)))
    return worst


def drifting(random: np.random.Generator, pairs: int, ratio: float, drift: float = 0.3) -> Pairs:
    """Runs that vary by 5% within a pair, and from pair to pair by far more."""
    place = np.exp(random.normal(0, drift, pairs))
    base, head = place * np.exp(random.normal(0, 0.05, (2, pairs)))
    return base.tolist(), (ratio * head).tolist()


@pytest.mark.parametrize("ties", [False, True])
def test_p_counts_every_way_to_exchange_the_runs_of_a_pair(ties: bool) -> None:
    assert wrong_by(paired, ties=ties) < 1e-12
    assert wrong_by(p_value, ties=ties) > 0.1  # broken: exchanges runs of different pairs


def test_known_values() -> None:
    """Ten of ten pairs slower: 2 of 1,024 ways; one of them faster, but by the two fastest runs: many more."""
    base = [float(100 + each) for each in range(10)]
    slower = [value * 2 for value in base]
    assert paired(base, slower) == pytest.approx(2 / 1_024)
    assert paired(slower, base) == pytest.approx(2 / 1_024)
    assert paired(base, base) == paired([40] * 10, [40] * 10) == paired([40] * 50, [40] * 50) == 1.0
    assert paired(base, [50.0, *slower[1:]]) > 4 / 1_024
    rates = [1 / value for value in base], [1 / value for value in slower]
    assert p_value(*rates, higher_is_better=True, paired=True) == paired(base, slower)


def test_p_of_many_pairs_is_that_of_random_exchanges() -> None:
    random = np.random.default_rng(2)
    pairs = EXACT_MAX // 2 + 1
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, 2 * pairs))])
    for ratio in (1.0, 1.02, 1.04):
        base, head = drifting(random, pairs, ratio)
        scores = harmonic[np.array([*base, *head]).argsort().argsort()]
        gaps = scores[pairs:] - scores[:pairs]
        drawn = random.choice([-1, 1], (20_000, pairs)) @ gaps
        share = min(1.0, 2 * min(np.mean(drawn <= gaps.sum()), np.mean(drawn >= gaps.sum())))
        assert paired(base, head) == pytest.approx(share, abs=0.02)


def test_drift_hides_nothing_from_pairs() -> None:
    """15% slower while the machine's speed changes by a third: found in nearly all of 100 comparisons, and in nearly
    none if any run could have been any side's.
    """
    random = np.random.default_rng(1)
    sessions = [drifting(random, 10, 1.15) for _ in range(100)]
    assert sum(paired(*session) < SIGNIFICANT for session in sessions) > 90
    assert sum(p_value(*session) < SIGNIFICANT for session in sessions) < 10


def test_equal_programs_differ_in_1_of_20() -> None:
    random = np.random.default_rng(3)
    for drift in (0.0, 0.3):
        found = sum(paired(*drifting(random, 10, 1.0, drift)) < SIGNIFICANT for _ in range(1_000))
        assert found / 1_000 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1_000)
        assert found > 10


def test_the_interval_excludes_1_exactly_when_p_is_significant_and_holds_the_ratio() -> None:
    random = np.random.default_rng(4)
    seen, held, sessions = set(), 0, 0
    for pairs in (6, 7, 10, 31):
        for _ in range(40):
            base, head = drifting(random, pairs, 1.04)
            estimate = ratio_estimate(base, head, paired=True)
            assert estimate.interval is not None and estimate.interval[0] <= estimate.ratio <= estimate.interval[1]
            significant = paired(base, head) < SIGNIFICANT
            assert significant == (estimate.interval[0] > 1 or estimate.interval[1] < 1)
            seen.add(significant)
            held, sessions = held + (estimate.interval[0] <= 1.04 <= estimate.interval[1]), sessions + 1
    assert seen == {True, False} and 0.92 < held / sessions <= 1


@pytest.mark.parametrize(("significance", "fewest"), [(0.05, 6), (0.01, 8), (0.005, 9)])
def test_pairs_too_few_to_be_significant_are_not_compared_as_such(significance: float, fewest: int) -> None:
    assert not can_pair(fewest - 1, significance) and can_pair(fewest, significance)
    for pairs in (fewest - 1, fewest):
        base = [100.0 + each for each in range(pairs)]
        slower = [value * 2 for value in base]
        found = judge(WALL, base, slower, threshold_percent=10, gates=True, significance=significance, paired=True)
        assert found.test == ("within pairs" if pairs == fewest else "over all runs")
        assert found.p == p_value(base, slower, paired=pairs == fewest) < significance
        assert found.verdict == "regressed"


def samples(values: Sequence[float]) -> Samples:
    return Samples("", (), tuple({WALL: each} for each in values))


def test_only_interleaved_runs_are_pairs() -> None:
    """The same runs, a tenth slower under drift: found as pairs, not as two sets; with a run missing, they are sets."""
    base, head = drifting(np.random.default_rng(1), 10, 1.3)
    rules, order = [parse_rule("wall=10%")], Interleaving(seed=0, pairs=10, first=("base", "head") * 5)
    pairs = compare(samples(base), samples(head), rules, (), order=order)
    sets = compare(samples(base), samples(head), rules, ())
    fewer = compare(samples(base), samples(head[:9]), rules, (), order=order)
    assert [each.metrics[0].test for each in (pairs, sets, fewer)] == ["within pairs", "over all runs", "over all runs"]
    assert pairs.metrics[0].p < sets.metrics[0].p
    with pytest.raises(UsageError, match="significance"):
        compare(samples(base), samples(head), rules, (), order=order, significance=0)
