"""Looking repeatedly must not raise the error rate.

The levels are held to published boundaries, to scipy's integral of the same distribution, and to simulated comparisons
of a program with itself. A test that uses the plain level at every look must fail each of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from statistics import NormalDist, median

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from lowlat.errors import UsageError
from lowlat.reports.compare.compare import WALL, Samples, compare_interleaved
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.compare.sequential import FIRST_LOOK, Spending, levels, looks, pocock_spending
from lowlat.reports.model.comparison import Comparison, Interleaving

RATE = 0.05
PAIRS_MAX = 60
SESSIONS = 400
ALARMS_MAX = RATE + 3 * math.sqrt(RATE * (1 - RATE) / SESSIONS)
NORMAL = NormalDist()


def obrien_fleming_spending(fraction: float, rate: float) -> float:
    """The other function of Lan and DeMets, for each of two sides."""
    return 4 * NORMAL.cdf(-NORMAL.inv_cdf(1 - rate / 4) / math.sqrt(fraction)) if fraction else 0.0


def plain(pairs: Sequence[int]) -> list[float]:
    """Broken: the level of a single test at each of the looks."""
    return [RATE] * len(pairs)


def test_spending_starts_at_nothing_and_ends_at_the_whole_rate() -> None:
    spent = [pocock_spending(part / 100, RATE) for part in range(101)]
    assert spent[0] == 0 and spent[-1] == pytest.approx(RATE)
    assert all(before < after for before, after in itertools.pairwise(spent))


@pytest.mark.parametrize(
    ("spending", "published"),
    [
        (pocock_spending, [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
        (obrien_fleming_spending, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
    ],
)
def test_boundaries_of_five_equal_steps_are_the_published_ones(spending: Spending, published: list[float]) -> None:
    """Two-sided, 5%, as the programs print them of D. M. Reboussin, D. L. DeMets, K. Kim and K. K. G. Lan,
    "Computations for group sequential boundaries using the Lan-DeMets spending function method", Controlled Clinical
    Trials 21 (2000), 190-207. Levels have six decimals, which leave the first of the second row less exact.
    """
    found = [NORMAL.inv_cdf(1 - level / 2) for level in levels(range(1, 6), 5, RATE, spending)]
    assert found == pytest.approx(published, abs=0.02, rel=0)
    assert found[1:] == pytest.approx(published[1:], abs=2e-4, rel=0)


def rate_over(pairs: Sequence[int], chosen: Sequence[float]) -> float:
    """The chance that a look of this level finds a difference where there is none, as scipy integrates it."""
    bounds = [NORMAL.inv_cdf(1 - level / 2) for level in chosen]
    shared = [[math.sqrt(min(a, b) / max(a, b)) for a in pairs] for b in pairs]
    inside = multivariate_normal(cov=shared, seed=1, abseps=1e-5, maxpts=2_000_000)
    return float(1 - inside.cdf(bounds, lower_limit=[-bound for bound in bounds]))


@pytest.mark.parametrize("pairs", [(6, 20), (6, 8, 10, 20), (7, 9, 14, 17, 20)])
def test_the_levels_together_cost_the_whole_rate_and_plain_ones_far_more(pairs: tuple[int, ...]) -> None:
    assert rate_over(pairs, levels(pairs, 20, RATE)) == pytest.approx(RATE, abs=5e-4)
    assert rate_over(pairs, plain(pairs)) > 1.5 * RATE


def test_a_single_look_has_the_whole_rate() -> None:
    assert levels([PAIRS_MAX], PAIRS_MAX, RATE) == pytest.approx([RATE], abs=1e-6)


def test_a_level_does_not_depend_on_later_looks() -> None:
    planned = looks(PAIRS_MAX)
    whole = levels(planned, PAIRS_MAX, RATE)
    for at in range(1, len(planned)):
        assert levels(planned[:at], PAIRS_MAX, RATE) == whole[:at]


@pytest.mark.parametrize("pairs_max", [6, 7, 8, 9, 20, 41, PAIRS_MAX, 300, 1_000])
def test_looks_rise_to_the_last_pair_and_each_can_find_something(pairs_max: int) -> None:
    planned = looks(pairs_max)
    assert planned[0] == FIRST_LOOK and planned[-1] == pairs_max
    assert all(before * 1.1 < after for before, after in itertools.pairwise(planned))
    apart = [2 / math.comb(2 * pairs, pairs) for pairs in planned]  # p of sides that do not overlap
    assert all(p < level for p, level in list(zip(apart, levels(planned, pairs_max, RATE), strict=True))[1:])


@pytest.mark.parametrize("pairs_max", [0, 1, FIRST_LOOK - 1])
def test_too_few_pairs_for_a_look_are_refused(pairs_max: int) -> None:
    with pytest.raises(
        UsageError, match=f"^{pairs_max} runs? of each side cannot decide anything: the first look is after 6;"
    ):
        looks(pairs_max)


def ended(seed: int, slowdown: float, chosen: Sequence[float], gate: str, deviation: float = 0.08) -> Comparison:
    """The comparison at the look that ends it. Runs vary by 8%; those of the head take `slowdown` times as long."""
    random = np.random.default_rng(seed)
    both = 1e6 * np.exp(random.normal(0, deviation, (2, PAIRS_MAX))) * [[1], [slowdown]]
    for pairs, level in zip(looks(PAIRS_MAX), chosen, strict=True):
        base, head = (Samples("", (), tuple({WALL: float(ns)} for ns in side[:pairs])) for side in both)
        order = Interleaving(seed=0, pairs=pairs, first=())
        comparison = compare_interleaved(base, head, [parse_rule(gate)], (), order, significance=level)
        if not comparison.gate.inconclusive:
            break
    return comparison


def alarms(chosen: Sequence[float]) -> float:
    """How often a program is found to differ from itself. So small a limit is never shown to be kept: each session
    goes on until it finds something, or to its end.
    """
    verdicts = [ended(seed, 1, chosen, "wall=0.001%").metrics[0].verdict for seed in range(SESSIONS)]
    assert "unchanged" not in verdicts
    return sum(verdict != "inconclusive" for verdict in verdicts) / SESSIONS


@pytest.mark.slow
def test_a_program_compared_with_itself_at_every_look_keeps_the_rate() -> None:
    planned = looks(PAIRS_MAX)
    assert 0.01 < alarms(levels(planned, PAIRS_MAX, RATE)) < ALARMS_MAX


@pytest.mark.slow
def test_plain_levels_at_every_look_are_rejected() -> None:
    assert alarms(plain(looks(PAIRS_MAX))) > 2 * ALARMS_MAX


def test_both_a_slowdown_and_none_are_decided_early() -> None:
    chosen = levels(looks(PAIRS_MAX), PAIRS_MAX, RATE)
    for slowdown, verdict in (1.2, "regressed"), (1, "unchanged"):
        found = [ended(seed, slowdown, chosen, "wall=10%", 0.05) for seed in range(100)]
        assert sum(each.metrics[0].verdict == verdict for each in found) >= 95
        assert median(each.base.runs for each in found) <= 14
