"""Looks at a comparison while its runs go on, with the error rate of a single one.

Testing after every few runs, each time at 5%, finds a difference between equal programs in far more than 5% of the
comparisons. A group-sequential test with an alpha-spending function keeps the rate: K. K. G. Lan and D. L. DeMets,
"Discrete sequential boundaries for clinical trials", Biometrika 70 (1983), 659-663. Each look may spend what the
function has released since the previous one. The levels follow from the joint distribution of the statistics at all
looks, integrated as in P. Armitage, C. K. McPherson and B. C. Rowe, "Repeated significance tests on accumulating data",
J. R. Statist. Soc. A 132 (1969), 235-244. Intervals of confidence `1 - level` cover the ratio at all looks together
with the overall confidence: C. Jennison and B. W. Turnbull, "Interim analyses: the repeated confidence interval
approach", J. R. Statist. Soc. B 51 (1989), 305-361.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.errors import UsageError
from lowlat.reports.compare.rank_test import SIGNIFICANT
from lowlat.reports.model.sequential_test import Look

FIRST_LOOK: Final = 6
"""Pairs before the first look. Of fewer, even the most extreme ranks are no finding at the level of a first look."""
_DIGITS: Final = 6
"""Decimals of a level: what a reader repeats is what was compared."""
_LOOKS: Final = (FIRST_LOOK, 8, 10, 14, 20, 28, 40, 60, 90, 140, 200, 300, 450, 700, 1_000)
"""Pairs at the looks: roughly 1.4 times as many from one to the next, so that little is run in vain."""
_APART: Final = 1.15
"""A look with less than this before the last one would cost more of the error rate than it could save in runs."""
_NODES: Final = 96
"""Of the Gauss-Legendre quadrature: boundaries to 1e-6."""

Spending: TypeAlias = Callable[[float, float], float]
"""The error rate spent at a fraction of the runs, of an overall rate: 0 at 0, all of it at 1, increasing."""


def looks(pairs_max: int) -> tuple[int, ...]:
    """The numbers of pairs after which to look, the last being `pairs_max`. Raises `UsageError` if there is none."""
    if pairs_max < FIRST_LOOK:
        raise UsageError(
            f"{units.counted(pairs_max, 'run')} of each side cannot decide anything: "
            f"the first look is after {FIRST_LOOK}; allow {FIRST_LOOK} "
            "or more with --max-runs, or run a fixed number with --runs"
        )
    return (*(pairs for pairs in _LOOKS if pairs * _APART <= pairs_max), pairs_max)


def pocock_spending(fraction: float, rate: float) -> float:
    """The error rate that may be spent by this fraction of the runs, of an overall `rate`.

    Of Lan and DeMets' two functions, the one that approximates Pocock's equal levels. The other, after O'Brien and
    Fleming, keeps nearly all of the rate for the end, so that even a plain difference would need 14 of 60 pairs.
    """
    return rate * math.log1p((math.e - 1) * fraction)


def levels(pairs: Sequence[int], pairs_max: int, rate: float, spending: Spending = pocock_spending) -> list[float]:
    """The significance level of each look, at increasing numbers of `pairs`, that keeps the overall `rate`.

    Two-sided. A look's level depends on earlier looks, not on later ones.
    """
    return [round(level, _DIGITS) for level in _levels(tuple(each / pairs_max for each in pairs), rate, spending)]


def looks_after(pairs: Sequence[int], pairs_max: int) -> list[Look]:
    """The looks after increasing numbers of `pairs`, each with its level and what is spent by then; none undecided."""
    return [
        Look(
            pairs=each,
            significance=level,
            spent=round(pocock_spending(each / pairs_max, SIGNIFICANT), _DIGITS),
            undecided=(),
        )
        for each, level in zip(pairs, levels(pairs, pairs_max, SIGNIFICANT), strict=True)
    ]


@lru_cache(maxsize=64)
def _levels(fractions: tuple[float, ...], rate: float, spending: Spending) -> tuple[float, ...]:
    """Follows the standardized Brownian motion of the statistic, as long as no look has ended it."""
    nodes, sizes = np.polynomial.legendre.leggauss(_NODES)
    found: list[float] = []
    at, weights, before = np.zeros(1), np.ones(1), 0.0
    for fraction in fractions:
        step = math.sqrt(fraction - before)
        due = spending(fraction, rate) - spending(before, rate)
        bound = _bound(at, weights, step, due)
        found.append(2 * NormalDist().cdf(-bound / math.sqrt(fraction)))
        inside = nodes * bound
        density = np.exp(-(((inside[:, None] - at) / step) ** 2) / 2) @ weights / (step * math.sqrt(2 * math.pi))
        at, weights, before = inside, density * sizes * bound, fraction
    return tuple(found)


def _bound(at: NDArray[np.float64], weights: NDArray[np.float64], step: float, due: float) -> float:
    """The value that the motion, now `at` with these `weights`, leaves on either side with probability `due`."""
    low, high = 0.0, float(abs(at).max()) + 10 * step
    while high - low > 1e-9:
        middle = (low + high) / 2
        outside = [math.erfc((middle - each) / (step * math.sqrt(2))) for each in at]  # both sides, by symmetry
        low, high = (middle, high) if float(weights @ outside) > due else (low, middle)
    return (low + high) / 2
