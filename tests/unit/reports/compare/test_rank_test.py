"""The test of the gate counts all permutations of Savage's scores, and its interval is the test turned around."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy import stats

from lowlat.reports.compare.rank_test import EXACT_MAX, SIGNIFICANT, p_value, ratio_estimate

PValue = Callable[[Sequence[float], Sequence[float]], float]


def score(values: Sequence[float], value: float) -> int:
    """1 + 1/2 + ... + 1/(k - 1) for the value of rank k, the mean of all that are equal, in 64ths."""
    harmonic = [sum(1 / j for j in range(1, rank)) for rank in range(1, len(values) + 1)]
    equal = [number for number, each in zip(harmonic, sorted(values), strict=True) if each == value]
    return round(64 * sum(equal) / len(equal))


def by_hand(base: Sequence[float], head: Sequence[float]) -> float:
    """Enumerate all ways to draw the head: p is twice the share with scores at least as extreme, on one side."""
    both = [*base, *head]
    scores = [score(both, value) for value in both]
    seen = sum(scores[len(base) :])
    drawn = [sum(chosen) for chosen in itertools.combinations(scores, len(head))]
    tails = sum(each <= seen for each in drawn), sum(each >= seen for each in drawn)
    return min(1.0, 2 * min(tails) / len(drawn))


def wrong_by(p: PValue, *, ties: bool) -> float:
    """The largest difference from `by_hand` over many small samples."""
    random = np.random.default_rng(5)
    worst = 0.0
    for _ in range(60):
        sizes = random.integers(2, 6, 2)
        base, head = ((random.integers(4, 8, n) * 10 if ties else random.random(n)).tolist() for n in sizes)
        worst = max(worst, abs(p(base, head) - by_hand(base, head)))
    return worst


def mann_whitney(base: Sequence[float], head: Sequence[float]) -> float:
    return float(stats.mannwhitneyu(base, head).pvalue)


def one_sided(base: Sequence[float], head: Sequence[float]) -> float:
    return p_value(base, head) / 2


@pytest.mark.parametrize("ties", [False, True])
def test_p_counts_every_way_to_draw_the_head(ties: bool) -> None:
    assert wrong_by(p_value, ties=ties) < 1e-12


def test_that_comparison_rejects_another_test_and_a_single_tail() -> None:
    assert wrong_by(mann_whitney, ties=False) > 0.1
    assert wrong_by(mann_whitney, ties=True) > 0.1
    assert wrong_by(one_sided, ties=False) > 0.1


def test_p_is_that_of_many_random_permutations() -> None:
    """20 runs a side, with the statistic from scipy's ranks and exact scores: within what 20,000 draws allow."""
    random = np.random.default_rng(1)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, 40))])
    base, head = random.lognormal(size=20), random.lognormal(0.4, size=20)
    scores = harmonic[stats.rankdata([*base, *head]).astype(int) - 1]
    drawn = np.array([random.permutation(scores)[:20].sum() for _ in range(20_000)])
    share = 2 * min(np.mean(drawn <= scores[20:].sum()), np.mean(drawn >= scores[20:].sum()))
    assert p_value(base.tolist(), head.tolist()) == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(("base_runs", "head_runs"), [(31, 31), (15, 50)])
def test_p_of_many_runs_is_that_of_random_permutations(base_runs: int, head_runs: int) -> None:
    random = np.random.default_rng(2)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, base_runs + head_runs))])
    assert base_runs + head_runs > EXACT_MAX
    for shift in (0.1, 0.3, 0.6):
        base, head = random.lognormal(size=base_runs), random.lognormal(shift, size=head_runs)
        scores = harmonic[stats.rankdata([*base, *head]).astype(int) - 1]
        drawn = np.array([random.permutation(scores)[:head_runs].sum() for _ in range(20_000)])
        seen = scores[base_runs:].sum()
        share = min(1.0, 2 * min(np.mean(drawn <= seen), np.mean(drawn >= seen)))
        assert p_value(base.tolist(), head.tolist()) == pytest.approx(share, abs=0.04)


