"""An exhausted pool follows its policy and counts it; released records are reused; nothing is lost."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from lowlat.engine.matching.commands import command, commands
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import (
    EXTENDED_COMMAND,
    CommandType,
    ExecType,
    PoolPolicy,
    Reason,
    Side,
    TimeInForce,
)
from lowlat.engine.reference.engine import ReferenceEngine

both_engines = pytest.mark.parametrize("kind", [Engine, ReferenceEngine])


def sells(*order_ids: int, price: int = 100) -> list[tuple[int, ...]]:
    return [command(CommandType.LIMIT, order, side=Side.SELL, price=price, quantity=1) for order in order_ids]


def takes(order_id: int) -> tuple[int, ...]:
    return command(CommandType.LIMIT, order_id, price=100, quantity=1, time_in_force=TimeInForce.IOC)


def buys(*order_ids: int, quantity: int = 1) -> list[tuple[int, ...]]:
    return [command(CommandType.LIMIT, order, side=Side.BUY, price=100, quantity=quantity) for order in order_ids]


@both_engines
def test_an_order_pool_that_refuses_rejects_until_an_order_is_gone(kind: type[MatchingEngine]) -> None:
    engine = kind(orders=3)
    events = engine.process(commands(*sells(1, 2, 3, 4), command(CommandType.CANCEL, 2), *sells(5, 6)))
    refused = events["order_id"][events["reason"] == Reason.ORDER_POOL_FULL]
    assert refused.tolist() == [4, 6]
    assert engine.orders()["order_id"].tolist() == [1, 3, 5]


def test_refusals_are_counted() -> None:
    engine = Engine(orders=1, trades=1, when_trades_dry=PoolPolicy.REJECT)
    engine.process(commands(*sells(1, 2, 3), takes(4), *sells(5), takes(6), takes(7)))
    counters = engine.counters
    assert (counters.order_refusals, counters.trade_refusals, counters.trades, counters.growths) == (2, 2, 1, 0)


@both_engines
def test_an_order_pool_that_grows_takes_every_order(kind: type[MatchingEngine]) -> None:
    engine = kind(orders=1, when_orders_dry=PoolPolicy.GROW)
    events = engine.process(commands(*(row for price in range(100) for row in sells(price + 1, price=price))))
    assert set(events["kind"]) == {ExecType.ACCEPTED}
    assert engine.depth(Side.SELL, 200)["price"].tolist() == list(range(100))
    if isinstance(engine, Engine):
        assert engine.counters.growths == 7  # 1 -> 2 -> 4 ... -> 128
        engine.check_invariants()


@both_engines
def test_a_tape_that_recycles_keeps_the_last(kind: type[MatchingEngine]) -> None:
    engine = kind(trades=3)
    engine.process(commands(*sells(1, 2, 3, 4, 5), *buys(9, quantity=5)))
    assert engine.trades()["maker_id"].tolist() == [3, 4, 5]
    if isinstance(engine, Engine):
        assert (engine.counters.trades, engine.counters.trades_held, engine.counters.trades_recycled) == (5, 3, 2)


@both_engines
def test_a_tape_that_grows_keeps_all_in_order(kind: type[MatchingEngine]) -> None:
    engine = kind(trades=3, when_trades_dry=PoolPolicy.GROW)
    engine.process(commands(*sells(*range(1, 21)), *buys(99, quantity=20)))
    assert engine.trades()["maker_id"].tolist() == list(range(1, 21))
    if isinstance(engine, Engine):
        assert engine.counters.growths == 3  # 3 -> 6 -> 12 -> 24


@both_engines
def test_a_tape_that_refuses_takes_trades_again_when_drained(kind: type[MatchingEngine]) -> None:
    engine = kind(trades=2, when_trades_dry=PoolPolicy.REJECT)
    first = engine.process(commands(*sells(1, 2, 3), *buys(7, quantity=3), *buys(8, quantity=2), *buys(9)))
    assert first["order_id"][first["reason"] == Reason.TRADE_POOL_FULL].tolist() == [7, 9]
    assert engine.drain_trades() == 2
    assert engine.drain_trades() == 0
    assert engine.process(commands(*buys(9)))["kind"].tolist() == [ExecType.ACCEPTED, ExecType.TRADE]
    assert engine.trades()["maker_id"].tolist() == [3]


@both_engines
def test_a_released_order_is_used_again_for_ever(kind: type[MatchingEngine]) -> None:
    engine = kind(orders=2)
    churn = [row for order in range(1, 501) for row in (*sells(order), command(CommandType.CANCEL, order))]
    assert (engine.process(commands(*churn))["reason"][1::2] == Reason.REQUESTED).all()
    assert len(engine.orders()) == 0


def test_a_reset_engine_starts_from_nothing_in_the_same_memory() -> None:
    engine = Engine(orders=2, trades=1)
    memory = engine.memory
    stream = commands(*sells(1, 2, 3), *buys(4, quantity=2))
    first = engine.process(stream)
    for _ in range(3):
        engine.reset()
        assert len(engine.orders()) == len(engine.trades()) == 0
        assert engine.counters == Engine(orders=2, trades=1).counters
        assert engine.process(stream).tobytes() == first.tobytes()
    assert engine.memory == memory


def test_a_reset_engine_counts_anew_and_keeps_what_has_grown() -> None:
    engine = Engine(orders=1, trades=1, when_orders_dry=PoolPolicy.GROW, when_trades_dry=PoolPolicy.GROW)
    stride = commands(*(command(CommandType.LIMIT, order << 32, price=100, quantity=1) for order in range(200)))
    taken = commands(command(CommandType.MARKET, 1, side=Side.SELL, quantity=200))
    first = [engine.process(stride).tobytes(), engine.process(taken).tobytes()]
    assert engine.counters.growths == 8 + 8
    assert engine.counters.index_rehashes == 1  # ids that are equal in their low half
    engine.reset()
    assert set(astuple(replace(engine.counters, growths=0))) == {0}
    assert engine.counters.growths, "the room stays, and so does the count of how it came to be"
    assert [engine.process(stride).tobytes(), engine.process(taken).tobytes()] == first
    assert engine.counters.growths == 16


@pytest.mark.parametrize("stride", [1, 64, 1 << 32])
def test_a_pool_that_grows_finds_every_order(stride: int) -> None:
    """Nodes and index come into use a few at a time, while orders come and go, with and without attributes."""
    random = np.random.default_rng(1)
    stream = np.zeros(20_000, EXTENDED_COMMAND)
    entered = np.cumsum(random.random(len(stream)) < 0.7)
    cancels = np.diff(entered, prepend=0) == 0
    # A cancel names an order of the last thousand, which may have left already.
    numbers = np.where(cancels, np.maximum(entered - random.integers(0, 1_000, len(stream)), 1), entered)
    stream["order_id"] = numbers.astype(np.uint64) * np.uint64(stride)
    stream["kind"] = np.where(cancels, CommandType.CANCEL, CommandType.LIMIT)
    stream["price"][~cancels] = random.integers(1, 3_000, int((~cancels).sum()))
    stream["quantity"][~cancels] = 1
    stream["participant_id"][~cancels] = random.integers(0, 2, int((~cancels).sum()))
    grows, whole = Engine(orders=3, when_orders_dry=PoolPolicy.GROW), Engine(orders=len(stream))
    for start in range(0, len(stream), 1_000):
        part = stream[start : start + 1_000]
        assert grows.process(part).tobytes() == whole.process(part).tobytes()
    grows.check_invariants()
    assert grows.orders().tobytes() == whole.orders().tobytes()
    assert grows.counters.growths == 12


def test_a_pool_grows_while_a_book_has_an_index_of_its_depth() -> None:
    """Orders beyond the pool of the time at which walks made the engine build one."""
    wide = [row for price in range(100, 350) for row in sells(price, price=price)]
    walks = [fills_or_not(order, 10_000) for order in range(10_000, 10_012)]
    more = [row for order in range(1_000, 2_000) for row in sells(order, price=order % 100 + 350)]
    cancels = [command(CommandType.CANCEL, order) for order in range(1_000, 2_000, 3)]
    rows = commands(*wide, *walks, *more, fills_or_not(20_000, 300), *cancels, fills_or_not(20_001, 700), *walks)
    native, reference = (kind(orders=300, when_orders_dry=PoolPolicy.GROW) for kind in (Engine, ReferenceEngine))
    assert np.array_equal(native.process(rows), reference.process(rows))
    native.check_invariants()
    assert native.counters.growths == 3


def fills_or_not(order_id: int, quantity: int) -> tuple[int, ...]:
    return command(CommandType.LIMIT, order_id, price=900, quantity=quantity, time_in_force=TimeInForce.FOK)
