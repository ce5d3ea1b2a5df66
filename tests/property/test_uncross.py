"""The price of an uncross, checked by brute force: every multiple of the tick is tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowlat.engine.conformance.examples.example import buy, phase, sell, traded_at
from lowlat.engine.conformance.rows import Row, stream_of
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import AuctionIndicative, MatchingEngine
from lowlat.engine.matching.records import Side, TradingPhase
from tests.engines import ENGINES
from tests.property.strategies import PROPERTY

TICK = 3
ORDERS = st.lists(st.tuples(st.sampled_from(Side), st.integers(-8, 8), st.integers(1, 5)), max_size=12)


def by_the_word(orders: list[tuple[Side, int, int]], last: int | None) -> AuctionIndicative | None:
    bids, asks = ([(price, quantity) for each, price, quantity in orders if each == side] for side in Side)
    if not bids or not asks or max(bids)[0] < min(asks)[0]:
        return None
    found = []
    for price in range(min(asks)[0], max(bids)[0] + 1, TICK):
        buying = sum(quantity for limit, quantity in bids if limit >= price)
        selling = sum(quantity for limit, quantity in asks if limit <= price)
        away = 0 if last is None else abs(price - last)
        found.append((-min(buying, selling), abs(buying - selling), away, price, buying - selling))
    volume, _, _, price, imbalance = min(found)
    return AuctionIndicative(price, -volume, imbalance)


@pytest.mark.scaled
@PROPERTY
@given(ORDERS, st.none() | st.integers(-12, 12))
def test_the_price_is_the_one_that_the_rule_picks(orders: list[tuple[Side, int, int]], last: int | None) -> None:
    on_tick = [(side, price * TICK, quantity) for side, price, quantity in orders]
    at = None if last is None else last * TICK
    entered: list[Row] = [
        (buy if side == Side.BUY else sell)(order_id, quantity, price)
        for order_id, (side, price, quantity) in enumerate(on_tick, 10)
    ]
    expected = by_the_word(on_tick, at)
    for kind in ENGINES:
        engine: MatchingEngine = kind.of(EngineConfig((Instrument(tick=TICK),), orders=20))
        engine.process(stream_of([*([] if at is None else traded_at(at)), phase(TradingPhase.CALL), *entered]))
        assert engine.indicative() == expected
        trades = len(engine.trades())
        engine.set_phase(TradingPhase.CONTINUOUS)
        made = engine.trades()[trades:]
        assert made["quantity"].sum() == (expected.volume if expected else 0)
        assert expected is None or set(made["price"]) == {expected.price}
        assert engine.indicative() is None
