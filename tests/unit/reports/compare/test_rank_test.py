"""The p of the gate equals scipy's, and is exact where scipy only approximates; its interval inverts the test."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from lowlat.reports.compare.rank_test import EXACT_MAX, SIGNIFICANT, p_value, ratio_estimate

PValue = Callable[[Sequence[float], Sequence[float]], float]


def by_hand(base: Sequence[float], head: Sequence[float]) -> float:
    """Enumerate all ways to draw the head: p is twice the share with a U at least as extreme, on the smaller side."""
    both = [*base, *head]

    def u(chosen: Sequence[int]) -> float:
        others = [both[i] for i in range(len(both)) if i not in chosen]
        return sum((both[i] > other) + 0.5 * (both[i] == other) for i in chosen for other in others)

    seen = u(range(len(base), len(both)))
    drawn = [u(chosen) for chosen in itertools.combinations(range(len(both)), len(head))]
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


def scipy_default(base: Sequence[float], head: Sequence[float]) -> float:
    return float(stats.mannwhitneyu(base, head).pvalue)


def one_sided(base: Sequence[float], head: Sequence[float]) -> float:
    return float(stats.mannwhitneyu(base, head, method="exact", alternative="less").pvalue)


def savage(base: Sequence[float], head: Sequence[float]) -> float:
    """p of Savage's test by the normal curve, for values without ties: the step from rank k to the next counts 1/k."""
    scores = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, len(base) + len(head)))])
    off = scores - scores.mean()
    spread = math.sqrt(len(base) * len(head) / len(off) / (len(off) - 1) * np.square(off).sum())
    seen = off[np.argsort(np.argsort([*base, *head]))][len(base) :].sum()
    return 2 * NormalDist().cdf(-abs(seen) / spread)


def lucky_runs(number: int) -> tuple[list[float], list[float]]:
    """Of the head's ten runs, all but these are 44% slower than the base; these are faster than all of it."""
    base = [50 + i / 100 for i in range(10)]
    return base, [*(49.5 + i / 10 for i in range(number)), *(72 + i / 100 for i in range(10 - number))]


@pytest.mark.parametrize("ties", [False, True])
def test_p_counts_every_way_to_draw_the_head(ties: bool) -> None:
    assert wrong_by(p_value, ties=ties) < 1e-12


def test_that_comparison_rejects_a_normal_curve_under_ties_and_a_single_tail() -> None:
    assert wrong_by(scipy_default, ties=True) > 0.1
    assert wrong_by(one_sided, ties=False) > 0.1


def test_p_is_scipy_s_exact_one_without_ties() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        base, head = random.normal(size=random.integers(1, 25)), random.normal(0.5, size=random.integers(1, 25))
        exact = stats.mannwhitneyu(base, head, method="exact").pvalue
        assert p_value(base.tolist(), head.tolist()) == pytest.approx(exact, rel=1e-9)


def test_p_of_many_runs_is_scipy_s_normal_one_with_ties() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        base, head = (random.integers(0, 15, random.integers(31, 80)) * 10 for _ in range(2))
        normal = stats.mannwhitneyu(base, head, method="asymptotic").pvalue
        assert p_value(base.tolist(), head.tolist()) == pytest.approx(normal, rel=1e-9)


def test_exact_and_normal_p_meet_where_one_takes_over() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        base, head = random.normal(size=EXACT_MAX // 2).tolist(), random.normal(0.4, size=EXACT_MAX // 2 + 1).tolist()
        exact = stats.mannwhitneyu(base, head, method="exact").pvalue
        assert p_value(base, head) == pytest.approx(exact, abs=0.005)


def test_of_reciprocals_p_is_the_same_and_the_ratio_is_the_reciprocal() -> None:
    """So it does not matter whether more or less is better."""
    random = np.random.default_rng(3)
    for _ in range(20):
        base, head = random.lognormal(size=(2, 8)).tolist()
        rates = [1 / value for value in base], [1 / value for value in head]
        assert p_value(*rates) == pytest.approx(p_value(base, head))
        told, back = ratio_estimate(*rates), ratio_estimate(base, head)
        assert told.interval is not None and back.interval is not None
        assert (1 / told.ratio, 1 / told.interval[1], 1 / told.interval[0]) == pytest.approx(
            (back.ratio, *back.interval)
        )


@pytest.mark.parametrize("number", [1, 2])
def test_a_few_lucky_runs_do_not_hide_a_slowdown(number: int) -> None:
    base, head = lucky_runs(number)
    estimate = ratio_estimate(base, head)
    assert p_value(base, head) < SIGNIFICANT and p_value(head, base) < SIGNIFICANT
    assert estimate.interval is not None and estimate.interval[0] < estimate.ratio
    assert estimate.ratio == pytest.approx(1.44, abs=0.005)


@pytest.mark.parametrize("number", [1, 2])
def test_that_case_rejects_scores_in_which_fast_runs_weigh_most(number: int) -> None:
    assert savage(*lucky_runs(0)) < SIGNIFICANT < savage(*lucky_runs(number))


def test_known_values() -> None:
    """4 and 4 fully separated: 2 of 70 ways. 3 and 3: 2 of 20. All equal: no difference."""
    assert p_value([1, 2, 3, 4], [5, 6, 7, 8]) == pytest.approx(2 / 70)
    assert p_value([4, 5, 6], [1, 2, 3]) == pytest.approx(2 / 20)
    assert p_value([40] * 10, [40] * 10) == 1.0
    assert p_value([40] * 50, [40] * 50) == 1.0
    assert p_value([1], [2]) == 1.0


def test_the_ratio_is_the_median_over_all_pairs() -> None:
    """2/1, 4/1, 2/2, 4/2: 1, 2, 2, 4."""
    assert ratio_estimate([1, 2], [2, 4]).ratio == 2
    assert ratio_estimate([10], [13]).ratio == 1.3


def test_one_outlier_does_not_move_the_ratio_far() -> None:
    base = [100.0] * 9 + [1e9]
    assert ratio_estimate(base, [120.0] * 10).ratio == 1.2


@pytest.mark.parametrize(("runs", "outside"), [(4, 1), (5, 3), (6, 6), (10, 24)])
def test_the_interval_holds_all_pairs_but_those_of_wilcoxon_s_table(runs: int, outside: int) -> None:
    """Critical values of U at 5%, two-sided: 0, 2, 5 and 23 without ties, so the interval starts at the next pair."""
    base, head = np.random.default_rng(7).lognormal(size=(2, runs)).tolist()
    pairs = sorted(h / b for h in head for b in base)
    interval = ratio_estimate(base, head).interval
    assert interval == (pairs[outside - 1], pairs[-outside])


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
