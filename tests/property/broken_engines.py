"""Engines with one fault each, of the kinds that matching engines are known for. Whatever cannot tell them from the
reference engine checks nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from engine.contract import MatchingEngine
from engine.records import Flag, Kind, Reason, TimeInForce
from engine.reference import Ask, Book, Ladder, Order, ReferenceEngine
from engine.settings import Settings


class LastInFirstOut(ReferenceEngine):
    """The youngest order of a level trades first."""

    def _makers(self, ladder: Ladder, limit: int | None) -> Iterator[Order]:
        while ladder.reaches(limit):
            yield next(reversed(ladder.queues[next(ladder.prices())].values()))


class SizeFirst(ReferenceEngine):
    """The largest order of a level trades first."""

    def _makers(self, ladder: Ladder, limit: int | None) -> Iterator[Order]:
        while ladder.reaches(limit):
            yield max(ladder.queues[next(ladder.prices())].values(), key=lambda order: order.quantity)


class ThreeLevelsOnly(ReferenceEngine):
    """An incoming order meets three levels at most."""

    def _makers(self, ladder: Ladder, limit: int | None) -> Iterator[Order]:
        met: set[int] = set()
        for maker in super()._makers(ladder, limit):
            met.add(maker.price)
            if len(met) > 3:
                return
            yield maker


class OneOrderOnly(ReferenceEngine):
    """An incoming order meets one resting order."""

    def _makers(self, ladder: Ladder, limit: int | None) -> Iterator[Order]:
        return islice(super()._makers(ladder, limit), 1)


class WorstPriceFirst(ReferenceEngine):
    """The far end of the reach trades first."""

    def _makers(self, ladder: Ladder, limit: int | None) -> Iterator[Order]:
        while ladder.reaches(limit):
            within = [rank for rank in ladder.ranks if limit is None or rank <= limit * ladder.sign]
            yield next(iter(ladder.queues[within[-1] * ladder.sign].values()))


class TouchDoesNotTrade(ReferenceEngine):
    """Equal prices do not meet."""

    def _makers(self, ladder: Ladder, limit: int | None) -> Iterator[Order]:
        return super()._makers(ladder, None if limit is None else limit - ladder.sign)


class TakerPriced(ReferenceEngine):
    """Trades print at the incoming order's price."""

    def _print(self, maker: Order, taker: Ask) -> int:
        return maker.price if taker.kind == Kind.MARKET else taker.price


class _EmptyLevelsStay(Ladder):
    def remove(self, order: Order) -> None:
        del self.queues[order.price][order.order_id]


class ForgetsToRemoveEmptyLevels(ReferenceEngine):
    """A level whose last order is gone stays in the depth."""

    def _open(self, settings: Settings) -> None:
        super()._open(settings)
        for book in self._books:
            book.ladders = (_EmptyLevelsStay(0), _EmptyLevelsStay(1))

    def _makers(self, ladder: Ladder, limit: int | None) -> Iterator[Order]:
        while maker := next(self._in_reach_of(ladder, limit), None):
            yield maker

    def _in_reach_of(self, ladder: Ladder, limit: int | None) -> Iterator[Order]:
        for rank in ladder.ranks:
            if limit is None or rank <= limit * ladder.sign:
                yield from ladder.queues[rank * ladder.sign].values()


class ReplaceKeepsPlace(ReferenceEngine):
    """An order made larger at its price keeps its place in the queue."""

    def _keeps_place(self, ask: Ask, order: Order) -> bool:
        return ask.price == order.price


class ReplaceLosesPlace(ReferenceEngine):
    """An order made smaller at its price goes to the back of the queue."""

    def _keeps_place(self, ask: Ask, order: Order) -> bool:
        return False


class ReplaceDoesNotTrade(ReferenceEngine):
    """An order moved through the touch rests there: a crossed book."""

    def _replace(self, ask: Ask, order: Order, book: Book) -> None:
        makers, self._makers = self._makers, lambda ladder, limit: iter(())  # type: ignore[method-assign]
        super()._replace(ask, order, book)
        self._makers = makers  # type: ignore[method-assign]


