"""Orders of a recording that the venue's own order book file does not display any more."""

from __future__ import annotations

from lowlat.engine.flow.recording.changes import NOT_SHOWN
from lowlat.engine.flow.recording.venue_book import VenueBook
from lowlat.engine.matching.records import Side
from tests.plain_recording.book import Level, Resting
from tests.plain_recording.market import RecordedMarket


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
