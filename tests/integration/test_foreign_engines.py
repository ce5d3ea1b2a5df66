"""Engines of shared libraries: a right one gives our events byte for byte, one with a fault of matching does not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given

from lowlat.engine import _core
from lowlat.engine.flow.profile import load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import native_rules
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, EXTENDED_COMMAND, Commands, Events, ExecType, Side
from lowlat.errors import NotValidError
from tests.foreign import libraries
from tests.foreign.within import commands_within, compared, settings_within
from tests.property.comparison import stream_of
from tests.property.strategies import PROPERTY, Case, cases
from tests.property.streams import STREAMS
from tests.property.world_streams import WORLD_STREAMS
from tests.property.worlds import WORLDS
from tests.waiting import PATIENCE_S
from tests.worked_examples import EXAMPLES
from tests.worked_examples.example import FOK, buy, market, replace, sell

RIGHT = {"C++, calls back": libraries.simple_book, "C, fills a buffer": libraries.simple_book_in_c}

both_styles = pytest.mark.parametrize("style", RIGHT)


def loaded(library: Path) -> _core.EngineLibrary:
    """In this process: for engines that do not take it with them."""
    return _core.EngineLibrary(str(library), int(PATIENCE_S * 1_000))


class Foreign:
    """An engine of a library, made for the nearest settings that it takes."""

    def __init__(self, library: Path, settings: EngineConfig, *, extended: bool = False) -> None:
        loaded_library = loaded(library)
        self.capabilities = loaded_library.capabilities
        self.settings = settings_within(settings, self.capabilities)
        rules, orders = native_rules(self.settings), self.settings.orders
        self.native = _core.ForeignEngine(loaded_library, rules, orders, extended=extended)

    def process(self, commands: Commands) -> Events:
        return self.native.process(commands).view(EVENT)


def assert_right(library: Path, settings: EngineConfig, commands: Commands) -> Events:
    """The library's events are ours, for those of the commands that it takes; returns them."""
    engine = Foreign(library, settings, extended=commands.dtype == EXTENDED_COMMAND)
    taken = commands_within(commands, engine.capabilities)
    events = engine.process(taken)
    expected = Engine.of(engine.settings).process(taken)
    assert compared(events, engine.capabilities) == compared(expected, engine.capabilities)
    return events


# -- right engines ---------------------------------------------------------------------------------------------------


@both_styles
def test_the_worked_examples_of_its_capabilities(style: str) -> None:
    library = RIGHT[style]()
    capabilities = loaded(library).capabilities
    tried = 0
    for example in EXAMPLES:
        commands = stream_of([*example.given, *example.does])
        made_for_it = settings_within(example.settings, capabilities).instruments == example.settings.instruments
        if made_for_it and len(commands_within(commands, capabilities)) == len(commands):
            assert_right(library, example.settings, commands)
            tried += 1
    assert tried >= {"C++, calls back": 22, "C, fills a buffer": 10}[style]


@both_styles
@PROPERTY
@given(case=cases())
def test_random_commands(style: str, case: Case) -> None:
    assert_right(RIGHT[style](), case.settings, stream_of(case.rows))


@both_styles
@PROPERTY
@given(case=WORLDS)
def test_random_worlds(style: str, case: Case) -> None:
    assert_right(RIGHT[style](), case.settings, stream_of(case.rows))


@both_styles
@pytest.mark.parametrize("name", STREAMS)
def test_long_random_commands(style: str, name: str) -> None:
    """Wrong ones among them. Where there are symbols that the engine lacks, it rejects their commands."""
    stream = STREAMS[name]
    events = assert_right(RIGHT[style](), stream.settings, stream.commands(1, 20_000))
    assert ExecType.REJECTED in events["kind"]
    if style == "C++, calls back":
        assert {*events["kind"].tolist()} == {*ExecType} - {ExecType.TRIGGERED, ExecType.REFILLED}


@both_styles
@pytest.mark.parametrize("name", WORLD_STREAMS)
def test_long_random_commands_of_double_size(style: str, name: str) -> None:
    stream = WORLD_STREAMS[name]
    assert stream.commands([1], 1).dtype == EXTENDED_COMMAND
    assert_right(RIGHT[style](), stream.settings, stream.commands([1], 20_000))


TAKES = [("C++, calls back", name) for name in profile_names() if name != "all-kinds"] + [
    ("C, fills a buffer", name) for name in ("burst", "deep", "flash-crash", "steady", "sweep")
]
"""The built-in profiles of which an engine takes every command."""


