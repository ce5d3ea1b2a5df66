"""One small day of level-3 events, in each format that a page tells its reader to have."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.dbn_files import DAY_NS, DOLLAR, LAST, dbn, record

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Row = tuple[int, str, int, int, int, int]
"""Nanoseconds after the day's beginning; add, cancel or execute; order; 1 to sell; cents; quantity."""


def rows(count: int = 600) -> Iterator[Row]:
    """Bids and offers come; of every three, one is canceled, and then one at the best price trades."""
    books: tuple[dict[int, int], dict[int, int]] = ({}, {})  # price by order, of bids and of offers
    for number in range(1, count + 1):
        side = number % 2
        live = books[side]
        price = 10_010 + number % 7 if side else 10_000 - number % 7
        live[number] = price
        yield number * 1_000_000, "add", number, side, price, 100
        if number % 3 == 0 and len(live) > 2:
            gone = next(iter(live))
            yield number * 1_000_000 + 1, "cancel", gone, side, live.pop(gone), 100
        if number % 10 == 0:
            best = min(live, key=lambda each: (live[each] if side else -live[each], each))
            yield number * 1_000_000 + 2, "execute", best, side, live.pop(best), 100


def dbn_day() -> bytes:
    """As DBN, compressed by Zstandard."""
    letters = {"add": "A", "cancel": "C"}
    records = []
    for at, action, order_id, sells, cents, size in rows():
        side, against, price = "BA"[sells], "AB"[sells], cents * DOLLAR // 100
        if action == "execute":
            records.append(record("T", 0, against, price, size, flags=0, at=at))
            records.append(record("F", order_id, side, price, size, flags=0, at=at))
        records.append(record(letters.get(action, "C"), order_id, side, price, size, flags=LAST, at=at))
    return zstd.compress(dbn(records, mappings=[("ARL", [(20260105, 20260106, "1")])]))


def bitstamp_day() -> str:
    """As rows of Bitstamp, where an order that traded is deleted like any other."""
    events = {"add": "order_created"}
    lines = ["microtimestamp,event,id,order_type,price,amount"]
    for at, action, order_id, sells, cents, size in rows():
        time_us = (DAY_NS + at) // 1_000
        lines.append(
            f"{time_us},{events.get(action, 'order_deleted')},{order_id},{sells},{cents / 100:.2f},{size / 100}"
        )
    return "\n".join([*lines, ""])


def table_day() -> str:
    """As a table of other columns."""
    lines = ["ts,oid,side,type,px,qty"]
    for at, action, order_id, sells, cents, size in rows():
        lines.append(
            f"{(DAY_NS + at) // 10**6},{order_id},{'BS'[sells]},{action[0].upper().replace('C', 'D')},"
            f"{cents / 100:.2f},{size}"
        )
    return "\n".join([*lines, ""])
