"""Robust z-scores by hand, where the MAD is 0, and a rank test of one host against the others."""

from __future__ import annotations

import pytest

from lowlat.fleet.robust import rank_p, scale_of
from lowlat.reports.compare.rank_test import p_value


def test_median_and_mad() -> None:
    scale = scale_of([10, 12, 14, 16, 100], "ns")  # deviations 4, 2, 0, 2, 86: their median is 2
    assert (scale.center, scale.kind) == (14, "mad")
    assert scale.spread == pytest.approx(1.4826 * 2)
    assert scale.z(100) == pytest.approx(86 / (1.4826 * 2))
    assert scale.z(10) == pytest.approx(-4 / (1.4826 * 2))


@pytest.mark.parametrize(
    ("values", "unit", "spread"),
    [
        ([40, 40, 40, 80], "ns", 0.4),  # MAD 0: a hundredth of the median
        ([40, 40.1, 39.9, 40], "ns", 0.4),  # below the floor
        ([0, 0, 0, 0.5], "share", 0.001),
        ([10, 10, 10, 14], "count", 1.0),
        ([-40, -40, -40, -80], "ppm", 0.4),
    ],
)
def test_where_most_are_alike_a_floor_is_the_spread(values: list[float], unit: str, spread: float) -> None:
    scale = scale_of(values, unit)
    assert (scale.spread, scale.kind) == (pytest.approx(spread), "floor")
    assert scale.z(values[0]) == 0


@pytest.mark.parametrize(("values", "unit"), [([1], "ns"), ([1, 9], "ns"), ([0, 0, 0, 5], "ns")])
def test_there_may_be_no_spread(values: list[float], unit: str) -> None:
    scale = scale_of(values, unit)
    assert (scale.kind, scale.z(values[-1])) == ("none", None)


def test_one_host_against_all_others() -> None:
    runs = {"a": [1.0, 2.0, 3.0], "b": [1.5, 2.5, 3.5], "c": [8.0, 9.0, 10.0]}
    expected = 3 * p_value([1, 2, 3, 1.5, 2.5, 3.5], [8, 9, 10])
    assert rank_p("c", runs, higher_is_better=False) == pytest.approx(expected)
    assert expected < 0.2
    assert rank_p("b", runs, higher_is_better=False) == 1


def test_single_values_have_no_rank_test() -> None:
    assert rank_p("a", {"a": [1.0], "b": [2.0], "c": [3.0]}, higher_is_better=False) is None
    assert rank_p("a", {"a": [1.0, 2.0]}, higher_is_better=False) is None


def test_many_runs_of_others_are_thinned_out_evenly() -> None:
    runs = {f"{host}": [100.0 + host % 7, 101.0 + run] for host in range(2_000) for run in [host % 5]}
    runs["slow"] = [500.0, 501.0, 502.0, 503.0]
    slow, usual = (rank_p(host, runs, higher_is_better=False) for host in ("slow", "3"))
    assert slow is not None and usual is not None
    assert slow < 0.05 < usual
