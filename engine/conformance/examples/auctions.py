"""Phases: the commands they accept, the uncross, the end of the day."""

from lowlat.engine.conformance.examples.example import (
    ALL_OR_NONE,
    DAY,
    IOC,
    POST_ONLY,
    Example,
    buy,
    cancel,
    market,
    phase,
    reduce,
    replace,
    sell,
    stop,
    traded_at,
    trail,
)
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import MatchAlgorithm, PoolPolicy, SelfTradePrevention, Side, TradingPhase

BUY, SELL = Side
CONTINUOUS, CALL, HALTED, CLOSED = map(phase, TradingPhase)

EXAMPLES = [
    Example(
        rule="the uncross is at the price of maximum volume, by price and time, all at that one price",
        given=[CALL, buy(1, 5, 102), buy(2, 3, 101), sell(3, 4, 100), sell(4, 2, 101)],
        does=[CONTINUOUS],  # at 100 4 trade, at 101 6, at 102 5
        says="""
            #5 ACCEPTED order 0 0@0 left 0
            #5 TRADE order 1 4@101 maker 3 left 1/0
            #5 TRADE order 1 1@101 maker 4 left 0/1
            #5 TRADE order 2 1@101 maker 4 left 2/0
        """,
        leaves="BUY 101 = 2: 2:2",
    ),
    Example(
        rule="of several prices of that volume the least imbalance, which need be no order's price; then the lowest",
        given=[CALL, buy(1, 3, 103), buy(2, 2, 100), sell(3, 3, 99)],
        does=[CONTINUOUS],  # 3 trade at 99 to 103; up to 100 2 more would buy
        says="""
            #4 ACCEPTED order 0 0@0 left 0
            #4 TRADE order 1 3@101 maker 3 left 0/0
        """,
        leaves="BUY 100 = 2: 2:2",
    ),
    Example(
        rule="of several with the same imbalance, the nearest to the last trade's price",
        given=[*traded_at(102), CALL, buy(1, 2, 105), sell(2, 2, 100)],
        does=[CONTINUOUS],
        says="""
            #5 ACCEPTED order 0 0@0 left 0
            #5 TRADE order 1 2@102 maker 2 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="a last price beyond the bids leads to the highest price, one below the asks to the lowest",
        given=[*traded_at(110), CALL, buy(1, 2, 105), sell(2, 2, 100)],
        does=[CONTINUOUS, CALL, sell(1, 1, 107), buy(2, 1, 109), CONTINUOUS],
        says="""
            #5 ACCEPTED order 0 0@0 left 0
            #5 TRADE order 1 2@105 maker 2 left 0/0
            #6 ACCEPTED order 0 0@0 left 0
            #7 ACCEPTED order 1 1@107 left 1
            #8 ACCEPTED order 2 1@109 left 1
            #9 ACCEPTED order 0 0@0 left 0
            #9 TRADE order 2 1@107 maker 1 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="without a last trade the lowest, on the tick",
        given=[CALL, buy(1, 2, 105), sell(2, 2, 95), buy(3, 1, 90), sell(4, 1, 110)],
        does=[CONTINUOUS],
        says="""
            #5 ACCEPTED order 0 0@0 left 0
            #5 TRADE order 1 2@95 maker 2 left 0/0
        """,
        leaves="""
            BUY 90 = 1: 3:1
            SELL 110 = 1: 4:1
        """,
        settings=EngineConfig((Instrument(tick=5),), orders=16),
    ),
    Example(
        rule="the uncross is by price and time also in a pro-rata symbol, and self-trade prevention does not apply",
        given=[CALL, sell(1, 1, 100, participant_id=7), sell(2, 9, 100)],
        does=[buy(3, 5, 100, participant_id=7, self_trade=SelfTradePrevention.CANCEL_BOTH), CONTINUOUS],
        says="""
            #3 ACCEPTED order 3 5@100 left 5
            #4 ACCEPTED order 0 0@0 left 0
            #4 TRADE order 3 1@100 maker 1 left 4/0
            #4 TRADE order 3 4@100 maker 2 left 0/5
        """,
        leaves="SELL 100 = 5: 2:5",
        settings=EngineConfig((Instrument(algorithm=MatchAlgorithm.PRO_RATA),), orders=16),
    ),
    Example(
        rule="whole icebergs take part; one whose slice was used up is refilled after the trades",
        given=[CALL, buy(1, 6, 100, display_quantity=2), buy(2, 1, 100), sell(3, 2, 100), sell(4, 1, 99)],
        does=[CONTINUOUS],
        says="""
            #5 ACCEPTED order 0 0@0 left 0
            #5 TRADE order 1 1@100 maker 4 left 5/0
            #5 TRADE order 1 2@100 maker 3 left 3/0
            #5 REFILLED order 1 2@100 left 3
        """,
        leaves="BUY 100 = 3: 2:1 1:2+1",
    ),
    Example(
        rule="an iceberg with something left of its slice keeps its place",
        given=[CALL, buy(1, 6, 100, display_quantity=2), buy(2, 1, 100), sell(3, 1, 100)],
        does=[CONTINUOUS],
        says="""
            #4 ACCEPTED order 0 0@0 left 0
            #4 TRADE order 1 1@100 maker 3 left 5/0
        """,
        leaves="BUY 100 = 2: 1:1+4 2:1",
    ),
    Example(
        rule="all-or-none orders take no part in the uncross; afterward they are tried again",
        given=[sell(1, 2, 99, flags=ALL_OR_NONE), CALL, buy(2, 2, 100), buy(3, 1, 100), sell(4, 1, 100)],
        does=[CONTINUOUS],
        says="""
            #5 ACCEPTED order 0 0@0 left 0
            #5 TRADE order 2 1@100 maker 4 left 1/0
            #5 TRIGGERED order 1 2@99 left 2
            #5 TRADE order 1 1@100 maker 2 left 1/0
            #5 TRADE order 1 1@100 maker 3 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="the trades of an uncross make stops due",
        given=[CALL, stop(1, BUY, 1, 100), buy(2, 1, 100), sell(3, 1, 100), sell(4, 2, 105)],
        does=[CONTINUOUS],
        says="""
            #5 ACCEPTED order 0 0@0 left 0
            #5 TRADE order 2 1@100 maker 3 left 0/0
            #5 TRIGGERED order 1 1@100 left 1
            #5 TRADE order 1 1@105 maker 4 left 0/1
        """,
        leaves="SELL 105 = 1: 4:1",
    ),
    Example(
        rule="a call phase takes what rests and what waits; nothing trades, also not what is replaced",
        given=[*traded_at(100), CALL, buy(3, 2, 99), buy(9, 2, 98)],
        does=[
            *[market(4, BUY, 1), sell(4, 1, 99, IOC), sell(4, 1, 101, flags=POST_ONLY)],
            sell(4, 1, 101, flags=ALL_OR_NONE),
            replace(3, 1, 99, POST_ONLY),
            *[sell(4, 3, 97, display_quantity=1), trail(5, SELL, 1, 2), stop(6, BUY, 1, 105)],
            *[replace(3, 3, 100), reduce(3, 1), cancel(9)],
        ],
        says="""
            #5 REJECTED order 4 0@0 left 0 NOT_IN_THIS_PHASE
            #6 REJECTED order 4 0@99 left 0 NOT_IN_THIS_PHASE
            #7 REJECTED order 4 0@101 left 0 NOT_IN_THIS_PHASE
            #8 REJECTED order 4 0@101 left 0 NOT_IN_THIS_PHASE
            #9 REJECTED order 3 0@99 left 0 NOT_IN_THIS_PHASE
            #10 ACCEPTED order 4 3@97 left 3
            #11 ACCEPTED order 5 1@0 left 1
            #12 ACCEPTED order 6 1@0 left 1
            #13 REPLACED order 3 3@100 left 3
            #14 REDUCED order 3 1@100 left 2
            #15 CANCELLED order 9 2@98 left 0 REQUESTED
        """,
        leaves="""
            BUY 100 = 2: 3:2
            SELL 97 = 1: 4:1+2
            STOP 6 BUY 1@105
            STOP 5 SELL 1@98
        """,
    ),
    Example(
        rule="a halted symbol takes cancels and reductions only; so does a closed one",
        given=[buy(1, 3, 99), buy(2, 3, 98), HALTED],
        does=[
            buy(3, 1, 99),
            replace(1, 1, 99),
            stop(3, BUY, 1, 105),
            reduce(1, 1),
            CLOSED,
            buy(3, 1, 99),
            reduce(1, 1),
            cancel(2),
        ],
        says="""
            #3 REJECTED order 3 0@99 left 0 NOT_IN_THIS_PHASE
            #4 REJECTED order 1 0@99 left 0 NOT_IN_THIS_PHASE
            #5 REJECTED order 3 0@0 left 0 NOT_IN_THIS_PHASE
            #6 REDUCED order 1 1@99 left 2
            #7 ACCEPTED order 0 0@0 left 0
            #8 REJECTED order 3 0@99 left 0 NOT_IN_THIS_PHASE
            #9 REDUCED order 1 1@99 left 1
            #10 CANCELLED order 2 3@98 left 0 REQUESTED
        """,
        leaves="BUY 99 = 1: 1:1",
    ),
    Example(
        rule="an uncross can follow a halt: what was collected stays crossed until then",
        given=[CALL, buy(1, 1, 100), sell(2, 1, 100), HALTED],
        does=[CONTINUOUS],
        says="""
            #4 ACCEPTED order 0 0@0 left 0
            #4 TRADE order 1 1@100 maker 2 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="at the close DAY orders go: bids, asks, best price first, then oldest; then stops, buys before sells",
        given=[
            *[buy(1, 1, 99, DAY), buy(2, 1, 100, DAY), buy(3, 1, 99, DAY), buy(4, 1, 99)],
            *[sell(5, 1, 105, DAY), sell(6, 2, 104, DAY, display_quantity=1), sell(7, 1, 104, DAY, ALL_OR_NONE)],
            *[stop(8, SELL, 1, 90, time_in_force=DAY), stop(9, BUY, 1, 110, 111, time_in_force=DAY)],
            *[stop(10, BUY, 1, 109, time_in_force=DAY), stop(11, SELL, 1, 91, time_in_force=DAY)],
            stop(12, SELL, 1, 91),
        ],
        does=[CLOSED],
        says="""
            #12 ACCEPTED order 0 0@0 left 0
            #12 CANCELLED order 2 1@100 left 0 EXPIRED
            #12 CANCELLED order 1 1@99 left 0 EXPIRED
            #12 CANCELLED order 3 1@99 left 0 EXPIRED
            #12 CANCELLED order 6 2@104 left 0 EXPIRED
            #12 CANCELLED order 7 1@104 left 0 EXPIRED
            #12 CANCELLED order 5 1@105 left 0 EXPIRED
            #12 CANCELLED order 10 1@0 left 0 EXPIRED
            #12 CANCELLED order 9 1@111 left 0 EXPIRED
            #12 CANCELLED order 11 1@0 left 0 EXPIRED
            #12 CANCELLED order 8 1@0 left 0 EXPIRED
        """,
        leaves="""
            BUY 99 = 1: 4:1
            STOP 12 SELL 1@91
        """,
    ),
    Example(
        rule="an uncross that the tape has no space for is refused: the symbol stays in its phase",
        given=[CALL, buy(1, 2, 100), sell(2, 1, 100), sell(3, 1, 100)],
        does=[CONTINUOUS, reduce(1, 1), CONTINUOUS],
        says="""
            #4 REJECTED order 0 0@0 left 0 TRADE_POOL_FULL
            #5 REDUCED order 1 1@100 left 1
            #6 ACCEPTED order 0 0@0 left 0
            #6 TRADE order 1 1@100 maker 2 left 0/0
        """,
        leaves="SELL 100 = 1: 3:1",
        settings=EngineConfig((Instrument(),), orders=8, trades=1, when_trades_dry=PoolPolicy.REJECT),
    ),
]
