"""A lowlat engine as a candidate of `tracebook-conformance`, which sends it events and checks each answer:

    tracebook-conformance suite SUITE --candidate python -P tests/conformance/adapter.py [MODULE:CLASS]

The class is a `MatchingEngine`, by default `lowlat.engine:Engine`. It implements the package's NDJSON protocol and
uses nothing else of it. The engine makes every decision; the adapter only translates ("there" means in tracebook):

- Quantities are doubles there, lots here. 2,560,000 lots per unit represent twelve halvings, or four decimals, and no
  more than the twelve decimals that are compared; a quantity between two lots is rejected, never rounded.
- Prices have any number of decimals there. A price unit is a millionth of a tick, and the engine rounds to the nearest
  tick. (From the middle of two ticks it takes the passive one, tracebook the one that its division of doubles happens
  to give; no price of its suites and campaigns is such a middle.) Below half a tick a price is outside the band.
- Order ids are per symbol there, so an id here combines symbol and id.
- A replaced order always goes to the back there. Ours keeps its place at the same price and no larger quantity, so the
  adapter cancels and re-enters it. (A replacement rejected for its price loses its place there, although the answer
  says that nothing changed; not here, and no suite or campaign has one.)
- `clear` becomes a cancel for every resting order of the symbol.
- An order without a match (also fill-or-kill) counts as applied there; only what breaks a rule is rejected. A book
  exists from the first `new` or `clear` on, even a rejected one.
- Owners are any integers there, with -1 for nobody; here they are numbered from 1 in order of appearance.
- Shares of a pro-rata level are real numbers there; here they are whole lots, equal where the shares are whole lots.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TextIO, TypeAlias

from lowlat.engine.matching.commands import extended_command, extended_commands
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import (
    QUANTITY_MAX,
    CommandType,
    ExecType,
    MatchAlgorithm,
    Orders,
    PoolPolicy,
    Reason,
    SelfTradePrevention,
    Side,
    TickRounding,
    TimeInForce,
)

Message: TypeAlias = dict[str, Any]

PROTOCOL: Final = {"protocol": "tracebook.conformance", "protocol_version": 1}
LOTS: Final = 2**12 * 5**4
"""Lots of a unit. Divides 10^12: a quantity has twelve decimals at most."""
TICK: Final = 10**6
"""Price units of a tick."""
ID_BITS: Final = 48
SYMBOLS: Final = 16
NOBODY: Final = -1

_SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
_ALGORITHMS: Final = {"fifo": MatchAlgorithm.FIFO, "pro_rata": MatchAlgorithm.PRO_RATA}
_POLICIES: Final = {each.name.replace("AGGRESSING", "INCOMING"): each for each in SelfTradePrevention}
"""By the suite's names."""
_TYPES: Final = {
    "LIMIT": (CommandType.LIMIT, TimeInForce.GTC),
    "MARKET": (CommandType.MARKET, TimeInForce.GTC),
    "IOC": (CommandType.LIMIT, TimeInForce.IOC),
    "FOK": (CommandType.LIMIT, TimeInForce.FOK),
}
_INVALID: Final = "INVALID_ORDER"
_REASONS: Final = {
    Reason.UNKNOWN_ORDER_ID: "ORDER_NOT_ACTIVE",
    Reason.DUPLICATE_ORDER_ID: "DUPLICATE_ORDER_ID",
    Reason.QUANTITY_NOT_POSITIVE: _INVALID,
    Reason.PRICE_OUTSIDE_BAND: _INVALID,
    Reason.REDUCE_EXCEEDS_REMAINING: _INVALID,
}


class ConversationError(Exception):
    """A message out of turn, or a number that the engine's records cannot hold. Says nothing about the engine."""


