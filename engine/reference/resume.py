"""A reference engine in the state of a native one: continues a flow where the native engine stands.

The state is the bytes of `_core.save_state`; `native/journal/snapshot.hpp` defines them. They hold what decides about
further events, not the whole command that entered an order: a simple order becomes a limit order that is good till
canceled.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.records import TRADE, CommandType, Side, TimeInForce, TradingPhase
from lowlat.engine.reference.book import Book, Command, Order
from lowlat.engine.reference.engine import ReferenceEngine

_ENGINE: Final = struct.Struct("<8Q4I")
_BOOK: Final = struct.Struct("<q4IB?6x")
_ORDER: Final = struct.Struct("<QqIBB?9x")
_ATTRIBUTES: Final = struct.Struct("<8xqqQQ3I4xBBB5x")
_DAY: Final = 1
_GTD: Final = 2
"""Of the bits in `order_attributes.hpp`."""


class ResumedEngine(ReferenceEngine):
    """See the module."""

    @classmethod
    def resumed(cls, settings: EngineConfig, state: bytes) -> ResumedEngine:
        """Make one with the settings of the engine whose state this is."""
        engine = cls.of(settings)
        engine._resume(memoryview(state))
        return engine

    def _resume(self, state: memoryview) -> None:
        self._sequence, self._trade_id, self.clock, *_, held, _, _, symbols, _, _ = _ENGINE.unpack_from(state)
        at = _ENGINE.size
        self._tape.extend(np.frombuffer(state, TRADE, held, at).tolist())
        at += held * TRADE.itemsize
        for symbol in range(symbols):
            at = self._resume_book(symbol, state, at)

    def _resume_book(self, symbol: int, state: memoryview, at: int) -> int:
        """Returns where the next book begins."""
        last, *queues, phase, traded = _BOOK.unpack_from(state, at)
        at += _BOOK.size
        book = self._books[symbol]
        book.phase, book.last = TradingPhase(phase), last if traded else None
        for queue, orders in enumerate(queues):
            for _ in range(orders):
                at = self._resume_order(book, symbol, state, at, waits=queue >= 2)
        book.trailing = dict(sorted(book.trailing.items()))
        return at

    def _resume_order(self, book: Book, symbol: int, state: memoryview, at: int, *, waits: bool) -> int:
        """Returns where the next order begins."""
        order_id, key, quantity, side, bits, has_attributes = _ORDER.unpack_from(state, at)
        at += _ORDER.size
        # The lowest key is the best of its ladder: those of bids and of sell stops are inverted.
        price = (~key if (side == Side.BUY) != waits else key) * book.rules.tick
        time_in_force = TimeInForce.DAY if bits & _DAY else TimeInForce.GTD if bits & _GTD else TimeInForce.GTC
        command = Command(order_id, price, quantity, symbol, CommandType.LIMIT, side, time_in_force, 0)
        order = Order(command, 0, order_id, side, price, quantity)
        if has_attributes:
            self._add_attributes(order, _ATTRIBUTES.unpack_from(state, at))
            at += _ATTRIBUTES.size
        if waits:
            self._resume_stop(order, book, price)
        else:
            book.enqueue(order)
            book.all_or_none += order.all_or_none
        self._register(order, book)
        return at

    @staticmethod
    def _add_attributes(order: Order, attributes: tuple[int, ...]) -> None:
        price, anchor, expiry, accepted, participant_id, display_quantity, reserve, kind, flags, policy = attributes
        command = order.command
        command.kind, command.flags, command.expiry = kind, flags, expiry
        command.participant_id, command.self_trade = participant_id, policy
        command.display_quantity = display_quantity
        order.accepted, order.reserve_quantity = accepted, reserve
        order.quantity += reserve
        command.price, order.extreme = price, anchor

    @staticmethod
    def _resume_stop(order: Order, book: Book, trigger: int) -> None:
        stored, kind = order.command.price, order.command.kind  # a limit, or a trailing stop's distance
        order.waits, order.trigger = True, trigger
        order.price = stored if kind == CommandType.STOP_LIMIT else 0
        if kind == CommandType.TRAILING_STOP:
            order.command.trigger = stored
            book.trailing[order.accepted] = order
        book.stops[order.side].add(order, trigger)
