"""All-or-none orders: passed over, waiting, tried again, in a book that they may cross."""

from lowlat.engine.conformance.examples.example import (
    ALL_OR_NONE,
    POST_ONLY,
    Example,
    buy,
    market,
    reduce,
    replace,
    sell,
    stop,
)
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import PoolPolicy, Side

EXAMPLES = [
    Example(
        rule="passed over by who cannot take it whole; tried again after every command until it can trade whole",
        given=[sell(1, 5, 100, flags=ALL_OR_NONE), sell(2, 1, 100)],
        does=[buy(3, 3, 100), buy(4, 2, 101), buy(5, 1, 100)],
        says="""
            #2 ACCEPTED order 3 3@100 left 3
            #2 TRADE order 3 1@100 maker 2 left 2/0
            #3 ACCEPTED order 4 2@101 left 2
            #4 ACCEPTED order 5 1@100 left 1
            #4 TRIGGERED order 1 5@100 left 5
            #4 TRADE order 1 2@101 maker 4 left 3/0
            #4 TRADE order 1 2@100 maker 3 left 1/0
            #4 TRADE order 1 1@100 maker 5 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="it trades in its place by who can take it whole",
        given=[sell(1, 2, 100, flags=ALL_OR_NONE), sell(2, 2, 100)],
        does=[buy(3, 3, 100)],
        says="""
            #2 ACCEPTED order 3 3@100 left 3
            #2 TRADE order 3 2@100 maker 1 left 1/0
            #2 TRADE order 3 1@100 maker 2 left 0/1
        """,
        leaves="SELL 100 = 1: 2:1",
    ),
    Example(
        rule="what is left when it is reached decides, not what came in",
        given=[sell(1, 2, 100), sell(2, 2, 100, flags=ALL_OR_NONE), sell(3, 2, 100)],
        does=[market(4, Side.BUY, 3)],
        says="""
            #3 ACCEPTED order 4 3@0 left 3
            #3 TRADE order 4 2@100 maker 1 left 1/0
            #3 TRADE order 4 1@100 maker 3 left 0/1
        """,
        leaves="SELL 100 = 3: 2:2! 3:1",
    ),
    Example(
        rule="one that comes in and cannot trade whole rests without trading, even across the other side",
        given=[sell(1, 2, 100)],
        does=[buy(2, 3, 101, flags=ALL_OR_NONE), buy(3, 1, 99)],
        says="""
            #1 ACCEPTED order 2 3@101 left 3
            #2 ACCEPTED order 3 1@99 left 1
        """,
        leaves="""
            BUY 101 = 3: 2:3!
            BUY 99 = 1: 3:1
            SELL 100 = 2: 1:2
        """,
    ),
    Example(
        rule="one that comes in and can trade whole does, also with another such order",
        given=[sell(1, 3, 100, flags=ALL_OR_NONE), sell(2, 1, 100)],
        does=[buy(3, 4, 100, flags=ALL_OR_NONE)],
        says="""
            #2 ACCEPTED order 3 4@100 left 4
            #2 TRADE order 3 3@100 maker 1 left 1/0
            #2 TRADE order 3 1@100 maker 2 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="whole is judged slice by slice: an iceberg's hidden part comes after the orders of its level",
        given=[sell(1, 3, 100, display_quantity=1), sell(2, 4, 100, flags=ALL_OR_NONE)],
        does=[buy(3, 5, 100, flags=ALL_OR_NONE)],
        says="""
            #2 ACCEPTED order 3 5@100 left 5
            #2 TRADE order 3 1@100 maker 1 left 4/2
            #2 REFILLED order 1 1@100 left 2
            #2 TRADE order 3 4@100 maker 2 left 0/0
        """,
        leaves="SELL 100 = 1: 1:1+1",
    ),
    Example(
        rule="bids are tried before asks, the better price first, then the older",
        given=[
            buy(1, 2, 100, flags=ALL_OR_NONE),
            buy(2, 2, 101, flags=ALL_OR_NONE),
            buy(3, 2, 101, flags=ALL_OR_NONE),
            sell(4, 1, 100),
        ],
        does=[sell(5, 1, 99)],
        says="""
            #4 ACCEPTED order 5 1@99 left 1
            #4 TRIGGERED order 2 2@101 left 2
            #4 TRADE order 2 1@99 maker 5 left 1/0
            #4 TRADE order 2 1@100 maker 4 left 0/0
        """,
        leaves="""
            BUY 101 = 2: 3:2!
            BUY 100 = 2: 1:2!
        """,
    ),
    Example(
        rule="a bid that can trade whole goes before an ask that can",
        given=[sell(1, 2, 99), buy(2, 4, 101, flags=ALL_OR_NONE), sell(3, 6, 100, flags=ALL_OR_NONE)],
        does=[buy(4, 2, 98), replace(4, 2, 100), reduce(3, 4), reduce(2, 2)],
        says="""
            #3 ACCEPTED order 4 2@98 left 2
            #4 REPLACED order 4 2@100 left 2
            #4 TRADE order 4 2@99 maker 1 left 0/0
            #5 REDUCED order 3 4@100 left 2
            #6 REDUCED order 2 2@101 left 2
            #6 TRIGGERED order 2 2@101 left 2
            #6 TRADE order 2 2@100 maker 3 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="the trade of one can let another trade: the search begins anew",
        given=[
            *(sell(order, quantity, price, flags=ALL_OR_NONE) for order, quantity, price in [(1, 3, 99), (2, 2, 100)]),
            sell(3, 2, 101, flags=ALL_OR_NONE),
            buy(4, 4, 101, flags=ALL_OR_NONE),  # takes order 1 if it can; then 1 is left, and neither 2 nor 3 is whole
            buy(5, 4, 99, flags=ALL_OR_NONE),
        ],
        does=[reduce(5, 1)],
        says="""
            #5 REDUCED order 5 1@99 left 3
            #5 TRIGGERED order 5 3@99 left 3
            #5 TRADE order 5 3@99 maker 1 left 0/0
            #5 TRIGGERED order 4 4@101 left 4
            #5 TRADE order 4 2@100 maker 2 left 2/0
            #5 TRADE order 4 2@101 maker 3 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="post only would not trade with one that it cannot take whole, and would with one that it can",
        given=[sell(1, 3, 100, flags=ALL_OR_NONE)],
        does=[buy(2, 2, 100, flags=POST_ONLY), buy(3, 3, 100, flags=POST_ONLY)],
        says="""
            #1 ACCEPTED order 2 2@100 left 2
            #2 REJECTED order 3 0@100 left 0 POST_ONLY_WOULD_TRADE
        """,
        leaves="""
            BUY 100 = 2: 2:2
            SELL 100 = 3: 1:3!
        """,
    ),
    Example(
        rule="stops that are due come first; all-or-none orders are tried again when none is",
        given=[buy(1, 3, 99, flags=ALL_OR_NONE), sell(2, 2, 99), stop(3, Side.SELL, 2, 100, price=99)],
        does=[buy(4, 1, 99)],
        says="""
            #3 ACCEPTED order 4 1@99 left 1
            #3 TRADE order 4 1@99 maker 2 left 0/1
            #3 TRIGGERED order 3 2@100 left 2
            #3 TRIGGERED order 1 3@99 left 3
            #3 TRADE order 1 1@99 maker 2 left 2/0
            #3 TRADE order 1 2@99 maker 3 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="it waits on where the tape that refuses has no room, and needs none where it would not trade",
        given=[sell(1, 1, 100), sell(2, 1, 100)],
        does=[buy(3, 3, 100, flags=ALL_OR_NONE), reduce(3, 1), reduce(3, 1)],
        says="""
            #2 ACCEPTED order 3 3@100 left 3
            #3 REDUCED order 3 1@100 left 2
            #4 REDUCED order 3 1@100 left 1
            #4 TRIGGERED order 3 1@100 left 1
            #4 TRADE order 3 1@100 maker 1 left 0/0
        """,
        leaves="SELL 100 = 1: 2:1",
        settings=EngineConfig((Instrument(),), orders=8, trades=1, when_trades_dry=PoolPolicy.REJECT),
    ),
]
