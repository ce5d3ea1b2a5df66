"""How far a host is from the others, by figures that a few bad hosts cannot move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from lowlat.reports.compare.rank_test import p_value

HOSTS_MIN: Final = 3
"""With two hosts, nobody can say which of them differs."""
_OF_MAD: Final = 1.4826
"""Standard deviations in a median absolute deviation of normal values: 1 over the normal quantile of 3/4."""
FLOOR: Final = 0.01
"""The least spread, of the median: what differs by less than 3.5% never stands out, however alike the others are."""
FLOORS: Final[Mapping[str, float]] = {"share": 0.001, "count": 1.0}
"""The least spread by unit, where the median may well be zero."""
RUNS_OF_OTHERS_MAX: Final = 1_000
"""More of the others' runs are thinned out evenly for the rank test: they tell no more, and take time."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Center and spread of the hosts' values. `spread` is what a z-score of 1 is; None if there is none."""

    center: float
    spread: float | None
    kind: Literal["mad", "floor", "none"]

    def z(self, value: float) -> float | None:
        """How many spreads a value is above the center."""
        return None if self.spread is None else (value - self.center) / self.spread


def scale_of(values: Sequence[float], unit: str) -> Scale:
    """The median, and the spread from the median absolute deviation (MAD).

    The MAD is 0 where more than half of the values are equal, as where a clock's step hides differences; the least
    difference would then be infinite. So it counts only above a floor: `FLOORS` of the unit, else `FLOOR` of
    the median. There is no spread for fewer than three values, or where both are 0.
    """
    center = median(values)
    if len(values) < HOSTS_MIN:
        return Scale(center, None, "none")
    spread = _OF_MAD * median(abs(value - center) for value in values)
    floor = FLOORS.get(unit, FLOOR * abs(center))
    if spread > floor:
        return Scale(center, spread, "mad")
    return Scale(center, floor, "floor") if floor else Scale(center, None, "none")


def rank_p(host: str, runs: Mapping[str, Sequence[float]], *, higher_is_better: bool) -> float | None:
    """The p of a rank test of a host's runs and those of all others, times the number of hosts, as each is tested.

    None if no host has a second run: one value among many proves nothing.
    """
    if all(len(values) < 2 for values in runs.values()) or len(runs) < 2:
        return None
    others = [value for name, values in runs.items() if name != host for value in values]
    step = -(-len(others) // RUNS_OF_OTHERS_MAX)
    thinned = sorted(others)[step // 2 :: step]
    return min(1.0, p_value(thinned, runs[host], higher_is_better=higher_is_better) * len(runs))
