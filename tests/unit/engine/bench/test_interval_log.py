"""The log of a run: its totals contain every sample, even if the file could not be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lowlat.engine import _core
from lowlat.engine.bench.interval_log import logged
from lowlat.engine.bench.protocol import LogJob
from lowlat.engine.bench.run import RunPlan, settings_of
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.native import Engine
from lowlat.probes.clock.counter import calibrate_quick
from lowlat.probes.clock.scale import TickScale

FLOW = synthetic_flow(load_profile("steady"), 2_000, 1)


@pytest.mark.parametrize("target", ["file", "/dev/full"])
def test_totals_hold_every_sample_and_a_fault_is_told(tmp_path: Path, target: str) -> None:
    path = tmp_path / target  # an absolute one stays itself
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    engine = Engine.of(settings_of(FLOW, RunPlan()))
    engine.process(FLOW.commands[: FLOW.seeded])
    scale = calibrate_quick().scale
    latencies = _core.Latencies(["service"])
    try:
        job = LogJob(path=str(path), descriptor=descriptor, base_ns=0)
        with logged(job, latencies, "service", TickScale(scale.multiplier, scale.shift), ()) as log:
            _core.run_timed(engine.matcher, FLOW.measured, scale.multiplier, scale.shift, latencies)
    finally:
        os.close(descriptor)
    assert sum(log.intervals.total(at).total for at in range(len(_core.operations()))) == len(FLOW.measured)
    if target == "file":
        assert log.fault is None and path.read_text().startswith("Tag=service/add,")
    else:
        assert log.fault is not None and "No space left on device" in log.fault
