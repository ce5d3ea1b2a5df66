"""Engines of shared libraries: a right one gives our events byte for byte, one with a fault of matching does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given

from lowlat.engine.conformance.examples import EXAMPLES
from lowlat.engine.conformance.examples.example import FOK, buy, market, replace, sell
from lowlat.engine.flow.profile import load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, EXTENDED_COMMAND, Commands, Events, ExecType, MatchAlgorithm, Side
from lowlat.errors import NotValidError
from tests.foreign import libraries, run
from tests.foreign.apart import EngineProcess, engine_process
from tests.foreign.within import commands_within, compared, settings_within
from tests.property.comparison import stream_of
from tests.property.strategies import PROPERTY, Case, cases
from tests.property.streams import STREAMS
from tests.property.world_streams import WORLD_STREAMS
from tests.property.worlds import WORLDS

RIGHT = {each.__name__: each for each in (libraries.simple_book, libraries.simple_book_in_c, libraries.ours)}
"""One that calls back, one of few capabilities that fills a buffer, one of all."""

every_right_one = pytest.mark.parametrize("engine", RIGHT)


@pytest.fixture(scope="module")
def process() -> Iterator[EngineProcess]:
    with engine_process() as started:
        yield started


def both(process: EngineProcess, library: Path, settings: EngineConfig, commands: Commands) -> tuple[bytes, bytes]:
    """The library's events and ours, as far as they are compared, for the settings and the commands that it takes."""
    capabilities = process.ask(run.capabilities, library)
    taken, nearest = commands_within(commands, capabilities), settings_within(settings, capabilities)
    (theirs,) = process.ask(run.run, run.Job(library, nearest, [taken])).events
    ours = Engine.of(nearest).process(taken)
    return compared(np.frombuffer(theirs, EVENT), capabilities), compared(ours, capabilities)


def assert_right(process: EngineProcess, library: Path, settings: EngineConfig, commands: Commands) -> Events:
    """Its events are ours; returns them."""
    theirs, ours = both(process, library, settings, commands)
    assert theirs == ours
    return np.frombuffer(theirs, EVENT)


# -- right engines ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@every_right_one
def test_the_worked_examples_of_its_capabilities(process: EngineProcess, engine: str) -> None:
    library = RIGHT[engine]()
    capabilities = process.ask(run.capabilities, library)
    tried = 0
    for example in EXAMPLES:
        commands = stream_of([*example.given, *example.does])
        made_for_it = settings_within(example.settings, capabilities).instruments == example.settings.instruments
        if made_for_it and len(commands_within(commands, capabilities)) == len(commands):
            assert_right(process, library, example.settings, commands)
            tried += 1
    assert tried >= {"simple_book": 22, "simple_book_in_c": 10, "ours": len(EXAMPLES)}[engine]


@pytest.mark.scaled
@PROPERTY
@given(case=cases())
def test_random_commands(process: EngineProcess, case: Case) -> None:
    for library in RIGHT.values():
        assert_right(process, library(), case.settings, stream_of(case.rows))


@pytest.mark.scaled
@PROPERTY
@given(case=WORLDS)
def test_random_worlds(process: EngineProcess, case: Case) -> None:
    for library in RIGHT.values():
        assert_right(process, library(), case.settings, stream_of(case.rows))


@every_right_one
@pytest.mark.parametrize("name", STREAMS)
def test_long_random_commands(process: EngineProcess, engine: str, name: str) -> None:
    """Wrong ones among them. Where there are symbols that the engine lacks, it rejects their commands."""
    stream = STREAMS[name]
    events = assert_right(process, RIGHT[engine](), stream.settings, stream.commands(1, 20_000))
    assert ExecType.REJECTED in events["kind"]
    if engine != "simple_book_in_c":
        assert {*events["kind"].tolist()} == {*ExecType} - {ExecType.TRIGGERED, ExecType.REFILLED}


@every_right_one
@pytest.mark.parametrize("name", WORLD_STREAMS)
def test_long_random_commands_of_double_size(process: EngineProcess, engine: str, name: str) -> None:
    stream = WORLD_STREAMS[name]
    assert stream.commands([1], 1).dtype == EXTENDED_COMMAND
    events = assert_right(process, RIGHT[engine](), stream.settings, stream.commands([1], 20_000))
    if engine == "ours" and stream.settings.orders > 1:
        assert {*events["kind"].tolist()} == {*ExecType}


TAKES = [
    *(("simple_book", name) for name in profile_names() if name != "all-kinds"),
    *(("simple_book_in_c", name) for name in ("burst", "deep", "flash-crash", "steady", "sweep")),
    ("ours", "all-kinds"),
]
"""The built-in profiles of which an engine takes every command."""


@pytest.mark.parametrize(("engine", "name"), TAKES)
def test_synthetic_flow(process: EngineProcess, engine: str, name: str) -> None:
    library, profile = RIGHT[engine](), load_profile(name)
    if profile.live_orders > 1_000_000:  # as many take a minute to generate
        profile = msgspec.structs.replace(profile, symbols=80, live_orders=15_000)
    flow = synthetic_flow(profile, 200_000, 1)
    settings = EngineConfig(flow.instruments, orders=flow.orders)
    capabilities = process.ask(run.capabilities, library)
    assert settings_within(settings, capabilities).instruments == settings.instruments
    assert len(commands_within(flow.commands, capabilities)) == len(flow.commands)
    assert_right(process, library, settings, flow.commands)


