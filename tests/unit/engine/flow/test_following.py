"""The native follower sees in small random flows what a plain one sees that works on lists of orders."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest

from lowlat.engine import Engine, load_profile, synthetic_flow
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.records import FOLLOWED_COMMAND, LifeEnd
from lowlat.engine.flow.statistics import following
from lowlat.engine.flow.statistics.following import followed
from lowlat.engine.matching.commands import command, extended_command
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import (
    COMMAND,
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    Events,
    ExecType,
    Side,
    TimeInForce,
)
from tests.plain_follower import Order, PlainFollower

Row = dict[str, int]
TICK = 5


def random_commands(seed: int, count: int = 400) -> Commands:
    """Orders at a dozen prices, and changes of recent ones, some of which are gone."""
    random, rows = Random(seed), []
    kinds = [CommandType.LIMIT] * 8 + [CommandType.CANCEL] * 3
    kinds += [CommandType.MARKET, CommandType.REDUCE, CommandType.REPLACE]
    for number in range(1, count + 1):
        kind = random.choice(kinds)
        limit = kind is CommandType.LIMIT
        enters = limit or kind is CommandType.MARKET
        side = random.choice(list(Side))
        price = random.randint(1, 7) if side is Side.BUY else random.randint(6, 12)
        rows.append(
            command(
                kind,
                number if enters else random.randint(max(1, number - 80), number),
                side=side,
                price=TICK * price if limit or kind is CommandType.REPLACE else 0,
                quantity=0 if kind is CommandType.CANCEL else random.randint(1, 9),
                time_in_force=random.choice([TimeInForce.GTC] * 4 + [TimeInForce.IOC]) if limit else TimeInForce.GTC,
            )
        )
    return np.array(rows, dtype=COMMAND)


def flow_of(commands: Commands) -> Flow:
    return Flow("small", commands, seeded=0, orders=1_000, mix={}, instruments=(Instrument(tick=TICK),))


def native(commands: Commands) -> tuple[list[Row], list[tuple[int, ...]]]:
    stretches = list(followed(flow_of(commands)))
    names = FOLLOWED_COMMAND.names or ()
    rows = [dict(zip(names, row, strict=True)) for stretch in stretches for row in stretch.rows.tolist()]
    fields = ["entered", "commands", "distance", "placed", "end"]
    lives = [life for stretch in stretches for life in stretch.lives[fields].tolist()]
    return rows, sorted(lives)


def plain(commands: Commands, follower: PlainFollower) -> tuple[list[Row], list[tuple[int, ...]]]:
    rows = follower.follow(commands)
    return [{name: row[name] for name in FOLLOWED_COMMAND.names or ()} for row in rows], sorted(follower.lives)


@pytest.mark.parametrize("seed", range(30))
def test_rows_and_lives_are_those_of_the_plain_follower(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "STRETCH_COMMANDS", 1 + 50 * (seed % 3))  # what was seen does not depend on it
    commands = random_commands(seed)
    assert native(commands) == plain(commands, PlainFollower(tick=TICK))


def test_the_flows_contain_what_is_compared() -> None:
    rows, lives = native(random_commands(1))
    for name in ("distance", "spread", "lifetime", "filled", "ahead", "behind", "touch_quantity"):
        assert len({row[name] for row in rows}) > 3, name
    assert {row["accepted"] for row in rows} == {row["placed"] for row in rows} == {row["rests"] for row in rows}
    assert max(row["levels_filled"] for row in rows) > 1 and max(row["makers"] for row in rows) > 2
    assert {life[-1] for life in lives} == {LifeEnd.CANCELED, LifeEnd.FILLED, LifeEnd.OPEN}


@dataclass
class CountsItself(PlainFollower):
    """An entering order is among those at its price."""

    def _queue(self, side: Side, price: int) -> list[Order]:
        return [*super()._queue(side, price), Order(0, side, price, 0, 0, (0, 0))]


@dataclass
class FarTouch(PlainFollower):
    """Distances are from the other side's best price."""

    def _place(self, row: Row, side: Side, price: int) -> None:
        super()._place(row, Side(1 - side), price)


@dataclass
class YoungestFirst(PlainFollower):
    """The youngest order at a price trades first."""

    def _reached(self, side: Side, limit: int | None) -> list[Order]:
        sign = 1 if side == Side.BUY else -1
        return sorted(super()._reached(side, limit), key=lambda order: (sign * order.price, -order.entered))


@dataclass
class NewLife(PlainFollower):
    """A replaced order begins anew."""

    def _enter(self, command: dict[str, Any], row: Row, before: Order | None = None) -> None:
        if before is not None:
            before.entered = self.number
        super()._enter(command, row, before)


