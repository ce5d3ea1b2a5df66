"""Limit, market, cancel, reduce, replace; immediate, fill or kill, post only; full pools; the ends of int64."""

from lowlat.engine.conformance.examples.example import (
    FOK,
    IOC,
    POST_ONLY,
    TWO_SYMBOLS,
    Example,
    buy,
    cancel,
    market,
    reduce,
    replace,
    sell,
)
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import PoolPolicy, Side

EXAMPLES = [
    Example(
        rule="the better price trades first, then the older order, each at the resting order's price; the rest rests",
        does=[sell(1, 5, 101), sell(2, 5, 100), sell(3, 9, 100), buy(4, 20, 105)],
        says="""
            #0 ACCEPTED order 1 5@101 left 5
            #1 ACCEPTED order 2 5@100 left 5
            #2 ACCEPTED order 3 9@100 left 9
            #3 ACCEPTED order 4 20@105 left 20
            #3 TRADE order 4 5@100 maker 2 left 15/0
            #3 TRADE order 4 9@100 maker 3 left 6/0
            #3 TRADE order 4 5@101 maker 1 left 1/0
        """,
        leaves="BUY 105 = 1: 4:1",
    ),
    Example(
        rule="a sell order mirrors it: the highest bid first",
        does=[buy(1, 5, 99), buy(2, 5, 100), sell(3, 7, 99)],
        says="""
            #0 ACCEPTED order 1 5@99 left 5
            #1 ACCEPTED order 2 5@100 left 5
            #2 ACCEPTED order 3 7@99 left 7
            #2 TRADE order 3 5@100 maker 2 left 2/0
            #2 TRADE order 3 2@99 maker 1 left 0/3
        """,
        leaves="BUY 99 = 3: 1:3",
    ),
    Example(
        rule="an order that has traded in part keeps its place",
        does=[sell(1, 5, 100), sell(2, 9, 100), buy(3, 2, 100), buy(4, 2, 100)],
        says="""
            #0 ACCEPTED order 1 5@100 left 5
            #1 ACCEPTED order 2 9@100 left 9
            #2 ACCEPTED order 3 2@100 left 2
            #2 TRADE order 3 2@100 maker 1 left 0/3
            #3 ACCEPTED order 4 2@100 left 2
            #3 TRADE order 4 2@100 maker 1 left 0/1
        """,
        leaves="SELL 100 = 10: 1:1 2:9",
    ),
    Example(
        rule="an order walks as many levels as its price reaches, and no further",
        does=[*(sell(order, 1, 100 + order) for order in range(1, 7)), buy(7, 9, 105)],
        says="""
            #0 ACCEPTED order 1 1@101 left 1
            #1 ACCEPTED order 2 1@102 left 1
            #2 ACCEPTED order 3 1@103 left 1
            #3 ACCEPTED order 4 1@104 left 1
            #4 ACCEPTED order 5 1@105 left 1
            #5 ACCEPTED order 6 1@106 left 1
            #6 ACCEPTED order 7 9@105 left 9
            #6 TRADE order 7 1@101 maker 1 left 8/0
            #6 TRADE order 7 1@102 maker 2 left 7/0
            #6 TRADE order 7 1@103 maker 3 left 6/0
            #6 TRADE order 7 1@104 maker 4 left 5/0
            #6 TRADE order 7 1@105 maker 5 left 4/0
        """,
        leaves="""
            BUY 105 = 4: 7:4
            SELL 106 = 1: 6:1
        """,
    ),
    Example(
        rule="a market order takes what there is, at any price; the rest is cancelled",
        does=[buy(1, 2, 100), buy(2, 2, -7), market(3, Side.SELL, 5)],
        says="""
            #0 ACCEPTED order 1 2@100 left 2
            #1 ACCEPTED order 2 2@-7 left 2
            #2 ACCEPTED order 3 5@0 left 5
            #2 TRADE order 3 2@100 maker 1 left 3/0
            #2 TRADE order 3 2@-7 maker 2 left 1/0
            #2 CANCELLED order 3 1@0 left 0 MARKET_REMAINDER
        """,
        leaves="",
    ),
    Example(
        rule="immediate or cancel: what does not trade at once is cancelled",
        does=[sell(1, 3, 100), sell(2, 3, 102), buy(3, 5, 101, IOC)],
        says="""
            #0 ACCEPTED order 1 3@100 left 3
            #1 ACCEPTED order 2 3@102 left 3
            #2 ACCEPTED order 3 5@101 left 5
            #2 TRADE order 3 3@100 maker 1 left 2/0
            #2 CANCELLED order 3 2@101 left 0 IOC_REMAINDER
        """,
        leaves="SELL 102 = 3: 2:3",
    ),
    Example(
        rule="fill or kill: all of it within its price, over several levels if need be, or nothing",
        does=[sell(1, 3, 100), sell(2, 3, 102), buy(3, 4, 101, FOK), buy(4, 4, 102, FOK)],
        says="""
            #0 ACCEPTED order 1 3@100 left 3
            #1 ACCEPTED order 2 3@102 left 3
            #2 REJECTED order 3 0@101 left 0 FOK_NOT_FILLABLE
            #3 ACCEPTED order 4 4@102 left 4
            #3 TRADE order 4 3@100 maker 1 left 1/0
            #3 TRADE order 4 1@102 maker 2 left 0/2
        """,
        leaves="SELL 102 = 2: 2:2",
    ),
    Example(
        rule="post only: never the aggressor, so rejected where it would trade, even at its own price",
        does=[sell(1, 3, 100), buy(2, 1, 101, 0, POST_ONLY), buy(3, 1, 100, 0, POST_ONLY), buy(4, 1, 99, 0, POST_ONLY)],
        says="""
            #0 ACCEPTED order 1 3@100 left 3
            #1 REJECTED order 2 0@101 left 0 POST_ONLY_WOULD_TRADE
            #2 REJECTED order 3 0@100 left 0 POST_ONLY_WOULD_TRADE
            #3 ACCEPTED order 4 1@99 left 1
        """,
        leaves="""
            BUY 99 = 1: 4:1
            SELL 100 = 3: 1:3
        """,
    ),
    Example(
        rule="a canceled order is gone, its level with it, and its id is free",
        does=[sell(1, 3, 100), sell(2, 3, 101), cancel(1), buy(1, 2, 100)],
        says="""
            #0 ACCEPTED order 1 3@100 left 3
            #1 ACCEPTED order 2 3@101 left 3
            #2 CANCELLED order 1 3@100 left 0 REQUESTED
            #3 ACCEPTED order 1 2@100 left 2
        """,
        leaves="""
            BUY 100 = 2: 1:2
            SELL 101 = 3: 2:3
        """,
    ),
    Example(
        rule="a reduced order keeps its place, and is gone when nothing is left",
        does=[buy(1, 5, 100), buy(2, 5, 100), buy(3, 5, 100), reduce(1, 2), reduce(3, 5), sell(4, 4, 100)],
        says="""
            #0 ACCEPTED order 1 5@100 left 5
            #1 ACCEPTED order 2 5@100 left 5
            #2 ACCEPTED order 3 5@100 left 5
            #3 REDUCED order 1 2@100 left 3
            #4 REDUCED order 3 5@100 left 0
            #5 ACCEPTED order 4 4@100 left 4
            #5 TRADE order 4 3@100 maker 1 left 1/0
            #5 TRADE order 4 1@100 maker 2 left 0/4
        """,
        leaves="BUY 100 = 4: 2:4",
    ),
    Example(
        rule="replaced by no more at the same price, an order keeps its place",
        does=[buy(1, 5, 100), buy(2, 5, 100), replace(1, 3, 100), replace(1, 3, 100)],
        says="""
            #0 ACCEPTED order 1 5@100 left 5
            #1 ACCEPTED order 2 5@100 left 5
            #2 REPLACED order 1 3@100 left 3
            #3 REPLACED order 1 3@100 left 3
        """,
        leaves="BUY 100 = 8: 1:3 2:5",
    ),
    Example(
        rule="replaced by more, or at another price, it goes to the back of the queue there",
        does=[buy(1, 5, 100), buy(2, 5, 100), buy(3, 5, 99), replace(1, 6, 100), replace(3, 1, 100)],
        says="""
            #0 ACCEPTED order 1 5@100 left 5
            #1 ACCEPTED order 2 5@100 left 5
            #2 ACCEPTED order 3 5@99 left 5
            #3 REPLACED order 1 6@100 left 6
            #4 REPLACED order 3 1@100 left 1
        """,
        leaves="BUY 100 = 12: 2:5 1:6 3:1",
    ),
    Example(
        rule="replaced through the touch, it trades on arrival like a new order; post only, it is rejected and stays",
        does=[sell(1, 4, 101), buy(2, 5, 99), replace(2, 6, 101, POST_ONLY), replace(2, 6, 101)],
        says="""
            #0 ACCEPTED order 1 4@101 left 4
            #1 ACCEPTED order 2 5@99 left 5
            #2 REJECTED order 2 0@101 left 0 POST_ONLY_WOULD_TRADE
            #3 REPLACED order 2 6@101 left 6
            #3 TRADE order 2 4@101 maker 1 left 2/0
        """,
        leaves="BUY 101 = 2: 2:2",
    ),
    Example(
        rule="a command that cannot be done is rejected, and changes nothing",
        does=[buy(1, 5, 100), buy(1, 9, 101), reduce(1, 6), replace(1, 0, 101), cancel(2)],
        says="""
            #0 ACCEPTED order 1 5@100 left 5
            #1 REJECTED order 1 0@101 left 0 DUPLICATE_ORDER_ID
            #2 REJECTED order 1 0@0 left 0 REDUCE_EXCEEDS_REMAINING
            #3 REJECTED order 1 0@101 left 0 QUANTITY_NOT_POSITIVE
            #4 REJECTED order 2 0@0 left 0 UNKNOWN_ORDER_ID
        """,
        leaves="BUY 100 = 5: 1:5",
    ),
    Example(
        rule="each symbol has its own book and its own ids",
        does=[sell(1, 5, 100), buy(1, 5, 100, symbol=1), buy(2, 1, 100), cancel(1, symbol=1), cancel(2, symbol=1)],
        says="""
            #0 ACCEPTED order 1 5@100 left 5
            #1 ACCEPTED order 1 5@100 left 5
            #2 ACCEPTED order 2 1@100 left 1
            #2 TRADE order 2 1@100 maker 1 left 0/4
            #3 CANCELLED order 1 5@100 left 0 REQUESTED
            #4 REJECTED order 2 0@0 left 0 UNKNOWN_ORDER_ID
        """,
        leaves="SELL 100 = 4: 1:4",
        settings=TWO_SYMBOLS,
    ),
    Example(
        rule="both ends of int64 are prices like any other",
        does=[buy(1, 1, -(2**63)), sell(2, 1, 2**63 - 1), buy(3, 2, 2**63 - 1), sell(4, 4, -(2**63))],
        says="""
            #0 ACCEPTED order 1 1@-9223372036854775808 left 1
            #1 ACCEPTED order 2 1@9223372036854775807 left 1
            #2 ACCEPTED order 3 2@9223372036854775807 left 2
            #2 TRADE order 3 1@9223372036854775807 maker 2 left 1/0
            #3 ACCEPTED order 4 4@-9223372036854775808 left 4
            #3 TRADE order 4 1@9223372036854775807 maker 3 left 3/0
            #3 TRADE order 4 1@-9223372036854775808 maker 1 left 2/0
        """,
        leaves="SELL -9223372036854775808 = 2: 4:2",
    ),
    Example(
        rule="a full order pool refuses orders that may rest; others pass, and a traded order makes room",
        does=[sell(1, 1, 100), sell(2, 1, 100), buy(3, 1, 99), buy(4, 1, 100, IOC), buy(5, 1, 99)],
        says="""
            #0 ACCEPTED order 1 1@100 left 1
            #1 ACCEPTED order 2 1@100 left 1
            #2 REJECTED order 3 0@99 left 0 ORDER_POOL_FULL
            #3 ACCEPTED order 4 1@100 left 1
            #3 TRADE order 4 1@100 maker 1 left 0/0
            #4 ACCEPTED order 5 1@99 left 1
        """,
        leaves="""
            BUY 99 = 1: 5:1
            SELL 100 = 1: 2:1
        """,
        settings=EngineConfig((Instrument(),), orders=2, trades=8),
    ),
    Example(
        rule="a full trade pool that refuses lets an order trade whole or not at all",
        does=[sell(1, 1, 100), sell(2, 1, 100), buy(3, 2, 100), buy(4, 1, 100)],
        says="""
            #0 ACCEPTED order 1 1@100 left 1
            #1 ACCEPTED order 2 1@100 left 1
            #2 REJECTED order 3 0@100 left 0 TRADE_POOL_FULL
            #3 ACCEPTED order 4 1@100 left 1
            #3 TRADE order 4 1@100 maker 1 left 0/0
        """,
        leaves="SELL 100 = 1: 2:1",
        settings=EngineConfig((Instrument(),), orders=8, trades=1, when_trades_dry=PoolPolicy.REJECT),
    ),
]
