"""The uncross of the reference engine: its price, and who trades with whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from lowlat.engine.matching.interface import AuctionIndicative
from lowlat.engine.reference.book import Book, Ladder, Order
from lowlat.engine.reference.matching import Matching

Pair = tuple[Order, Order, int]
"""A buy order, a sell order, and how much they trade."""


class Auction(Matching):
    """The uncross that ends a call phase."""

    def _uncross(self, book: Book) -> None:
        found = self._clearing(book)
        if found is None:
            return
        pairs = self._pairs(book, found.price)
        for bid, ask, quantity in pairs:
            self._deduct(bid, book, quantity)
            self._deduct(ask, book, quantity)
            self._trade(bid, ask, found.price, quantity, book)
        for order in pairs[-1][:2]:  # only these can be partly filled
            self._refill(order, book)

    def _clearing(self, book: Book) -> AuctionIndicative | None:
        """The price of an uncross, its volume, and the imbalance at that price."""
        bids, asks = (_levels(ladder) for ladder in book.ladders)
        if not bids or not asks or max(bids) < min(asks):
            return None
        # Volume and imbalance change only at order prices. Between two of them, the candidates are both ends of the
        # interval and the last price, which is the nearest to itself inside it.
        tick = book.rules.tick
        prices = {price + step for price in (*bids, *asks) for step in (-tick, 0, tick)}
        if book.last is not None:
            prices.add(book.last)
        within = (price for price in prices if min(asks) <= price <= max(bids))
        return min((_at(price, bids, asks) for price in within), key=lambda each: self._rank(each, book.last))

    def _rank(self, each: AuctionIndicative, last: int | None) -> tuple[int, ...]:
        """Sort key of a candidate; the lowest is chosen."""
        away = 0 if last is None else abs(each.price - last)
        return (-each.volume, abs(each.imbalance), away, each.price)

    def _pairs(self, book: Book, price: int) -> list[Pair]:
        """The trades at an uncross price: both sides by price and time, whole icebergs, no all-or-none orders."""
        bids, asks = (deque(_willing(ladder, price)) for ladder in book.ladders)
        left = {id(order): order.quantity for order in (*bids, *asks)}
        pairs: list[Pair] = []
        while bids and asks:
            bid, ask = bids[0], asks[0]
            quantity = min(left[id(bid)], left[id(ask)])
            pairs.append((bid, ask, quantity))
            for queue in (bids, asks):
                left[id(queue[0])] -= quantity
                if not left[id(queue[0])]:
                    queue.popleft()
        return pairs


def _willing(ladder: Ladder, price: int) -> Iterator[Order]:
    return (order for order in ladder.orders(price) if not order.all_or_none)


def _levels(ladder: Ladder) -> dict[int, int]:
    """Quantity by price of the participating orders."""
    levels: dict[int, int] = {}
    for order in ladder.orders():
        if not order.all_or_none:
            levels[order.price] = levels.get(order.price, 0) + order.quantity
    return levels


def _at(price: int, bids: dict[int, int], asks: dict[int, int]) -> AuctionIndicative:
    buy = sum(quantity for limit, quantity in bids.items() if limit >= price)
    sell = sum(quantity for limit, quantity in asks.items() if limit <= price)
    return AuctionIndicative(price, min(buy, sell), buy - sell)
