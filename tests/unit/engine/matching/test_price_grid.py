"""A user whose prices are on a coarser grid than the tick is told so, once; nobody else is."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.bench.crosscheck import check_against_reference
from lowlat.engine.flow.readers.journal import read_journal_flow
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.price_grid import tick_of
from lowlat.engine.matching.records import COMMAND, Commands, CommandType, Side
from lowlat.errors import PriceGridWarning

CHECKED = 1 << 16
"""Commands after which an engine looks at its books."""


def book_of(step: int, levels: int = 100) -> Commands:
    """As many commands as it takes: orders at this many prices of each side, entered, and then reduced and reduced."""
    commands = np.zeros(CHECKED, COMMAND)
    commands["order_id"] = np.arange(CHECKED) % (2 * levels) + 1
    commands["kind"] = CommandType.REDUCE
    commands["quantity"] = 1
    entering = commands[: 2 * levels]
    entering["kind"], entering["quantity"] = CommandType.LIMIT, 1_000_000
    entering["side"][::2] = Side.SELL
    entering["price"] = np.where(entering["side"] == Side.SELL, 1, -1) * (np.arange(2 * levels) + 1) * step
    return commands


def warned(engine: Engine, commands: Commands) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        engine.process(commands)
    assert all(each.category is PriceGridWarning for each in caught)
    return [str(each.message) for each in caught]


def test_raw_prices_with_a_tick_of_one_are_told_once() -> None:
    engine = Engine()
    commands = book_of(step=10_000)
    assert warned(engine, commands[:-1]) == []
    (message,) = warned(engine, commands[-1:])
    assert message.startswith("symbol 0: all its prices are multiples of 10000, and its tick is 1")
    assert "use Instrument(tick=10000)" in message
    assert warned(engine, commands) == []


def test_the_symbol_is_named() -> None:
    commands = book_of(step=2_500)
    commands["symbol"] = 3
    (message,) = warned(Engine(5), commands)
    assert message.startswith("symbol 3: all its prices are multiples of 2500")


@pytest.mark.parametrize("tick", [10_000, 1])
def test_prices_on_their_tick_are_right(tick: int) -> None:
    assert warned(Engine([Instrument(tick=tick)]), book_of(tick)) == []


def test_prices_of_which_one_is_between_are_right() -> None:
    commands = book_of(step=10_000)
    commands["price"][0] += 1
    assert warned(Engine(), commands) == []


def test_a_few_even_prices_may_be_chance() -> None:
    commands = book_of(step=1, levels=10)
    commands["price"][:20] *= 2 * 15_485_863 ** (np.arange(20) % 2)  # of each two, one is near and one is far
    assert warned(Engine(), commands) == []


def test_a_warning_that_is_an_error_loses_no_event() -> None:
    engine = Engine()
    commands = book_of(step=10_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error", PriceGridWarning)
        with pytest.raises(PriceGridWarning):
            engine.process(commands)
    interrupted = engine.take_interrupted()
    assert interrupted is not None and interrupted.commands == len(commands)


def test_a_journal_that_is_replayed_has_it_in_its_notes(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """A warning would name a line of ours."""
    commands = book_of(step=10_000)
    for tick, told in (1, True), (10_000, False):
        settings = EngineConfig((Instrument(tick=tick),), orders=1_000, trades=1_000)
        with JournaledEngine.journaling(tmp_path / f"{tick}.journal", settings) as engine:
            engine.process(commands[:300])
        flow = read_journal_flow(tmp_path / f"{tick}.journal")
        assert any("all its prices are multiples of 10000" in note for note in flow.notes) is told
    settings = EngineConfig((Instrument(),), orders=1_000, trades=1_000)
    assert check_against_reference(replace(flow, commands=commands), settings, 200).equal
    assert not [each for each in recwarn.list if each.category is PriceGridWarning]


@pytest.mark.parametrize(
    ("prices", "tick"),
    [([], 1), ([0], 1), ([300, -200, 0], 100), ([9512, 9533], 1), ([50], 50), ([-(2**63)], 1), ([2**62, 2**61], 2**61)],
)
def test_the_tick_of_prices(prices: list[int], tick: int) -> None:
    assert tick_of(np.array(prices, np.int64)) == tick
