"""Samples counted in named latency ranges.

A histogram stores the bucket of a sample, not its value. So the whole bucket that contains a boundary (64 ns wide at
100 µs) counts in the range below; each band states its actual begin and end.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from lowlat.errors import NotValidError
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.results import Band

NAMES: Final = ("<100 µs", "100-500 µs", "500 µs-1 ms", "1-5 ms", ">5 ms")
BOUNDARIES_NS: Final = (100_000, 500_000, 1_000_000, 5_000_000)


def bands(histogram: Histogram) -> tuple[Band, ...]:
    """The five ranges in order. Raises `NotValidError` when there are no samples."""
    if histogram.total == 0:
        raise NotValidError("an empty histogram has no shares")
    edges = [_edge(boundary) for boundary in BOUNDARIES_NS]
    indexes = [0, *(buckets.index_of(edge) for edge in edges), buckets.COUNTS_LENGTH]
    counts = [int(histogram.counts[start:end].sum()) for start, end in pairwise(indexes)]
    return tuple(
        Band(name=name, from_ns=start, below_ns=end, count=count, share=count / histogram.total)
        for name, start, end, count in zip(NAMES, [0, *edges], [*edges, None], counts, strict=True)
    )


def _edge(boundary_ns: int) -> int:
    """The first bucket start at or above the boundary."""
    bucket = np.array([buckets.index_of(boundary_ns)])
    if buckets.lowest_values(bucket)[0] == boundary_ns:
        return boundary_ns
    return int(buckets.highest_values(bucket)[0]) + 1
