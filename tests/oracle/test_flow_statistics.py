"""An hour of AAPL on Nasdaq, measured, and what distinguishes it from a profile that is not fitted to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import load_profile, synthetic_flow
from lowlat.engine.flow.readers.lobster import read_lobster
from lowlat.engine.flow.recording import RecordedFlow
from lowlat.engine.flow.statistics.arrivals_fit import CountVariance
from lowlat.engine.flow.statistics.check import compare_flows
from lowlat.engine.flow.statistics.fit import fit_profile
from lowlat.engine.flow.statistics.measure import FlowStatistics, flow_statistics, recorded_statistics
from lowlat.engine.flow.statistics.refine import refined


@pytest.fixture(scope="module")
def flow(recorded: Callable[[str], Path]) -> RecordedFlow:
    return read_lobster(recorded("AAPL_2012-06-21_34200000_37800000_message_50.csv.xz"))


@pytest.fixture(scope="module")
def hour(flow: RecordedFlow) -> FlowStatistics:
    return recorded_statistics(flow)[1]


@pytest.fixture(scope="module")
def steady() -> FlowStatistics:
    return flow_statistics(synthetic_flow(load_profile("steady"), 100_000, seed=1))


def figures(flow: FlowStatistics) -> list[float | None]:
    return [
        flow["queue"].share(1, 1),
        flow["cancel_lifetime"].share(high=10),
        flow["cancel_behind"].share(0, 0),
        flow["queue"].quantile(0.5),
        flow["add_distance"].share(high=-1),
    ]


def test_levels_lives_queues_and_improvements(hour: FlowStatistics, steady: FlowStatistics) -> None:
    """Cancels that remove their level, within 10 commands, at the tail; median queue; adds inside the spread."""
    assert figures(hour) == pytest.approx([0.66, 0.38, 0.88, 1, 0.20], abs=0.005)
    expected = [0.002, 0.0, 0.015, 195, 0.04]
    assert figures(steady) == [pytest.approx(each, abs=max(0.005, 0.1 * each)) for each in expected]


def test_commands_add_up(hour: FlowStatistics, flow: RecordedFlow) -> None:
    assert hour.rejected == 0
    assert hour.commands == len(flow.commands) - flow.seeded == sum(hour.acts.values())
    assert (hour.acts["ioc"], hour.acts["reduce"]) == (3_290, 469)
    assert hour["levels_swept"].total == sum(hour.taken) == 3_290
    assert len(hour.lives) == hour.acts["add"]


def test_arrivals_come_in_bursts_of_every_length(hour: FlowStatistics) -> None:
    assert hour.arrivals is not None
    assert hour.arrivals.fano[1.0] == pytest.approx(44, abs=0.5)
    assert hour.arrivals.fano[10.0] == pytest.approx(108, abs=0.5)


def test_fitted_kernels_have_the_recorded_variance_in_every_window(hour: FlowStatistics) -> None:
    due = fit_profile(hour).profile.arrivals
    assert due is not None and due.kernels is not None and hour.arrivals is not None
    branchings, decays = zip(*due.kernels, strict=True)
    windows = np.array(list(hour.arrivals.fano)) * hour.arrivals.rate_per_s
    fano = CountVariance(np.array(decays), windows).fano(np.array(branchings))
    assert fano == pytest.approx(list(hour.arrivals.fano.values()), rel=0.1)


def test_the_fitted_profile_is_like_the_hour_and_steady_is_not(hour: FlowStatistics, steady: FlowStatistics) -> None:
    def poor(made: FlowStatistics) -> set[str]:
        return {figure.figure for figure in compare_flows(hour, made) if figure.verdict == "poor"}

    profile = refined(fit_profile(hour), hour).profile
    fitted = flow_statistics(synthetic_flow(profile, hour.commands, seed=5))
    assert figures(fitted) == pytest.approx(figures(hour), abs=0.06)
    # The touch holds round lots more often than other prices, and this hour's reduces take exactly half.
    assert poor(fitted) <= {
        "size of aggressive orders, lots",
        "aggressive orders of round lots",
        "share that a reduce takes, percent",
        "price levels, mean",
        "spread, ticks",
    }
    assert len(poor(steady)) > 15
