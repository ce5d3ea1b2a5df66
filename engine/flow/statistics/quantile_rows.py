"""Turns measured distributions into the rows that a profile writes: few, and none that shows a single order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.quantiles import Quantiles
from lowlat.engine.flow.recording import Ints
from lowlat.engine.flow.records import LifeEnd, OrderLives
from lowlat.engine.flow.statistics.distribution import Distribution

ROWS_FITTED_MAX: Final = 40
ERROR_ENOUGH: Final = 0.003
"""Largest difference of the shares at which no further row is added."""
SAMPLES_PER_ROW: Final = 10
"""So many orders at least are in the range of every row, so that no row shows a single one."""

Shares = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Curve:
    """Shares of samples up to ascending values, and how many samples these are."""

    values: Ints
    shares: Shares
    samples: Ints


def rows_of(distribution: Distribution, least: int, most: int) -> Quantiles:
    """The distribution as rows; values outside `least`..`most` count as the nearest of the two. Needs a sample."""
    values, place = np.unique(distribution.values.clip(least, most), return_inverse=True)
    counts = np.zeros(len(values), dtype=np.int64)
    np.add.at(counts, place, distribution.counts)
    samples = np.cumsum(counts)
    return _rows(_Curve(values, samples / samples[-1], samples), least, most)


def lifetime_rows(lives: OrderLives, most: int) -> Quantiles | None:
    """Commands from entry to cancel, if trades did not come first, as rows; None if no life ended in a cancel.

    The estimate is that of E. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations", Journal of
    the American Statistical Association 53 (1958): an order that traded or still rests shows only that it was not
    canceled until then.
    """
    canceled = lives["end"] == LifeEnd.CANCELED
    if not canceled.any():
        return None
    commands = lives["commands"].astype(np.int64).clip(1, most)
    values, place = np.unique(commands, return_inverse=True)
    ended = np.bincount(place, minlength=len(values))
    cancels = np.bincount(place, weights=canceled, minlength=len(values)).astype(np.int64)
    at_risk = len(lives) - np.concatenate(([0], np.cumsum(ended)[:-1]))
    surviving = np.cumprod(1 - cancels / at_risk)
    some = cancels > 0
    return _rows(_Curve(values[some], (1 - surviving)[some], np.cumsum(cancels)[some]), 1, most)


def _rows(curve: _Curve, least: int, most: int) -> Quantiles:
    """Rows between which a straight line is near the curve: repeatedly the point that is furthest from it.

    The last value is rounded up to two digits: it would otherwise be that of one order.
    """
    points = _with_left_limits(curve, least)
    chosen = [0, len(points.values) - 1]
    while len(chosen) < ROWS_FITTED_MAX:
        line = np.interp(points.values, points.values[chosen], points.shares[chosen])
        error = np.where(_far_enough(points, chosen), np.abs(line - points.shares), 0)
        worst = int(error.argmax())
        if error[worst] < ERROR_ENOUGH:
            break
        chosen = sorted([*chosen, worst])
    values, shares = points.values[chosen[1:]].tolist(), points.shares[chosen[1:]].round(6).tolist()
    last = min(_two_digits_up(values[-1]), most)
    return tuple(zip([*values[:-1], last], shares, strict=True))


def _with_left_limits(curve: _Curve, least: int) -> _Curve:
    """The curve with the points just below its steps; the first is below every sample."""
    below = np.concatenate(([0.0], curve.shares[:-1]))
    below_samples = np.concatenate(([0], curve.samples[:-1]))
    values = np.concatenate(([least - 1], curve.values - 1, curve.values))
    shares = np.concatenate(([0.0], below, curve.shares))
    samples = np.concatenate(([0], below_samples, curve.samples))
    values, first = np.unique(values, return_index=True)
    return _Curve(values, shares[first], samples[first])


def _far_enough(points: _Curve, chosen: list[int]) -> NDArray[np.bool_]:
    """Which points leave enough samples, or none at all, between them and their chosen neighbors."""
    samples = points.samples
    place = np.searchsorted(chosen, np.arange(len(samples)))
    above = samples[np.array(chosen)[place.clip(1)]] - samples
    below = samples - samples[np.array(chosen)[place.clip(1) - 1]]
    enough: NDArray[np.bool_] = ((above >= SAMPLES_PER_ROW) | (above == 0)) & (
        (below >= SAMPLES_PER_ROW) | (below == 0)
    )
    enough[chosen] = False
    return enough


def _two_digits_up(value: int) -> int:
    unit = 10 ** max(0, len(str(value)) - 2)
    return -(-value // unit) * unit
