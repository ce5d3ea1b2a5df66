"""A flow is compared with the reference engine, unless seeding that engine alone would take minutes."""

from __future__ import annotations

import pytest

from lowlat.engine.bench import crosscheck
from lowlat.engine.bench.crosscheck import PrefixCheck, check_prefix
from lowlat.engine.bench.run import RunPlan, settings_of
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow


@pytest.fixture(scope="module")
def flow() -> Flow:
    return synthetic_flow(load_profile("equity"), 500, 1)


def checked(flow: Flow) -> PrefixCheck:
    return check_prefix(flow, settings_of(flow, RunPlan()), 200)


def test_up_to_the_bound_a_flow_is_compared(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "SEEDING_MAX", flow.seeded)
    found = checked(flow)
    assert (found.equal, found.commands, found.skipped) == (True, flow.seeded + 200, None)
    assert found.reference_ns


def test_above_it_no_command_is(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "SEEDING_MAX", flow.seeded - 1)
    found = checked(flow)
    assert (found.equal, found.commands, found.reference_ns) == (None, 0, None)
    assert found.skipped is not None and f"to enter {flow.seeded:,} orders" in found.skipped
