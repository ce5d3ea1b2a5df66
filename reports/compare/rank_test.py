"""Savage's rank test, exact under ties, and the matching estimate of a ratio.

Interference only ever adds time, so the fast runs say most about the program. The test scores the run of rank k, from
the fastest, by the harmonic number of k - 1: the step from the fastest run to the second counts 1, the next 1/2, then
1/3 (I. R. Savage, "Contributions to the theory of rank order statistics: the two-sample case", Annals of Mathematical
Statistics 27, 1956). The Mann-Whitney test counts every step alike, and misses more on a shared machine
(`docs/explanation/gates.md`).

What the score is compared with depends on what chance decided. Of runs that were interleaved in pairs, it decided which
of a pair's two runs was the head's: the test counts the ways to exchange them, so that what drifts from pair to pair
cancels. Otherwise the test counts all ways to draw the head's runs from all runs.

Runs can tie: values come in buckets and steps of a clock. The permutation distribution of the scores is exact then too.
Tests compare it with all permutations, counted one by one.
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

Above, it is that of a curve: within 0.003 if p is below 0.1 and the sides have as many runs.
"""
SIGNIFICANT: Final = 0.05
"""The p below which a difference is significant, unless a test at several looks asks for less. An interval has the
confidence that this leaves: 95%."""
_UNIT: Final = 64
"""Scores are whole multiples of 1 over this, so that their sums can be counted; above 60 runs, neighbors may tie."""


@dataclass(frozen=True, slots=True)
class RatioEstimate:
    """The ratio of two samples, head over base.

    `ratio`: the one that, divided out of the head, leaves it with the expected score (J. L. Hodges and E. L. Lehmann,
    "Estimates of location based on rank tests", Annals of Mathematical Statistics 34, 1963). `interval`: the ratios
    that the test does not reject at the significance asked for; None if there are too few runs to reject any. All are
    infinite if the base is zero.
    """

    ratio: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Tails:
    """Where the head's score is among those of all ways to draw the head."""

    below: float
    """Chance of this score or less: small if the head is faster."""
    above: float
    """Chance of this score or more: small if the head is slower."""
    excess: float
    """The score less the expected one."""


def can_pair(pairs: int, significance: float = SIGNIFICANT) -> bool:
    """Whether so many pairs could show a difference: of all ways to exchange the runs within them, two are the most
    extreme.
    """
    return 2.0 ** (1 - pairs) < significance


def p_value(
    base: Sequence[float], head: Sequence[float], *, higher_is_better: bool = False, paired: bool = False
) -> float:
    """Two-sided p: the chance of scores at least this far apart if sides were random.

    Twice the smaller tail, at most 1. Each sample has at least one value. `higher_is_better`: rank 1 is the largest.
    `paired`: both samples have the pairs in the same order.
    """
    sign = -1 if higher_is_better else 1
    tails = _tails(sign * np.array([*base, *head], dtype=np.float64), len(head), paired=paired)
    return min(1.0, 2 * min(tails.below, tails.above))