@every_right_one
@pytest.mark.parametrize("batch", [1, 2, 3, 255, 257])
def test_where_a_batch_is_split_makes_no_difference(process: EngineProcess, engine: str, batch: int) -> None:
    library, stream = RIGHT[engine](), STREAMS["touch"]
    commands = commands_within(stream.commands(2, 2_000), process.ask(run.capabilities, library))
    at_once, in_parts = (
        process.ask(run.run, run.Job(library, stream.settings, batches)).events
        for batches in ([commands], [commands[at : at + batch] for at in range(0, len(commands), batch)])
    )
    assert b"".join(in_parts) == at_once[0]


@every_right_one
@pytest.mark.parametrize("trades", [1_021, 1_022, 1_023, 1_024, 2_046, 2_047, 2_048, 5_000])
def test_one_command_with_more_events_than_a_buffer_has_room_for(
    process: EngineProcess, engine: str, trades: int
) -> None:
    """The room is 1,024; beside its trades the command has an ACCEPTED and a CANCELLED."""
    sellers = [sell(order, 1, 100 + order) for order in range(1, trades + 1)]
    events = assert_right(
        process, RIGHT[engine](), EngineConfig((Instrument(),)), stream_of([*sellers, market(0, Side.BUY, 2**32 - 1)])
    )
    assert len(events) == 2 * trades + 2


def test_commands_with_hundreds_of_events_each(process: EngineProcess) -> None:
    """However many a right engine has, they are no events without end."""
    pro_rata = EngineConfig((Instrument(algorithm=MatchAlgorithm.PRO_RATA),))
    crowd = [sell(order, 300, 100) for order in range(300)]
    shared = [buy(300 + order, 300, 100) for order in range(300)]
    assert len(assert_right(process, libraries.ours(), pro_rata, stream_of([*crowd, *shared]))) > 300 * 300
    icebergs = [sell(order, 256, 100, display_quantity=1) for order in range(200)]
    taken = [*icebergs, buy(200, 256 * 200, 100)]
    events = assert_right(process, libraries.ours(), EngineConfig((Instrument(),)), stream_of(taken))
    assert len(events) > 2 * 255 * 200


@every_right_one
def test_the_measured_loops_count_the_same_events(process: EngineProcess, engine: str) -> None:
    library, stream = RIGHT[engine](), STREAMS["touch"]
    commands = commands_within(stream.commands(1, 2_000), process.ask(run.capabilities, library))
    job = run.Job(library, stream.settings, [commands[:1_000], commands[1_000:]])
    counts = [len(events) // EVENT.itemsize for events in process.ask(run.run, job).events]
    assert process.ask(run.run_batched, job) == process.ask(run.run_one_at_a_time, job) == counts


@every_right_one
def test_a_reset_engine_is_a_new_one(process: EngineProcess, engine: str) -> None:
    library, stream = RIGHT[engine](), STREAMS["deep"]
    commands = commands_within(stream.commands(1, 5_000), process.ask(run.capabilities, library))
    job = run.Job(library, stream.settings, [commands] * 2, resets=frozenset({1}))
    first, second = process.ask(run.run, job).events
    assert first == second


def test_the_c_plus_plus_one_is_not_made_for_a_pro_rata_symbol(process: EngineProcess) -> None:
    pro_rata = EngineConfig((Instrument(), Instrument(algorithm=MatchAlgorithm.PRO_RATA)), orders=9)
    with pytest.raises(NotValidError, match="made no engine for 2 symbols and 9 orders: create returned NULL"):
        process.ask(run.run, run.Job(libraries.simple_book(), pro_rata, []))


# -- engines with a fault of matching --------------------------------------------------------------------------------

SHOWN_BY = {
    "last-in-first-out": [sell(1, 1, 100), sell(2, 1, 100), buy(3, 1, 100)],
    "partial-fill-loses-its-place": [sell(1, 2, 100), sell(2, 1, 100), buy(3, 1, 100), buy(4, 1, 100)],
    "larger-keeps-its-place": [sell(1, 1, 100), sell(2, 1, 100), replace(1, 2, 100), buy(3, 1, 100)],
    "fok-trades-in-part": [sell(1, 1, 100), buy(2, 2, 100, FOK)],
}
"""The shortest commands that show each fault: the last one is the first that goes wrong."""


@pytest.mark.parametrize("fault", libraries.BROKEN)
def test_a_fault_of_matching_is_seen(process: EngineProcess, fault: str) -> None:
    rows, library, one_symbol = SHOWN_BY[fault], libraries.broken(fault), EngineConfig((Instrument(),))
    assert_right(process, library, one_symbol, stream_of(rows[:-1]))
    theirs, ours = both(process, library, one_symbol, stream_of(rows))
    assert theirs != ours
    assert_right(process, libraries.simple_book(), one_symbol, stream_of(rows))


@pytest.mark.parametrize("fault", libraries.BROKEN)
def test_random_commands_show_a_fault_of_matching(process: EngineProcess, fault: str) -> None:
    stream = STREAMS["touch"]
    theirs, ours = both(process, libraries.broken(fault), stream.settings, stream.commands(1, 20_000))
    assert theirs != ours
