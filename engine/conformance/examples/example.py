"""Worked examples, and a check of an engine with one.

A book is written with one level per line: side, price, the level's quantity, then its orders, oldest first, as
`id:quantity`; an iceberg as `id:slice+hidden`, an all-or-none order as `id:quantity!`. Waiting stops follow, one per
line, as `STOP id side quantity@trigger`, for a stop-limit order `to price`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import dedent

import numpy as np

from lowlat.engine.conformance.rows import Row, stream_of
from lowlat.engine.matching.commands import command, describe, extended_command
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import CommandType, ExecInst, Side, TimeInForce, TradingPhase

IOC, FOK, DAY, GTD = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY, TimeInForce.GTD
POST_ONLY, SLIDE, ALL_OR_NONE = ExecInst.POST_ONLY, ExecInst.POST_ONLY | ExecInst.PRICE_SLIDE, ExecInst.ALL_OR_NONE
ONE_SYMBOL = EngineConfig((Instrument(),), orders=16, trades=16)
TWO_SYMBOLS = EngineConfig((Instrument(), Instrument()), orders=16, trades=16)


@dataclass(frozen=True, kw_only=True)
class Example:
    """After `given`, what `does` makes an engine say, and the books that it leaves. Both are lists of commands."""

    rule: str
    given: list[Row] = field(default_factory=list)
    does: list[Row]
    says: str
    leaves: str
    settings: EngineConfig = ONE_SYMBOL

    def __str__(self) -> str:
        return self.rule


def said(engine: MatchingEngine, rows: list[Row]) -> str:
    """The events that commands give, one a line."""
    return "\n".join(describe(event) for event in engine.process(stream_of(rows)))


def books(engine: MatchingEngine) -> str:
    """Every level of every book and every stop, one a line; the symbol before all but the first symbol's."""
    lines: list[str] = []
    for symbol in range(len(engine.settings.instruments)):
        prefix = f"symbol {symbol} " if symbol else ""
        lines += [prefix + line for line in (*_levels(engine, symbol), *_stops(engine, symbol))]
    return "\n".join(lines)


def _levels(engine: MatchingEngine, symbol: int) -> Iterator[str]:
    orders = engine.orders(symbol)
    for side in Side:
        for level in engine.depth(side, 99, symbol):
            here = orders[(orders["side"] == side) & (orders["price"] == level["price"])]
            yield f"{side.name} {level['price']} = {level['quantity']}: {' '.join(map(_order, here))}"


def _order(order: np.void) -> str:
    reserve = f"+{order['reserve_quantity']}" if order["reserve_quantity"] else ""
    return f"{order['order_id']}:{order['quantity']}{reserve}{'!' if order['flags'] & ALL_OR_NONE else ''}"


def _stops(engine: MatchingEngine, symbol: int) -> Iterator[str]:
    for stop in engine.stops(symbol):
        limit = f" to {stop['price']}" if stop["kind"] == CommandType.STOP_LIMIT else ""
        yield f"STOP {stop['order_id']} {Side(stop['side']).name} {stop['quantity']}@{stop['trigger']}{limit}"


def failure(example: Example, engine: MatchingEngine) -> str | None:
    """The differences between an engine's behavior and the example."""
    engine.process(stream_of(example.given))
    for seen, expected in (
        (said(engine, example.does), dedent(example.says).strip()),
        (books(engine), dedent(example.leaves).strip()),
    ):
        if seen != expected:
            return f"{example.rule}\nis:\n{seen}\nshould be:\n{expected}"
    return None


def buy(
    order_id: int, quantity: int, price: int, time_in_force: int = 0, flags: int = 0, symbol: int = 0, **terms: int
) -> Row:
    """A limit order; `terms` are those of `extended_command`."""
    row = (order_id, price, quantity, symbol, CommandType.LIMIT, Side.BUY, time_in_force, flags)
    return (*row, *(terms.get(name, 0) for name in TERMS)) if terms else row


def sell(
    order_id: int, quantity: int, price: int, time_in_force: int = 0, flags: int = 0, symbol: int = 0, **terms: int
) -> Row:
    """The same for a sell order."""
    row = buy(order_id, quantity, price, time_in_force, flags, symbol, **terms)
    return (*row[:5], Side.SELL, *row[6:])


TERMS = ("trigger", "expiry", "display_quantity", "participant_id", "self_trade")


def market(order_id: int, side: Side, quantity: int) -> Row:
    """A market order."""
    return command(CommandType.MARKET, order_id, side=side, quantity=quantity)


def stop(
    order_id: int,
    side: Side,
    quantity: int,
    trigger: int,
    price: int | None = None,
    time_in_force: TimeInForce = TimeInForce.GTC,
    expiry: int = 0,
) -> Row:
    """A stop or, with a `price`, a stop-limit order."""
    return extended_command(
        CommandType.STOP if price is None else CommandType.STOP_LIMIT,
        order_id,
        side=side,
        quantity=quantity,
        price=price or 0,
        trigger=trigger,
        time_in_force=time_in_force,
        expiry=expiry,
    )


def trail(order_id: int, side: Side, quantity: int, distance: int, flags: int = 0) -> Row:
    """A trailing stop."""
    return extended_command(
        CommandType.TRAILING_STOP, order_id, side=side, quantity=quantity, trigger=distance, flags=flags
    )


def cancel(order_id: int, symbol: int = 0) -> Row:
    """A cancel."""
    return command(CommandType.CANCEL, order_id, symbol=symbol)


def reduce(order_id: int, quantity: int) -> Row:
    """A reduce by `quantity`."""
    return command(CommandType.REDUCE, order_id, quantity=quantity)


def replace(order_id: int, quantity: int, price: int, flags: int = 0) -> Row:
    """A replacement."""
    return command(CommandType.REPLACE, order_id, price=price, quantity=quantity, flags=flags)


def clock(time: int) -> Row:
    """The clock set to `time`."""
    return command(CommandType.ADVANCE_TIME, 0, quantity=time)


def phase(entered: TradingPhase) -> Row:
    """A symbol's new phase."""
    return command(CommandType.PHASE, 0, quantity=entered)


def traded_at(price: int) -> list[Row]:
    """Two orders that leave nothing but a last price."""
    return [sell(1, 1, price), buy(2, 1, price)]
