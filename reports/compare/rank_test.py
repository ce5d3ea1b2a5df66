"""The Mann-Whitney rank test, exact under ties, and the matching estimate of a ratio.

Latencies are multiples of the clock's resolution, so runs often tie. `scipy.stats.mannwhitneyu` has no exact
distribution for ties and falls back on a normal approximation, which is worst for the few runs of a benchmark. The
permutation distribution of the mid-ranks is exact and takes a few lines of numpy. Tests compare it with scipy, with and
without ties.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

EXACT_MAX: Final = 60
"""Runs of both sides together up to which p is exact; above, it is that of a normal curve, within 0.005."""
SIGNIFICANT: Final = 0.05
"""The p below which a difference is significant, unless a test at several looks asks for less. An interval has the
confidence that this leaves: 95%."""


@dataclass(frozen=True, slots=True)
class RatioEstimate:
    """The ratio of two samples, head over base.

    `ratio`: the median over all pairs of a head and a base run (J. L. Hodges and E. L. Lehmann, "Estimates of location
    based on rank tests", 1963, on logarithms). `interval`: the ratios that the rank test does not reject at
    the significance asked for (L. E. Moses, in "Statistical Inference", 1953); None if there are too few runs to reject
    any ratio. All are infinite if the base is zero.
    """

    ratio: float
    interval: tuple[float, float] | None


def p_value(base: Sequence[float], head: Sequence[float]) -> float:
    """Two-sided p of the Mann-Whitney U test: the chance of ranks at least this far apart if sides were random.

    Twice the smaller tail, at most 1. Each sample has at least one value.
    """
    doubled = _doubled_ranks([*base, *head])
    observed = int(doubled[len(base) :].sum())
    if len(doubled) > EXACT_MAX:
        return _normal_p(doubled, observed, len(head))
    weights = _rank_sums(tuple(doubled.tolist()), len(head))
    total = weights.sum()
    below, above = weights[: observed + 1].sum(), weights[observed:].sum()
    return min(1.0, 2.0 * float(min(below, above) / total))


def ratio_estimate(base: Sequence[float], head: Sequence[float], significance: float = SIGNIFICANT) -> RatioEstimate:
    """The ratio of head to base, with its interval at 1 - `significance`. Values are 0 or more; 0 over 0 is 1."""
    above, below = np.asarray(head, dtype=np.float64)[:, None], np.asarray(base, dtype=np.float64)[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = np.where((above == 0) & (below == 0), 1.0, above / below).ravel()
    pairs.sort()
    outside = _outside(len(base), len(head), significance)
    interval = (float(pairs[outside - 1]), float(pairs[-outside])) if outside else None
    return RatioEstimate(_median(pairs), interval)


def _median(ordered: NDArray[np.float64]) -> float:
    low, high = float(ordered[(len(ordered) - 1) // 2]), float(ordered[len(ordered) // 2])
    return low if low == high else (low + high) / 2


@lru_cache(maxsize=64)
def _outside(base: int, head: int, significance: float) -> int:
    """The number of pairs on each side of the interval, including its bound; 0 if too few runs for an interval."""
    tail = significance / 2
    if base + head > EXACT_MAX:
        sigma = math.sqrt(base * head * (base + head + 1) / 12)
        return max(0, math.floor(base * head / 2 - NormalDist().inv_cdf(1 - tail) * sigma))
    ranks = tuple(range(2, 2 * (base + head) + 1, 2))
    least = head * (head + 1)
    running = np.cumsum(_rank_sums(ranks, head)[least::2])  # of U, which counts pairs
    return int(np.searchsorted(running, tail * running[-1], side="right"))


def _doubled_ranks(values: Sequence[float]) -> NDArray[np.int64]:
    """Twice the rank of each value, from 1; equal values share their mean rank. Doubling makes it an integer."""
    _, group, sizes = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    doubled: NDArray[np.int64] = (2 * last - sizes + 1)[group]
    return doubled


@lru_cache(maxsize=64)
def _rank_sums(doubled: tuple[int, ...], drawn: int) -> NDArray[np.float64]:
    """For each sum, how many choices of `drawn` ranks have it. Adds only positive numbers, so rounding is minimal."""
    ways = np.zeros((drawn + 1, sum(doubled) + 1))
    ways[0, 0] = 1.0
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, :-rank].copy()
    sums: NDArray[np.float64] = ways[drawn]
    return sums


def _normal_p(doubled: NDArray[np.int64], observed: int, drawn: int) -> float:
    """p by the normal approximation, corrected for ties (in the variance of the ranks) and for continuity."""
    ranks = doubled / 2
    total = len(ranks)
    variance = drawn * (total - drawn) / total * float(ranks.var(ddof=1))
    if variance == 0:
        return 1.0
    distance = abs(observed / 2 - drawn * (total + 1) / 2) - 0.5
    return min(1.0, math.erfc(distance / math.sqrt(2 * variance)))
