"""A synthetic day of a level-3 feed as events, made at once with numpy, with the mix of a Nasdaq day.

Ids count up over all symbols, few symbols have most of the orders, and most orders leave soon after they came: the
logarithm of a lifetime is uniform. A share of the orders stays to the end, which decides how many live at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEvents

_REPLACED, _EXECUTED, _PARTLY = 0.12, 0.1, 0.06
"""Shares of the orders: those that a replacement ends, those that an execution ends, those that are reduced before."""
_EVENTS_PER_ORDER = 1.98
"""Events of an order that does not stay: that of its entry and, with the share above, those after it."""


def synthetic_feed(events: int, symbols: int = 8_000, live: int = 2_000_000, seed: int = 1) -> OrderEvents:
    """About so many events, of which the last find about `live` orders in the books. Prices are in 10^-4 dollar."""
    random = np.random.default_rng(seed)
    count = int((events + live) / _EVENTS_PER_ORDER)
    entry = np.sort(random.random(count))
    end = entry + np.exp(random.uniform(np.log(2 / count), np.log(0.3), count))
    end[random.random(count) < live / count] = 2.0
    successor = _successors(random, entry, end)
    orders = np.zeros(count, dtype=ORDER_EVENT)
    weights = 1 / np.arange(1, symbols + 1)
    orders["symbol"] = random.permutation(symbols)[_drawn(random, weights, count)]
    orders["side"] = random.integers(0, 2, count)
    replaced = np.flatnonzero(successor >= 0)
    for field in ("symbol", "side"):  # a replacement has its order's, which may be a replacement too
        while (orders[field][successor[replaced]] != orders[field][replaced]).any():
            orders[field][successor[replaced]] = orders[field][replaced]
    return _told(random, orders, entry, end, successor)


def _drawn(random: np.random.Generator, weights: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    drawn: NDArray[np.int64] = np.searchsorted(np.cumsum(weights), random.random(count) * weights.sum())
    return drawn


def _successors(random: np.random.Generator, entry: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each order that one replaces the number of that one, else -1. Its end becomes the other's entry."""
    half = len(entry) // 2
    chosen = np.flatnonzero((random.random(half) < 2 * _REPLACED) & (end[:half] < 1))
    successor = np.full(len(entry), -1, dtype=np.int64)
    place = np.searchsorted(entry, end[chosen])
    place, first = np.unique(place, return_index=True)
    kept = (place < len(entry)) & (place > chosen[first])
    successor[chosen[first[kept]]] = place[kept]
    end[chosen[first[kept]]] = entry[place[kept]]
    return successor


def _told(
    random: np.random.Generator,
    orders: OrderEvents,
    entry: NDArray[np.float64],
    end: NDArray[np.float64],
    successor: NDArray[np.int64],
) -> OrderEvents:
    count = len(orders)
    orders["order_id"] = np.arange(1, count + 1)
    orders["quantity"] = random.integers(2, 7, count) * 100
    orders["action"] = OrderAction.ADD
    cents = _cents(random, orders, entry)
    orders["price"] = cents * 100
    replaced = np.flatnonzero(successor >= 0)
    entered = orders.copy()
    entered["action"][successor[replaced]] = OrderAction.REPLACE
    entered["other_id"][successor[replaced]] = orders["order_id"][successor[replaced]]
    entered["order_id"][successor[replaced]] = orders["order_id"][replaced]
    partly = np.flatnonzero(random.random(count) < _PARTLY)
    reduced = orders[partly]
    reduced["quantity"] = 100
    reduced["action"] = random.choice([OrderAction.REDUCE, OrderAction.EXECUTE], len(partly))
    left = orders["quantity"].copy()
    left[partly] -= 100
    gone = np.flatnonzero((end < 1) & (successor < 0))
    ended = orders[gone]
    ended["action"] = np.where(random.random(len(gone)) < _EXECUTED, OrderAction.EXECUTE, OrderAction.CANCEL)
    ended["quantity"] = left[gone]
    part_time = entry[partly] + (np.minimum(end[partly], 1) - entry[partly]) / 2
    order = np.argsort(np.concatenate([entry, part_time, end[gone]]), kind="stable")
    told = np.empty(len(order), dtype=ORDER_EVENT)
    first = 0
    for part in (entered, reduced, ended):
        told[first : first + len(part)] = part
        first += len(part)
    told = told[order]
    told["row"] = np.arange(1, len(told) + 1)
    told["time_ns"] = told["row"] * 1_000
    return told


def _cents(random: np.random.Generator, orders: OrderEvents, entry: NDArray[np.float64]) -> NDArray[np.int64]:
    """Near a symbol's middle, which wanders by a few percent over the day; a few far from it."""
    middle = np.exp(random.uniform(np.log(500), np.log(30_000), int(orders["symbol"].max()) + 1))[orders["symbol"]]
    middle *= 1 + 0.03 * np.sin(6.0 * entry + orders["symbol"])
    away = 1 + random.geometric(1 / 8, len(orders)) * np.where(random.random(len(orders)) < 0.03, 20, 1)
    return np.maximum(1, np.where(orders["side"] == 0, middle - away, middle + away).astype(np.int64))
