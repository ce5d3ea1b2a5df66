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
"""So many orders at least are in the range of every row, so that none shows a single order."""

Shares = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Curve:
    """Shares of samples up to ascending values, and how many samples each of these has."""

    values: Ints
    shares: Shares
    samples: Ints


def rows_of(distribution: Distribution, least: int, most: int) -> Quantiles:
    """The distribution as rows; values outside `least`..`most` count as the nearest of the two. Needs a sample."""
    values, place = np.unique(distribution.values.clip(least, most), return_inverse=True)
    counts = np.zeros(len(values), dtype=np.int64)
    np.add.at(counts, place, distribution.counts)
    samples = np.cumsum(counts)
    return _rows(_Curve(values, samples / samples[-1], counts), least)


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
    return _rows(_Curve(values[some], (1 - surviving)[some], cancels[some]), 1)


def _rows(curve: _Curve, least: int) -> Quantiles:
    """Rows between which a straight line is near the curve: repeatedly the point that is furthest from it."""
    values, shares = _points(curve, least)
    chosen = [0, len(values) - 1]
    while len(chosen) < ROWS_FITTED_MAX:
        error = np.abs(np.interp(values, values[chosen], shares[chosen]) - shares)
        worst = int(error.argmax())
        if error[worst] < ERROR_ENOUGH:
            break
        chosen = sorted([*chosen, worst])
    rows = zip(values[chosen].tolist(), shares[chosen].round(5).tolist(), strict=True)
    return tuple(rows)[1:]


def _points(curve: _Curve, least: int) -> tuple[Ints, Shares]:
    """The curve with values grouped until `SAMPLES_PER_ROW` samples are in each group: where each begins and ends.

    A value with so many samples is a group, and so takes in the fewer ones between it and the group before. Too few
    samples behind the last group count as that group's end.
    """
    points: dict[int, float] = {least - 1: 0.0}
    share, first, pending = 0.0, None, 0
    for value, after, count in zip(curve.values.tolist(), curve.shares.tolist(), curve.samples.tolist(), strict=True):
        pending += count
        first = value if first is None or count >= SAMPLES_PER_ROW else first
        if pending >= SAMPLES_PER_ROW:
            points.setdefault(first - 1, share)
            points[value] = share = after
            first, pending = None, 0
    last = max(points) if len(points) > 1 else int(curve.values[-1])
    points[last] = float(curve.shares[-1])
    return np.array(list(points)), np.array(list(points.values()))
