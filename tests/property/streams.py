"""Long random command arrays, drawn by numpy, for states that a few dozen commands from Hypothesis cannot reach: full
pools, moved windows, a rehashed index, deep queues.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import PRICE_MAX, PRICE_MIN, Instrument
from lowlat.engine.matching.records import (
    COMMAND,
    QUANTITY_MAX,
    Commands,
    CommandType,
    ExecInst,
    PoolPolicy,
    TimeInForce,
)

Ints = NDArray[np.int64]
Draw = Callable[[Generator, int], Ints]

WINDOW = 131_072
"""Ticks that a ladder of an engine with few symbols finds by index (`EngineConfig::window_places` in settings.hpp)."""


@dataclass(frozen=True)
class Stream:
    """The price pattern and the ids of a stream, and the engine it is for."""

    settings: EngineConfig
    prices: Draw
    live_ids: int = 300
    id_stride: int = 1
    cancels: float = 0.25

    def commands(self, seed: int, count: int) -> Commands:
        """`count` commands: half new orders, a quarter cancels, the rest changes; one in a hundred is garbage."""
        random = np.random.default_rng(seed)
        made = np.zeros(count, COMMAND)
        share = (1 - self.cancels) / 3
        kinds = [CommandType.LIMIT, CommandType.MARKET, CommandType.CANCEL, CommandType.REDUCE, CommandType.REPLACE]
        made["kind"] = random.choice(kinds, count, p=[1.8 * share, 0.2 * share, self.cancels, 0.4 * share, 0.6 * share])
        made["order_id"] = self._ids(random, made["kind"])
        made["side"] = random.integers(0, 2, count)
        made["price"] = np.where(made["kind"] == CommandType.MARKET, 0, self.prices(random, count))
        made["quantity"] = np.where(random.random(count) < 0.01, QUANTITY_MAX, random.integers(1, 12, count))
        made["symbol"] = random.choice([*range(len(self.settings.instruments))][-3:], count)
        one_shot = (made["kind"] == CommandType.LIMIT) & (random.random(count) < 0.1)
        made["time_in_force"] = np.where(one_shot, random.choice([TimeInForce.IOC, TimeInForce.FOK], count), 0)
        made["flags"] = np.where(random.random(count) < 0.1, ExecInst.POST_ONLY, 0)
        garbage = random.random(count) < 0.01
        made[garbage] = np.frombuffer(random.bytes(32 * int(garbage.sum())), COMMAND)
        return made

    def _ids(self, random: Generator, kinds: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """New orders count up; changes name one of the last ones, which may be gone."""
        entered = np.cumsum(kinds <= CommandType.MARKET)
        back = random.integers(0, self.live_ids, len(kinds))
        ordinal = np.where(kinds <= CommandType.MARKET, entered, np.maximum(entered - back, 0))
        return ordinal.astype(np.uint64) * np.uint64(self.id_stride % 2**64)


def touch(width: int) -> Draw:
    return lambda random, count: random.integers(-width, width + 1, count)


def anywhere(random: Generator, count: int) -> Ints:
    """Evenly over int64: every level is far from every other."""
    return random.integers(PRICE_MIN, PRICE_MAX, count, endpoint=True)


def both_ends(random: Generator, count: int) -> Ints:
    """Within five ticks of the lowest and the highest price."""
    steps = random.integers(0, 5, count)
    return np.where(random.random(count) < 0.5, PRICE_MIN + steps, PRICE_MAX - steps)


def traveling(random: Generator, count: int) -> Ints:
    """The touch moves down by four windows and up again."""
    phase = np.abs(np.arange(count) * 2 - count) / count
    return (phase * 4 * WINDOW).astype(np.int64) + random.integers(-20, 21, count)


def clusters(random: Generator, count: int) -> Ints:
    """Around five centers, only some of which share a window."""
    centers = np.array([-(10**12), -WINDOW, 0, WINDOW // 2, 10**12])
    return random.choice(centers, count) + random.integers(-30, 31, count)


def sized(
    symbols: int = 1, orders: int = 50_000, rules: Instrument | None = None, **policy: PoolPolicy
) -> EngineConfig:
    return EngineConfig((rules or Instrument(),) * symbols, orders=orders, trades=500, **policy)


STREAMS = {
    "touch": Stream(sized(), touch(8)),
    "deep": Stream(sized(), touch(2_000), live_ids=5_000),
    "one-level": Stream(sized(), touch(0), live_ids=50),
    "wide": Stream(sized(), touch(WINDOW), cancels=0.5),
    "anywhere": Stream(sized(), anywhere),
    "both-ends": Stream(sized(), both_ends),
    "traveling": Stream(sized(), traveling),
    "clusters": Stream(sized(), clusters),
    "many-symbols": Stream(sized(symbols=2_048), touch(200)),
    "ticks-lots-band": Stream(
        sized(rules=Instrument(tick=3, lot=2, price_min=-31, price_max=40)), touch(40), live_ids=40
    ),
    "pool-exhausted": Stream(sized(orders=50), touch(20)),
    "pools-grow": Stream(sized(orders=1, when_orders_dry=PoolPolicy.GROW, when_trades_dry=PoolPolicy.GROW), touch(500)),
    "tape-rejects": Stream(sized(when_trades_dry=PoolPolicy.REJECT), touch(8)),
    "ids-equal-below": Stream(sized(), touch(100), id_stride=2**32),
    "ids-strided": Stream(sized(orders=4_000), touch(100), id_stride=65_536),
    "ids-downward": Stream(sized(symbols=3), touch(100), id_stride=-1),
}
