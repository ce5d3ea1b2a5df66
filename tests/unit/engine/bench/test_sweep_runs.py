"""A sweep over real runs: in random order, with a search, and only its last run lost if one dies or Ctrl-C comes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from lowlat.engine.bench import sweep as sweep_module
from lowlat.engine.bench.loop_ceiling import LoopCeiling
from lowlat.engine.bench.protocol import OpenLoop
from lowlat.engine.bench.report_builder import Finished
from lowlat.engine.bench.run import Measurement, RunPlan
from lowlat.engine.bench.sweep import SURE, measure_sweep, within_ceiling
from lowlat.engine.flow.profile import Arrivals
from lowlat.errors import RunFailedError, UsageError
from lowlat.reports.model.objective import Objective
from lowlat.reports.model.sweep import Sweep
from tests.shallow_flows import shallow_flow

FLOW = shallow_flow("steady", 1_000, 1)
RATES = (5_000, 10_000, 20_000)
MET = Objective(percentile="99", limit_ns=10**12)
"""Any run meets it that keeps up."""


def load_at(rate: int) -> OpenLoop:
    return OpenLoop(Arrivals(process="constant", rate=rate))


def swept(*, runs: int = 1, objective: Objective = MET, seed: int = 1) -> Sweep:
    return measure_sweep(
        lambda _load: FLOW, load_at, RATES, RunPlan(runs=runs, kernel_path=False), [objective], seed=seed
    )


@dataclass
class Ending:
    """Raises `error` instead of the run with this number, from 0."""

    error: BaseException
    at: int

    def __call__(self, measured: Measurement) -> Finished:
        self.at -= 1
        if self.at < 0:
            raise self.error
        return RUN(measured)


RUN = Measurement.run


def end(monkeypatch: pytest.MonkeyPatch, error: BaseException, at: int) -> None:
    ending = Ending(error, at)

    def run(measured: Measurement) -> Finished:
        return ending(measured)

    monkeypatch.setattr(sweep_module.Measurement, "run", run)


def rates(sweep: Sweep) -> list[float | None]:
    return [point.load.target_rate for point in sweep.points]


def in_order(sweep: Sweep) -> list[float | None]:
    """The rate of each run, in the order they were made."""
    return [rates(sweep)[index] for index in sweep.order]


@pytest.mark.slow
def test_each_pass_is_in_random_order_and_the_points_are_not() -> None:
    made = swept(runs=2, seed=3)
    assert rates(made) == sorted(rate for rate in rates(made) if rate)
    first, second = (
        in_order(made)[:3],
        in_order(made)[3:6],
    )  # then the search, of rates between where one is not kept up
    assert set(first) == set(second) == set(RATES)
    assert made.seed == 3 and [*first, *second] == in_order(swept(runs=2, seed=3))[:6]
    orders = {tuple(sweep_module.random.Random(seed).sample(RATES, 3)) for seed in range(20)}
    assert len(orders) > 3, "the seed decides"


@pytest.mark.slow
def test_a_rate_that_ends_the_search_is_measured_three_times() -> None:
    """Every rate meets the objective: only the highest is around the answer, if this host kept it up."""
    made = swept(runs=2)
    if made.answer.bound == "at least":
        assert Counter(made.order) == {0: 2, 1: 2, 2: 2 * SURE}
    assert all(len(point.runs) in {2, 2 * SURE} for point in made.points)


@pytest.mark.slow
def test_no_rate_meets_an_impossible_objective() -> None:
    made = swept(objective=Objective(percentile="99", limit_ns=1))
    assert (made.answer.bound, made.answer.rate, made.status) == ("below", RATES[0], made.status)
    assert Counter(made.order) == {0: SURE, 1: 1, 2: 1}, "the lowest rate was confirmed"


def test_the_runs_before_one_that_dies_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    end(monkeypatch, RunFailedError("a run's process was killed", -9), at=2)
    made = swept()
    assert len(made.points) == len(made.order) == 2
    (why,) = (reason for reason in made.status_reasons if "a run's process was killed" in reason)
    assert made.status == "invalid" and why.startswith("at ")  # a busy host is another reason


def test_ctrl_c_keeps_the_runs_made(monkeypatch: pytest.MonkeyPatch) -> None:
    end(monkeypatch, KeyboardInterrupt(), at=2)
    made = swept()
    assert (made.status, len(made.points)) == ("interrupted", 2)
    assert "interrupted at 2 rates" in made.status_reasons


@pytest.mark.parametrize("error", [RunFailedError("was killed", -9), KeyboardInterrupt()])
def test_without_any_run_the_error_is_told(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    end(monkeypatch, error, at=0)
    with pytest.raises(type(error)):
        swept()


def test_rates_above_the_loops_own_ceiling_are_left_out() -> None:
    ceiling = LoopCeiling(ns_per_command=100, what="the open loop")
    assert within_ceiling([1_000_000, 10_000_000], ceiling) == ([1_000_000, 10_000_000], None)
    assert within_ceiling([1_000_000, 10_000_001], ceiling) == ([1_000_000], 10_000_000)
    with pytest.raises(UsageError, match="above the ceiling of the open loop"):
        within_ceiling([10_000_001, 20_000_000], ceiling)