@pytest.mark.parametrize(("style", "name"), TAKES)
def test_synthetic_flow(style: str, name: str) -> None:
    library, profile = RIGHT[style](), load_profile(name)
    if profile.live_orders > 1_000_000:  # as many take a minute to generate
        profile = msgspec.structs.replace(profile, symbols=80, live_orders=15_000)
    flow = synthetic_flow(profile, 200_000, 1)
    settings, capabilities = EngineConfig(flow.instruments, orders=flow.orders), loaded(library).capabilities
    assert settings_within(settings, capabilities).instruments == settings.instruments
    assert len(commands_within(flow.commands, capabilities)) == len(flow.commands)
    assert_right(library, settings, flow.commands)


@both_styles
@pytest.mark.parametrize("batch", [1, 2, 3, 255, 257])
def test_where_a_batch_is_split_makes_no_difference(style: str, batch: int) -> None:
    library, settings = RIGHT[style](), STREAMS["touch"].settings
    engine, at_once = Foreign(library, settings), Foreign(library, settings)
    commands = commands_within(STREAMS["touch"].commands(2, 2_000), engine.capabilities)
    parts = [engine.process(commands[at : at + batch]).tobytes() for at in range(0, len(commands), batch)]
    assert b"".join(parts) == at_once.process(commands).tobytes()


@both_styles
@pytest.mark.parametrize("trades", [1_021, 1_022, 1_023, 1_024, 2_046, 2_047, 2_048, 5_000])
def test_one_command_with_more_events_than_a_buffer_has_room_for(style: str, trades: int) -> None:
    """The room is 1,024; beside its trades the command has an ACCEPTED and a CANCELLED."""
    sellers = [sell(order, 1, 100 + order) for order in range(1, trades + 1)]
    events = assert_right(
        RIGHT[style](), EngineConfig((Instrument(),)), stream_of([*sellers, market(0, Side.BUY, 2**32 - 1)])
    )
    assert len(events) == 2 * trades + 2


@both_styles
def test_a_reset_engine_is_a_new_one(style: str) -> None:
    engine = Foreign(RIGHT[style](), STREAMS["deep"].settings)
    commands = commands_within(STREAMS["deep"].commands(1, 5_000), engine.capabilities)
    first = engine.process(commands)
    engine.native.reset()
    assert engine.process(commands).tobytes() == first.tobytes()


def test_the_c_plus_plus_one_is_not_made_for_a_pro_rata_symbol() -> None:
    rules = native_rules(WORLD_STREAMS["close"].settings)
    with pytest.raises(NotValidError, match="made no engine for 2 symbols and 9 orders: create returned NULL"):
        _core.ForeignEngine(loaded(libraries.simple_book()), rules, 9, extended=False)


# -- engines with a fault of matching --------------------------------------------------------------------------------

SHOWN_BY = {
    "last-in-first-out": [sell(1, 1, 100), sell(2, 1, 100), buy(3, 1, 100)],
    "partial-fill-loses-its-place": [sell(1, 2, 100), sell(2, 1, 100), buy(3, 1, 100), buy(4, 1, 100)],
    "larger-keeps-its-place": [sell(1, 1, 100), sell(2, 1, 100), replace(1, 2, 100), buy(3, 1, 100)],
    "fok-trades-in-part": [sell(1, 1, 100), buy(2, 2, 100, FOK)],
}
"""The shortest commands that show each fault: the last one is the first that goes wrong."""


@pytest.mark.parametrize("fault", libraries.BROKEN)
def test_a_fault_of_matching_is_seen(fault: str) -> None:
    rows = SHOWN_BY[fault]
    one_symbol = EngineConfig((Instrument(),))
    assert_right(libraries.broken(fault), one_symbol, stream_of(rows[:-1]))
    assert_right(libraries.simple_book(), one_symbol, stream_of(rows))
    with pytest.raises(AssertionError):
        assert_right(libraries.broken(fault), one_symbol, stream_of(rows))


@pytest.mark.parametrize("fault", libraries.BROKEN)
def test_random_commands_show_a_fault_of_matching(fault: str) -> None:
    with pytest.raises(AssertionError):
        assert_right(libraries.broken(fault), STREAMS["touch"].settings, STREAMS["touch"].commands(1, 20_000))
