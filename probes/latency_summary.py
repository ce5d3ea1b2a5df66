"""A summary of many times: their median and 99th percentile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SAMPLES_MIN = 100
"""Fewer samples have no 99th percentile but their maximum."""


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Percentiles of ceiling rank, in ns: the smallest sample that at least that share of samples does not exceed."""

    p50_ns: int
    p99_ns: int
    samples: int

    @classmethod
    def of(cls, times_ns: Sequence[int]) -> LatencySummary:
        """The summary of at least one time, in any order."""
        ordered = sorted(times_ns)
        return cls(p50_ns=_ranked(ordered, 50), p99_ns=_ranked(ordered, 99), samples=len(ordered))


def _ranked(ordered: Sequence[int], percent: int) -> int:
    return ordered[-(-percent * len(ordered) // 100) - 1]
