"""Estimates the highest rate that meets its objectives, from runs at several rates, some of them noisy.

Each rate has one figure, that of its run at the lower quartile. Other programs only make runs worse, often half of
them, so a median run jumps between a quiet host and a busy one, where the quieter quarter does not. More load cannot
make latency better, so these figures are fitted by the nearest function of the rate that never falls: isotonic
regression (R. E. Barlow and others, "Statistical Inference under Order Restrictions", 1972), which averages neighbors
that contradict this. The estimate is where the fit, linear between rates on a logarithmic scale, crosses zero.

The interval is a percentile bootstrap over the runs of each rate (B. Efron and R. Tibshirani, "An Introduction to the
Bootstrap", 1993), widened to the two measured rates around the crossing: nothing was measured between them.
`tests/unit/reports/model/test_sustainable.py` measures how often it covers the true rate of simulated engines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE: Final = 0.95
RUNS_MIN: Final = 3
"""With fewer runs per rate, resampling them says nothing about chance, so the interval has no confidence."""
RESAMPLES: Final = 1_000

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AtRate:
    """A rate in commands per second, and by how much each of its decided runs, at least one, exceeds the objectives: at
    most 0 meets them.
    """

    rate: float
    excesses: Sequence[float]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the fit crosses zero, in commands per second. 0: below every rate; infinite: above every rate."""

    rate: float
    lower: float
    upper: float
    confidence: float | None
    """None with fewer than `RUNS_MIN` runs at a rate: the interval is only the two rates around the crossing."""


def crossing(points: Sequence[AtRate], seed: int) -> Crossing:
    """The highest rate that meets the objectives, from points in order of rate. `seed`: of the bootstrap."""
    logs = np.log([point.rate for point in points])
    weights = np.array([len(point.excesses) for point in points], dtype=float)
    fit = isotonic(np.array([[quartile(point.excesses) for point in points]]), weights)
    found, below, above = float(_zeros(logs, fit)[0]), *bracket(fit[0])
    ends = [-math.inf if below is None else float(logs[below]), math.inf if above is None else float(logs[above])]
    confident = min(weights) >= RUNS_MIN
    if confident:
        zeros = np.sort(_zeros(logs, isotonic(_resampled(points, seed), weights)))
        tail = math.floor((1 - CONFIDENCE) / 2 * RESAMPLES)
        ends = [min(ends[0], float(zeros[tail])), max(ends[1], float(zeros[-1 - tail]))]
    lower, upper = map(_exp, ends)
    return Crossing(_exp(found), lower, upper, CONFIDENCE if confident else None)


def quartile(excesses: ArrayLike) -> Values:
    """Along the last axis, the run at the lower quartile."""
    values = np.sort(np.asarray(excesses, dtype=float), axis=-1)
    found: Values = values[..., quartile_index(values.shape[-1])]
    return found


def quartile_index(runs: int) -> int:
    """Of so many runs in order, the best first, the one at the lower quartile: of 3 the first, of 5 or 6 the second."""
    return (runs - 1) // 4


def rates_around(points: Sequence[AtRate]) -> tuple[float | None, float | None]:
    """The highest rate whose fitted figure meets the objectives, and the next one; None where there is none."""
    if not points:
        return None, None
    weights = np.array([len(point.excesses) for point in points], dtype=float)
    below, above = bracket(isotonic(np.array([[quartile(point.excesses) for point in points]]), weights)[0])
    return None if below is None else points[below].rate, None if above is None else points[above].rate


def between(rates: Sequence[float], around: tuple[float | None, float | None]) -> list[float]:
    """The rates between the two around the answer, in order; a side that is None has no end."""
    below, above = around
    return sorted(rate for rate in rates if rate > (below or 0) and (above is None or rate < above))


def bracket(fit: Values) -> tuple[int | None, int | None]:
    """Indices of the last value of a rising fit that is at most 0, and of the next one."""
    meeting = int(np.count_nonzero(fit <= 0))
    return meeting - 1 if meeting else None, meeting if meeting < len(fit) else None


def isotonic(values: Values, weights: Values) -> Values:
    """Weighted least-squares fit of each row by a function that never falls.

    Uses the formula max over a <= i of min over b >= i of the mean from a to b (T. Robertson, F. Wright and R. Dykstra,
    "Order Restricted Statistical Inference", 1988, theorem 1.4.4), which does all rows at once.
    """
    sums = np.cumsum(values * weights, axis=1)
    total = np.cumsum(weights)
    fit = np.full(values.shape, -np.inf)
    for first in range(values.shape[1]):
        before = sums[:, first - 1 : first] if first else 0.0
        means = (sums[:, first:] - before) / (total[first:] - (total[first - 1] if first else 0.0))
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        fit[:, first:] = np.maximum(fit[:, first:], least)
    return fit


def _zeros(logs: Values, fits: Values) -> Values:
    """Where each row crosses zero: a logarithm of a rate, -inf above zero everywhere, inf nowhere."""
    meeting = np.count_nonzero(fits <= 0, axis=1)
    inside = (meeting > 0) & (meeting < len(logs))
    found = np.where(meeting == 0, -np.inf, np.inf)
    rows = np.flatnonzero(inside)
    above = meeting[rows]
    low, high = fits[rows, above - 1], fits[rows, above]
    found[rows] = logs[above - 1] + (logs[above] - logs[above - 1]) * -low / (high - low)
    return found


def _resampled(points: Sequence[AtRate], seed: int) -> Values:
    """Medians of each rate's runs drawn with replacement, one row per resample.

    Takes the raw stream of PCG64, which numpy keeps the same over versions: a reader of a document draws the same.
    """
    source = np.random.PCG64(seed)
    columns = []
    for point in points:
        count = len(point.excesses)
        drawn = (source.random_raw(RESAMPLES * count) % count).reshape(RESAMPLES, count)
        columns.append(quartile(np.asarray(point.excesses, dtype=float)[drawn]))
    return np.stack(columns, axis=1)


def _exp(logarithm: float) -> float:
    return math.exp(logarithm) if math.isfinite(logarithm) else max(logarithm, 0.0)
