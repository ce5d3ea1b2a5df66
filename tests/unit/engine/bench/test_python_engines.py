"""Any object with `process` is an engine. What it gives is compared with the native engine's events, what it does wrong
is one error that names it, and the collector's pauses are counted.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lowlat.engine.bench.gc_watch import GcStopped, GcWatch
from lowlat.engine.bench.python_loops import run_batched, run_one_at_a_time
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.foreign.compared import ComparedEngine
from lowlat.engine.foreign.python_engine import PythonEngine
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, Commands, Events
from lowlat.errors import PlugInError
from lowlat.probes.clock.scale import TickScale
from tests.shallow_flows import shallow_flow

ALL = frozenset(Capability)


@pytest.fixture(scope="module")
def flow() -> Flow:
    return shallow_flow("steady", 300, 1)


class Plain:
    """Nothing but `process`; a fault may change the events."""

    def __init__(self, settings: EngineConfig, fault: Callable[[Events], Any] = lambda events: events) -> None:
        self._inner, self._fault = Engine.of(settings), fault

    def process(self, commands: Commands) -> Any:
        return self._fault(np.array(self._inner.process(commands)))


def engine(flow: Flow, fault: Callable[[Events], Any] = lambda events: events, **told: Any) -> PythonEngine:
    settings = EngineConfig(flow.instruments, flow.orders)
    return PythonEngine("mine", lambda sized: Plain(sized, fault), settings, told.get("claimed", ALL))


def comparing(made: PythonEngine) -> ComparedEngine:
    return ComparedEngine(made, Engine.of(made.settings), made.not_compared)


def test_its_events_are_compared_to_the_last(flow: Flow) -> None:
    compared = comparing(engine(flow))
    for start in range(0, len(flow.commands), 50):
        compared.process(flow.commands[start : start + 50])
    expected = Engine.of(EngineConfig(flow.instruments, flow.orders)).process(flow.commands)
    assert (compared.difference, compared.commands, compared.events) == (None, len(flow.commands), len(expected))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda events: events[:-1], "on: none instead of"),
        (lambda events: np.concatenate([events, events[-1:]]), " instead of none"),
        (lambda events: _with(events, "price", 1), "on: price "),
        (lambda events: _with(events, "trade_id", 1), "on: trade_id "),
        (lambda events: _with(events, "reason", 1), "on: reason "),
    ],
)
def test_a_difference_in_any_field_is_found(flow: Flow, fault: Callable[[Events], Any], said: str) -> None:
    compared = comparing(engine(flow, fault))
    compared.process(flow.commands)
    assert compared.difference is not None and said in compared.difference


def test_fields_that_it_does_not_claim_to_give_are_left_out(flow: Flow) -> None:
    def fault(events: Events) -> Events:
        return _with(_with(events, "trade_id", 7), "reason", 1)

    made = engine(flow, fault, claimed=ALL - {Capability.REASONS, Capability.TRADE_IDS})
    compared = comparing(made)
    compared.process(flow.commands)
    assert (compared.difference, sorted(made.not_compared)) == (None, ["reason", "trade_id"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda _: None, "returned None for 10 commands"),
        (lambda events: [*events], "returned an object of list for 10 commands"),
        (lambda _: np.zeros(3, np.int64), "returned an array of int64 and shape (3,) for 10 commands"),
        (lambda _: np.zeros((2, 2), EVENT), "returned an array of EVENT and shape (2, 2) for 10 commands"),
        (lambda events: events[["price"]], "returned an array of other records, 64 B each, and shape (10,) for 10"),
        (lambda _: {}["book"], "failed: KeyError: 'book'; repair it, or measure another"),
        (lambda _: _raise("two\nlines \x1b[31m"), "failed: ValueError: two lines \\x1b[31m; repair it"),
        (lambda _: _raise("x" * 5_000), f"failed: ValueError: {'x' * 200}...; repair it"),
    ],
)
def test_what_is_no_array_of_events_is_one_error(flow: Flow, given: Callable[[Events], Any], said: str) -> None:
    with pytest.raises(PlugInError) as raised:
        engine(flow, given).process(flow.commands[:10])
    assert str(raised.value).startswith("the mine engine ") and said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: 1 // 0, "the mine engine failed: ZeroDivisionError: integer division or modulo by zero; repair it"),
        (lambda _: None, "the mine engine is None, which has no process(commands)"),
        (lambda _: object(), "the mine engine is an object of object, which has no process(commands)"),
    ],
)
def test_what_cannot_be_an_engine_is_one_error(make: Callable[[EngineConfig], Any], said: str, flow: Flow) -> None:
    with pytest.raises(PlugInError) as raised:
        PythonEngine("mine", make, EngineConfig(flow.instruments), ALL)
    assert str(raised.value).startswith(said)


def test_memory_that_runs_out_is_not_the_engines_fault(flow: Flow) -> None:
    def exhausted(_events: Events) -> Events:
        raise MemoryError

    with pytest.raises(MemoryError):
        engine(flow, exhausted).process(flow.commands[:10])


class Idle:
    """An engine without events, which makes no objects that the collector counts."""

    def process(self, _commands: Commands) -> tuple[()]:
        return ()


@pytest.mark.parametrize("loop", [run_batched, run_one_at_a_time])
def test_what_was_made_before_a_pass_is_not_collected_in_it(flow: Flow, loop: Callable[..., Any]) -> None:
    """The collector's counts go on while it is off: switched on, it would begin with these."""
    watch, scale, was_enabled = GcWatch(), TickScale.of_frequency(1e9), gc.isenabled()
    gc.disable()
    try:
        made = [[number] for number in range(100_000)]
        done = loop(Idle(), flow.commands[:1], scale, watch)
    finally:
        if was_enabled:
            gc.enable()
    seen = watch.seen(scale)
    assert (seen.collections, len(made)) == (0, 100_000) and seen.pause_ns <= done.wall_ns


