"""An engine that holds one of everything a snapshot can hold."""

from __future__ import annotations

from typing import Final

import numpy as np

from lowlat.engine.matching.commands import extended_command
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import (
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    ExecInst,
    MatchAlgorithm,
    PoolPolicy,
    SelfTradePrevention,
    Side,
    TickRounding,
    TimeInForce,
    TradingPhase,
)

LIMIT, MARKET, STOP, STOP_LIMIT, TRAILING = (
    CommandType.LIMIT,
    CommandType.MARKET,
    CommandType.STOP,
    CommandType.STOP_LIMIT,
    CommandType.TRAILING_STOP,
)

SETTINGS: Final = EngineConfig(
    (
        Instrument(tick=2, lot=3, price_min=-1_000, price_max=1_000),
        Instrument(algorithm=MatchAlgorithm.PRO_RATA, off_tick=TickRounding.NEAREST),
    ),
    orders=128,
    trades=6,
)
GROWING: Final = EngineConfig((Instrument(),), 1, 1, PoolPolicy.GROW, PoolPolicy.GROW)


class _Book:
    """Writes down commands for one symbol, with ids of their own."""

    def __init__(self, symbol: int, lot: int) -> None:
        self.symbol = symbol
        self.lot = lot
        self.rows: list[tuple[int, ...]] = []

    def order(self, kind: CommandType, side: Side, lots: int, price: int = 0, **terms: int) -> None:
        """Enter the next order. Its id is its number, from 1."""
        terms = {name: value * self.lot if name == "display_quantity" else value for name, value in terms.items()}
        fields = {"side": side, "quantity": lots * self.lot, "price": price, "symbol": self.symbol}
        self.rows.append(extended_command(kind, len(self.rows) + 1, **(fields | terms)))

    def trade(self, price: int, lots: int = 1) -> None:
        """Meet at a price."""
        self.order(LIMIT, Side.SELL, lots, price)
        self.order(MARKET, Side.BUY, lots)


def _orders(book: _Book) -> None:
    """Limit orders of every kind, on both sides."""
    participant = {"participant_id": 7, "self_trade": SelfTradePrevention.DECREMENT}
    for side, price in ((Side.BUY, 90), (Side.SELL, 110)):
        away = -2 if side == Side.BUY else 2
        book.order(LIMIT, side, 4, price)
        book.order(LIMIT, side, 4, price, display_quantity=1)
        book.order(LIMIT, side, 5, price + away, time_in_force=TimeInForce.DAY)
        book.order(LIMIT, side, 5, price + away, time_in_force=TimeInForce.GTD, expiry=100)
        book.order(LIMIT, side, 3, price + away, time_in_force=TimeInForce.GTD, expiry=50, display_quantity=2)
        book.order(LIMIT, side, 2, price + 2 * away, flags=ExecInst.POST_ONLY, **participant)
        book.order(LIMIT, side, 1, price + 300 * away, **participant)


def _stops(book: _Book) -> None:
    """Stops of every kind on both sides, some at one trigger; trailing ones that have moved, and one that has not."""
    for side, trigger, price in ((Side.BUY, 140, 150), (Side.SELL, 60, 50)):
        book.order(STOP, side, 2, trigger=trigger)
        book.order(STOP_LIMIT, side, 2, price, trigger=trigger, time_in_force=TimeInForce.GTD, expiry=70)
        book.order(TRAILING, side, 2, trigger=42, time_in_force=TimeInForce.DAY)
        book.order(TRAILING, side, 3, trigger=3_000, flags=ExecInst.TRAIL_BASIS_POINTS, participant_id=7)
        book.order(TRAILING, side, 1, trigger=500, flags=ExecInst.TRAIL_BASIS_POINTS)
        book.order(TRAILING, side, 1, trigger=44)
    book.trade(98)
    book.trade(104)
    for side in Side:
        book.order(TRAILING, side, 1, trigger=60)


def _array(rows: list[tuple[int, ...]]) -> Commands:
    """With nothing between its fields, so that a journal of it has the same bytes in every process."""
    array = np.zeros(len(rows), EXTENDED_COMMAND)
    array[:] = rows
    return array


def rich_commands() -> Commands:
    """Both books hold orders of every kind, waiting stops, and one that was triggered; the first is crossed by an
    all-or-none order, the second by an auction that has not ended.
    """
    rows = [extended_command(CommandType.ADVANCE_TIME, quantity=9)]
    for symbol, lot in ((0, 3), (1, 1)):
        book = _Book(symbol, lot)
        book.order(STOP_LIMIT, Side.BUY, 2, 94, trigger=96)
        book.trade(100)  # triggers it: it rests
        _orders(book)
        _stops(book)
        if symbol == 0:
            book.order(LIMIT, Side.BUY, 40, 110, flags=ExecInst.ALL_OR_NONE)
            book.order(LIMIT, Side.SELL, 9, 130, flags=ExecInst.ALL_OR_NONE, time_in_force=TimeInForce.DAY)
        else:
            rows.append(extended_command(CommandType.PHASE, quantity=TradingPhase.CALL, symbol=1))
            book.order(LIMIT, Side.BUY, 5, 112)
        rows += book.rows if symbol == 0 else []
        if symbol == 1:
            call = rows.pop()
            rows += [*book.rows[:-1], call, book.rows[-1]]
    return _array(rows)


def growing_commands() -> Commands:
    """Both pools double several times."""
    book = _Book(0, 1)
    for number in range(5):
        book.trade(100 + number)
    for number in range(70):
        book.order(LIMIT, Side.BUY, 1, 50 - number % 9)
    return _array(book.rows)
