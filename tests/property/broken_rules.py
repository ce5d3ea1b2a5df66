"""Engines with one fault each beyond limit and market orders: icebergs, all-or-none orders, stops, self-trade
prevention, pro rata, auctions, expiry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lowlat.engine.matching.interface import AuctionIndicative, MatchingEngine
from lowlat.engine.matching.records import ExecInst, Reason, Side, TradingPhase
from lowlat.engine.reference.book import Book, Command, Ladder, Order
from lowlat.engine.reference.dry_run import Reach
from lowlat.engine.reference.engine import ReferenceEngine


class RefilledAtTheFront(ReferenceEngine):
    """An iceberg's next slice keeps the place of the one before."""

    def _requeue(self, order: Order, book: Book) -> None:
        super()._requeue(order, book)
        queues = book.ladders[order.side].queues
        queues[order.price] = {order.order_id: order} | queues[order.price]


class SliceIsReducedFirst(ReferenceEngine):
    """A reduction takes from the slice before it takes from what is hidden."""

    def _reduce(self, command: Command, order: Order, book: Book) -> None:
        reserve_quantity = order.reserve_quantity
        super()._reduce(command, order, book)
        order.reserve_quantity = min(reserve_quantity, max(order.quantity - book.rules.lot, 0))


class AllOrNoneTradesInPart(ReferenceEngine):
    """Resting all-or-none orders are not passed over."""

    def _in_reach(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        return ladder.orders(taker.limit)


class AllOrNoneTakesWhatThereIs(ReferenceEngine):
    """An incoming all-or-none order trades in part."""

    def _reach(self, taker: Order, book: Book) -> Reach:
        found = super()._reach(taker, book)
        return replace(found, whole=found.left < taker.quantity) if taker.all_or_none else found


class AllOrNoneIsNotTriedAgain(ReferenceEngine):
    """A resting all-or-none order waits for who can take it whole."""

    def _next_fillable(self, book: Book) -> Order | None:
        return None


class CascadeLastInFirstOut(ReferenceEngine):
    """The stop that became due last is carried out first."""

    def _next_due(self, book: Book) -> Order:
        return book.due.pop()


class TrailsBack(ReferenceEngine):
    """A trailing stop also follows the price back."""

    def _extends(self, order: Order, price: int) -> bool:
        return price != order.extreme


class RestingPolicyDecides(ReferenceEngine):
    """The policy of the resting order prevents a self-trade."""

    def _policy(self, taker: Order, maker: Order) -> int:
        return maker.policy_toward(taker)


class RemainderToTheYoungest(ReferenceEngine):
    """The lots that rounding leaves go to the youngest orders."""

    def _remainder_order(self, count: int) -> Sequence[int]:
        return range(count)[::-1]


class SharesByTime(ReferenceEngine):
    """A pro-rata symbol fills the oldest order first."""

    def _shares(self, slices: Sequence[int], quantity: int, lot: int) -> list[int]:
        return [min(each, max(quantity - sum(slices[:at]), 0)) for at, each in enumerate(slices)]


class UncrossAtTheWorstTie(ReferenceEngine):
    """Of the prices of maximum volume, the one that ranks last."""

    def _rank(self, each: AuctionIndicative, last: int | None) -> tuple[int, ...]:
        volume, *others = super()._rank(each, last)
        return (volume, *(-rank for rank in others))


class CallPhaseTrades(ReferenceEngine):
    """A crossing order trades in a call phase."""

    def _match(self, taker: Order, book: Book) -> None:
        phase, book.phase = book.phase, TradingPhase.CONTINUOUS
        super()._match(taker, book)
        book.phase = phase


class ExpiresOneTickLate(ReferenceEngine):
    """An order lives through the moment of its expiry."""

    def _is_expired(self, order: Order) -> bool:
        return order.command.expiry < self.clock


class SlideStaysAtItsPrice(ReferenceEngine):
    """A sliding post-only order keeps its price, and trades."""

    def _behind(self, order: Order, book: Book) -> int:
        return order.price

    def _check_match(self, command: Command, order: Order, book: Book) -> Reason:
        flags = 0 if command.flags & ExecInst.PRICE_SLIDE else command.flags
        return super()._check_match(replace(command, flags=flags), order, book)


class RoundsAggressively(ReferenceEngine):
    """A buyer's price is rounded as a seller's."""

    def _round_price(self, price: int, side: int, book: Book) -> int:
        return super()._round_price(price, Side.SELL if side == Side.BUY else Side.BUY, book)


BROKEN_RULES: list[type[MatchingEngine]] = [
    *[RefilledAtTheFront, SliceIsReducedFirst, AllOrNoneTradesInPart, AllOrNoneTakesWhatThereIs],
    *[AllOrNoneIsNotTriedAgain, CascadeLastInFirstOut, TrailsBack, RestingPolicyDecides, RemainderToTheYoungest],
    *[SharesByTime, UncrossAtTheWorstTie, CallPhaseTrades, ExpiresOneTickLate, SlideStaysAtItsPrice],
    RoundsAggressively,
]
