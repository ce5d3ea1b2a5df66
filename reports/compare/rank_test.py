"""The Mann-Whitney rank test, exact under ties, and the matching estimate of a ratio.

Every rank counts alike, so a few lucky runs cannot hide a slowdown of the others, nor a few slow ones fake it
(`docs/explanation/gates.md`).

Runs can tie: values come in buckets and steps of a clock. `scipy.stats.mannwhitneyu` then falls back on a normal curve,
which is worst for the few runs of a benchmark. The permutation distribution of the midranks is exact. Tests compare it
with scipy's without ties, and with all permutations, counted one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

EXACT_MAX: Final = 60
"""Runs of both sides together up to which p is exact.

Above, it is that of a normal curve, within 0.005.
"""
SIGNIFICANT: Final = 0.05
"""The p below which a difference is significant, unless a test at several looks asks for less. An interval has the
confidence that this leaves: 95%."""


@dataclass(frozen=True, slots=True)
class RatioEstimate:
    """The ratio of two samples, head over base.

    `ratio`: the median over all pairs of a head and a base run (J. L. Hodges and E. L. Lehmann, "Estimates of location
    based on rank tests", Annals of Mathematical Statistics 34, 1963, on logarithms). `interval`: the ratios that the
    test does not reject at the significance asked for; None if there are too few runs to reject any. All are infinite
    if the base is zero.
    """

    ratio: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Tails:
    """Where the head's rank sum is among those of all ways to draw the head from all runs."""

    below: float
    """Chance of this sum or less: small if the head has small values."""
    above: float
    """Chance of this sum or more: small if the head has large values."""
    excess: int
    """Twice the sum less the expected one."""


def p_value(base: Sequence[float], head: Sequence[float]) -> float:
    """Two-sided p: the chance of ranks at least this far apart if sides were random.

    Twice the smaller tail, at most 1. Each sample has at least one value.
    """
    tails = _tails(np.array([*base, *head], dtype=np.float64), len(head))
    return min(1.0, 2 * min(tails.below, tails.above))


def ratio_estimate(base: Sequence[float], head: Sequence[float], significance: float = SIGNIFICANT) -> RatioEstimate:
    """The ratio of head to base, with its interval at 1 - `significance`. Values are 0 or more; 0 over 0 is 1."""
    above, below = np.asarray(head, dtype=np.float64)[:, None], np.asarray(base, dtype=np.float64)[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = np.where((above == 0) & (below == 0), 1.0, above / below)
    ratios, index = np.unique(pairs, return_inverse=True)
    index = index.reshape(pairs.shape)

    @cache
    def at(gap: int) -> _Tails:
        """With the head divided by a ratio between those numbered `gap` - 1 and `gap`."""
        return _tails(_divided(above[:, 0], below[0], index >= gap), len(head))

    last = len(ratios)
    middle = _first(lambda gap: at(gap).excess <= 0, last), _first(lambda gap: at(gap).excess < 0, last)
    ends = (
        _first(lambda gap: at(gap).above > significance / 2, last),
        _first(lambda gap: at(gap).below <= significance / 2, last),
    )
    ratio = _between(float(ratios[middle[0] - 1]), float(ratios[middle[1] - 1]))
    enough = ends[0] > 0 and ends[1] <= last
    return RatioEstimate(ratio, (float(ratios[ends[0] - 1]), float(ratios[ends[1] - 1])) if enough else None)


def _first(holds: Callable[[int], bool], last: int) -> int:
    """The first number from 0 to `last` for which it holds; `last` + 1 if there is none. Once it holds, it does so for
    all that follow.
    """
    low, high = 0, last + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _between(low: float, high: float) -> float:
    return low if low == high else math.sqrt(low) * math.sqrt(high)


def _divided(head: NDArray[np.float64], base: NDArray[np.float64], slower: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Numbers in the order of all runs with the head divided by a ratio; `slower` tells which head run is then slower
    than which base run, shape (head, base).
    """
    _, level = np.unique(base, return_inverse=True)
    passed = np.where(slower, level + 1.0, 0.0).max(axis=1)
    own = np.unique(head, return_inverse=True)[1] / (2.0 * len(head) + 2)  # below 0.5
    return np.concatenate([level + 0.5, passed + own])


def _tails(values: NDArray[np.float64], drawn: int) -> _Tails:
    """Of the last `drawn` values."""
    doubled = _doubled_midranks(values)
    observed = int(doubled[-drawn:].sum())
    if len(doubled) > EXACT_MAX:
        below, above = _normal_tails(doubled, observed, drawn)
    else:
        running = _running(tuple(sorted(doubled.tolist())), drawn)
        below = float(running[observed] / running[-1])
        above = float((running[-1] - running[observed - 1]) / running[-1])
    return _Tails(below, above, observed - drawn * (len(doubled) + 1))


def _doubled_midranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Twice the rank of each value, from 2 for the smallest; equal values share their mean. Doubled, all are whole."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    doubled: NDArray[np.int64] = (2 * np.cumsum(sizes) - sizes + 1).astype(np.int64)[group]
    return doubled


@lru_cache(maxsize=256)
def _running(doubled: tuple[int, ...], drawn: int) -> NDArray[np.float64]:
    """For each sum, how many choices of `drawn` ranks have it or less. Adds only positive numbers, so rounding is
    minimal.
    """
    ways = np.zeros((drawn + 1, sum(doubled[-drawn:]) + 1))
    ways[0, 0] = 1.0
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, :-rank].copy()
    running: NDArray[np.float64] = np.cumsum(ways[drawn])
    return running


def _normal_tails(doubled: NDArray[np.int64], observed: int, drawn: int) -> tuple[float, float]:
    """The tails by the normal curve with the variance of a sum drawn from the ranks, ties included, and a correction
    for continuity.
    """
    total, mean = len(doubled), drawn * (len(doubled) + 1)
    squares = float(np.square(doubled - (total + 1)).sum())
    spread = math.sqrt(drawn * (total - drawn) / total / (total - 1) * squares)
    if spread == 0:
        return 1.0, 1.0
    curve = NormalDist()
    return curve.cdf((observed + 1 - mean) / spread), curve.cdf((mean - observed + 1) / spread)
