"""Engines with one typical fault each. A check that cannot tell them from the reference engine is useless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import CommandType, ExecInst, ExecType, Reason
from lowlat.engine.reference.book import Book, Command, Ladder, Order
from lowlat.engine.reference.dry_run import Reach
from lowlat.engine.reference.engine import ReferenceEngine


class LastInFirstOut(ReferenceEngine):
    """The youngest order of a level trades first."""

    def _makers(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        while taker.quantity and ladder.reaches(taker.limit):
            yield next(reversed(ladder.queues[next(ladder.prices())].values()))


class SizeFirst(ReferenceEngine):
    """The largest order of a level trades first."""

    def _makers(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        while taker.quantity and ladder.reaches(taker.limit):
            yield max(ladder.queues[next(ladder.prices())].values(), key=lambda order: order.quantity)


class ThreeLevelsOnly(ReferenceEngine):
    """An incoming order meets three levels at most."""

    def _makers(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        met: set[int] = set()
        for maker in super()._makers(ladder, taker):
            met.add(maker.price)
            if len(met) > 3:
                return
            yield maker


class OneOrderOnly(ReferenceEngine):
    """An incoming order meets one resting order."""

    def _makers(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        return islice(super()._makers(ladder, taker), 1)


class WorstPriceFirst(ReferenceEngine):
    """The far end of the reach trades first."""

    def _makers(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        while taker.quantity and (within := [*ladder.prices(taker.limit)]):
            yield next(iter(ladder.queues[within[-1]].values()))


class TouchDoesNotTrade(ReferenceEngine):
    """Equal prices do not meet."""

    def _in_reach(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        return (maker for maker in super()._in_reach(ladder, taker) if maker.price != taker.limit)


class TakerPriced(ReferenceEngine):
    """Trades print at the incoming order's price."""

    def _trade_price(self, maker: Order, taker: Order) -> int:
        return maker.price if taker.limit is None else taker.price


class _EmptyLevelsStay(Ladder):
    def remove(self, order: Order, price: int) -> None:
        del self.queues[price][order.order_id]


class ForgetsToRemoveEmptyLevels(ReferenceEngine):
    """A level whose last order is gone stays in the depth."""

    def _open(self, settings: EngineConfig) -> None:
        super()._open(settings)
        for book in self._books:
            book.ladders = (_EmptyLevelsStay(0), _EmptyLevelsStay(1))


class ReplaceKeepsPlace(ReferenceEngine):
    """An order made larger at its price keeps its place in the queue."""

    def _replace(self, command: Command, order: Order, book: Book) -> None:
        if command.price == order.price and command.quantity > order.quantity:
            order.quantity = command.quantity
            self._emit_order(ExecType.REPLACED, order, order.price, order.quantity)
        else:
            super()._replace(command, order, book)


class ReplaceLosesPlace(ReferenceEngine):
    """An order made smaller at its price goes to the back of the queue."""

    def _keeps_priority(self, order: Order, price: int, quantity: int) -> bool:
        return False


class ReplaceDoesNotTrade(ReferenceEngine):
    """An order moved through the touch rests there: a crossed book."""

    def _match(self, taker: Order, book: Book) -> None:
        if self._command != CommandType.REPLACE:
            super()._match(taker, book)


class ReduceLosesPlace(ReferenceEngine):
    """A reduced order goes to the back of the queue."""

    def _deduct(self, order: Order, book: Book, quantity: int) -> int:
        left = super()._deduct(order, book, quantity)
        if left:
            self._requeue(order, book)
        return left


class IocRests(ReferenceEngine):
    """What an immediate-or-cancel order did not trade stays in the book."""

    def _rests(self, order: Order) -> bool:
        return order.limit is not None


class FokTradesInPart(ReferenceEngine):
    """Fill-or-kill is taken for immediate-or-cancel."""

    def _reach(self, taker: Order, book: Book) -> Reach:
        return replace(super()._reach(taker, book), whole=True)


class FokLooksAtTheTouchOnly(ReferenceEngine):
    """Fill-or-kill is killed when the best level alone does not fill it."""

    def _reach(self, taker: Order, book: Book) -> Reach:
        touch = next(book.ladders[1 - taker.side].prices(taker.limit), None)
        return super()._reach(taker if touch is None else replace(taker, price=touch), book)


class PostOnlyTrades(ReferenceEngine):
    """Post-only is ignored."""

    def _check_match(self, command: Command, order: Order, book: Book) -> Reason:
        return super()._check_match(replace(command, flags=command.flags & ~ExecInst.POST_ONLY), order, book)


class PostOnlyJoinsTheTouch(ReferenceEngine):
    """Post-only is rejected only when it would trade at a better price than its own."""

    def _check_match(self, command: Command, order: Order, book: Book) -> Reason:
        ladder = book.ladders[1 - order.side]
        if command.flags & ExecInst.POST_ONLY and not ladder.reaches(order.price - ladder.sign):
            command = replace(command, flags=command.flags & ~ExecInst.POST_ONLY)
        return super()._check_match(command, order, book)


class DuplicateIdReplaces(ReferenceEngine):
    """A rejected duplicate id takes the first order out of the book."""

    def _check_entry(self, command: Command, book: Book) -> Reason:
        reason = super()._check_entry(command, book)
        if reason is Reason.DUPLICATE_ORDER_ID:
            self._remove(book.orders[command.order_id], book)
        return reason


class IdIsNeverFree(ReferenceEngine):
    """The id of an order that is gone stays taken."""

    def _open(self, settings: EngineConfig) -> None:
        super()._open(settings)
        self._used: set[tuple[int, int]] = set()

    def _check_entry(self, command: Command, book: Book) -> Reason:
        reason = super()._check_entry(command, book)
        key = (command.symbol, command.order_id)
        if reason is Reason.NONE and key in self._used:
            return Reason.DUPLICATE_ORDER_ID
        self._used.add(key)
        return reason


class OneBookForAllSymbols(ReferenceEngine):
    """Orders of one symbol trade with those of another."""

    def _open(self, settings: EngineConfig) -> None:
        super()._open(settings)
        self._books = self._books[:1] * len(self._books)


class MarketRests(ReferenceEngine):
    """What a market order did not trade stays in the book, at price 0."""

    def _rests(self, order: Order) -> bool:
        return order.limit is None or super()._rests(order)


BROKEN: list[type[MatchingEngine]] = [
    *[LastInFirstOut, SizeFirst, ThreeLevelsOnly, OneOrderOnly, WorstPriceFirst, TouchDoesNotTrade, TakerPriced],
    *[ForgetsToRemoveEmptyLevels, ReplaceKeepsPlace, ReplaceLosesPlace, ReplaceDoesNotTrade, ReduceLosesPlace],
    *[IocRests, FokTradesInPart, FokLooksAtTheTouchOnly, PostOnlyTrades, PostOnlyJoinsTheTouch, DuplicateIdReplaces],
    *[IdIsNeverFree, OneBookForAllSymbols, MarketRests],
]
