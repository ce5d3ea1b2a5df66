"""What the venue's own order book file displays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lowlat.engine.feed.records import OrderAction
from lowlat.engine.flow.recording.columns import EventColumns
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
