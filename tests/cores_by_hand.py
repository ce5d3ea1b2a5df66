"""A matrix of CPUs with times by rule."""

from __future__ import annotations

from itertools import combinations

from lowlat.reports.model.cores import CorePair, Cores


def matrix(*cpus: int, chosen: int | None = None, guest: bool = True) -> Cores:
    """Neighbors are 40 ns apart, and each CPU between two adds 10 ns; the median is 5 ns above the minimum."""
    pairs = tuple(
        CorePair(first=a, second=b, status="ok", blocks=200, min_ns=30.0 + 10 * (b - a), median_ns=35.0 + 10 * (b - a))
        for a, b in combinations(cpus, 2)
    )
    return Cores(
        status="ok",
        platform="KVM guest",
        guest=guest,
        clock_hz=2.5e9,
        cpus_chosen=chosen or len(cpus),
        cpus=cpus,
        pairs=pairs,
    )