def test_the_pauses_are_part_of_the_pass(flow: Flow) -> None:
    class Collecting(Idle):
        def process(self, _commands: Commands) -> tuple[()]:
            gc.collect()
            return ()

    watch, scale = GcWatch(), TickScale.of_frequency(1e9)
    done = run_batched(Collecting(), flow.commands, scale, watch)  # type: ignore[arg-type]
    seen = watch.seen(scale)
    assert seen.collections >= 1 and 0 < seen.pause_ns <= done.wall_ns


def test_a_stopped_collector_collects_nothing_and_is_on_again_after(flow: Flow) -> None:
    class Making(Idle):
        def process(self, _commands: Commands) -> tuple[()]:
            self.made = [[number] for number in range(100_000)]
            assert not gc.isenabled()
            return ()

    watch, was_enabled = GcStopped(), gc.isenabled()
    gc.enable()
    try:
        run_batched(Making(), flow.commands, TickScale.of_frequency(1e9), watch)  # type: ignore[arg-type]
        assert gc.isenabled() and gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        if not was_enabled:
            gc.disable()
    assert watch.seen(TickScale.of_frequency(1e9)).collections == 0


def test_collections_are_counted_in_the_block_only() -> None:
    watch, was_enabled = GcWatch(), gc.isenabled()
    gc.disable()
    try:
        gc.collect()
        with watch:
            assert gc.isenabled()
            gc.collect()
            gc.collect()
        assert not gc.isenabled()
        gc.collect()
    finally:
        if was_enabled:
            gc.enable()
    seen = watch.seen(TickScale(1, 0))
    assert seen.collections == 2
    assert 0 < seen.longest_ns <= seen.pause_ns <= 2 * seen.longest_ns


def _with(events: Events, name: str, more: int) -> Events:
    changed = np.array(events)
    changed[name][len(changed) // 2] += more
    return changed


def _raise(text: str) -> Events:
    raise ValueError(text)
