"""A flow is compared with the reference engine in stretches of the whole of it, unless seeding that engine alone would
take minutes. Engines that err early, late, or without an event must be found.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lowlat.engine import _core
from lowlat.engine.bench import crosscheck
from lowlat.engine.bench.crosscheck import ReferenceCheck, check_against_reference, stretches_of
from lowlat.engine.bench.engines import NATIVE, REFERENCE, EngineEntry
from lowlat.engine.bench.run import RunPlan, settings_of
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands, CommandType, Events, ExecType
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.engine.reference.resume import ResumedEngine


@pytest.fixture(scope="module")
def flow() -> Flow:
    return synthetic_flow(load_profile("equity"), 500, 1)


@pytest.fixture(scope="module")
def long_flow() -> Flow:
    return synthetic_flow(load_profile("equity"), 50_000, 1)


def checked(flow: Flow, measured: int = 200, entry: EngineEntry = NATIVE) -> ReferenceCheck:
    return check_against_reference(flow, settings_of(flow, RunPlan()), measured, entry)


class Counting(Engine):
    """A native engine that knows how many commands it has executed."""

    def _open(self, settings: EngineConfig) -> None:
        super()._open(settings)
        self.executed = 0

    def process(self, commands: Commands) -> Events:
        self.executed += len(commands)
        return super().process(commands)


class WrongLate(Counting):
    """After 40,000 commands, one trade in 97 reports a quantity that is one too high; its books are right."""

    def process(self, commands: Commands) -> Events:
        events = np.array(super().process(commands))
        if self.executed > 40_000:
            events["quantity"][np.flatnonzero(events["kind"] == ExecType.TRADE)[::97]] += 1
        return events


def entry_of(make: Callable[[EngineConfig], Any]) -> EngineEntry:
    return EngineEntry("wrong", "an engine that errs", make, compiled=True)


def test_up_to_the_bound_a_flow_is_compared(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "SEEDING_MAX", flow.seeded)
    found = checked(flow)
    assert (found.equal, found.commands, found.skipped) == (True, flow.seeded + 200, None)
    assert found.reference_ns and found.stretches == 10


def test_above_it_no_command_is(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "SEEDING_MAX", flow.seeded - 1)
    found = checked(flow)
    assert (found.equal, found.commands, found.reference_ns) == (None, 0, None)
    assert found.skipped is not None and f"to enter {flow.seeded:,} orders" in found.skipped


@pytest.mark.parametrize(("total", "compared", "orders"), [(10, 20, 0), (1_000, 100, 5), (2_000_000, 20_000, 100_000)])
def test_stretches_reach_from_the_first_command_to_the_last(total: int, compared: int, orders: int) -> None:
    stretches = stretches_of(total, compared, orders)
    assert stretches[0].start == 0 and stretches[-1].stop == total
    assert sum(map(len, stretches)) == min(total, compared)
    assert all(one.stop <= other.start for one, other in pairwise(stretches))


def test_books_with_many_orders_are_handed_over_seldom() -> None:
    assert len(stretches_of(2_000_000, 20_000, 280)) == 10
    assert len(stretches_of(2_000_000, 20_000, 100_000)) == 3
    assert [*map(len, stretches_of(2_000_000, 20_000, 200_000))] == [10_000, 10_000]


def test_an_error_late_in_the_flow_is_found(long_flow: Flow) -> None:
    found = checked(long_flow, 20_000, entry_of(WrongLate.of))
    assert found.equal is False and found.difference is not None
    assert "from measured command" in found.difference


def test_the_first_commands_alone_do_not_show_it() -> None:
    """Why the stretches exist: the same engine passes on the same number of commands from the beginning."""
    short = synthetic_flow(load_profile("equity"), 20_000, 1)
    assert checked(short, 20_000, entry_of(WrongLate.of)).equal is True


def test_an_engine_that_only_loses_an_order_is_told_by_its_book(
    long_flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a stretch without further commands on that order, its events are right."""

    def lose_last(settings: EngineConfig) -> Engine:
        class LosesAtTheEnd(Counting):
            def process(self, commands: Commands) -> Events:
                events = super().process(commands)
                if self.executed == len(long_flow.commands):
                    rows = np.zeros(1, commands.dtype)
                    symbol = int(commands[-1]["symbol"])
                    rows["kind"], rows["symbol"] = CommandType.CANCEL, symbol
                    rows["order_id"] = self.orders(symbol)[-1]["order_id"]
                    super().process(rows)
                return events

        return LosesAtTheEnd.of(settings)

    found = checked(long_flow, 20_000, entry_of(lose_last))
    assert found.difference is not None and "the orders of symbol 0 differ at the end" in found.difference


def test_the_reference_engine_is_compared_with_the_native_one(flow: Flow) -> None:
    found = checked(flow, entry=REFERENCE)
    assert (found.engine, found.equal) == ("native", True)


@pytest.mark.parametrize("name", [name for name in profile_names() if name not in {"day", "deep", "many-symbols"}])
def test_a_resumed_engine_continues_as_one_that_executed_everything(name: str) -> None:
    """For every kind of order: the events and books of the reference engine, which saw all commands."""
    flow = synthetic_flow(load_profile(name), 4_000, 3)
    settings = settings_of(flow, RunPlan())
    native, whole = Engine.of(settings), ReferenceEngine.of(settings)
    for start, end in ((0, flow.seeded + 1_500), (flow.seeded + 1_500, flow.seeded + 2_750)):
        native.process(flow.commands[start:end])
        whole.process(flow.commands[start:end])
        resumed = ResumedEngine.resumed(settings, _core.save_state(native.matcher)[0])
        for symbol in range(len(settings.instruments)):
            assert np.array_equal(resumed.orders(symbol), whole.orders(symbol))
            assert np.array_equal(resumed.stops(symbol), whole.stops(symbol))
        assert np.array_equal(resumed.trades(), whole.trades())
    rest = flow.commands[flow.seeded + 2_750 :]
    assert np.array_equal(resumed.process(rest), whole.process(rest))
