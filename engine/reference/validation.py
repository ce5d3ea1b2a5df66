"""Why the reference engine rejects a command: the checks of docs/matching.md, in their order."""

from __future__ import annotations

from dataclasses import replace

from lowlat.engine.matching.records import (
    BASIS_POINTS_MAX,
    MAY_SAY,
    PRICED_KINDS,
    QUANTITY_MAX,
    SLICES_MAX,
    STOP_KINDS,
    CommandType,
    ExecInst,
    MatchAlgorithm,
    Reason,
    SelfTradePrevention,
    Side,
    TickRounding,
    TimeInForce,
    TradingPhase,
)
from lowlat.engine.reference.auction import Auction
from lowlat.engine.reference.book import Ask, Book, Order
from lowlat.engine.reference.stops import trailing_trigger

_KINDS, _SIDES, _TIMES, _PHASES = (
    frozenset(CommandType),
    frozenset(Side),
    frozenset(TimeInForce),
    frozenset(TradingPhase),
)
_SELF_TRADES = frozenset(SelfTradePrevention)
_FLAGS = sum(ExecInst)
_TERMS = frozenset(term for times in MAY_SAY.values() for terms in times.values() for term in terms)
_FIELDS = tuple(term for term in sorted(_TERMS) if term not in ExecInst.__members__)


def _said(ask: Ask) -> frozenset[str]:
    """What an order says that not every one may say: its flags, and the further fields that are not zero."""
    flags = [flag.name for flag in ExecInst if ask.flags & flag]
    return frozenset(flags + [field for field in _FIELDS if getattr(ask, field)])


