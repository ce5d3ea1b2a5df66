"""The rules of `tests/worked_examples.py` hold on both engines, and every reason to reject is given where it is due."""

import numpy as np
import pytest

from engine.contract import MatchingEngine
from engine.instrument import Instrument
from engine.native_engine import Engine
from engine.records import QUANTITY_MAX, EventKind, Kind, Reason, Side, command, commands
from engine.reference import ReferenceEngine
from engine.settings import Settings, WhenDry
from tests.property.comparison import Row
from tests.worked_examples import EXAMPLES, FOK, IOC, POST_ONLY, Example, books, buy, failure, market, reduce, sell

ENGINES: list[type[MatchingEngine]] = [Engine, ReferenceEngine]
RULES = Instrument(tick=5, lot=2, price_min=0, price_max=200)

both_engines = pytest.mark.parametrize("kind", ENGINES, ids=lambda kind: kind.__name__)


@both_engines
@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_rule_holds(example: Example, kind: type[MatchingEngine]) -> None:
    assert failure(example, kind.of(example.settings)) is None


# Order 1 sells 4@100, order 2 buys 4@50; two orders fit, and one trade.
BOOK = [sell(1, 4, 100), buy(2, 4, 50)]
SETTINGS = Settings((RULES,), orders=2, trades=1, when_trades_dry=WhenDry.REFUSE)
ROOMY = Settings((RULES,), orders=9, trades=1, when_trades_dry=WhenDry.REFUSE)

REJECTS: list[tuple[Reason, Row]] = [
    (Reason.UNKNOWN_KIND, (3, 100, 2, 0, 9, Side.BUY, 0, 0)),
    (Reason.UNKNOWN_SYMBOL, buy(3, 2, 100, symbol=1)),
    (Reason.UNKNOWN_SIDE, (3, 100, 2, 0, Kind.LIMIT, 2, 0, 0)),
    (Reason.UNKNOWN_TIME_IN_FORCE, buy(3, 2, 100, time_in_force=3)),
    (Reason.UNKNOWN_FLAG, buy(3, 2, 100, flags=2)),
    (Reason.QUANTITY_NOT_POSITIVE, reduce(1, 0)),
    (Reason.QUANTITY_TOO_LARGE, buy(3, QUANTITY_MAX + 1, 100)),
    (Reason.QUANTITY_OFF_LOT, buy(3, 3, 100)),
    (Reason.PRICE_ON_MARKET_ORDER, command(Kind.MARKET, 3, price=5, quantity=2)),
    (Reason.PRICE_OFF_TICK, buy(3, 2, 101)),
    (Reason.PRICE_OUTSIDE_BAND, buy(3, 2, 205)),
    (Reason.DUPLICATE_ORDER_ID, buy(1, 2, 50)),
    (Reason.UNKNOWN_ORDER_ID, command(Kind.CANCEL, 3)),
    (Reason.REDUCE_EXCEEDS_REMAINING, reduce(1, 6)),
    (Reason.POST_ONLY_CONFLICT, buy(3, 2, 50, IOC, POST_ONLY)),
    (Reason.POST_ONLY_WOULD_TRADE, command(Kind.REPLACE, 2, price=100, quantity=4, flags=POST_ONLY)),
    (Reason.FOK_NOT_FILLABLE, buy(3, 6, 100, FOK)),
    (Reason.ORDER_POOL_FULL, buy(3, 2, 50)),
    (Reason.TRADE_POOL_FULL, market(4, Side.BUY, 6)),
]


@both_engines
@pytest.mark.parametrize(("reason", "row"), REJECTS, ids=lambda value: getattr(value, "name", ""))
def test_a_rejected_command_says_why_and_leaves_the_book(reason: Reason, row: Row, kind: type[MatchingEngine]) -> None:
    engine = kind.of(ROOMY if reason is Reason.TRADE_POOL_FULL else SETTINGS)
    engine.process(commands(*BOOK, *([sell(3, 2, 100)] if reason is Reason.TRADE_POOL_FULL else [])))
    before, orders, tape = books(engine), engine.orders(), engine.trades()
    (event,) = engine.process(commands(row))
    assert (event["kind"], Reason(event["reason"])) == (EventKind.REJECTED, reason)
    order_id, price, _, symbol, command_kind, side, _, _ = row
    echoed = tuple(event[name] for name in ("order_id", "price", "symbol", "command", "side"))
    assert echoed == (order_id, price, symbol, command_kind, side)
    assert not any(event[name] for name in ("quantity", "remaining", "maker_id", "maker_remaining", "trade_id"))
    assert books(engine) == before
    assert np.array_equal(engine.orders(), orders) and np.array_equal(engine.trades(), tape)


def test_every_reason_is_exercised() -> None:
    rejecting = [reason for reason, _ in REJECTS]
    assert len(rejecting) == len(set(rejecting))
    cancelling = {reason for reason in Reason if any(f" {reason.name}\n" in example.says for example in EXAMPLES)}
    assert {Reason.REQUESTED, Reason.IOC_REMAINDER, Reason.MARKET_REMAINDER} <= cancelling
    unexercised = set(Reason) - set(rejecting) - cancelling
    assert unexercised == {Reason.NONE}


@both_engines
def test_every_field_of_a_trade_event(kind: type[MatchingEngine]) -> None:
    engine = kind(2)
    engine.process(commands(sell(7, 5, 100, symbol=1), buy(8, 2, 100, symbol=1)))
    event = engine.process(commands(buy(9, 4, 101, symbol=1)))[1]
    assert {name: int(event[name]) for name in event.dtype.names} == {
        "sequence": 2,
        "order_id": 9,
        "maker_id": 7,
        "price": 100,
        "quantity": 3,
        "remaining": 1,
        "maker_remaining": 0,
        "symbol": 1,
        "trade_id": 2,
        "kind": EventKind.TRADE,
        "side": Side.BUY,
        "reason": Reason.NONE,
        "command": Kind.LIMIT,
    }
    assert engine.trades().tolist() == [(7, 8, 100, 2, 1), (7, 9, 100, 3, 1)]
