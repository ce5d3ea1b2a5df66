"""The synthetic day: every message is about a live order, takes no more than it has, and no book is crossed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lowlat.engine.feed.records import OrderAction, OrderEvents
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers.itch import open_itch
from tests.itch_day import ItchDay

MESSAGES, SYMBOLS, LIVE = 30_000, 40, 2_000


def day(folder: Path, seed: int) -> tuple[OrderEvents, list[str]]:
    path = folder / "day.itch"
    path.write_bytes(b"".join(ItchDay(MESSAGES, SYMBOLS, LIVE, seed).blocks()))
    stream = open_itch(path, ReadOptions())
    events = np.concatenate([block.copy() for block in stream.blocks])
    assert stream.messages.total() == MESSAGES == len(events) + stream.left_out.total() and not stream.faults
    return events, stream.symbols


def test_every_order_lives_once_and_no_book_is_crossed(tmp_path: Path) -> None:
    events, symbols = day(tmp_path, seed=1)
    shares: dict[int, int] = {}
    most = 0
    for action, order_id, other_id, quantity in events[["action", "order_id", "other_id", "quantity"]].tolist():
        match action:
            case OrderAction.ADD:
                shares[order_id] = quantity
            case OrderAction.REPLACE:
                del shares[order_id]
                shares[other_id] = quantity
            case OrderAction.CANCEL:
                del shares[order_id]
            case OrderAction.REDUCE | OrderAction.EXECUTE:
                shares[order_id] -= quantity
                assert shares[order_id] >= 0
                if not shares[order_id]:
                    del shares[order_id]
        most = max(most, len(shares))
    assert len(symbols) == SYMBOLS and LIVE // 2 < most <= LIVE
    adds = events[events["action"] == OrderAction.ADD]
    for symbol in range(SYMBOLS):
        own = adds[adds["symbol"] == symbol]
        bids, asks = (own["price"][own["side"] == side] for side in (0, 1))
        assert bids.max(initial=0) < asks.min(initial=2**62)
    assert len(np.unique(adds["order_id"])) == len(adds)


def test_a_seed_gives_the_same_day_again() -> None:
    first, again, other = (b"".join(ItchDay(5_000, SYMBOLS, LIVE, seed).blocks()) for seed in (1, 1, 2))
    assert first == again != other