class Market:
    """An engine, and tracebook's names for its orders and owners."""

    def __init__(self, config: Message, make: Callable[..., MatchingEngine]) -> None:
        self._unit = Decimal(config["tick_size"]) / TICK
        self._places = Decimal(1).scaleb(-config["quantity_decimal_places"])
        self._self_trade = _POLICIES[config["self_trade_policy"]]
        rules = Instrument(
            tick=TICK,
            price_min=TICK,
            unit=self._unit,
            algorithm=_ALGORITHMS[config["matching_algorithm"]],
            off_tick=TickRounding.NEAREST,
        )
        self._engine = make([rules] * SYMBOLS, orders=1024, trades=1024, when_orders_dry=PoolPolicy.GROW)
        self._symbols: dict[str, int] = {}
        self._owner_of: dict[int, int] = {}  # by engine id
        self._owner_numbers = {NOBODY: 0}

    def apply(self, event: Message) -> Message:
        """Execute an event; return its outcome, its trades, and the resting orders."""
        op, name = event["op"], event["symbol"]
        if name not in self._symbols and op in ("cancel", "reduce", "replace"):
            outcome, found = _outcome("rejected", "ORDER_NOT_ACTIVE", "no such book"), []
        else:
            symbol = self._symbols.setdefault(name, len(self._symbols))
            if symbol == SYMBOLS:
                raise ConversationError(f"symbol {name!r}: this adapter holds {SYMBOLS}")
            taken = {"new": self._new, "cancel": self._cancel, "reduce": self._reduce, "replace": self._replace}
            found = taken[op](symbol, event) if op in taken else self._clear(symbol)
            outcome = self._judged(op, symbol, event, found)
        state = self.state()
        return {
            "outcome": outcome,
            "trades": [self._trade(name, each) for each in found if each["kind"] == ExecType.TRADE],
            "state_hash": digest(state),
            "resting_order_count": sum(len(book["bids"]) + len(book["asks"]) for book in state["books"]),
        }

    def state(self) -> Message:
        """The resting orders by symbol and side, in the order in which they would trade."""
        return {"books": [self._book(name, self._engine.orders(self._symbols[name])) for name in sorted(self._symbols)]}

    def _new(self, symbol: int, event: Message) -> list[Any]:
        order_id = self._id(symbol, event)
        kind, time_in_force = _TYPES[event["order_type"]]
        found = self._process(
            extended_command(
                kind,
                order_id,
                side=_SIDES[event["side"]],
                price=0 if kind is CommandType.MARKET else self._price(event["price"]),
                quantity=self._lots(event["quantity"]),
                symbol=symbol,
                time_in_force=time_in_force,
                participant_id=self._number(event["owner"]),
                self_trade=self._self_trade,
            )
        )
        if found[0]["kind"] == ExecType.ACCEPTED:
            self._owner_of[order_id] = event["owner"]
        return found

    def _cancel(self, symbol: int, event: Message) -> list[Any]:
        return self._process(extended_command(CommandType.CANCEL, self._id(symbol, event), symbol=symbol))

    def _reduce(self, symbol: int, event: Message) -> list[Any]:
        lots = self._lots(event["quantity"])
        return self._process(
            extended_command(CommandType.REDUCE, self._id(symbol, event), quantity=lots, symbol=symbol)
        )

    def _replace(self, symbol: int, event: Message) -> list[Any]:
        """Omitted values stay. If the order does not rest, that is reported before anything else is checked."""
        order_id = self._id(symbol, event)
        before = self._resting(symbol).get(order_id)
        if before is None:
            return self._process(extended_command(CommandType.REPLACE, order_id, price=TICK, quantity=1, symbol=symbol))
        old_price, old_quantity = int(before["price"]), int(before["quantity"])
        price = old_price if event["price"] is None else self._price(event["price"])
        quantity = old_quantity if event["quantity"] is None else self._lots(event["quantity"])
        found = self._process(
            extended_command(CommandType.REPLACE, order_id, price=price, quantity=quantity, symbol=symbol)
        )
        replaced = found[0]["kind"] == ExecType.REPLACED
        if replaced and found[0]["price"] == old_price and quantity <= old_quantity:
            found += self._to_the_back(symbol, order_id)
        return found

    def _to_the_back(self, symbol: int, order_id: int) -> list[Any]:
        order = self._resting(symbol)[order_id]
        return self._process(
            extended_command(CommandType.CANCEL, order_id, symbol=symbol),
            extended_command(
                CommandType.LIMIT,
                order_id,
                side=Side(int(order["side"])),
                price=int(order["price"]),
                quantity=int(order["quantity"]),
                symbol=symbol,
                participant_id=self._number(self._owner_of[order_id]),
                self_trade=self._self_trade,
            ),
        )

    def _clear(self, symbol: int) -> list[Any]:
        return self._process(
            *(extended_command(CommandType.CANCEL, order_id, symbol=symbol) for order_id in self._resting(symbol))
        )

    def _process(self, *rows: tuple[int, ...]) -> list[Any]:
        return list(self._engine.process(extended_commands(*rows)))

    def _resting(self, symbol: int) -> Mapping[int, Any]:
        return {int(order["order_id"]): order for order in self._engine.orders(symbol)}

    def _judged(self, op: str, symbol: int, event: Message, found: list[Any]) -> Message:
        """Tracebook checks for a duplicate id before it checks the order; the engine checks it afterward."""
        if not found or found[0]["kind"] != ExecType.REJECTED or found[0]["reason"] == Reason.FOK_NOT_FILLABLE:
            return _outcome("applied")
        why = Reason(int(found[0]["reason"]))
        if why not in _REASONS:
            raise ConversationError(f"the engine rejects event {event} as {why.name}, for which tracebook has no name")
        reason = _REASONS[why]
        if reason == _INVALID and op == "new" and self._id(symbol, event) in self._resting(symbol):
            reason = "DUPLICATE_ORDER_ID"
        elif reason == _INVALID and op == "replace":
            reason = "INVALID_REPLACEMENT"
        return _outcome("rejected", reason, why.name)

    def _id(self, symbol: int, event: Message) -> int:
        order_id: int = event["order_id"]
        if not 0 < order_id < 1 << ID_BITS:
            raise ConversationError(f"order id {order_id} is outside 1..2^{ID_BITS}-1")
        return symbol << ID_BITS | order_id

    def _number(self, owner: int) -> int:
        return self._owner_numbers.setdefault(owner, len(self._owner_numbers))

    def _lots(self, quantity: Decimal | int) -> int:
        lots = Decimal(quantity) * LOTS
        if lots != lots.to_integral_value() or lots > QUANTITY_MAX:
            raise ConversationError(f"quantity {quantity} is no multiple of 1/{LOTS}, or above {QUANTITY_MAX // LOTS}")
        return int(lots)

    def _price(self, price: Decimal | int) -> int:
        units = Decimal(price) / self._unit
        if units != units.to_integral_value():
            raise ConversationError(f"price {price} is no multiple of a millionth of a tick, {self._unit}")
        return int(units)

    def _trade(self, name: str, event: Any) -> Message:
        ids = [int(event["order_id"]), int(event["maker_id"])]
        buy, sell = ids if event["side"] == Side.BUY else reversed(ids)
        return {
            "symbol": name,
            "buy_order_id": _source(buy),
            "sell_order_id": _source(sell),
            "price": canonical(int(event["price"]) * self._unit),
            "quantity": self._quantity(event["quantity"]),
        }

    def _book(self, name: str, orders: Orders) -> Message:
        sides: dict[Side, list[Message]] = {Side.BUY: [], Side.SELL: []}
        for order in orders:
            order_id = int(order["order_id"])
            sides[Side(int(order["side"]))].append(
                {
                    "order_id": _source(order_id),
                    "price": canonical(int(order["price"]) * self._unit),
                    "remaining_quantity": self._quantity(order["quantity"]),
                    "owner": self._owner_of[order_id],
                    "order_type": "LIMIT",
                }
            )
        return {"symbol": name, "bids": sides[Side.BUY], "asks": sides[Side.SELL]}

    def _quantity(self, lots: Any) -> str:
        return canonical((Decimal(int(lots)) / LOTS).quantize(self._places, ROUND_HALF_EVEN))


