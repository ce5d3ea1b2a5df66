"""A sweep over real runs: a run that dies loses only its own rate, not the rates before it."""

from __future__ import annotations

import pytest

from lowlat.engine.bench import sweep as sweep_module
from lowlat.engine.bench.protocol import OpenLoop
from lowlat.engine.bench.run import RunPlan, measure
from lowlat.engine.bench.sweep import measure_sweep
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import Arrivals, load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.errors import RunFailedError
from lowlat.reports.model.report import Report

FLOW = synthetic_flow(load_profile("steady"), 1_000, 1)
LOADS = [OpenLoop(Arrivals(process="constant", rate=rate)) for rate in (5_000, 10_000, 20_000)]


def dying_at(rate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run at this rate ends like one whose process was killed."""

    def measured(flow: Flow, plan: RunPlan, *rest: object) -> Report:
        assert isinstance(plan.load, OpenLoop)
        if plan.load.arrivals.rate == rate:
            raise RunFailedError("a run's process was killed", -9)
        return measure(flow, plan)

    monkeypatch.setattr(sweep_module, "measure", measured)


def test_the_rates_before_a_run_that_dies_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    dying_at(20_000, monkeypatch)
    made = measure_sweep(lambda _load: FLOW, RunPlan(runs=1), LOADS)
    assert [point.load.target_rate for point in made.points] == [5_000, 10_000]
    assert made.status == "invalid" and "at 20.0 k/s: a run's process was killed" in made.status_reasons


def test_without_any_rate_the_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    dying_at(5_000, monkeypatch)
    with pytest.raises(RunFailedError, match="was killed"):
        measure_sweep(lambda _load: FLOW, RunPlan(runs=1), LOADS)
