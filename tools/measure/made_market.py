"""A made market whose oldest order at the best price trades: adds, cancels and executions of one symbol."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final, NamedTuple

LIVE: Final = 600
"""The fewest live orders, once there are as many."""
ADDS: Final = 0.49
CANCELS: Final = 0.94
"""The share of adds, and that of adds and cancels."""
DAY_NS, OPEN_NS, MIDDLE, LEVELS = 21_600 * 10**9, 34_200 * 10**9, 10_000, 60


class Row(NamedTuple):
    """An event of an order of 100: `kind` 1 adds it, 3 cancels it, 4 executes it; `side` 1 buys, -1 sells."""

    time_ns: int
    kind: int
    order_id: int
    cents: int
    side: int


def rows_of(count: int, seed: int = 1) -> Iterator[Row]:
    """So many events of a day."""
    draw, time_ns = random.Random(seed), OPEN_NS
    levels: dict[int, dict[int, dict[int, None]]] = {1: {}, -1: {}}
    places: dict[int, tuple[int, int]] = {}
    for order_id in range(1, count + 1):
        time_ns += draw.randrange(1, 2 * DAY_NS // count)
        kind, chosen, side, price = 1, order_id, *_place(draw)
        event = draw.random()
        if len(places) >= LIVE and event >= ADDS:
            kind = 3 if event < CANCELS else 4
            chosen = _any(draw, places) if kind == 3 else _next(levels[side], side)
            side, price = places.pop(chosen)
            del levels[side][price][chosen]
            if not levels[side][price]:
                del levels[side][price]
        else:
            levels[side].setdefault(price, {})[order_id] = None
            places[order_id] = side, price
        yield Row(time_ns, kind, chosen, price, side)


def lobster_line(row: Row) -> str:
    """The line of a LOBSTER message file."""
    seconds, fraction = divmod(row.time_ns, 10**9)
    return f"{seconds}.{fraction:09d},{row.kind},{row.order_id},100,{row.cents * 100},{row.side}\n"


def _place(draw: random.Random) -> tuple[int, int]:
    side = draw.choice((1, -1))
    return side, MIDDLE - side * draw.randrange(1, LEVELS)


def _any(draw: random.Random, places: dict[int, tuple[int, int]]) -> int:
    """One of the oldest orders, so that the choice costs little."""
    oldest = iter(places)
    for _ in range(draw.randrange(LIVE // 2)):
        next(oldest)
    return next(oldest)


def _next(levels: dict[int, dict[int, None]], side: int) -> int:
    """The order that trades next."""
    return next(iter(levels[max(levels) if side == 1 else min(levels)]))
