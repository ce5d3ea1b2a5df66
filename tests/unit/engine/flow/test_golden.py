"""The golden digests are those of the reference engine, for the profiles as they are; another engine, or another
flow, is told from them.
"""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from lowlat.engine.bench.event_digest import digest_events
from lowlat.engine.bench.run import RunPlan, settings_of
from lowlat.engine.flow.golden import Golden, golden_digests, golden_of
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.native import Engine
from lowlat.engine.reference.engine import ReferenceEngine

DEFAULT_COMMANDS = 2_000_000
"""The longest entry of every profile."""
COSTLY = ("day",)
"""Profiles whose flow takes seconds to generate, however short it is."""
RECOMPUTED = ("equity", "futures", "cancel-storm", "all-kinds")
"""Profiles whose shortest entry the reference engine makes again here."""


def flow_of(name: str, commands: int, seed: int = 1) -> Flow:
    return synthetic_flow(load_profile(name), commands, seed)


def entry_of(flow: Flow) -> Golden:
    found = golden_of(flow)
    assert found is not None, "tools/measure/golden_digests.py makes the entries of a changed profile"
    return found


@pytest.mark.parametrize("name", RECOMPUTED)
def test_the_reference_engine_gives_them(name: str) -> None:
    flow = flow_of(name, 20_000)
    golden = entry_of(flow)
    events = ReferenceEngine.of(settings_of(flow, RunPlan())).process(flow.commands)
    assert (golden.commands, golden.events) == (20_000, len(events))
    assert hashlib.sha256(events.tobytes()).hexdigest() == golden.digest


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in COSTLY)) for name in profile_names()]
)
@pytest.mark.parametrize("commands", [200_000, pytest.param(DEFAULT_COMMANDS, marks=pytest.mark.slow)])
def test_every_profile_has_one_and_the_native_engine_gives_it(name: str, commands: int) -> None:
    flow = flow_of(name, commands)
    golden = entry_of(flow)
    assert golden.commands == commands
    given = digest_events(
        Engine.of(settings_of(flow, RunPlan())), flow.commands[: flow.seeded], flow.measured, golden.commands
    )
    assert given.golden_part == given.sha256 == golden.digest


def test_a_flow_is_held_to_the_longest_entry_it_contains() -> None:
    flow = flow_of("equity", 70_123)
    golden = entry_of(flow)
    assert golden.commands == 50_000
    given = digest_events(
        Engine.of(settings_of(flow, RunPlan())), flow.commands[: flow.seeded], flow.measured, golden.commands
    )
    assert given.golden_part == golden.digest != given.sha256


def test_other_flows_have_none() -> None:
    flow = flow_of("equity", 20_000)
    changed = flow.commands.copy()
    changed["quantity"][-1] += 1
    assert golden_of(flow_of("equity", 19_999)) is None  # shorter than every entry
    assert golden_of(flow_of("equity", 20_000, 4)) is None
    assert golden_of(dataclasses.replace(flow, commands=changed)) is None
    assert golden_of(dataclasses.replace(flow, name="mine")) is None


def test_entries_of_a_profile_lengthen() -> None:
    for rows in golden_digests().values():
        assert [row.commands for row in rows] == sorted({row.commands for row in rows})
        assert len({row.digest for row in rows}) == len({row.flow_hash for row in rows}) == len(rows)