def test_of_higher_is_better_the_fast_runs_are_the_large_ones() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        base, head = random.lognormal(size=(2, 8)).tolist()
        rates = [1 / value for value in base], [1 / value for value in head]
        assert p_value(*rates, higher_is_better=True) == p_value(base, head)
        told, back = ratio_estimate(*rates, higher_is_better=True), ratio_estimate(base, head)
        assert told.interval is not None and back.interval is not None
        assert (1 / told.ratio, 1 / told.interval[1], 1 / told.interval[0]) == pytest.approx(
            (back.ratio, *back.interval)
        )


def test_slow_runs_say_less_than_fast_ones() -> None:
    """The head's six best runs are faster than all of the base's; the slow ones, which interference made, tell
    little. The Mann-Whitney test sees nothing.
    """
    base = [100.0, 101, 102, 103, 104, 105, 180, 250]
    head = [80.0, 81, 82, 83, 84, 85, 260, 300]
    assert p_value(base, head) < SIGNIFICANT < mann_whitney(base, head)
    assert ratio_estimate(base, head).ratio < 0.9


def test_known_values() -> None:
    """4 and 4 fully separated: 2 of 70 ways. 3 and 3: 2 of 20. All equal: no difference."""
    assert p_value([1, 2, 3, 4], [5, 6, 7, 8]) == pytest.approx(2 / 70)
    assert p_value([4, 5, 6], [1, 2, 3]) == pytest.approx(2 / 20)
    assert p_value([40] * 10, [40] * 10) == 1.0
    assert p_value([40] * 50, [40] * 50) == 1.0
    assert p_value([1], [2]) == 1.0


def test_the_ratio_leaves_the_head_with_the_expected_score() -> None:
    """Of 1, 2 and 2, 4: divided by 2 they are the same. One run a side: their ratio."""
    assert ratio_estimate([1, 2], [2, 4]).ratio == 2
    assert ratio_estimate([10], [13]).ratio == 1.3
    base = [100.0, 104, 109, 117, 131]
    assert ratio_estimate(base, [value * 1.25 for value in base]).ratio == pytest.approx(1.25)


def test_one_outlier_does_not_move_the_ratio_far() -> None:
    base = [100.0] * 9 + [1e9]
    assert ratio_estimate(base, [120.0] * 10).ratio == 1.2


def test_the_interval_has_the_ratios_that_the_test_does_not_reject() -> None:
    random = np.random.default_rng(8)
    base, head = random.lognormal(0, 0.2, 9).tolist(), random.lognormal(0.2, 0.2, 7).tolist()
    interval = ratio_estimate(base, head).interval
    assert interval is not None

    def p_of(ratio: float) -> float:
        return p_value(base, [value / ratio for value in head])

    for inside, outside in ((interval[0] * 1.0001, interval[0] / 1.0001), (interval[1] / 1.0001, interval[1] * 1.0001)):
        assert p_of(outside) <= SIGNIFICANT < p_of(inside)


def test_three_runs_a_side_have_no_interval() -> None:
    assert ratio_estimate([1, 2, 3], [7, 8, 9]).interval is None


def test_the_interval_excludes_1_exactly_when_p_is_significant() -> None:
    random = np.random.default_rng(4)
    seen = set()
    for runs in (4, 7, 10, 40):
        for _ in range(60):
            base, head = random.lognormal(0, 0.2, runs).tolist(), random.lognormal(0.15, 0.2, runs).tolist()
            interval = ratio_estimate(base, head).interval
            assert interval is not None
            significant = p_value(base, head) < SIGNIFICANT
            assert significant == (interval[0] > 1 or interval[1] < 1)
            seen.add(significant)
    assert seen == {True, False}


def test_the_interval_holds_the_true_ratio_in_95_of_100() -> None:
    random = np.random.default_rng(6)
    held = 0
    for _ in range(1_000):
        interval = ratio_estimate(
            random.lognormal(0, 0.3, 10).tolist(), random.lognormal(0.2, 0.3, 10).tolist()
        ).interval
        assert interval is not None
        held += interval[0] <= math.exp(0.2) <= interval[1]
    assert 0.93 < held / 1_000 < 0.98


def test_zeros_have_a_ratio_too() -> None:
    assert ratio_estimate([0, 0, 0, 0], [0, 0, 0, 0]).ratio == 1
    assert ratio_estimate([0, 0, 0, 0], [5, 5, 5, 5]).ratio == math.inf
