"""A second ITCH decoder, slow and simple: what the native one is compared with.

It knows messages in memory and nothing of files: no framing, no pieces, no limits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from lowlat.engine.feed.records import OrderAction, OrderEventFlag, OrderEvents
from lowlat.engine.matching.records import Side, TradingPhase

_LENGTHS: Final = {
    **{"S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21, "A": 36, "F": 40},
    **{"E": 31, "C": 36, "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48},
}
_PHASES: Final = {
    "T": TradingPhase.CONTINUOUS,
    "Q": TradingPhase.CALL,
    "H": TradingPhase.HALTED,
    "P": TradingPhase.HALTED,
}
_SIDES: Final = {"B": Side.BUY, "S": Side.SELL}
_STOCK_AT: Final = {"R": 11, "H": 11, "h": 11, "A": 24, "F": 24, "P": 24, "Q": 19}
_NO_PRICE: Final = OrderEventFlag.NO_SIDE | OrderEventFlag.NO_PRICE


class PlainEvent(NamedTuple):
    """An event; its symbol by name."""

    time_ns: int
    row: int
    symbol: str
    action: OrderAction
    order_id: int = 0
    other_id: int = 0
    price: int = 0
    quantity: int = 0
    side: Side = Side.BUY
    flags: int = OrderEventFlag.LAST


class BadMessageError(Exception):
    """A message that cannot be, at a row."""


def plain_events(
    messages: Iterable[bytes], symbols: frozenset[str] = frozenset(), until_ns: int = 86_400 * 10**9
) -> list[PlainEvent]:
    """The events of messages. Raises `BadMessageError` for the first that cannot be."""
    names: dict[int, str] = {}
    first_names: dict[str, str] = {}
    events = []
    for row, message in enumerate(messages, 1):
        kind = chr(message[0])
        if kind not in _LENGTHS:
            continue
        if len(message) != _LENGTHS[kind]:
            raise BadMessageError(row)
        locate, _, high, low = struct.unpack_from(">HHHI", message, 1)
        time_ns = high << 32 | low
        if time_ns >= 86_400 * 10**9:
            raise BadMessageError(row)
        if time_ns >= until_ns:
            break
        if kind in _STOCK_AT and (kind == "R" or locate not in names):
            names[locate] = _stock(message[_STOCK_AT[kind] :][:8], row)
            first_names.setdefault(f"locate {locate}", names[locate])
        event = _event(kind, message, row)
        if event is None:
            continue
        symbol = names.get(locate, f"locate {locate}")
        if not symbols or symbol in symbols:
            events.append(PlainEvent(time_ns, row, symbol, **event))
    return [event._replace(symbol=first_names.get(event.symbol, event.symbol)) for event in events]


def _stock(field: bytes, row: int) -> str:
    text = field.rstrip(b" ")
    if not text or b" " in text or not all(33 <= byte <= 126 for byte in text):
        raise BadMessageError(row)
    return text.decode()


def _event(kind: str, message: bytes, row: int) -> dict[str, object] | None:
    """What the type adds to an event; None if it has none."""
    made: dict[str, object] | None = None
    match kind:
        case "A" | "F" | "P":
            order_id, side, quantity, _, price = struct.unpack_from(">QcI8sI", message, 11)
            action = OrderAction.TRADE if kind == "P" else OrderAction.ADD
            made = {"action": action, "side": _SIDES.get(side.decode("latin-1")), "quantity": quantity, "price": price}
            made |= {} if kind == "P" else {"order_id": order_id}
        case "E" | "X":
            order_id, quantity = struct.unpack_from(">QI", message, 11)
            action = OrderAction.EXECUTE if kind == "E" else OrderAction.REDUCE
            made = {"action": action, "order_id": order_id, "quantity": quantity, "flags": 1 | _NO_PRICE}
        case "C":
            order_id, quantity, _, printable, price = struct.unpack_from(">QIQcI", message, 11)
            flags = 1 | OrderEventFlag.NO_SIDE | (OrderEventFlag.AUCTION if printable == b"N" else 0)
            made = {
                "action": OrderAction.EXECUTE,
                "order_id": order_id,
                "quantity": quantity,
                "price": price,
                "flags": flags,
            }
        case "D":
            made = {
                "action": OrderAction.CANCEL,
                "order_id": struct.unpack_from(">Q", message, 11)[0],
                "flags": 1 | _NO_PRICE,
            }
        case "U":
            order_id, new_id, quantity, price = struct.unpack_from(">QQII", message, 11)
            made = {"action": OrderAction.REPLACE, "order_id": order_id, "other_id": new_id, "quantity": quantity}
            made |= {"price": price, "flags": 1 | OrderEventFlag.NO_SIDE}
        case "Q":
            quantity, _, price = struct.unpack_from(">Q8sI", message, 11)
            made = {
                "action": OrderAction.CROSS,
                "quantity": quantity,
                "price": price,
                "flags": 1 | OrderEventFlag.NO_SIDE,
            }
            made = made if quantity else None
        case "B":
            made = {"action": OrderAction.BUST, "flags": 1 | _NO_PRICE}
        case "H" | "h" if kind == "H" or message[19:20] == b"Q":
            state = chr(message[19 if kind == "H" else 20])
            made = {"action": OrderAction.PHASE, "quantity": _PHASES.get(state), "flags": 1 | _NO_PRICE}
    if made is not None and (None in made.values() or _lacks(made)):
        raise BadMessageError(row)
    return made


def _lacks(event: dict[str, object]) -> bool:
    """Whether a number is 0 that cannot be."""
    enters = event["action"] in {OrderAction.ADD, OrderAction.REPLACE}
    no_shares = enters and event["quantity"] == 0
    no_id = event.get("order_id") == 0 or (event["action"] == OrderAction.REPLACE and event["other_id"] == 0)
    return no_shares or no_id


def readable(events: OrderEvents, symbols: list[str]) -> list[PlainEvent]:
    """Events of an array in the same form."""
    names = ("time_ns", "row", "symbol", "action", "order_id", "other_id", "price", "quantity", "side", "flags")
    columns = [events[name].tolist() for name in names]
    columns[2] = [symbols[number] for number in columns[2]]
    return [PlainEvent(*row) for row in zip(*columns, strict=True)]
