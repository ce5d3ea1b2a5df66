"""The rules of `engine/conformance/examples` hold on both engines; every rejection reason occurs where it should."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from lowlat.engine.conformance.examples import EXAMPLES
from lowlat.engine.conformance.examples.example import (
    ALL_OR_NONE,
    DAY,
    FOK,
    GTD,
    IOC,
    POST_ONLY,
    SLIDE,
    TERMS,
    Example,
    books,
    buy,
    clock,
    failure,
    market,
    phase,
    reduce,
    replace,
    sell,
    stop,
    trail,
)
from lowlat.engine.conformance.rows import Row, stream_of
from lowlat.engine.matching.commands import command, commands, extended_command
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import AuctionIndicative, MatchingEngine
from lowlat.engine.matching.records import (
    QUANTITY_MAX,
    CommandType,
    ExecInst,
    ExecType,
    MatchAlgorithm,
    PoolPolicy,
    Reason,
    Side,
    TickRounding,
    TradingPhase,
)
from tests.engines import ENGINES

RULES = Instrument(tick=5, lot=2, price_min=0, price_max=200)

both_engines = pytest.mark.parametrize("kind", ENGINES, ids=lambda kind: kind.__name__)


@both_engines
@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_rule_holds(example: Example, kind: type[MatchingEngine]) -> None:
    assert failure(example, kind.of(example.settings)) is None


# Order 1 sells 4@100, order 2 buys 4@50; two orders fit, and one trade.
BOOK = [sell(1, 4, 100), buy(2, 4, 50)]
SETTINGS = EngineConfig((RULES,), orders=2, trades=1, when_trades_dry=PoolPolicy.REJECT)
ROOMY = EngineConfig((RULES,), orders=9, trades=1, when_trades_dry=PoolPolicy.REJECT)
SHARED = EngineConfig((Instrument(algorithm=MatchAlgorithm.PRO_RATA),), orders=9)

LAST_100 = [reduce(1, 2), market(9, Side.BUY, 2)]
"""Takes all of order 1: then the last price is 100."""


@dataclass(frozen=True)
class Refusal:
    """Why `row` is rejected after `given`, in a small engine or in one with room for more orders."""

    reason: Reason
    row: Row
    given: list[Row] = field(default_factory=list)
    settings: EngineConfig = SETTINGS

    def __str__(self) -> str:
        return f"{self.reason.name} {self.row}"


REFUSALS = [
    Refusal(Reason.UNKNOWN_KIND, (3, 100, 2, 0, 11, Side.BUY, 0, 0)),
    Refusal(Reason.UNKNOWN_KIND, (3, 100, 2, 0, 0, Side.BUY, 0, 0)),
    Refusal(Reason.UNKNOWN_SYMBOL, buy(3, 2, 100, symbol=1)),
    Refusal(Reason.UNKNOWN_SYMBOL, command(CommandType.ADVANCE_TIME, 0, quantity=1, symbol=1)),
    Refusal(Reason.UNKNOWN_SIDE, (3, 100, 2, 0, CommandType.LIMIT, 2, 0, 0)),
    Refusal(Reason.UNKNOWN_TIME_IN_FORCE, buy(3, 2, 100, time_in_force=5)),
    Refusal(Reason.UNKNOWN_TIME_IN_FORCE, (2, 100, 2, 0, CommandType.REPLACE, 0, DAY, 0)),
    Refusal(Reason.UNKNOWN_FLAG, buy(3, 2, 100, flags=16)),
    Refusal(Reason.UNKNOWN_FLAG, replace(2, 2, 100, SLIDE)),
    Refusal(Reason.QUANTITY_NOT_POSITIVE, reduce(1, 0)),
    Refusal(Reason.QUANTITY_TOO_LARGE, buy(3, QUANTITY_MAX + 1, 100)),
    Refusal(Reason.QUANTITY_OFF_LOT, buy(3, 3, 100)),
    Refusal(Reason.QUANTITY_OFF_LOT, buy(3, 4, 100, display_quantity=3)),
    Refusal(Reason.PRICE_ON_MARKET_ORDER, command(CommandType.MARKET, 3, price=5, quantity=2)),
    Refusal(Reason.PRICE_ON_MARKET_ORDER, extended_command(CommandType.STOP, 3, price=5, quantity=2, trigger=100)),
    Refusal(
        Reason.PRICE_ON_MARKET_ORDER, extended_command(CommandType.TRAILING_STOP, 3, price=5, quantity=2, trigger=5)
    ),
    Refusal(Reason.PRICE_OFF_TICK, buy(3, 2, 101)),
    Refusal(Reason.PRICE_OFF_TICK, stop(3, Side.BUY, 2, 101)),
    Refusal(Reason.PRICE_OFF_TICK, stop(3, Side.BUY, 2, 100, price=101)),
    Refusal(Reason.PRICE_OFF_TICK, trail(3, Side.BUY, 2, 6), LAST_100),
    Refusal(Reason.PRICE_OUTSIDE_BAND, buy(3, 2, 205)),
    Refusal(Reason.PRICE_OUTSIDE_BAND, stop(3, Side.BUY, 2, 205)),
    Refusal(Reason.PRICE_OUTSIDE_BAND, stop(3, Side.BUY, 2, 100, price=-5)),
    Refusal(Reason.PRICE_OUTSIDE_BAND, trail(3, Side.BUY, 2, 105), LAST_100),
    Refusal(Reason.PRICE_OUTSIDE_BAND, trail(3, Side.SELL, 2, 2**63 - 3), LAST_100),
    Refusal(Reason.DUPLICATE_ORDER_ID, buy(1, 2, 50)),
    Refusal(Reason.UNKNOWN_ORDER_ID, command(CommandType.CANCEL, 3)),
    Refusal(Reason.UNKNOWN_ORDER_ID, replace(3, 2, 50)),
    Refusal(Reason.REDUCE_EXCEEDS_REMAINING, reduce(1, 6)),
    Refusal(Reason.POST_ONLY_CONFLICT, buy(3, 2, 50, IOC, POST_ONLY)),
    Refusal(Reason.POST_ONLY_CONFLICT, command(CommandType.MARKET, 3, quantity=2, flags=POST_ONLY)),
    Refusal(
        Reason.POST_ONLY_CONFLICT, extended_command(CommandType.STOP_LIMIT, 3, price=50, quantity=2, flags=POST_ONLY)
    ),
    Refusal(Reason.POST_ONLY_WOULD_TRADE, replace(2, 4, 100, POST_ONLY)),
    Refusal(Reason.FOK_NOT_FILLABLE, buy(3, 6, 100, FOK)),
    Refusal(Reason.ORDER_POOL_FULL, buy(3, 2, 50)),
    Refusal(Reason.ORDER_POOL_FULL, stop(3, Side.BUY, 2, 100)),
    Refusal(Reason.TRADE_POOL_FULL, market(4, Side.BUY, 6), [sell(3, 2, 100)], ROOMY),
    Refusal(Reason.UNKNOWN_SELF_TRADE, buy(3, 2, 50, participant_id=1, self_trade=5)),
    Refusal(Reason.TERM_NOT_FOR_KIND, buy(3, 2, 50, trigger=5)),
    Refusal(Reason.TERM_NOT_FOR_KIND, buy(3, 2, 50, expiry=5)),
    Refusal(Reason.TERM_NOT_FOR_KIND, buy(3, 2, 50, DAY, expiry=5)),
    Refusal(Reason.TERM_NOT_FOR_KIND, buy(3, 2, 50, flags=ExecInst.TRAIL_BASIS_POINTS)),
    Refusal(Reason.TERM_NOT_FOR_KIND, buy(3, 2, 50, flags=ExecInst.PRICE_SLIDE)),
    Refusal(Reason.TERM_NOT_FOR_KIND, buy(3, 2, 50, IOC, display_quantity=2)),
    Refusal(Reason.TERM_NOT_FOR_KIND, buy(3, 2, 50, FOK, ALL_OR_NONE)),
    Refusal(
        Reason.TERM_NOT_FOR_KIND, extended_command(CommandType.STOP, 3, quantity=2, trigger=100, display_quantity=2)
    ),
    Refusal(Reason.TERM_NOT_FOR_KIND, stop(3, Side.BUY, 2, 100, time_in_force=IOC)),
    Refusal(Reason.TERM_NOT_FOR_KIND, stop(3, Side.BUY, 2, 100, price=100, time_in_force=FOK)),
    Refusal(Reason.TERM_NOT_FOR_KIND, command(CommandType.MARKET, 3, quantity=2, time_in_force=DAY)),
    Refusal(Reason.TERM_NOT_FOR_KIND, extended_command(CommandType.MARKET, 3, quantity=2, time_in_force=GTD, expiry=5)),
    *(
        Refusal(Reason.TERM_NOT_FOR_KIND, extended_command(CommandType.REPLACE, 2, price=50, quantity=2, **{term: 1}))
        for term in TERMS
    ),
    Refusal(Reason.TERMS_CONFLICT, buy(3, 4, 50, flags=ALL_OR_NONE, display_quantity=2)),
    Refusal(Reason.TERMS_CONFLICT, buy(3, 4, 50, flags=ALL_OR_NONE | POST_ONLY)),
    Refusal(Reason.TERMS_CONFLICT, buy(3, 4, 50, flags=ALL_OR_NONE), settings=SHARED),
    Refusal(Reason.DISPLAY_TOO_LARGE, buy(3, 2, 50, display_quantity=4)),
    Refusal(Reason.DISPLAY_TOO_SMALL, buy(3, 2 * 257, 50, display_quantity=2)),
    Refusal(Reason.DISPLAY_TOO_SMALL, replace(3, 2 * 257, 50), [buy(3, 2 * 256, 50, display_quantity=2)], ROOMY),
    Refusal(Reason.EXPIRY_NOT_AHEAD, buy(3, 2, 50, GTD)),
    Refusal(Reason.EXPIRY_NOT_AHEAD, stop(3, Side.BUY, 2, 100, time_in_force=GTD, expiry=7), [clock(7)]),
    Refusal(Reason.TRAIL_OUT_OF_RANGE, trail(3, Side.BUY, 2, 0)),
    Refusal(Reason.TRAIL_OUT_OF_RANGE, trail(3, Side.BUY, 2, -5)),
    Refusal(Reason.TRAIL_OUT_OF_RANGE, trail(3, Side.BUY, 2, 10_001, ExecInst.TRAIL_BASIS_POINTS)),
    Refusal(Reason.NOT_IN_THIS_PHASE, market(3, Side.BUY, 2), [phase(TradingPhase.CALL)]),
    Refusal(Reason.NOT_IN_THIS_PHASE, buy(3, 2, 50), [phase(TradingPhase.HALTED)]),
    Refusal(Reason.NOT_IN_THIS_PHASE, replace(2, 2, 50), [phase(TradingPhase.CLOSED)]),
    Refusal(Reason.STOP_THROUGH_MARKET, stop(3, Side.BUY, 2, 100), LAST_100),
    Refusal(Reason.STOP_THROUGH_MARKET, stop(3, Side.SELL, 2, 100, price=50), LAST_100),
    Refusal(Reason.NO_LAST_TRADE, trail(3, Side.BUY, 2, 5)),
    Refusal(Reason.STOP_STILL_WAITS, replace(3, 2, 50), [stop(3, Side.BUY, 2, 100)], ROOMY),
    Refusal(Reason.CLOCK_BACKWARDS, clock(6), [clock(7)]),
    Refusal(Reason.CLOCK_BACKWARDS, clock(-1)),
    Refusal(Reason.UNKNOWN_PHASE, command(CommandType.PHASE, 0, quantity=4)),
    Refusal(Reason.UNKNOWN_PHASE, command(CommandType.PHASE, 0, quantity=-1)),
]


@both_engines
@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_rejected_command_says_why_and_leaves_the_book(refusal: Refusal, kind: type[MatchingEngine]) -> None:
    engine = kind.of(refusal.settings)
    assert (engine.process(stream_of([*BOOK, *refusal.given]))["kind"] != ExecType.REJECTED).all()
    before, orders, tape = books(engine), engine.orders(), engine.trades()
    (event,) = engine.process(stream_of([refusal.row]))
    assert (event["kind"], Reason(event["reason"])) == (ExecType.REJECTED, refusal.reason)
    order_id, price, _, symbol, command_kind, side, *_ = refusal.row
    echoed = tuple(event[name] for name in ("order_id", "price", "symbol", "command", "side"))
    assert echoed == (order_id, price, symbol, command_kind, side)
    assert not any(event[name] for name in ("quantity", "remaining", "maker_id", "maker_remaining", "trade_id"))
    assert books(engine) == before
    assert np.array_equal(engine.orders(), orders) and np.array_equal(engine.trades(), tape)


def test_every_reason_is_exercised() -> None:
    rejecting = {refusal.reason for refusal in REFUSALS}
    canceling = {reason for reason in Reason if any(f" {reason.name}\n" in example.says for example in EXAMPLES)}
    assert {Reason.REQUESTED, Reason.IOC_REMAINDER, Reason.MARKET_REMAINDER} <= canceling
    assert {Reason.EXPIRED, Reason.SELF_TRADE, Reason.TRADE_POOL_FULL} <= canceling
    assert set(Reason) - rejecting - canceling == {Reason.NONE}


@both_engines
def test_what_an_uncross_would_do_is_told_in_any_phase(kind: type[MatchingEngine]) -> None:
    engine = kind(2)
    engine.process(stream_of([phase(TradingPhase.CALL), buy(1, 5, 102), sell(2, 3, 100)]))
    assert engine.indicative() == AuctionIndicative(price=100, volume=3, imbalance=2)
    assert engine.indicative(1) is None
    engine.set_phase(TradingPhase.HALTED)
    assert engine.indicative() == AuctionIndicative(price=100, volume=3, imbalance=2)
    engine.cancel(1)
    assert engine.indicative() is None


@both_engines
def test_what_a_listing_says_of_icebergs_and_stops(kind: type[MatchingEngine]) -> None:
    engine = kind(2)
    engine.process(stream_of([buy(1, 7, 99, symbol=1, display_quantity=3), buy(2, 5, 98, flags=ALL_OR_NONE, symbol=1)]))
    assert engine.orders(1).tolist() == [(1, 99, 3, 1, Side.BUY, 0, 4), (2, 98, 5, 1, Side.BUY, ALL_OR_NONE, 0)]
    assert engine.depth(Side.BUY, 9, 1).tolist() == [(99, 3, 1), (98, 5, 1)]
    engine.process(stream_of([stop(3, Side.SELL, 2, 90), stop(4, Side.BUY, 6, 105, price=106)]))
    assert engine.stops().tolist() == [
        (4, 106, 105, 6, 0, CommandType.STOP_LIMIT, Side.BUY),
        (3, 0, 90, 2, 0, CommandType.STOP, Side.SELL),
    ]
    assert len(engine.stops(1)) == 0


@both_engines
@pytest.mark.parametrize(
    "row", [buy(9, 2, 50), stop(9, Side.BUY, 2, 150), reduce(1, 2), replace(2, 2, 50), phase(TradingPhase.CONTINUOUS)]
)
def test_room_on_the_tape_is_seen_after_any_command(row: Row, kind: type[MatchingEngine]) -> None:
    engine = kind.of(ROOMY)
    one_trade = [sell(3, 2, 90), buy(4, 2, 90)]
    engine.process(stream_of([*BOOK, *one_trade, buy(5, 6, 100, flags=ALL_OR_NONE), reduce(5, 4)]))
    assert engine.drain_trades() == 1
    events = engine.process(stream_of([row]))
    assert [event["kind"] for event in events[1:]] == [ExecType.TRIGGERED, ExecType.TRADE]


@both_engines
def test_events_of_what_follows_name_the_command_under_way(kind: type[MatchingEngine]) -> None:
    engine = kind(2)
    engine.process(stream_of([buy(1, 1, 99, GTD, symbol=1, expiry=5), stop(2, Side.BUY, 1, 100), sell(3, 1, 100)]))
    triggered = engine.process(stream_of([sell(4, 1, 105), buy(5, 1, 100)]))[3]
    assert (triggered["sequence"], triggered["order_id"], triggered["command"]) == (4, 2, CommandType.LIMIT)
    accepted, expired = engine.advance_time(5)
    assert [accepted[name] for name in ("command", "symbol", "side", "quantity")] == [CommandType.ADVANCE_TIME, 0, 0, 0]
    assert [expired[name] for name in ("command", "symbol", "order_id", "side")] == [
        CommandType.ADVANCE_TIME,
        1,
        1,
        Side.BUY,
    ]


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
        "kind": ExecType.TRADE,
        "side": Side.BUY,
        "reason": Reason.NONE,
        "command": CommandType.LIMIT,
    }
    assert engine.trades().tolist() == [(7, 8, 100, 2, 1), (7, 9, 100, 3, 1)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("off_tick", [TickRounding.NEAREST, TickRounding.PASSIVE])
def test_the_largest_tick_rounds_without_leaving_int64(engine: type[MatchingEngine], off_tick: TickRounding) -> None:
    """The sum of a remainder and such a tick is beyond int64; rounding must not make it."""
    tick = 2**63 - 1
    tried = engine([Instrument(tick=tick, off_tick=off_tick)])
    events = [
        tried.submit(order, side, 1, price)[0]
        for order, (side, price) in enumerate(
            [(Side.BUY, tick - 1), (Side.SELL, 1 - tick), (Side.BUY, 5), (Side.SELL, 5)], start=1
        )
    ]
    nearest = [tick, -tick, 0, 0]
    passive = [0, 0, 0, tick]
    assert [int(event["price"]) for event in events] == (nearest if off_tick is TickRounding.NEAREST else passive)