class Checks(Auction):
    """The first check that fails, or NONE; nothing is changed."""

    def _why_not(self, ask: Ask) -> Reason:
        if ask.kind not in _KINDS:
            return Reason.UNKNOWN_KIND
        if ask.symbol >= len(self._books):
            return Reason.UNKNOWN_SYMBOL
        book = self._books[ask.symbol]
        match ask.kind:
            case CommandType.CANCEL | CommandType.REDUCE:
                return self._why_not_less(ask, book)
            case CommandType.REPLACE:
                return self._why_not_replace(ask, book)
            case CommandType.ADVANCE_TIME:
                return Reason.CLOCK_BACKWARDS if ask.quantity < self.clock else Reason.NONE
            case CommandType.PHASE:
                return self._why_not_phase(ask, book)
        return self._why_not_enter(ask, book)

    # -- entering an order ---------------------------------------------------------------------------------------

    def _why_not_enter(self, ask: Ask, book: Book) -> Reason:
        return (
            self._why_not_fields(ask)
            or self._why_not_quantity(ask, book)
            or self._why_not_price(ask, ask.side, book)
            or self._why_not_terms(ask, book)
            or self._why_not_display(ask, book)
            or self._why_not_expiry(ask)
            or self._why_not_trigger(ask, book)
            or self._why_not_now(ask, book)
        )

    def _why_not_fields(self, ask: Ask) -> Reason:
        if ask.side not in _SIDES:
            return Reason.UNKNOWN_SIDE
        if ask.time_in_force not in _TIMES:
            return Reason.UNKNOWN_TIME_IN_FORCE
        if ask.flags & ~_FLAGS:
            return Reason.UNKNOWN_FLAG
        return Reason.NONE

    def _why_not_quantity(self, ask: Ask, book: Book) -> Reason:
        if ask.quantity <= 0:
            return Reason.QUANTITY_NOT_POSITIVE
        if ask.quantity > QUANTITY_MAX:
            return Reason.QUANTITY_TOO_LARGE
        if ask.quantity % book.rules.lot:
            return Reason.QUANTITY_OFF_LOT
        return Reason.NONE

    def _why_not_price(self, ask: Ask, side: int, book: Book) -> Reason:
        if ask.kind not in PRICED_KINDS:
            return Reason.PRICE_ON_MARKET_ORDER if ask.price else Reason.NONE
        return self._why_not_at(self._rounded(ask.price, side, book), book)

    def _why_not_at(self, price: int, book: Book) -> Reason:
        if price % book.rules.tick:
            return Reason.PRICE_OFF_TICK
        return Reason.NONE if self._in_band(price, book) else Reason.PRICE_OUTSIDE_BAND

    def _why_not_terms(self, ask: Ask, book: Book) -> Reason:
        """Terms that the kind of order does not have, and those that exclude each other."""
        may_say = MAY_SAY[CommandType(ask.kind)].get(TimeInForce(ask.time_in_force))
        foreign = _said(ask) - (may_say or frozenset())
        if ExecInst.POST_ONLY.name in foreign:
            return Reason.POST_ONLY_CONFLICT
        if ask.self_trade not in _SELF_TRADES:
            return Reason.UNKNOWN_SELF_TRADE
        if may_say is None or foreign or (ask.flags & ExecInst.PRICE_SLIDE and not ask.flags & ExecInst.POST_ONLY):
            return Reason.TERM_NOT_FOR_KIND
        all_or_none = ask.flags & ExecInst.ALL_OR_NONE != 0
        pro_rata = book.rules.algorithm is MatchAlgorithm.PRO_RATA
        if all_or_none and (ask.display_quantity or ask.flags & ExecInst.POST_ONLY or pro_rata):
            return Reason.TERMS_CONFLICT
        return Reason.NONE

    def _why_not_display(self, ask: Ask, book: Book) -> Reason:
        if ask.display_quantity > ask.quantity:
            return Reason.DISPLAY_TOO_LARGE
        if ask.display_quantity % book.rules.lot:
            return Reason.QUANTITY_OFF_LOT
        if ask.display_quantity and ask.quantity > ask.display_quantity * SLICES_MAX:
            return Reason.DISPLAY_TOO_SMALL
        return Reason.NONE

    def _why_not_expiry(self, ask: Ask) -> Reason:
        ahead = ask.time_in_force != TimeInForce.GTD or ask.expiry > self.clock
        return Reason.NONE if ahead else Reason.EXPIRY_NOT_AHEAD

    def _why_not_trigger(self, ask: Ask, book: Book) -> Reason:
        if ask.kind in (CommandType.STOP, CommandType.STOP_LIMIT):
            return self._why_not_at(ask.trigger, book)
        if ask.kind == CommandType.TRAILING_STOP:
            basis_points = ask.flags & ExecInst.TRAIL_BASIS_POINTS
            if ask.trigger <= 0 or (basis_points and ask.trigger > BASIS_POINTS_MAX):
                return Reason.TRAIL_OUT_OF_RANGE
            if not basis_points and ask.trigger % book.rules.tick:
                return Reason.PRICE_OFF_TICK
        return Reason.NONE

    def _why_not_now(self, ask: Ask, book: Book) -> Reason:
        """What the book, the phase and the pools say."""
        if not self._in_phase(ask, book):
            return Reason.NOT_IN_THIS_PHASE
        if ask.order_id in book.orders:
            return Reason.DUPLICATE_ORDER_ID
        if reason := self._why_not_wait(ask, book):
            return reason
        if (ask.is_limit_that_rests or ask.kind in STOP_KINDS) and not self._has_order_room():
            return Reason.ORDER_POOL_FULL
        if ask.kind in STOP_KINDS or book.phase != TradingPhase.CONTINUOUS:
            return Reason.NONE
        return self._why_not_match(ask, self._incoming(ask, book), book)

    def _in_phase(self, ask: Ask, book: Book) -> bool:
        """Whether the phase takes this order, or this REPLACE."""
        if book.phase == TradingPhase.CALL:
            rests = ask.is_limit_that_rests or ask.kind in STOP_KINDS or ask.kind == CommandType.REPLACE
            return rests and not ask.flags & (ExecInst.POST_ONLY | ExecInst.ALL_OR_NONE)
        return book.phase == TradingPhase.CONTINUOUS

    def _why_not_wait(self, ask: Ask, book: Book) -> Reason:
        if ask.kind in (CommandType.STOP, CommandType.STOP_LIMIT) and book.last is not None:
            through = ask.trigger <= book.last if ask.side == Side.BUY else ask.trigger >= book.last
            return Reason.STOP_THROUGH_MARKET if through else Reason.NONE
        if ask.kind == CommandType.TRAILING_STOP:
            if book.last is None:
                return Reason.NO_LAST_TRADE
            if not self._in_band(trailing_trigger(ask, book.last, book.rules.tick), book):
                return Reason.PRICE_OUTSIDE_BAND
        return Reason.NONE

    def _why_not_match(self, ask: Ask, order: Order, book: Book) -> Reason:
        """What an order would find on the other side."""
        post_only = ask.flags & ExecInst.POST_ONLY
        fok = order.terms.time_in_force == TimeInForce.FOK
        if not (post_only or fok or self._tape_refuses()):
            return Reason.NONE
        found = self._reach(order, book)
        if fok and not found.whole:
            return Reason.FOK_NOT_FILLABLE
        if order.all_or_none and not found.whole:
            return Reason.NONE
        if post_only and found.records:
            return Reason.POST_ONLY_WOULD_TRADE
        return Reason.NONE if self._has_trade_room(found.records) else Reason.TRADE_POOL_FULL

    # -- changing one --------------------------------------------------------------------------------------------

    def _why_not_less(self, ask: Ask, book: Book) -> Reason:
        if ask.kind == CommandType.REDUCE and (reason := self._why_not_quantity(ask, book)):
            return reason
        order = book.orders.get(ask.order_id)
        if order is None:
            return Reason.UNKNOWN_ORDER_ID
        exceeds = ask.kind == CommandType.REDUCE and ask.quantity > order.quantity
        return Reason.REDUCE_EXCEEDS_REMAINING if exceeds else Reason.NONE

    def _why_not_replace(self, ask: Ask, book: Book) -> Reason:
        order = book.orders.get(ask.order_id)
        if ask.time_in_force:
            return Reason.UNKNOWN_TIME_IN_FORCE
        if ask.flags & ~ExecInst.POST_ONLY:
            return Reason.UNKNOWN_FLAG
        side = Side.BUY if order is None else order.side
        if reason := self._why_not_quantity(ask, book) or self._why_not_price(ask, side, book):
            return reason
        if ask.trigger or ask.expiry or ask.display_quantity or ask.participant_id or ask.self_trade:
            return Reason.TERM_NOT_FOR_KIND
        if not self._in_phase(ask, book):
            return Reason.NOT_IN_THIS_PHASE
        if order is None:
            return Reason.UNKNOWN_ORDER_ID
        if order.waits:
            return Reason.STOP_STILL_WAITS
        return self._why_not_again(ask, order, book)

    def _why_not_again(self, ask: Ask, order: Order, book: Book) -> Reason:
        """A replaced order that comes in again."""
        price = self._rounded(ask.price, order.side, book)
        if self._keeps_place(order, price, ask.quantity):
            return Reason.NONE
        if order.terms.display_quantity and ask.quantity > order.terms.display_quantity * SLICES_MAX:
            return Reason.DISPLAY_TOO_SMALL
        if book.phase != TradingPhase.CONTINUOUS:
            return Reason.NONE
        return self._why_not_match(ask, replace(order, price=price, quantity=ask.quantity, reserve_quantity=0), book)

    def _keeps_place(self, order: Order, price: int, quantity: int) -> bool:
        return price == order.price and quantity <= order.quantity

    def _why_not_phase(self, ask: Ask, book: Book) -> Reason:
        if ask.quantity not in _PHASES:
            return Reason.UNKNOWN_PHASE
        found = self._clearing(book) if ask.quantity == TradingPhase.CONTINUOUS else None
        trades = len(self._pairs(book, found.price)) if found else 0
        return Reason.NONE if self._has_trade_room(trades) else Reason.TRADE_POOL_FULL

    # -- prices --------------------------------------------------------------------------------------------------

    def _in_band(self, price: int, book: Book) -> bool:
        return book.rules.price_min <= price <= book.rules.price_max

    def _rounded(self, price: int, side: int, book: Book) -> int:
        """The price that an order takes; off the tick where the symbol does not round."""
        tick = book.rules.tick
        below = price - price % tick
        if price == below or book.rules.off_tick is TickRounding.REJECT:
            return price
        above = below + tick
        if book.rules.off_tick is TickRounding.PASSIVE or price - below == above - price:
            return below if side == Side.BUY else above
        return below if price - below < above - price else above

    def _incoming(self, ask: Ask, book: Book) -> Order:
        """The order that a command enters, at its rounded price or, sliding, behind the other side."""
        price = self._rounded(ask.price, ask.side, book) if ask.kind in PRICED_KINDS else 0
        order = Order(ask, self._sequence, ask.order_id, ask.side, price, ask.quantity)
        if (
            ask.flags & ExecInst.PRICE_SLIDE
            and book.phase == TradingPhase.CONTINUOUS
            and self._reach(order, book).records
        ):
            behind = self._behind(order, book)
            order.price = behind if self._in_band(behind, book) else price
        return order

    def _behind(self, order: Order, book: Book) -> int:
        """One tick behind the best price of the other side."""
        ladder = book.ladders[1 - order.side]
        return next(ladder.prices()) - ladder.sign * book.rules.tick
