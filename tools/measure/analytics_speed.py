"""Compares analytics with plain numpy and plain Python: `python tools/measure/analytics_speed.py [ELEMENTS]`.

Numpy's own sums wrap at 64 bits; they are included only for speed. Best of several passes, nanoseconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lowlat.engine.analytics.level_updates import apply_level_updates
from lowlat.engine.analytics.records import LEVEL_UPDATE
from lowlat.engine.analytics.vwap import notional, vwap
from lowlat.engine.matching.records import EVENT, LEVEL, ExecType, Side


def ns_per(count: int, work: Callable[[], Any], passes: int = 7) -> float:
    """Nanoseconds per element of the fastest pass."""
    taken = []
    for _ in range(passes):
        start = time.perf_counter_ns()
        work()
        taken.append(time.perf_counter_ns() - start)
    return min(taken) / count


def line(what: str, *figures: float) -> None:
    """Print one row of the table."""
    print(f"{what:34}" + "".join(f"{figure:12.2f}" for figure in figures))


def sums(count: int, rng: np.random.Generator) -> None:
    """Price sums over columns and over events, half of them trades."""
    prices = rng.integers(5_000_000, 6_000_000, count)
    quantities = rng.integers(1, 1000, count).astype(np.uint32)
    events = np.zeros(count, EVENT)
    events["price"], events["quantity"] = prices, quantities
    events["kind"] = rng.choice([ExecType.ACCEPTED, ExecType.TRADE], count)
    pairs = list(zip(prices.tolist(), quantities.tolist(), strict=True))

    def events_by_numpy() -> Any:
        trades = events["kind"] == ExecType.TRADE
        return (events["price"][trades] * events["quantity"][trades]).sum()

    line(
        "notional of columns",
        ns_per(count, lambda: notional(prices, quantities)),
        ns_per(count, lambda: int((prices * quantities).sum())),
        ns_per(count, lambda: np.dot(prices.astype(object), quantities.astype(object)), 2),
        ns_per(count, lambda: sum(price * quantity for price, quantity in pairs), 3),
    )
    line("vwap of events", ns_per(count, lambda: vwap(events)), ns_per(count, events_by_numpy))


def levels(count: int, rng: np.random.Generator) -> None:
    """Updates of a sorted book; checks that all three ways give the same result."""
    book = np.zeros(count, LEVEL)
    book["price"], book["quantity"], book["order_count"] = np.arange(count), 5, 1
    places = {
        "update every level": np.arange(count),
        "update every third level": np.arange(0, count, 3),
        "update at random": rng.integers(0, count, count),
    }
    for what, prices in places.items():
        updates = np.zeros(len(prices), LEVEL_UPDATE)
        updates["price"], updates["quantity"] = prices, 1

        def by_numpy(updates: Any = updates) -> Any:
            after = book.copy()
            at = np.searchsorted(after["price"], updates["price"])
            np.add.at(after["quantity"], at, updates["quantity"].astype(np.uint64))
            np.add.at(after["order_count"], at, updates["order_count"].astype(np.uint64))
            return after[after["quantity"] > 0]

        def by_dictionary(updates: Any = updates) -> Any:
            after = {price: [quantity, orders] for price, quantity, orders in book.tolist()}
            for price, quantity, orders in updates.tolist():
                level = after[price]
                level[0] += quantity
                level[1] += orders
            return np.array([(price, *level) for price, level in sorted(after.items()) if level[0]], LEVEL)

        def native(updates: Any = updates) -> Any:
            return apply_level_updates(book, updates, Side.SELL)

        if not (native() == by_numpy()).all() or not (native() == by_dictionary()).all():
            sys.exit(f"{what}: results differ")
        line(what, ns_per(len(prices), native), ns_per(len(prices), by_numpy), ns_per(len(prices), by_dictionary, 2))


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = np.random.default_rng(1)
    print(f"{f'ns per element, of {count:,}':34}{'native':>12}{'numpy':>12}{'exact numpy':>12}{'Python':>12}")
    sums(count, rng)
    print(f"{f'ns per update, of {count:,} levels':34}{'native':>12}{'numpy':>12}{'Python':>12}")
    levels(count, rng)


if __name__ == "__main__":
    main()
