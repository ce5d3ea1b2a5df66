"""Statistics of arrival times: how unevenly commands come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from lowlat.engine.flow.recording import Ints
from lowlat.engine.flow.statistics.distribution import Distribution

WINDOWS_S: Final = tuple(digit * 10.0**power for power in range(-4, 3) for digit in (1, 2, 5))
"""Lengths of the windows in which arrivals are counted, in seconds."""
WINDOWS_MIN: Final = 50
"""With fewer windows, the variance of their counts says little: it is not known."""


@dataclass(frozen=True)
class ArrivalStatistics:
    """`spacings_ns`: distribution of the times between arrivals. `fano`: by length of a window in seconds, one of
    `WINDOWS_S`, the variance of the counts in such windows over their mean. It is 1 for independent arrivals. Windows
    are left out that are too long for the flow.
    """

    rate_per_s: float
    spacings_ns: Distribution
    fano: Mapping[float, float]

    @property
    def branching(self) -> float | None:
        """Share of arrivals that earlier ones triggered, at least: 1 - 1 / sqrt(Fano factor) of a long window.

        This is the limit for a long window of a Hawkes process: S. Hardiman and J.-P. Bouchaud, "Branching-ratio
        approximation for the self-exciting Hawkes process", Physical Review E 90, 062807 (2014).
        """
        return max(0.0, 1 - max(self.fano.values()) ** -0.5) if self.fano else None


def arrival_statistics(times_ns: Ints) -> ArrivalStatistics | None:
    """Statistics of arrival times: int64 (n,), nanoseconds, ascending. None if they span no time."""
    if len(times_ns) < 2 or times_ns[-1] <= times_ns[0]:
        return None
    span_s = (int(times_ns[-1]) - int(times_ns[0])) / 1e9
    return ArrivalStatistics(
        rate_per_s=(len(times_ns) - 1) / span_s,
        spacings_ns=Distribution.of(np.diff(times_ns)),
        fano={window_s: fano for window_s in WINDOWS_S if (fano := _fano_factor(times_ns, window_s)) is not None},
    )


def _fano_factor(times_ns: Ints, window_s: float) -> float | None:
    """Variance over mean of the counts in the whole windows of this length; None if there are too few."""
    number = (times_ns - times_ns[0]) // round(window_s * 1e9)
    windows = int(number[-1])
    if windows < WINDOWS_MIN:
        return None
    counts = np.bincount(number[number < windows], minlength=windows)
    return float(counts.var() / counts.mean())
