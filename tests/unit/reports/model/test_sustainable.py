"""The estimate of the highest rate agrees with figures that one can work out by hand, whatever single runs do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lowlat.reports.model.sustainable import CONFIDENCE, AtRate, crossing, isotonic, rates_around


def fit(values: list[float], weights: list[float] | None = None) -> list[float]:
    return [float(each) for each in isotonic(np.array([values]), np.array(weights or [1.0] * len(values)))[0]]


def test_a_rising_row_is_its_own_fit_and_neighbors_that_fall_are_averaged() -> None:
    assert fit([1, 2, 4]) == [1, 2, 4]
    assert fit([1, 3, 2, 4]) == [1, 2.5, 2.5, 4]
    assert fit([3, 2, 1]) == [2, 2, 2]
    assert fit([4, 1], [1, 2]) == [2, 2]


def test_the_fit_is_the_nearest_rising_one() -> None:
    """No rising row of halves is nearer: all of them are tried."""
    values = np.array([0.0, 2.0, -1.0, 1.0])
    steps = np.arange(-1, 2.5, 0.5)
    rising = np.array(
        [row for row in np.stack(np.meshgrid(*[steps] * 4), -1).reshape(-1, 4) if (np.diff(row) >= 0).all()]
    )
    nearest = ((rising - values) ** 2).sum(axis=1).min()
    assert ((np.array(fit(list(values))) - values) ** 2).sum() <= nearest


def test_rows_are_fitted_apart() -> None:
    rows = isotonic(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 1.0]))
    assert rows.tolist() == [[0.5, 0.5], [0.0, 1.0]]


def test_the_answer_is_where_the_medians_cross_on_a_logarithmic_scale() -> None:
    """-1 at 1 and +1 at 4 commands per second: zero at 2."""
    found = crossing([AtRate(1, [-1] * 5), AtRate(4, [1] * 5)], seed=1)
    assert found.rate == pytest.approx(2)
    assert (found.lower, found.upper, found.confidence) == (pytest.approx(1), pytest.approx(4), CONFIDENCE)


def test_a_rate_exactly_at_its_objective_meets_it() -> None:
    assert crossing([AtRate(1, [-1] * 3), AtRate(2, [0] * 3), AtRate(4, [1] * 3)], seed=1).rate == pytest.approx(2)


def test_one_stalled_run_decides_nothing() -> None:
    calm = [AtRate(1, [-1] * 5), AtRate(2, [-1] * 5), AtRate(4, [1] * 5)]
    stalled = [AtRate(1, [-1, 1.3, -1, -1, -1]), AtRate(2, [-1, -1, -1, 1.3, -1]), AtRate(4, [1] * 5)]
    assert crossing(stalled, seed=1).rate == pytest.approx(crossing(calm, seed=1).rate)


def test_a_stalled_rate_among_calm_ones_decides_nothing_either() -> None:
    points = [AtRate(1, [-1] * 5), AtRate(2, [1.3] * 5), AtRate(4, [-1] * 5), AtRate(8, [-1] * 5), AtRate(16, [1] * 5)]
    assert 8 <= crossing(points, seed=1).rate <= 16


def test_below_and_above_every_rate() -> None:
    none = crossing([AtRate(1, [1] * 3), AtRate(2, [1] * 3)], seed=1)
    assert (none.rate, none.lower, none.upper) == (0, 0, pytest.approx(1))
    every = crossing([AtRate(1, [-1] * 3), AtRate(2, [-1] * 3)], seed=1)
    assert (every.rate, every.lower, every.upper) == (math.inf, pytest.approx(2), math.inf)


def test_too_few_runs_give_the_measured_rates_and_no_confidence() -> None:
    found = crossing([AtRate(1, [-1, -1]), AtRate(4, [1, 1, 1])], seed=1)
    assert (found.lower, found.upper, found.confidence) == (pytest.approx(1), pytest.approx(4), None)


def test_runs_that_disagree_widen_the_interval() -> None:
    def width(*middle: float) -> float:
        found = crossing([AtRate(1, [-1] * 5), AtRate(2, middle), AtRate(4, [1] * 5)], seed=1)
        return found.upper / found.lower

    assert width(-0.5, -0.5, -0.5, -0.5, -0.5) == pytest.approx(2)
    assert width(-0.5, -0.5, -0.5, 0.5, 0.5) > 2.5


def test_the_same_seed_gives_the_same_interval() -> None:
    points = [AtRate(1, [-1, -0.5, 0.2, -0.3, 0.6]), AtRate(2, [-0.4, 0.1, 0.3, -0.2, 0.9]), AtRate(4, [1] * 5)]
    assert crossing(points, seed=7) == crossing(points, seed=7)
    assert 1 <= crossing(points, seed=2**64 - 1).rate <= 4


def test_the_rates_around_the_answer() -> None:
    points = [AtRate(1, [-1]), AtRate(2, [-1]), AtRate(4, [1])]
    assert rates_around(points) == (2, 4)
    assert rates_around(points[:2]) == (2, None)
    assert rates_around(points[2:]) == (None, 4)
