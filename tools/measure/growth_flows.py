"""The flows of growth.py: books of evenly spread orders, in which orders come and go by id."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.aligned import aligned_copy
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import COMMAND, Commands, CommandType, Side, TimeInForce

CENTER = 1 << 32
"""The price between the bids and the asks."""
PAIRS_PER_TRADE = 50
JUMP = 1 << 20
"""Further than a price window is long."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """A book: so many live orders, in so many symbols, over so many ticks on each side of the center."""

    live: int
    symbols: int = 1
    width: int = 2_000


def spread_flow(shape: Shape, commands: int, seed: int = 1) -> Flow:
    """A book of this shape, then pairs of commands: a random order is canceled and a new one takes its place.

    Sides, symbols and prices are drawn evenly. In one of fifty pairs, an ask at the center trades with a bid instead.
    """
    random = np.random.default_rng(seed)
    pairs = commands // 2
    trades = np.arange(pairs) % PAIRS_PER_TRADE == PAIRS_PER_TRADE - 1
    swaps = np.flatnonzero(~trades)
    orders = _resting(shape, shape.live + pairs, random)
    before = _occupants(random.integers(0, shape.live, len(swaps)), shape.live)
    gone = np.concatenate([np.arange(shape.live), shape.live + swaps])[before]
    first = _cancels(orders[gone])
    asks = orders[shape.live :][trades]
    asks["side"], asks["price"] = Side.SELL, CENTER
    bids = asks.copy()
    bids["side"], bids["time_in_force"] = Side.BUY, TimeInForce.IOC
    bids["order_id"] += len(orders)
    measured = np.zeros((pairs, 2), COMMAND)
    measured[swaps, 0], measured[swaps, 1] = first, orders[shape.live + swaps]
    measured[trades, 0], measured[trades, 1] = asks, bids
    return _flow("spread", orders[: shape.live], measured.reshape(-1), shape.symbols)


def jumping_flow(levels: int) -> Flow:
    """A book whose price window has to move: a bid stands far above `levels` neighboring bids, and is canceled.

    Before and after that, orders come and go at the best bid.
    """
    numbers = np.arange(levels)
    above = _limits(np.array([levels]), Side.BUY, np.array([CENTER + JUMP]))
    seeding = np.concatenate([above, _limits(numbers, Side.BUY, CENTER - numbers)])
    steps = np.arange(1, 1_001)
    around = [_limits(levels + steps, Side.BUY, best + steps) for best in (CENTER + JUMP, CENTER)]
    come_and_go = [np.stack([crowd, _cancels(crowd)], axis=1).reshape(-1) for crowd in around]
    return _flow("jumping", seeding, np.concatenate([come_and_go[0], _cancels(above), come_and_go[1]]), 1)


def filling_flow(orders: int) -> Flow:
    """A book that is full but for a tenth of its room, and gets 500 orders more than it has room for."""
    numbers = np.arange(orders + 500)
    filling = aligned_copy(_limits(numbers, Side.BUY, CENTER - numbers % 2_000))
    return Flow("filling", filling, orders - orders // 10, orders, {}, (Instrument(),))


def trading_flow(trades: int) -> Flow:
    """Bids that each trade with the ask after it: a tape that is full but for a tenth, and gets 500 trades too many."""
    numbers = np.arange(2 * (trades + 500))
    trading = aligned_copy(_limits(numbers, numbers % 2, np.full(len(numbers), CENTER)))
    return Flow("trading", trading, 2 * (trades - trades // 10), trades, {}, (Instrument(),))


def _flow(name: str, seeding: Commands, measured: Commands, symbols: int) -> Flow:
    """Room for a quarter more orders than there are."""
    commands = aligned_copy(np.concatenate([seeding, measured]))
    live = len(seeding)
    return Flow(name, commands, live, live + live // 4 + 1_000, {}, (Instrument(),) * symbols)


def _resting(shape: Shape, count: int, random: np.random.Generator) -> Commands:
    away = random.integers(1, shape.width + 1, count)
    side = random.integers(0, 2, count)
    orders = _limits(np.arange(count), side, np.where(side == Side.BUY, CENTER - away, CENTER + away))
    orders["symbol"] = random.integers(0, shape.symbols, count)
    return orders


def _limits(ids: Ints, side: Ints | int, prices: Ints) -> Commands:
    orders = np.zeros(len(ids), COMMAND)
    orders["kind"], orders["side"], orders["quantity"] = CommandType.LIMIT, side, 10
    orders["order_id"], orders["price"] = ids + 1, prices
    return orders


def _cancels(orders: Commands) -> Commands:
    cancels = np.zeros(len(orders), COMMAND)
    cancels["kind"], cancels["order_id"], cancels["symbol"] = CommandType.CANCEL, orders["order_id"], orders["symbol"]
    return cancels


def _occupants(slots: Ints, live: int) -> Ints:
    """The n-th new order takes a slot: the number of the order that was in it, `live` + n for the n-th new one."""
    by_slot = np.argsort(slots, kind="stable")
    again = np.flatnonzero(np.diff(slots[by_slot]) == 0)
    before = slots.copy()
    before[by_slot[again + 1]] = live + by_slot[again]
    return before
