"""A distribution of whole numbers, as its distinct values and how often each occurs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.recording import Ints


@dataclass(frozen=True, eq=False)
class Distribution:
    """`values`: distinct int64 (n,), ascending; `counts`: int64 (n,), each above 0. May be empty."""

    values: Ints
    counts: Ints

    @classmethod
    def of(cls, samples: NDArray[np.integer[Any]]) -> Distribution:
        """The distribution of samples in any order."""
        values, counts = np.unique(np.asarray(samples, dtype=np.int64), return_counts=True)
        return cls(values, counts.astype(np.int64))

    @classmethod
    def merged(cls, parts: Iterable[Distribution]) -> Distribution:
        """The distribution of the samples of all parts."""
        parts = list(parts)
        if not parts:
            return cls.of(np.empty(0, dtype=np.int64))
        values, place = np.unique(np.concatenate([part.values for part in parts]), return_inverse=True)
        counts = np.zeros(len(values), dtype=np.int64)
        np.add.at(counts, place, np.concatenate([part.counts for part in parts]))
        return cls(values, counts)

    @cached_property
    def total(self) -> int:
        """Number of samples."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float | None:
        """Mean of the samples; None without any."""
        return float(np.dot(self.values, self.counts.astype(np.float64))) / self.total if self.total else None

    def quantile(self, share: float) -> int | None:
        """The smallest value that at least this share of the samples does not exceed; None without samples."""
        if not self.total:
            return None
        place = int(np.searchsorted(self._cumulated, share * self.total))
        return int(self.values[min(place, len(self.values) - 1)])

    def share(self, low: int | None = None, high: int | None = None) -> float | None:
        """Share of the samples in low..high, both included; None without samples."""
        if not self.total:
            return None
        first = 0 if low is None else np.searchsorted(self.values, low)
        last = len(self.values) if high is None else np.searchsorted(self.values, high, side="right")
        return int(self.counts[first:last].sum()) / self.total

    def share_of_multiples(self, of: int) -> float | None:
        """Share of the samples that are multiples of a number; None without samples."""
        return int(self.counts[self.values % of == 0].sum()) / self.total if self.total else None

    @cached_property
    def _cumulated(self) -> Ints:
        return np.cumsum(self.counts)

    def at_most(self, values: Ints) -> NDArray[np.float64]:
        """The share of samples that do not exceed each value. Needs a sample."""
        below = np.concatenate(([0], self._cumulated))
        shares: NDArray[np.float64] = below[np.searchsorted(self.values, values, side="right")] / self.total
        return shares


def ks_distance(one: Distribution, other: Distribution) -> float | None:
    """The Kolmogorov-Smirnov distance: the largest difference of the cumulative shares. 0: equal, 1: disjoint; None if
    either has no samples.
    """
    if not one.total or not other.total:
        return None
    values = np.union1d(one.values, other.values)
    return float(np.abs(one.at_most(values) - other.at_most(values)).max())