class ReduceLosesPlace(ReferenceEngine):
    """A reduced order goes to the back of the queue."""

    def _take_off(self, order: Order, book: Book, quantity: int) -> int:
        left = super()._take_off(order, book, quantity)
        if left:
            queue = book.ladders[order.side].queue(order.price)
            queue[order.order_id] = queue.pop(order.order_id)
        return left


class IocRests(ReferenceEngine):
    """What an immediate-or-cancel order did not trade stays in the book."""

    def _rests(self, ask: Ask) -> bool:
        return ask.kind != Kind.MARKET


class FokTradesInPart(ReferenceEngine):
    """Fill-or-kill is taken for immediate-or-cancel."""

    def _fillable(self, ask: Ask, side: int) -> int:
        return ask.quantity


class FokLooksAtTheTouchOnly(ReferenceEngine):
    """Fill-or-kill is killed when the best level alone does not fill it."""

    def _fillable(self, ask: Ask, side: int) -> int:
        first = next(self._in_reach(ask, side), None)
        return sum(order.quantity for order in self._in_reach(ask, side) if first and order.price == first.price)


class PostOnlyTrades(ReferenceEngine):
    """Post-only is ignored."""

    def _why_not_trade(self, ask: Ask, side: int) -> Reason:
        ask.flags &= ~Flag.POST_ONLY
        return super()._why_not_trade(ask, side)


class PostOnlyJoinsTheTouch(ReferenceEngine):
    """Post-only is rejected only when it would trade at a better price than its own."""

    def _why_not_trade(self, ask: Ask, side: int) -> Reason:
        ladder = self._books[ask.symbol].ladders[1 - side]
        if ask.flags & Flag.POST_ONLY and not ladder.reaches(ask.price - ladder.sign):
            ask.flags &= ~Flag.POST_ONLY
        return super()._why_not_trade(ask, side)


class DuplicateIdReplaces(ReferenceEngine):
    """A rejected duplicate id takes the first order out of the book."""

    def _why_not_enter(self, ask: Ask) -> Reason:
        reason = super()._why_not_enter(ask)
        if reason is Reason.DUPLICATE_ORDER_ID:
            book = self._books[ask.symbol]
            order = book.orders[ask.order_id]
            self._take_off(order, book, order.quantity)
        return reason


class IdIsNeverFree(ReferenceEngine):
    """The id of an order that is gone stays taken."""

    def _open(self, settings: Settings) -> None:
        super()._open(settings)
        self._used: set[tuple[int, int]] = set()

    def _why_not_enter(self, ask: Ask) -> Reason:
        reason = super()._why_not_enter(ask)
        key = (ask.symbol, ask.order_id)
        if reason is Reason.NONE and key in self._used:
            return Reason.DUPLICATE_ORDER_ID
        self._used.add(key)
        return reason


class OneBookForAllSymbols(ReferenceEngine):
    """Orders of one symbol trade with those of another."""

    def _open(self, settings: Settings) -> None:
        super()._open(settings)
        self._books = self._books[:1] * len(self._books)


class MarketRests(ReferenceEngine):
    """What a market order did not trade stays in the book, at price 0."""

    def _rests(self, ask: Ask) -> bool:
        return ask.kind == Kind.MARKET or ask.time_in_force == TimeInForce.GTC


BROKEN: list[type[MatchingEngine]] = [
    *[LastInFirstOut, SizeFirst, ThreeLevelsOnly, OneOrderOnly, WorstPriceFirst, TouchDoesNotTrade, TakerPriced],
    *[ForgetsToRemoveEmptyLevels, ReplaceKeepsPlace, ReplaceLosesPlace, ReplaceDoesNotTrade, ReduceLosesPlace],
    *[IocRests, FokTradesInPart, FokLooksAtTheTouchOnly, PostOnlyTrades, PostOnlyJoinsTheTouch, DuplicateIdReplaces],
    *[IdIsNeverFree, OneBookForAllSymbols, MarketRests],
]
