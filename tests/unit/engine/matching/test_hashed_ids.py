"""Every live order is found by its id after the index changes its hash, whether as it grows or while a stop is due."""

import pytest

from lowlat.engine.matching.commands import command, commands, extended_command, extended_commands
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import Commands, CommandType, ExecType, PoolPolicy, Side
from tests.engines import ENGINES

STRIDE = 4096
"""A multiple of the native index's slots below: ids so far apart all start at one slot, and the 65th is too many."""

engines = pytest.mark.parametrize("kind", ENGINES)


def sells(order_ids: range) -> Commands:
    return commands(*(command(CommandType.LIMIT, order, side=Side.SELL, price=100, quantity=1) for order in order_ids))


def rising(rounds: int) -> Commands:
    """In each round a buy order trades with a sell one, which triggers a buy stop, and rests with what remains."""
    rows = []
    for each in range(rounds):
        first, price = STRIDE * (each + 1), 100 + each
        rows += [
            extended_command(CommandType.LIMIT, first + 500, side=Side.SELL, price=price, quantity=1),
            extended_command(CommandType.STOP_LIMIT, first + 256 + each, price=1, trigger=price, quantity=1),
            extended_command(CommandType.LIMIT, first, price=price, quantity=2),
        ]
    return extended_commands(*rows)


def assert_found(engine: MatchingEngine, order_ids: list[int]) -> None:
    events = engine.process(commands(*(command(CommandType.CANCEL, order) for order in order_ids)))
    assert events["order_id"][events["kind"] == ExecType.CANCELLED].tolist() == order_ids


@engines
def test_orders_are_found_when_the_index_has_grown(kind: type[MatchingEngine]) -> None:
    engine = kind(orders=256, when_orders_dry=PoolPolicy.GROW)
    order_ids = range(STRIDE, 600 * STRIDE, STRIDE)
    engine.process(sells(order_ids))
    assert_found(engine, list(order_ids))


@engines
def test_stops_are_found_that_were_due_when_the_index_was_made_anew(kind: type[MatchingEngine]) -> None:
    engine = kind(orders=256)
    events = engine.process(rising(90))
    triggered = events["order_id"][events["kind"] == ExecType.TRIGGERED].tolist()
    assert len(triggered) == 90
    assert_found(engine, triggered)