class Conversation:
    """A run: a hello, events numbered from 1, snapshots, a finish."""

    def __init__(self, make: Callable[..., MatchingEngine]) -> None:
        self._make = make
        self._market: Market | None = None
        self._last = 0
        self.over = False

    def answer(self, line: str) -> str:
        """The answer to one line. Raises `ConversationError`; the conversation is then over."""
        # Parse as decimals: the shortest text of a double is the intended number.
        message = json.loads(line, parse_float=Decimal)
        return json.dumps(self._answer(message), separators=(",", ":"))

    def _answer(self, message: Message) -> Message:
        kind = message["type"]
        if self._market is None:
            if kind != "hello" or any(message[name] != value for name, value in PROTOCOL.items()):
                raise ConversationError(f"{message} where a hello of {PROTOCOL} belongs")
            self._market = Market(message["config"], self._make)
            engine = {"name": f"lowlat {self._make.__name__}", "version": version("lowlat"), "language": "C++, Python"}
            return {"type": "ready", **PROTOCOL, "engine": engine}
        if kind == "event" and message["index"] == self._last + 1:
            self._last += 1
            return {"type": "observation", "index": self._last, **self._market.apply(message["event"])}
        if kind == "snapshot" and message["index"] == self._last:
            return {"type": "snapshot", "index": self._last, "state": self._market.state()}
        if kind == "finish" and message["event_count"] == self._last:
            self.over = True
            return {"type": "complete", "event_count": self._last}
        raise ConversationError(f"{message} is out of turn after event {self._last}")


def canonical(number: Decimal) -> str:
    """A number as tracebook writes it: no exponent, no zeros at the end."""
    return format(number.normalize(), "f") if number else "0"


def digest(state: Message) -> str:
    """SHA-256 of a state, computed as tracebook does."""
    text = json.dumps(state, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def serve(lines: Iterable[str], out: TextIO, make: Callable[..., MatchingEngine]) -> int:
    """Answer every line up to the finish; return the exit code."""
    conversation = Conversation(make)
    for line in lines:
        try:
            said = conversation.answer(line)
        except ConversationError as error:
            print(json.dumps({"type": "error", "code": "PROTOCOL_ERROR", "message": str(error)}), file=out, flush=True)
            return 2
        print(said, file=out, flush=True)
        if conversation.over:
            return 0
    return 2


def _outcome(status: str, reason: str | None = None, message: str | None = None) -> Message:
    return {"status": status, "reason": reason, "message": message}


def _source(order_id: int) -> int:
    return order_id & ((1 << ID_BITS) - 1)


def named(name: str) -> Callable[..., MatchingEngine]:
    """The class named by MODULE:CLASS."""
    module, _, attribute = name.partition(":")
    found: Callable[..., MatchingEngine] = getattr(import_module(module), attribute)
    return found


if __name__ == "__main__":
    # Appended, so that engines of the tests are found here, and lowlat where it is installed.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    code = serve(sys.stdin, sys.stdout, named(sys.argv[1] if len(sys.argv) > 1 else "lowlat.engine:Engine"))
    # A process that still runs half a second after the finish is killed and counts as failed: skip interpreter cleanup.
    os._exit(code)
