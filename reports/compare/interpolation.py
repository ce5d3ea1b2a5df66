"""Percentiles between the steps of a clock, for comparisons.

The percentile of ceiling rank is one of the values that occur. With a step of 10 ns, a median stays at 50 ns until half
of the samples are beyond, and is then 60: a slowdown of 15% may not show, and one of 0.1% may show as 20%. The samples
say more: as durations grow, more and more of them reach the next step.

A latency is the difference of two readings, each late by up to a step. So the true duration is up to a step shorter or
longer than the latency, with a triangular density if the phase of the clock is random. The interpolated percentile is
that of all samples, each spread over this triangle. At values one step apart this is the mid-distribution of ranks:
half of the samples that share a value come before it, and half after (E. Parzen, "Quantile probability and statistical
data modeling", Statistical Science 19, 2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram

_NEIGHBORS: Final = 16
"""Values on each side of a percentile among which the step is looked for."""
_STRAY: Final = 0.05
"""A value with fewer than this share of the samples of the most frequent one nearby is not a step of the clock."""
_POINTS: Final = np.linspace(-1.0, 1.0, 129)
"""Where the distribution is computed: steps from the percentile of ceiling rank. In between, it is linear."""


@dataclass(frozen=True, slots=True, eq=False)
class OccupiedBuckets:
    """The values of a histogram that occur, and how often. Two arrays of float64, shape (values,), ascending."""

    values_ns: NDArray[np.float64]
    """Middles of the buckets; the first and the last bucket are cut at the smallest and the largest sample."""
    widths_ns: NDArray[np.float64]
    counts: NDArray[np.float64]
    bounds_ns: tuple[int, int]

    @classmethod
    def of(cls, histogram: Histogram) -> OccupiedBuckets:
        """Raises `NotValidError` for a histogram without samples."""
        bounds = histogram.min_ns, histogram.max_ns
        lowest = np.maximum(buckets.lowest_values(histogram.recorded), bounds[0]).astype(np.float64)
        highest = np.minimum(buckets.highest_values(histogram.recorded), bounds[1]).astype(np.float64)
        counts = histogram.counts[histogram.recorded].astype(np.float64)
        return cls((lowest + highest) / 2, highest - lowest + 1, counts, bounds)

    def percentile(self, percent: float, step_ns: float) -> float:
        """The percentile in nanoseconds, with each sample spread over a step to both sides.

        Never less than the smallest sample or more than the largest. The step is at least the width of the bucket.
        """
        at = self._rank(percent)
        step_ns = max(step_ns, float(self.widths_ns[at]))
        points = self.values_ns[at] + step_ns * _POINTS
        first, end = np.searchsorted(self.values_ns, [points[0] - step_ns, points[-1] + step_ns])
        steps_away = (points[:, None] - self.values_ns[None, first:end]) / step_ns
        below = self.counts[:first].sum() + _below(steps_away) @ self.counts[first:end]
        value = float(np.interp(percent / 100 * self.counts.sum(), below, points))
        return min(max(value, self.bounds_ns[0]), self.bounds_ns[1])

    def of_rank(self, percent: float) -> float:
        """The percentile of ceiling rank: one of the values."""
        return float(self.values_ns[self._rank(percent)])

    def step_ns(self, percent: float) -> float:
        """The distance between the values around a percentile: the upper quartile, ignoring strays; 0 without two.

        The upper quartile, since merged runs with slightly different calibrations have two values close together
        in place of one.
        """
        at = self._rank(percent)
        near = slice(max(0, at - _NEIGHBORS), at + _NEIGHBORS + 1)
        frequent = self.values_ns[near][self.counts[near] >= _STRAY * self.counts[near].max()]
        return float(np.quantile(np.diff(frequent), 0.75)) if len(frequent) > 1 else 0.0

    def _rank(self, percent: float) -> int:
        """The index of the value of ceiling rank."""
        running = np.cumsum(self.counts)
        return min(int(np.searchsorted(running, percent / 100 * running[-1])), len(running) - 1)


def compared_percentiles(
    percent: float, base: Sequence[OccupiedBuckets], head: Sequence[OccupiedBuckets], clock_ns: float
) -> tuple[float, list[float], list[float]]:
    """The step, and the percentile of each run of both sides over this step.

    The step is the clock's, or the distance of the values that occur if that is longer: the median of a side's runs. It
    is the same for all runs, so that it cannot make them differ.
    """
    step_ns = max(clock_ns, *(median(each.step_ns(percent) for each in side) for side in (base, head)))
    values = [[round(each.percentile(percent, step_ns), 3) for each in side] for side in (base, head)]
    return step_ns, values[0], values[1]


def _below(steps_away: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of a triangle, one step wide to both sides, that is below a point at this distance from its middle."""
    place = np.clip(steps_away, -1.0, 1.0)
    share: NDArray[np.float64] = 0.5 + place - np.sign(place) * np.square(place) / 2
    return share
