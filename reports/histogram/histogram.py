"""Latency histograms: counts recorded by native code, statistics computed with numpy.

Figures differ from those of the package `hdrhistogram` on purpose:

* A percentile's rank is rounded up, as in HdrHistogram for Java and JavaScript: the percentile is the smallest recorded
  value that at least that share of the samples does not exceed. `hdrhistogram` rounds half up, which understates the
  tail by a sample: for 10, 20 and 30 it returns 20 as the 75th percentile, though only two thirds of the samples are 20
  or less.
* Minimum and maximum are exact, and no percentile exceeds the maximum.
* Values out of range are counted, not dropped.
* Adding an empty histogram changes nothing; in `hdrhistogram` it sets the minimum to 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.arguments import is_integer
from lowlat.errors import FormatError, NotValidError, UsageError
from lowlat.reports.histogram import buckets
from lowlat.text import shown

if TYPE_CHECKING:
    from lowlat.reports._core import Histogram as Recorder

FEW_BEYOND: Final = 10
"""A percentile with fewer samples beyond it is marked: it is then little more than a few single samples."""

TOTAL_END: Final = 2**63
"""Samples of a histogram stay below this, so that every implementation can hold and encode their counts."""
_PERCENT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?", re.ASCII | re.IGNORECASE)
_PERCENT_CHARS_MAX: Final = 40
"""A double has 24 at most. An exponent of many digits would be a number of as many."""


@dataclass(frozen=True, slots=True)
class Percentile:
    """One percentile of a histogram.

    `value_ns` is the largest value of the bucket that contains the sample at this rank, at most the exact maximum;
    `beyond` is the number of samples ranked after it.
    """

    percent: str
    value_ns: int
    beyond: int

    @property
    def few(self) -> bool:
        """Whether there are too few samples beyond it for a significant value."""
        return self.beyond < FEW_BEYOND


@dataclass(frozen=True, eq=False)
class Histogram:
    """Samples in nanoseconds, counted by bucket. Read only; `lowlat.reports._core.Histogram` records.

    Made by `from_counts`, `from_native`, `merge` and `hdr_codec.decode`. `counts` is uint64, shape (34816,), in the
    layout of `buckets.py`. Without samples, methods that need one raise `NotValidError`.
    """

    counts: NDArray[np.uint64]
    bounds_ns: tuple[int, int] | None
    """Exact minimum and maximum; None when empty."""
    out_of_range: int = 0
    """Values that were negative or above `buckets.HIGHEST_NS`, hence not in `counts`."""

    @classmethod
    def from_counts(
        cls,
        counts: NDArray[np.uint64],
        minimum_ns: int | None,
        maximum_ns: int | None,
        out_of_range: int = 0,
    ) -> Histogram:
        """Copy natively recorded counts (uint64, at most 34,816 of them) and their exact bounds.

        Raises `FormatError` if the array has another dtype or shape, or if a bound is not in the first or last bucket
        with a sample.
        """
        own = _whole_layout(counts)
        recorded = np.flatnonzero(own != 0)  # five times as fast on booleans
        bounds = None
        if recorded.size:
            first, last = recorded[[0, -1]].tolist()
            bounds = _checked_bound("minimum", minimum_ns, first), _checked_bound("maximum", maximum_ns, last)
        return cls(own, bounds, out_of_range)

    @classmethod
    def from_buckets(cls, counts: NDArray[np.uint64], out_of_range: int = 0) -> Histogram:
        """Like `from_counts` for unknown bounds: uses the outer values of the first and last bucket."""
        recorded = np.flatnonzero(counts != 0)
        if recorded.size == 0:
            return cls.from_counts(counts, None, None, out_of_range)
        minimum, maximum = buckets.lowest_values(recorded[:1]).item(), buckets.highest_values(recorded[-1:]).item()
        return cls.from_counts(counts, minimum, maximum, out_of_range)

    @classmethod
    def from_native(cls, recorder: Recorder) -> Histogram:
        """A copy of what a native recorder holds; it may continue to record, also in other threads."""
        now = recorder.copy()
        return cls.from_counts(now.counts, now.min, now.max, now.out_of_range)

    @cached_property
    def total(self) -> int:
        """Number of samples, excluding those out of range."""
        return int(self.counts.sum())

    @cached_property
    def recorded(self) -> NDArray[np.intp]:
        """Indexes of the buckets with samples, ascending."""
        return np.flatnonzero(self.counts != 0)

    @property
    def min_ns(self) -> int:
        """Smallest sample, exact."""
        return self._bounds[0]

    @property
    def max_ns(self) -> int:
        """Largest sample, exact."""
        return self._bounds[1]

    @cached_property
    def mean_ns(self) -> float:
        """Mean, with each sample at the middle of its bucket: within 0.05% of the exact mean."""
        return float(np.dot(self._weights, self._middles)) / self._some_total

    @cached_property
    def stddev_ns(self) -> float:
        """Standard deviation of the samples (of the population, as in HdrHistogram), from the bucket middles."""
        squares = np.square(self._middles - self.mean_ns)
        return math.sqrt(float(np.dot(self._weights, squares)) / self._some_total)

    def percentile(self, percent: float | str) -> Percentile:
        """The percentile of ceiling rank: sample number ceil(percent / 100 * total), counted from 1.

        `percent` is taken as its exact decimal: 99.9 is 999/10. 0 is the minimum, 100 the maximum. Raises `UsageError`
        unless it is a number from 0 to 100.
        """
        return self.percentiles([percent])[0]

    def percentiles(self, percents: Sequence[float | str]) -> list[Percentile]:
        """Several percentiles at once, in the order of the arguments."""
        shares = [_share(_text_of(percent)) for percent in percents]
        ranks = [max(1, math.ceil(share * self._some_total)) for share in shares]
        reached = self.recorded[np.searchsorted(self._running, np.array(ranks, dtype=np.uint64))]
        values = np.minimum(buckets.highest_values(reached), self.max_ns).tolist()
        return [
            Percentile(str(percent), value if share else self.min_ns, self.total - rank)
            for percent, share, rank, value in zip(percents, shares, ranks, values, strict=True)
        ]

    @property
    def _bounds(self) -> tuple[int, int]:
        if self.bounds_ns is None:
            raise NotValidError(
                f"the histogram is empty ({units.counted(self.out_of_range, 'value')} out of range) "
                "and has no statistics"
            )
        return self.bounds_ns

    @property
    def _some_total(self) -> int:
        """The total. Raises `NotValidError` without samples."""
        _ = self._bounds
        return self.total

    @cached_property
    def _running(self) -> NDArray[np.uint64]:
        """Samples up to and including each of these buckets."""
        return np.cumsum(self.counts[self.recorded], dtype=np.uint64)

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        return self.counts[self.recorded].astype(np.float64)

    @cached_property
    def _middles(self) -> NDArray[np.float64]:
        """Middle of each of these buckets; the first and the last are cut at the exact bounds."""
        lowest = np.maximum(buckets.lowest_values(self.recorded), self.min_ns)
        highest = np.minimum(buckets.highest_values(self.recorded), self.max_ns)
        return (lowest + highest) / 2


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """All samples of all histograms, exactly as if one had recorded them.

    An empty one changes no bound, but its out-of-range count is added.
    """
    counts = np.zeros(buckets.COUNTS_LENGTH, dtype=np.uint64)
    bounds: list[int] = []
    out_of_range = 0
    for histogram in histograms:
        counts += histogram.counts
        bounds += histogram.bounds_ns or ()
        out_of_range += histogram.out_of_range
    counts.flags.writeable = False
    return Histogram(counts, (min(bounds), max(bounds)) if bounds else None, out_of_range)


def _whole_layout(counts: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A read-only copy, extended to the length of the layout."""
    if not isinstance(counts, np.ndarray):
        raise FormatError(f"counts: {shown(counts)} is not an array")
    if counts.dtype != np.uint64 or counts.ndim != 1 or counts.size > buckets.COUNTS_LENGTH:
        raise FormatError(
            f"counts of dtype {counts.dtype} and shape {counts.shape}: "
            f"expected uint64 and at most {buckets.COUNTS_LENGTH:,} in one dimension"
        )
    own = np.zeros(buckets.COUNTS_LENGTH, dtype=np.uint64)
    own[: counts.size] = counts
    if own.sum(dtype=np.float64) >= TOTAL_END:
        raise FormatError(f"counts that sum to {own.sum(dtype=np.float64):.3g}: expected less than 2**63")
    own.flags.writeable = False
    return own


def _checked_bound(name: str, bound_ns: int | None, index: int) -> int:
    if bound_ns is None or bound_ns < 0 or buckets.index_of(bound_ns) != index:
        raise FormatError(f"{name} {bound_ns} ns is not in bucket {index}, where the counts have it")
    return bound_ns


def _text_of(percent: float | str) -> str:
    """A percentage as its decimals, few enough to compute with. Raises `UsageError`."""
    number: object = percent
    if isinstance(percent, str) and len(percent) <= _PERCENT_CHARS_MAX and _PERCENT.fullmatch(percent):
        number = float(percent)
    if not isinstance(number, float) and not is_integer(number):
        raise UsageError(f"percentile {shown(percent)} is not a number")
    if not 0 <= number <= 100:
        raise UsageError(f"percentile {shown(percent)} is not between 0 and 100")
    return str(percent)


@lru_cache(maxsize=256)
def _share(percent: str) -> Fraction:
    """A percentage as the exact fraction of its decimals."""
    return Fraction(percent) / 100
