"""Numbers that do not fit the engine's records end a conversation; they are neither rounded nor rejected."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest

from lowlat.engine import Engine
from tests.conformance.adapter import LOTS, PROTOCOL, SYMBOLS, canonical, digest, serve

CONFIG = {
    "matching_algorithm": "fifo",
    "tick_size": "0.01",
    "self_trade_policy": "NONE",
    "quantity_decimal_places": 12,
}
HELLO = {"type": "hello", **PROTOCOL, "config": CONFIG}
FINISH = {"type": "finish", "event_count": 1}


def said(*messages: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of the program, and its answers."""
    out = io.StringIO()
    code = serve(map(json.dumps, messages), out, Engine)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def buy(index: int = 1, **given: Any) -> dict[str, Any]:
    order = {"op": "new", "symbol": "A", "order_id": 1, "side": "BUY", "order_type": "LIMIT", "owner": -1}
    return {"type": "event", "index": index, "event": order | {"price": 100.0, "quantity": 0.5} | given}


def test_a_conversation() -> None:
    code, (ready, seen, snapshot, complete) = said(HELLO, buy(), {"type": "snapshot", "index": 1}, FINISH)
    resting = {"order_id": 1, "price": "100", "remaining_quantity": "0.5", "owner": -1, "order_type": "LIMIT"}
    state = {"books": [{"symbol": "A", "bids": [resting], "asks": []}]}
    assert (code, ready["type"], ready["engine"]["name"]) == (0, "ready", "lowlat Engine")
    assert seen["outcome"] == {"status": "applied", "reason": None, "message": None}
    assert (seen["trades"], seen["resting_order_count"], seen["state_hash"]) == ([], 1, digest(state))
    assert snapshot == {"type": "snapshot", "index": 1, "state": state}
    assert complete == {"type": "complete", "event_count": 1}


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (buy(quantity=0.00001), f"quantity 0.00001 is no multiple of 1/{LOTS}"),
        (buy(quantity=2000), "quantity 2000 is no multiple of 1/2560000, or above 1677"),
        (buy(price=100.000000001), "price 100.000000001 is no multiple of a millionth of a tick, 1E-8"),
        (buy(order_id=1 << 48), "order id 281474976710656 is outside"),
        (buy(index=2), "out of turn after event 0"),
        ({"type": "snapshot", "index": 1}, "out of turn after event 0"),
        (HELLO, "out of turn after event 0"),
    ],
)
def test_it_ends_where_nothing_can_be_judged(message: dict[str, Any], why: str) -> None:
    code, (_, error) = said(HELLO, message, FINISH)
    assert (code, error["type"], error["code"]) == (2, "error", "PROTOCOL_ERROR")
    assert why in error["message"]


def test_it_begins_with_a_hello_of_its_version_and_ends_with_a_finish() -> None:
    for first in (buy(), HELLO | {"protocol_version": 2}):
        code, (error,) = said(first)
        assert (code, error["type"]) == (2, "error") and "where a hello of" in error["message"]
    code, answers = said(HELLO, buy())
    assert (code, len(answers)) == (2, 2)


def test_it_holds_so_many_symbols() -> None:
    code, answers = said(HELLO, *(buy(index, symbol=f"S{index}") for index in range(1, SYMBOLS + 2)))
    assert code == 2 and len(answers) == SYMBOLS + 2
    assert answers[-1]["message"] == f"symbol 'S{SYMBOLS + 1}': this adapter holds {SYMBOLS}"


@pytest.mark.parametrize(
    ("number", "text"), [("0.00", "0"), ("1E+2", "100"), ("1.50", "1.5"), ("1E-12", "0." + 11 * "0" + "1")]
)
def test_numbers_have_neither_exponent_nor_idle_zeros(number: str, text: str) -> None:
    assert canonical(Decimal(number)) == text