@dataclass
class AllCanceled(PlainFollower):
    """Orders that trade to the end count as canceled."""

    def _end(self, orders: list[Order], how: LifeEnd) -> None:
        super()._end(orders, LifeEnd.CANCELED if how is LifeEnd.FILLED else how)


@pytest.mark.parametrize("wrong", [CountsItself, FarTouch, YoungestFirst, NewLife, AllCanceled])
def test_a_wrong_follower_is_told_apart(wrong: type[PlainFollower]) -> None:
    commands = random_commands(1)
    assert native(commands) != plain(commands, wrong(tick=TICK))


def test_a_stop_has_no_queue_until_it_triggers() -> None:
    def limit(order_id: int, side: Side, quantity: int, price: int = 10 * TICK) -> tuple[int, ...]:
        return extended_command(CommandType.LIMIT, order_id, side=side, price=price, quantity=quantity)

    stop = extended_command(CommandType.STOP_LIMIT, 2, side=Side.BUY, quantity=3, trigger=10 * TICK, price=9 * TICK)
    commands = np.array(
        [
            limit(1, Side.SELL, 5),
            stop,
            extended_command(CommandType.REDUCE, 2, quantity=1),
            limit(3, Side.BUY, 5),  # trades, which triggers the stop: it comes to rest
            extended_command(CommandType.CANCEL, 2),
            extended_command(CommandType.CANCEL, 9, symbol=7),
        ],
        dtype=EXTENDED_COMMAND,
    )
    rows, lives = native(commands)
    assert [row["placed"] for row in rows] == [0, 0, 0, 0, 1, 0]
    assert [row["quantity"] for row in rows] == [5, 3, 3, 5, 2, 0]
    assert [row["accepted"] for row in rows] == [1, 1, 1, 1, 1, 0]
    assert [row["live"] for row in rows] == [1, 2, 2, 1, 0, 0]
    assert [row["levels"] for row in rows] == [1, 1, 1, 1, 0, 0]
    assert [row["lifetime"] for row in rows] == [0, 0, 1, 0, 3, 0]
    assert lives == [(0, 3, 0, 0, LifeEnd.FILLED), (1, 3, 0, 0, LifeEnd.CANCELED)]


def executed(flow: Flow) -> tuple[Engine, Events]:
    engine = Engine(flow.instruments, orders=flow.orders)
    return engine, engine.process(flow.commands)


def check_against_events(flow: Flow) -> None:
    """What was followed ends in the book that `process` leaves, with the same rejections and trades."""
    engine, events = executed(flow)
    rows = np.concatenate([stretch.rows for stretch in followed(flow)])
    lives = np.concatenate([stretch.lives for stretch in followed(flow)])
    rejected = np.unique(events["sequence"][events["kind"] == ExecType.REJECTED])
    assert np.flatnonzero(rows["accepted"] == 0).tolist() == rejected.tolist()
    trades = events[events["kind"] == ExecType.TRADE]
    own = trades["order_id"] == flow.commands["order_id"][trades["sequence"].astype(np.int64)]
    assert rows["filled"].sum() == trades["quantity"][own].sum()
    assert rows["live"][-1] == engine.counters.live_orders
    symbols = range(len(flow.instruments))
    assert rows["levels"][-1] == sum(len(engine.depth(side, 10**6, symbol)) for side in Side for symbol in symbols)
    assert np.count_nonzero(lives["end"] == LifeEnd.OPEN) == engine.counters.live_orders
    enters = ~np.isin(flow.commands["kind"], [CommandType.REDUCE, CommandType.REPLACE])
    assert sorted(lives["entered"].tolist()) == np.flatnonzero(enters & (rows["rests"] == 1)).tolist()


@pytest.mark.parametrize("name", ["all-kinds", "many-symbols", "equity", "cancel-storm"])
def test_every_kind_of_command_is_followed_as_it_is_executed(name: str) -> None:
    check_against_events(synthetic_flow(load_profile(name), 20_000, seed=4))


@pytest.mark.parametrize("dtype", [COMMAND, EXTENDED_COMMAND], ids=["plain", "extended"])
def test_commands_that_say_anything_are_followed(dtype: np.dtype[np.void]) -> None:
    commands = np.frombuffer(np.random.default_rng(1).bytes(5_000 * dtype.itemsize), dtype=dtype).copy()
    commands["kind"] %= 12
    commands["symbol"] %= 3
    commands["order_id"] %= 40
    commands["side"] %= 3
    commands["quantity"][::2] %= 50
    commands["price"][::3] %= 50
    check_against_events(Flow("anything", commands, 0, orders=1_000, mix={}, instruments=(Instrument(),) * 2))
