"""Long random arrays of every command type, drawn by numpy, for states that a few dozen commands from Hypothesis cannot
reach: books of hundreds of orders, long cascades, full pools, many expiries at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import PRICE_MAX, PRICE_MIN, Instrument
from lowlat.engine.matching.records import (
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    ExecInst,
    MatchAlgorithm,
    PoolPolicy,
    SelfTradePrevention,
    TickRounding,
    TimeInForce,
    TradingPhase,
)

KINDS = {
    CommandType.LIMIT: 0.53,
    CommandType.MARKET: 0.04,
    CommandType.CANCEL: 0.1,
    CommandType.REDUCE: 0.05,
    CommandType.REPLACE: 0.08,
    CommandType.STOP: 0.05,
    CommandType.STOP_LIMIT: 0.05,
    CommandType.TRAILING_STOP: 0.05,
    CommandType.ADVANCE_TIME: 0.02,
    CommandType.PHASE: 0.03,
}
"""How often each kind is drawn."""


@dataclass(frozen=True)
class WorldStream:
    """The engine, the number of ticks around `center` for prices, and the number of ids from which orders are drawn."""

    settings: EngineConfig
    width: int
    ids: int
    center: int = 0

    def commands(self, seed: Sequence[int], count: int) -> Commands:
        """`count` commands; one in twenty has a random byte."""
        random = np.random.default_rng(seed)
        made = np.zeros(count, EXTENDED_COMMAND)
        kind = random.choice([*KINDS], count, p=[*KINDS.values()])
        made["kind"], made["order_id"] = kind, random.integers(0, self.ids, count)
        made["side"], made["symbol"] = random.integers(0, 2, count), random.choice([0, 0, 1], count)
        tick, lot = self.settings.instruments[0].tick, self.settings.instruments[0].lot
        price = self.center + tick * random.integers(-self.width, self.width + 1, count)
        price = np.where(random.random(count) < 0.05, price + 1, price)
        made["price"] = np.where(
            np.isin(kind, (CommandType.LIMIT, CommandType.REPLACE, CommandType.STOP_LIMIT)), price, 0
        )
        made["quantity"] = lot * random.choice([0, *range(1, 8), 40, 300], count, p=[0.02, *[0.12] * 7, 0.12, 0.02])
        self._time(random, made)
        self._terms(random, made, tick, lot)
        spoilt = (random.random(count) < 0.05) & (
            kind != CommandType.ADVANCE_TIME
        )  # a clock far ahead would end all dates
        made[spoilt] = _spoilt(random, made[spoilt])
        return made

    def _time(self, random: Generator, made: Commands) -> None:
        """An advancing clock, mostly continuous phases, and times in force."""
        count, kind = len(made), made["kind"]
        clock = np.cumsum(np.where(kind == CommandType.ADVANCE_TIME, random.integers(-1, 4, count), 0))
        phases = random.choice([*[TradingPhase.CONTINUOUS] * 7, *TradingPhase, 4], count)
        made["quantity"] = np.where(kind == CommandType.ADVANCE_TIME, clock, made["quantity"])
        made["quantity"] = np.where(kind == CommandType.PHASE, phases, made["quantity"])
        times = random.choice([*TimeInForce], count, p=[0.6, 0.1, 0.1, 0.1, 0.1])
        times = np.where((kind != CommandType.LIMIT) & (times != TimeInForce.GTD), TimeInForce.GTC, times)
        made["time_in_force"] = np.where(
            np.isin(kind, (CommandType.MARKET, CommandType.REPLACE)), TimeInForce.GTC, times
        )
        dated = made["time_in_force"] == TimeInForce.GTD
        made["expiry"] = np.where(dated, clock + random.integers(0, 9, count), 0)

    def _terms(self, random: Generator, made: Commands, tick: int, lot: int) -> None:
        """Triggers, flags, slices, participants."""
        count, kind = len(made), made["kind"]
        resting = (kind == CommandType.LIMIT) & ~np.isin(made["time_in_force"], (TimeInForce.IOC, TimeInForce.FOK))
        flag = random.choice(
            [0, ExecInst.ALL_OR_NONE, ExecInst.POST_ONLY, ExecInst.POST_ONLY | ExecInst.PRICE_SLIDE],
            count,
            p=[0.7, 0.2, 0.05, 0.05],
        )
        sliced = resting & (flag == 0) & (random.random(count) < 0.3)
        made["flags"] = np.where(resting | (random.random(count) < 0.02), flag, 0)
        made["display_quantity"] = np.where(sliced, lot, 0)
        trigger = self.center + tick * random.integers(-self.width, self.width + 1, count)
        made["trigger"] = np.where(np.isin(kind, (CommandType.STOP, CommandType.STOP_LIMIT)), trigger, 0)
        points = random.random(count) < 0.3
        trailing = kind == CommandType.TRAILING_STOP
        distance = np.where(points, random.integers(0, 10_003, count), tick * random.integers(0, self.width + 1, count))
        made["trigger"] = np.where(trailing, distance, made["trigger"])
        made["flags"] = np.where(trailing & points, ExecInst.TRAIL_BASIS_POINTS, made["flags"])
        owned = (random.random(count) < 0.5) & (kind != CommandType.REPLACE)
        made["participant_id"] = np.where(owned, random.integers(1, 4, count), 0)
        made["self_trade"] = np.where(owned, random.choice([*SelfTradePrevention], count), 0)


def _spoilt(random: Generator, rows: Commands) -> Commands:
    """The same rows with one random byte each: mostly the lowest of a field, and mostly few values."""
    raw = rows.copy().view(np.uint8).reshape(len(rows), EXTENDED_COMMAND.itemsize)
    lowest = [offset for _, offset in EXTENDED_COMMAND.fields.values()] if EXTENDED_COMMAND.fields else []
    at = np.where(random.random(len(rows)) < 0.8, random.choice(lowest, len(rows)), random.integers(0, 57, len(rows)))
    few = random.random(len(rows)) < 0.7
    raw[np.arange(len(rows)), at] = np.where(few, random.integers(0, 17, len(rows)), random.integers(0, 256, len(rows)))
    spoilt: NDArray[np.void] = raw.reshape(-1).view(EXTENDED_COMMAND)
    return spoilt


def _sized(
    orders: int = 2_000,
    trades: int = 500,
    dry_orders: PoolPolicy = PoolPolicy.REJECT,
    dry_trades: PoolPolicy = PoolPolicy.RECYCLE,
    **rules: object,
) -> EngineConfig:
    symbols = tuple(Instrument(algorithm=algorithm, **rules) for algorithm in MatchAlgorithm)  # type: ignore[arg-type]
    return EngineConfig(symbols, orders, trades, dry_orders, dry_trades)


WORLD_STREAMS = {
    "close": WorldStream(_sized(), 5, 60),
    "deep": WorldStream(_sized(), 40, 600),
    "rounded": WorldStream(_sized(tick=4, lot=2, off_tick=TickRounding.NEAREST, price_min=-50, price_max=60), 10, 60),
    "passive": WorldStream(_sized(tick=3, off_tick=TickRounding.PASSIVE), 10, 60, center=-3_000),
    "pools-exhausted": WorldStream(_sized(orders=20, trades=8, dry_trades=PoolPolicy.GROW), 5, 60),
    "pools-grow": WorldStream(
        _sized(orders=1, trades=1, dry_orders=PoolPolicy.GROW, dry_trades=PoolPolicy.GROW), 20, 300
    ),
    "tape-rejects": WorldStream(_sized(trades=40, dry_trades=PoolPolicy.REJECT), 5, 60),
    "lowest": WorldStream(_sized(), 9, 60, center=PRICE_MIN + 4),
    "highest": WorldStream(_sized(), 9, 60, center=PRICE_MAX - 4),
}
