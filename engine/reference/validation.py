"""Validation of commands in the reference engine: the checks of docs/matching.md, in their order."""

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
from lowlat.engine.reference.book import Book, Command, Order
from lowlat.engine.reference.stops import trailing_trigger

_KINDS, _SIDES, _TIMES, _PHASES = (
    frozenset(CommandType),
    frozenset(Side),
    frozenset(TimeInForce),
    frozenset(TradingPhase),
)
_SELF_TRADES = frozenset(SelfTradePrevention)
_FLAGS = sum(ExecInst)
_ATTRIBUTES = frozenset(each for times in MAY_SAY.values() for stated in times.values() for each in stated)
_FIELDS = tuple(each for each in sorted(_ATTRIBUTES) if each not in ExecInst.__members__)


def _stated(command: Command) -> frozenset[str]:
    """The attributes of an order that not every kind may have: its flags, and its nonzero optional fields."""
    flags = [flag.name for flag in ExecInst if command.flags & flag]
    return frozenset(flags + [field for field in _FIELDS if getattr(command, field)])


class Validation(Auction):
    """Returns the first check that fails, or NONE; changes nothing."""

    def _check(self, command: Command) -> Reason:
        if command.kind not in _KINDS:
            return Reason.UNKNOWN_KIND
        if command.symbol >= len(self._books):
            return Reason.UNKNOWN_SYMBOL
        book = self._books[command.symbol]
        match command.kind:
            case CommandType.CANCEL | CommandType.REDUCE:
                return self._check_reduction(command, book)
            case CommandType.REPLACE:
                return self._check_replace(command, book)
            case CommandType.ADVANCE_TIME:
                return Reason.CLOCK_BACKWARDS if command.quantity < self.clock else Reason.NONE
            case CommandType.PHASE:
                return self._check_phase(command, book)
        return self._check_entry(command, book)

    # -- entering an order ---------------------------------------------------------------------------------------

    def _check_entry(self, command: Command, book: Book) -> Reason:
        return (
            self._check_fields(command)
            or self._check_quantity(command, book)
            or self._check_price(command, command.side, book)
            or self._check_attributes(command, book)
            or self._check_display(command, book)
            or self._check_expiry(command)
            or self._check_trigger(command, book)
            or self._check_now(command, book)
        )

    def _check_fields(self, command: Command) -> Reason:
        if command.side not in _SIDES:
            return Reason.UNKNOWN_SIDE
        if command.time_in_force not in _TIMES:
            return Reason.UNKNOWN_TIME_IN_FORCE
        if command.flags & ~_FLAGS:
            return Reason.UNKNOWN_FLAG
        return Reason.NONE

    def _check_quantity(self, command: Command, book: Book) -> Reason:
        if command.quantity <= 0:
            return Reason.QUANTITY_NOT_POSITIVE
        if command.quantity > QUANTITY_MAX:
            return Reason.QUANTITY_TOO_LARGE
        if command.quantity % book.rules.lot:
            return Reason.QUANTITY_OFF_LOT
        return Reason.NONE

    def _check_price(self, command: Command, side: int, book: Book) -> Reason:
        if command.kind not in PRICED_KINDS:
            return Reason.PRICE_ON_MARKET_ORDER if command.price else Reason.NONE
        return self._check_price_at(self._round_price(command.price, side, book), book)

    def _check_price_at(self, price: int, book: Book) -> Reason:
        if price % book.rules.tick:
            return Reason.PRICE_OFF_TICK
        return Reason.NONE if self._in_band(price, book) else Reason.PRICE_OUTSIDE_BAND

    def _check_attributes(self, command: Command, book: Book) -> Reason:
        """Attributes that this kind of order may not have, and those that exclude each other."""
        may_say = MAY_SAY[CommandType(command.kind)].get(TimeInForce(command.time_in_force))
        foreign = _stated(command) - (may_say or frozenset())
        if ExecInst.POST_ONLY.name in foreign:
            return Reason.POST_ONLY_CONFLICT
        if command.self_trade not in _SELF_TRADES:
            return Reason.UNKNOWN_SELF_TRADE
        if (
            may_say is None
            or foreign
            or (command.flags & ExecInst.PRICE_SLIDE and not command.flags & ExecInst.POST_ONLY)
        ):
            return Reason.TERM_NOT_FOR_KIND
        all_or_none = command.flags & ExecInst.ALL_OR_NONE != 0
        pro_rata = book.rules.algorithm is MatchAlgorithm.PRO_RATA
        if all_or_none and (command.display_quantity or command.flags & ExecInst.POST_ONLY or pro_rata):
            return Reason.TERMS_CONFLICT
        return Reason.NONE

    def _check_display(self, command: Command, book: Book) -> Reason:
        if command.display_quantity > command.quantity:
            return Reason.DISPLAY_TOO_LARGE
        if command.display_quantity % book.rules.lot:
            return Reason.QUANTITY_OFF_LOT
        if command.display_quantity and command.quantity > command.display_quantity * SLICES_MAX:
            return Reason.DISPLAY_TOO_SMALL
        return Reason.NONE

    def _check_expiry(self, command: Command) -> Reason:
        ahead = command.time_in_force != TimeInForce.GTD or command.expiry > self.clock
        return Reason.NONE if ahead else Reason.EXPIRY_NOT_AHEAD

    def _check_trigger(self, command: Command, book: Book) -> Reason:
        if command.kind in (CommandType.STOP, CommandType.STOP_LIMIT):
            return self._check_price_at(command.trigger, book)
        if command.kind == CommandType.TRAILING_STOP:
            basis_points = command.flags & ExecInst.TRAIL_BASIS_POINTS
            if command.trigger <= 0 or (basis_points and command.trigger > BASIS_POINTS_MAX):
                return Reason.TRAIL_OUT_OF_RANGE
            if not basis_points and command.trigger % book.rules.tick:
                return Reason.PRICE_OFF_TICK
        return Reason.NONE

    def _check_now(self, command: Command, book: Book) -> Reason:
        """Checks against the book, the phase and the pools."""
        if not self._in_phase(command, book):
            return Reason.NOT_IN_THIS_PHASE
        if command.order_id in book.orders:
            return Reason.DUPLICATE_ORDER_ID
        if reason := self._check_stop(command, book):
            return reason
        if (command.is_limit_that_rests or command.kind in STOP_KINDS) and not self._has_order_room():
            return Reason.ORDER_POOL_FULL
        if command.kind in STOP_KINDS or book.phase != TradingPhase.CONTINUOUS:
            return Reason.NONE
        return self._check_match(command, self._make_order(command, book), book)

    def _in_phase(self, command: Command, book: Book) -> bool:
        """Whether the phase accepts this order or REPLACE."""
        if book.phase == TradingPhase.CALL:
            rests = command.is_limit_that_rests or command.kind in STOP_KINDS or command.kind == CommandType.REPLACE
            return rests and not command.flags & (ExecInst.POST_ONLY | ExecInst.ALL_OR_NONE)
        return book.phase == TradingPhase.CONTINUOUS

    def _check_stop(self, command: Command, book: Book) -> Reason:
        if command.kind in (CommandType.STOP, CommandType.STOP_LIMIT) and book.last is not None:
            through = command.trigger <= book.last if command.side == Side.BUY else command.trigger >= book.last
            return Reason.STOP_THROUGH_MARKET if through else Reason.NONE
        if command.kind == CommandType.TRAILING_STOP:
            if book.last is None:
                return Reason.NO_LAST_TRADE
            if not self._in_band(trailing_trigger(command, book.last, book.rules.tick), book):
                return Reason.PRICE_OUTSIDE_BAND
        return Reason.NONE

    def _check_match(self, command: Command, order: Order, book: Book) -> Reason:
        """Checks that depend on what the order would trade with."""
        post_only = command.flags & ExecInst.POST_ONLY
        fok = order.command.time_in_force == TimeInForce.FOK
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

    # -- changing an order ---------------------------------------------------------------------------------------

    def _check_reduction(self, command: Command, book: Book) -> Reason:
        if command.kind == CommandType.REDUCE and (reason := self._check_quantity(command, book)):
            return reason
        order = book.orders.get(command.order_id)
        if order is None:
            return Reason.UNKNOWN_ORDER_ID
        exceeds = command.kind == CommandType.REDUCE and command.quantity > order.quantity
        return Reason.REDUCE_EXCEEDS_REMAINING if exceeds else Reason.NONE

    def _check_replace(self, command: Command, book: Book) -> Reason:
        order = book.orders.get(command.order_id)
        if command.time_in_force:
            return Reason.UNKNOWN_TIME_IN_FORCE
        if command.flags & ~ExecInst.POST_ONLY:
            return Reason.UNKNOWN_FLAG
        side = Side.BUY if order is None else order.side
        if reason := self._check_quantity(command, book) or self._check_price(command, side, book):
            return reason
        if (
            command.trigger
            or command.expiry
            or command.display_quantity
            or command.participant_id
            or command.self_trade
        ):
            return Reason.TERM_NOT_FOR_KIND
        if not self._in_phase(command, book):
            return Reason.NOT_IN_THIS_PHASE
        if order is None:
            return Reason.UNKNOWN_ORDER_ID
        if order.waits:
            return Reason.STOP_STILL_WAITS
        return self._check_reentry(command, order, book)

    def _check_reentry(self, command: Command, order: Order, book: Book) -> Reason:
        """Checks of a replaced order that is entered again."""
        price = self._round_price(command.price, order.side, book)
        if self._keeps_priority(order, price, command.quantity):
            return Reason.NONE
        if order.command.display_quantity and command.quantity > order.command.display_quantity * SLICES_MAX:
            return Reason.DISPLAY_TOO_SMALL
        if book.phase != TradingPhase.CONTINUOUS:
            return Reason.NONE
        return self._check_match(
            command, replace(order, price=price, quantity=command.quantity, reserve_quantity=0), book
        )

    def _keeps_priority(self, order: Order, price: int, quantity: int) -> bool:
        return price == order.price and quantity <= order.quantity

    def _check_phase(self, command: Command, book: Book) -> Reason:
        if command.quantity not in _PHASES:
            return Reason.UNKNOWN_PHASE
        found = self._clearing(book) if command.quantity == TradingPhase.CONTINUOUS else None
        trades = len(self._pairs(book, found.price)) if found else 0
        return Reason.NONE if self._has_trade_room(trades) else Reason.TRADE_POOL_FULL

    # -- prices --------------------------------------------------------------------------------------------------

    def _in_band(self, price: int, book: Book) -> bool:
        return book.rules.price_min <= price <= book.rules.price_max

    def _round_price(self, price: int, side: int, book: Book) -> int:
        """The rounded price of an order; still off tick if the symbol does not round."""
        tick = book.rules.tick
        below = price - price % tick
        if price == below or book.rules.off_tick is TickRounding.REJECT:
            return price
        above = below + tick
        if book.rules.off_tick is TickRounding.PASSIVE or price - below == above - price:
            return below if side == Side.BUY else above
        return below if price - below < above - price else above

    def _make_order(self, command: Command, book: Book) -> Order:
        """The order that a command enters, at its rounded price or, with price slide, behind the other side."""
        price = self._round_price(command.price, command.side, book) if command.kind in PRICED_KINDS else 0
        order = Order(command, self._sequence, command.order_id, command.side, price, command.quantity)
        if (
            command.flags & ExecInst.PRICE_SLIDE
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
