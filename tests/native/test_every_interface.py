"""Every interface of the engine gives the same events and the same book, byte for byte: the matcher, `lowlat.hpp`, and
the functions of `lowlat.h`.

`through_interfaces.cpp` beside this file has the interfaces; the expected bytes are those of the engine from Python.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lowlat.engine import Engine, load_profile, synthetic_flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import RULE_FIELDS
from lowlat.engine.matching.records import EXTENDED_COMMAND, Commands, CommandType, ExecType
from tests.native.c_library import ROOT, SANITIZERS, compiled_once, fixed_addresses, run_bytes
from tests.property.world_streams import WORLD_STREAMS

WAYS = ["core", "inlined", "inlined-in-place", "callback", "callback-claimed", "in-place", "queue"]
COMMANDS = 3_000

Through = Callable[[str, EngineConfig, Commands], bytes]


@pytest.fixture(scope="module", params=SANITIZERS)
def through(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Through:
    """What the program writes for these commands."""
    folder = tmp_path_factory.mktemp("interfaces")
    program = compiled_once(ROOT / "tests/native/through_interfaces.cpp", request.param)

    def run(way: str, settings: EngineConfig, commands: Commands) -> bytes:
        rules = [[getattr(each, name) for name in RULE_FIELDS] for each in settings.instruments]
        np.array(rules, np.int64).tofile(folder / "rules")
        commands.tofile(folder / "commands")
        extended = int(commands.dtype == EXTENDED_COMMAND)
        sizes = settings.orders, settings.trades, int(settings.when_orders_dry), int(settings.when_trades_dry)
        files = folder / "commands", str(extended), folder / "rules"
        return run_bytes(*fixed_addresses(), program, way, *files, *map(str, sizes))

    return run


def expected(settings: EngineConfig, commands: Commands) -> bytes:
    engine = Engine.of(settings)
    events = engine.process(commands)
    orders = [engine.orders(symbol) for symbol in range(len(settings.instruments))]
    return events.tobytes() + b"".join(each.tobytes() for each in orders)


@pytest.mark.parametrize("name", WORLD_STREAMS)
def test_the_same_events_of_every_kind(name: str, through: Through) -> None:
    world = WORLD_STREAMS[name]
    commands = world.commands([1, *name.encode()], COMMANDS)
    assert {*CommandType} <= {*commands["kind"].tolist()}
    assert {*Engine.of(world.settings).process(commands)["kind"].tolist()} == {*ExecType}
    wanted = expected(world.settings, commands)
    assert [way for way in WAYS if through(way, world.settings, commands) != wanted] == []


def test_the_same_events_of_plain_commands(through: Through) -> None:
    flow = synthetic_flow(load_profile("sweep"), 20_000, 1)
    settings = EngineConfig(flow.instruments, flow.orders)
    wanted = expected(settings, flow.commands)
    assert [way for way in WAYS if through(way, settings, flow.commands) != wanted] == []


def test_events_that_are_not_collected_are_missed(through: Through) -> None:
    """The same comparison rejects a caller that takes the first part of a command's events for all of them."""
    world = WORLD_STREAMS["close"]
    commands = world.commands([1], COMMANDS)
    wanted = expected(world.settings, commands)
    assert through("in-place", world.settings, commands) == wanted
    assert through("in-place-without-the-rest", world.settings, commands) != wanted
