"""What the venue's own order book file displays, and the orders of a recording that it does not display any more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lowlat.engine.feed.records import OrderAction
from lowlat.engine.flow.recording.book import Level, Resting
from lowlat.engine.flow.recording.changes import NOT_SHOWN
from lowlat.engine.flow.recording.columns import EventColumns
from lowlat.engine.flow.recording.market import RecordedMarket
from lowlat.engine.flow.recording.model import Ints
from lowlat.engine.matching.records import Side

HEAD_ROWS: Final = 2_000
"""Rows from which it is seen whether a book file has one row for each message."""
_ALIGNED: Final = 0.9
"""The share of added orders whose price must be displayed in their row."""


@dataclass(frozen=True, eq=False, slots=True)
class VenueBook:
    """The rows of an order book file: four columns a level, ask price, ask quantity, bid price, bid quantity.

    `best` int64 (n, 4): the first level of each row, zeros for an empty side. `head` int64 (h, 4 * levels): the first
    rows, at most `HEAD_ROWS`. `wider` int64 (k,): rows, from 0, that display a side farther from the best price than
    the row before; `displayed` int64 (k, 4 * levels): these rows.
    """

    path: Path
    levels: int
    best: Ints
    head: Ints
    wider: Ints
    displayed: Ints

    def rows_of(self, events: EventColumns) -> int:
        """Of how many events a row is the book after the event; 0 for a file that does not have a row for each.

        Where it has, an added order is seen in its row.
        """
        count = min(len(self.head), len(events))
        adds = np.flatnonzero(events.action[:count] == OrderAction.ADD)
        if not len(adds):
            return 0
        at = np.where(events.side[adds] == Side.SELL, 0, 2)
        prices = self.head.reshape(-1, self.levels, 4)[adds, :, at]
        displayed = (prices == events.price[adds, None]).any(axis=1)
        return min(len(self.best), len(events)) if displayed.mean() >= _ALIGNED else 0


class UndisplayedOrders:
    """Takes orders out that the venue's book shows to be gone, each time that it displays more levels of a side."""

    def __init__(self, book: VenueBook, market: RecordedMarket) -> None:
        self._displayed = book.displayed
        self._place = {row: n for n, row in enumerate(book.wider.tolist())}
        self._market = market

    def take_out(self, after: int, index: int) -> None:
        """Compare the book after event `after` with its row, and take out what is gone before event `index`."""
        place = self._place.get(after)
        if place is None:
            return
        row = self._displayed[place].tolist()
        self._take_out(index, Side.SELL, dict(zip(row[0::4], row[1::4], strict=True)))
        self._take_out(index, Side.BUY, dict(zip(row[2::4], row[3::4], strict=True)))

    def _take_out(self, index: int, side: Side, displayed: dict[int, int]) -> None:
        """`displayed`: quantity by price. A side with an empty level is displayed whole."""
        book, sign = self._market.book, 1 if side else -1
        reach = None if 0 in displayed.values() else max(sign * price for price in displayed)
        for rank in list(book.ranks[side]):
            if reach is not None and rank > reach:
                return
            level = book.levels[side][sign * rank]
            for order, quantity in _gone(level, displayed.get(sign * rank, 0), index):
                self._market.ghost(index, order, quantity, NOT_SHOWN)


def _gone(level: Level, displayed: int, index: int) -> list[tuple[Resting, int]]:
    """Orders of a level that no event from `index` on names, if they are just what it has above its quantity."""
    excess = sum(order.quantity for order in level.values()) - displayed
    if excess <= 0:
        return []
    silent = [order for order in level.values() if order.last < index]
    if sum(order.quantity for order in silent) <= excess:
        return [(order, order.quantity) for order in silent]
    return next(([(order, excess)] for order in silent if order.quantity == excess), [])
