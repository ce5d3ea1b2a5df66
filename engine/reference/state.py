"""State shared by all commands of the reference engine: books, pools, trade tape and events."""

from __future__ import annotations

from collections import deque

from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.records import ExecType, PoolPolicy, Reason, TimeInForce
from lowlat.engine.reference.book import Book, Command, Order


class State:
    """Books, pools, tape, clock, and the events of the current command."""

    settings: EngineConfig

    def _open(self, settings: EngineConfig) -> None:
        self.settings = settings
        self._books = [Book(rules) for rules in settings.instruments]
        self._live = 0  # resting and waiting orders
        self._expiring: dict[int, Order] = {}  # GTD orders that rest or wait, by acceptance
        recycles = settings.when_trades_dry is PoolPolicy.RECYCLE
        self._tape: deque[tuple[int, ...]] = deque(maxlen=settings.trades if recycles else None)
        self._trade_id = 0
        self.clock = 0
        self._sequence = 0
        self._command = 0  # kind of the current command
        self._events: list[tuple[int, ...]] = []

    # -- orders that live: they rest or wait ---------------------------------------------------------------------

    def _register(self, order: Order, book: Book) -> None:
        book.orders[order.order_id] = order
        self._live += 1
        if order.command.time_in_force == TimeInForce.GTD:
            self._expiring[order.accepted] = order

    def _unregister(self, order: Order, book: Book) -> None:
        del book.orders[order.order_id]
        self._live -= 1
        self._expiring.pop(order.accepted, None)

    def _rest(self, order: Order, book: Book) -> None:
        """Rest an order in the book; an iceberg shows its slice."""
        display_quantity = order.command.display_quantity
        order.reserve_quantity = max(order.quantity - display_quantity, 0) if display_quantity else 0
        book.enqueue(order)
        book.all_or_none += order.all_or_none
        self._register(order, book)

    def _remove(self, order: Order, book: Book) -> None:
        """Remove a resting or waiting order from the book."""
        if order.waits:
            book.stops[order.side].remove(order, order.trigger)
            book.trailing.pop(order.accepted, None)
        else:
            book.dequeue(order)
            book.all_or_none -= order.all_or_none
        self._unregister(order, book)

    def _deduct(self, order: Order, book: Book, quantity: int) -> int:
        """Reduce an order by `quantity`, its slice first, and remove it at 0. Returns the remaining quantity."""
        if quantity == order.quantity:
            self._remove(order, book)
        order.quantity -= quantity
        order.reserve_quantity = min(order.reserve_quantity, order.quantity)
        return order.quantity

    # -- room ----------------------------------------------------------------------------------------------------

    def _has_order_room(self) -> bool:
        return self.settings.when_orders_dry is not PoolPolicy.REJECT or self._live < self.settings.orders

    def _tape_refuses(self) -> bool:
        return self.settings.when_trades_dry is PoolPolicy.REJECT

    def _has_trade_room(self, records: int) -> bool:
        return not self._tape_refuses() or len(self._tape) + records <= self.settings.trades

    # -- events --------------------------------------------------------------------------------------------------

    def _reject(self, command: Command, reason: Reason) -> None:
        self._emit(
            ExecType.REJECTED, command.order_id, command.symbol, command.side, command.price, 0, 0, reason=reason
        )

    def _emit_order(
        self, kind: ExecType, order: Order, price: int, quantity: int, reason: Reason = Reason.NONE
    ) -> None:
        """Emit an event other than a trade; `remaining` is the order's quantity now."""
        symbol = order.command.symbol
        self._emit(kind, order.order_id, symbol, order.side, price, quantity, order.quantity, reason=reason)

    def _cancel(self, order: Order, book: Book, reason: Reason) -> None:
        """Cancel a live order and emit the event."""
        self._remove(order, book)
        self._cancel_rest(order, reason)

    def _cancel_rest(self, order: Order, reason: Reason) -> None:
        """Emit the cancellation of what remains of an incoming order."""
        quantity, order.quantity = order.quantity, 0
        self._emit_order(ExecType.CANCELLED, order, order.price, quantity, reason)

    def _emit_trade(self, taker: Order, maker: Order, price: int, quantity: int) -> None:
        """Emit a trade and record it on the tape; both orders are already reduced by `quantity`."""
        self._trade_id += 1
        symbol = taker.command.symbol
        self._tape.append((maker.order_id, taker.order_id, price, quantity, symbol))
        self._emit(
            ExecType.TRADE,
            taker.order_id,
            symbol,
            taker.side,
            price,
            quantity,
            taker.quantity,
            maker_id=maker.order_id,
            maker_remaining=maker.quantity,
            trade_id=self._trade_id,
        )

    def _emit(
        self,
        kind: ExecType,
        order_id: int,
        symbol: int,
        side: int,
        price: int,
        quantity: int,
        remaining: int,
        *,
        reason: Reason = Reason.NONE,
        maker_id: int = 0,
        maker_remaining: int = 0,
        trade_id: int = 0,
    ) -> None:
        self._events.append(
            (
                self._sequence,
                order_id,
                maker_id,
                price,
                quantity,
                remaining,
                maker_remaining,
                symbol,
                trade_id,
                kind,
                side,
                reason,
                self._command,
            )
        )
