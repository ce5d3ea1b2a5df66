"""Matching of incoming with resting orders in the reference engine: by time or pro rata, icebergs, all-or-none orders,
self-trade prevention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lowlat.engine.matching.records import ExecType, MatchAlgorithm, Reason, SelfTradePrevention, TradingPhase
from lowlat.engine.reference.book import Book, Ladder, Order
from lowlat.engine.reference.dry_run import CANCELS_INCOMING, Reach, reach
from lowlat.engine.reference.stops import Stops

CANCELS_RESTING = frozenset({SelfTradePrevention.CANCEL_RESTING, SelfTradePrevention.CANCEL_BOTH})


class Matching(Stops):
    """Continuous trading."""

    def _reach(self, taker: Order, book: Book) -> Reach:
        return reach(taker, book)

    def _match(self, taker: Order, book: Book) -> None:
        """Trade against the other side, up to the order's limit."""
        if book.phase != TradingPhase.CONTINUOUS or (taker.all_or_none and not self._reach(taker, book).whole):
            return
        ladder = book.ladders[1 - taker.side]
        if book.rules.algorithm is MatchAlgorithm.PRO_RATA:
            while taker.quantity and ladder.reaches(taker.limit):
                self._match_level(taker, [*ladder.queues[next(ladder.prices())].values()], book)
        else:
            for maker in self._makers(ladder, taker):
                self._match_maker(taker, maker, book)

    def _makers(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        """Resting orders that an incoming one meets; each is processed before the next is looked up."""
        while taker.quantity and (maker := next(self._in_reach(ladder, taker), None)):
            yield maker

    def _in_reach(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        """Best price first, then oldest; skips all-or-none orders that the incoming order cannot fill."""
        for maker in ladder.orders(taker.limit):
            if not maker.all_or_none or maker.quantity <= taker.quantity:
                yield maker

    def _match_maker(self, taker: Order, maker: Order, book: Book) -> None:
        policy = self._policy(taker, maker)
        if policy in (SelfTradePrevention.NONE, SelfTradePrevention.DECREMENT):
            self._exchange(taker, maker, min(taker.quantity, maker.shown), book)
            return
        if policy in CANCELS_RESTING:
            self._cancel(maker, book, Reason.SELF_TRADE)
        if policy in CANCELS_INCOMING:
            self._cancel_rest(taker, Reason.SELF_TRADE)

    def _policy(self, taker: Order, maker: Order) -> int:
        return taker.policy_toward(maker)

    # -- pro rata ------------------------------------------------------------------------------------------------

    def _match_level(self, taker: Order, queue: list[Order], book: Book) -> None:
        """Allocate the slices of a level pro rata, after self-trade prevention."""
        policy = taker.command.self_trade
        own = [maker for maker in queue if taker.policy_toward(maker)]
        others = [maker for maker in queue if not taker.policy_toward(maker)]
        if policy == SelfTradePrevention.CANCEL_RESTING:
            self._cancel_all(own, book)
        sharing = queue if policy == SelfTradePrevention.DECREMENT else others
        shares = self._shares([maker.shown for maker in sharing], taker.quantity, book.rules.lot)
        for maker, share in zip(sharing, shares, strict=True):
            if share:
                self._exchange(taker, maker, share, book)
        if own and taker.quantity and policy in CANCELS_INCOMING:
            if policy == SelfTradePrevention.CANCEL_BOTH:
                self._cancel_all(own, book)
            self._cancel_rest(taker, Reason.SELF_TRADE)

    def _shares(self, slices: Sequence[int], quantity: int, lot: int) -> list[int]:
        """The allocation of `quantity` to each slice, oldest first."""
        total = sum(slices)
        if quantity >= total:
            return list(slices)
        shares = [quantity * each // total // lot * lot for each in slices]
        left = quantity - sum(shares)
        for at in self._remainder_order(len(slices)):
            if left and shares[at] < slices[at]:
                shares[at] += lot
                left -= lot
        return shares

    def _remainder_order(self, count: int) -> Sequence[int]:
        return range(count)

    def _cancel_all(self, orders: Sequence[Order], book: Book) -> None:
        for order in orders:
            self._cancel(order, book, Reason.SELF_TRADE)

    # -- executions ----------------------------------------------------------------------------------------------

    def _exchange(self, taker: Order, maker: Order, quantity: int, book: Book) -> None:
        """Trade, or decrement both orders under self-trade prevention; then show the maker's next slice."""
        taker.quantity -= quantity
        self._deduct(maker, book, quantity)
        prevented = self._policy(taker, maker) != SelfTradePrevention.NONE
        if prevented:
            for order in (maker, taker):
                self._emit_order(ExecType.REDUCED, order, order.price, quantity, Reason.SELF_TRADE)
        else:
            self._trade(taker, maker, self._trade_price(maker, taker), quantity, book)
        self._refill(maker, book)

    def _trade(self, taker: Order, maker: Order, price: int, quantity: int, book: Book) -> None:
        self._emit_trade(taker, maker, price, quantity)
        self._on_trade(price, book)

    def _trade_price(self, maker: Order, _taker: Order) -> int:
        return maker.price

    def _refill(self, order: Order, book: Book) -> None:
        """Show the next slice of an iceberg, at the back of the queue, once its slice is used up."""
        if order.quantity and not order.shown:
            order.reserve_quantity = max(order.quantity - order.command.display_quantity, 0)
            self._requeue(order, book)
            self._emit_order(ExecType.REFILLED, order, order.price, order.shown)

    def _requeue(self, order: Order, book: Book) -> None:
        book.dequeue(order)
        book.enqueue(order)
