"""An interval log is written beside the measured passes, never inside: they allocate as little as without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowlat.engine.bench.protocol import ClosedLoop, Load, OpenLoop, Pipeline
from lowlat.engine.bench.run import RunPlan, measure
from lowlat.engine.flow.profile import Arrivals, load_profile
from lowlat.engine.flow.synthetic import synthetic_flow

PACED = Arrivals(process="constant", rate=20_000)
COMMANDS = 50_000
"""At the rate above they take two and a half intervals of a second."""


@pytest.mark.parametrize(
    "load",
    [ClosedLoop(), *(pytest.param(load, marks=pytest.mark.slow) for load in (OpenLoop(PACED), Pipeline(2, PACED)))],
    ids=["closed", "open", "pipeline"],
)
def test_a_logged_pass_does_not_allocate(load: Load, tmp_path: Path) -> None:
    flow = synthetic_flow(load_profile("steady"), COMMANDS, 1)
    path = tmp_path / "run.hlog"
    report = measure(flow, RunPlan(runs=1, load=load, books=tmp_path, log=path, kernel_path=False))
    if report.hot_path.allocations is None:
        pytest.skip(report.not_available["hot_path.allocations"])
    assert report.hot_path.allocations == 0
    assert path.read_text().count("Tag=") >= (1 if isinstance(load, ClosedLoop) else 3)