def ratio_estimate(
    base: Sequence[float],
    head: Sequence[float],
    significance: float = SIGNIFICANT,
    *,
    higher_is_better: bool = False,
    paired: bool = False,
) -> RatioEstimate:
    """The ratio of head to base, with its interval at 1 - `significance`. Values are 0 or more; 0 over 0 is 1."""
    above, below = np.asarray(head, dtype=np.float64)[:, None], np.asarray(base, dtype=np.float64)[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = np.where((above == 0) & (below == 0), 1.0, above / below)
    ratios, index = np.unique(pairs, return_inverse=True)
    index = index.reshape(pairs.shape)
    sign = -1 if higher_is_better else 1

    @cache
    def at(gap: int) -> _Tails:
        """With the head divided by a ratio between those numbered `gap` - 1 and `gap`."""
        return _tails(sign * _divided(above[:, 0], below[0], index >= gap), len(head), paired=paired)

    last = len(ratios)
    middle = _first(lambda gap: sign * at(gap).excess <= 0, last), _first(lambda gap: sign * at(gap).excess < 0, last)
    ends = (
        _first(lambda gap: (at(gap).below if sign < 0 else at(gap).above) > significance / 2, last),
        _first(lambda gap: (at(gap).above if sign < 0 else at(gap).below) <= significance / 2, last),
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


def _tails(values: NDArray[np.float64], drawn: int, *, paired: bool) -> _Tails:
    """Of the last `drawn` values; the smallest value has rank 1."""
    scores = _scores(values)
    observed, expected = int(scores[-drawn:].sum()), drawn * float(scores.mean())
    if paired:
        below, above = _paired_tails(scores[drawn:] - scores[:drawn])
    elif len(scores) > EXACT_MAX:
        below, above = _normal_tails(scores, observed, drawn)
    else:
        running = _running(tuple(sorted(scores.tolist())), drawn)
        below, above = running[observed], running[-1] - (running[observed - 1] if observed else 0.0)
        below, above = float(below / running[-1]), float(above / running[-1])
    return _Tails(below, above, observed - expected)


def _scores(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The harmonic number of each rank less 1, in units; equal values share their mean."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, len(values)))])
    running = np.concatenate([[0.0], np.cumsum(harmonic)])
    last = np.cumsum(sizes)
    means = (running[last] - running[last - sizes]) / sizes
    scores: NDArray[np.int64] = np.rint(means * _UNIT).astype(np.int64)[group]
    return scores


@lru_cache(maxsize=256)
def _running(scores: tuple[int, ...], drawn: int) -> NDArray[np.float64]:
    """For each sum, how many choices of `drawn` scores have it or less. Adds only positive numbers, so rounding is
    minimal.
    """
    ways = np.zeros((drawn + 1, sum(scores[-drawn:]) + 1))
    ways[0, 0] = 1.0
    for score in scores:
        if score:
            ways[1:, score:] += ways[:-1, :-score].copy()
        else:
            ways[1:] += ways[:-1].copy()
    running: NDArray[np.float64] = np.cumsum(ways[drawn])
    return running


def _paired_tails(differences: NDArray[np.int64]) -> tuple[float, float]:
    """The tails of their sum among the sums with any signs: exact up to `EXACT_MAX` runs, else by the normal curve."""
    gaps, observed = np.abs(differences), int(differences.sum())
    if 2 * len(gaps) <= EXACT_MAX:
        running = _running_signs(tuple(sorted(gaps.tolist())))
        index = (observed + int(gaps.sum())) // 2
        return float(running[index]), float(1 - (running[index - 1] if index else 0.0))
    spread = math.sqrt(float(np.square(gaps).sum()))
    if spread == 0:
        return 1.0, 1.0
    curve = NormalDist()  # sums are two apart
    return curve.cdf((observed + 1) / spread), 1 - curve.cdf((observed - 1) / spread)


@lru_cache(maxsize=256)
def _running_signs(gaps: tuple[int, ...]) -> NDArray[np.float64]:
    """For each sum of some of the gaps, the chance that a random choice of them has it or less."""
    chance = np.zeros(sum(gaps) + 1)
    chance[0] = 1.0
    for gap in gaps:
        if gap:
            chance[gap:] = (chance[gap:] + chance[:-gap]) / 2
            chance[:gap] /= 2
    running: NDArray[np.float64] = np.cumsum(chance)
    return running


def _normal_tails(scores: NDArray[np.int64], observed: int, drawn: int) -> tuple[float, float]:
    """The tails by the normal curve with the variance and the skewness of a sum drawn from the scores, ties included
    (F. Y. Edgeworth's first term), and a correction for continuity.
    """
    total, off = len(scores), scores - scores.mean()
    variance = drawn * (total - drawn) / total / (total - 1) * float(np.square(off).sum())
    if variance == 0:
        return 1.0, 1.0
    third = drawn * (total - drawn) * (total - 2 * drawn) / total / (total - 1) / (total - 2) * float((off**3).sum())
    skewness = third / variance**1.5

    def below(score: float) -> float:
        place = (score - drawn * float(scores.mean())) / math.sqrt(variance)
        curve = NormalDist()
        share: float = curve.cdf(place) - curve.pdf(place) * skewness / 6 * (place**2 - 1)
        return min(max(share, 0.0), 1.0)

    return below(observed + 0.5), 1 - below(observed - 0.5)
