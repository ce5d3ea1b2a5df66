"""Stops: when they become due, the order in which they are executed, and how trailing stops follow the price."""

from lowlat.engine.conformance.examples.example import (
    DAY,
    Example,
    buy,
    cancel,
    market,
    reduce,
    sell,
    stop,
    traded_at,
    trail,
)
from lowlat.engine.matching.commands import extended_command
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import CommandType, ExecInst, PoolPolicy, SelfTradePrevention, Side

BUY, SELL = Side
BASIS_POINTS = ExecInst.TRAIL_BASIS_POINTS
FIVES = EngineConfig((Instrument(tick=5),), orders=16)

EXAMPLES = [
    Example(
        rule="due at one trade: buys lowest trigger first, then sells highest first, oldest first at one",
        given=[
            *(stop(order, SELL, 1, trigger) for order, trigger in [(1, 100), (2, 101)]),
            *(stop(order, BUY, 1, trigger) for order, trigger in [(3, 100), (4, 99), (5, 99)]),
            stop(6, BUY, 1, 111),
            *[buy(7, 9, 90), sell(8, 9, 110), sell(9, 1, 100)],
        ],
        does=[buy(10, 1, 100)],
        says="""
            #9 ACCEPTED order 10 1@100 left 1
            #9 TRADE order 10 1@100 maker 9 left 0/0
            #9 TRIGGERED order 4 1@99 left 1
            #9 TRADE order 4 1@110 maker 8 left 0/8
            #9 TRIGGERED order 5 1@99 left 1
            #9 TRADE order 5 1@110 maker 8 left 0/7
            #9 TRIGGERED order 3 1@100 left 1
            #9 TRADE order 3 1@110 maker 8 left 0/6
            #9 TRIGGERED order 2 1@101 left 1
            #9 TRADE order 2 1@90 maker 7 left 0/8
            #9 TRIGGERED order 1 1@100 left 1
            #9 TRADE order 1 1@90 maker 7 left 0/7
        """,
        leaves="""
            BUY 90 = 7: 7:7
            SELL 110 = 6: 8:6
            STOP 6 BUY 1@111
        """,
    ),
    Example(
        rule="stops that a stop's trade makes due queue behind those that are",
        given=[
            *traded_at(100),
            *[sell(1, 1, 101), sell(2, 1, 102), sell(3, 5, 105)],
            *(stop(order, BUY, 1, trigger) for order, trigger in [(4, 101), (5, 101), (6, 102)]),
        ],
        does=[buy(7, 1, 101)],
        says="""
            #8 ACCEPTED order 7 1@101 left 1
            #8 TRADE order 7 1@101 maker 1 left 0/0
            #8 TRIGGERED order 4 1@101 left 1
            #8 TRADE order 4 1@102 maker 2 left 0/0
            #8 TRIGGERED order 5 1@101 left 1
            #8 TRADE order 5 1@105 maker 3 left 0/4
            #8 TRIGGERED order 6 1@102 left 1
            #8 TRADE order 6 1@105 maker 3 left 0/3
        """,
        leaves="SELL 105 = 3: 3:3",
    ),
    Example(
        rule="they are executed when the command that made the trade has ended, remainders included",
        given=[*traded_at(100), sell(1, 1, 101), sell(2, 2, 102), stop(3, BUY, 1, 101)],
        does=[buy(4, 2, 101)],
        says="""
            #5 ACCEPTED order 4 2@101 left 2
            #5 TRADE order 4 1@101 maker 1 left 1/0
            #5 TRIGGERED order 3 1@101 left 1
            #5 TRADE order 3 1@102 maker 2 left 0/1
        """,
        leaves="""
            BUY 101 = 1: 4:1
            SELL 102 = 1: 2:1
        """,
    ),
    Example(
        rule="each trade of a command is met, one after another, also a price that is not the command's last",
        given=[*traded_at(100), buy(1, 1, 98), buy(2, 9, 96), stop(3, SELL, 1, 97), stop(4, SELL, 1, 98)],
        does=[market(5, SELL, 2)],
        says="""
            #6 ACCEPTED order 5 2@0 left 2
            #6 TRADE order 5 1@98 maker 1 left 1/0
            #6 TRADE order 5 1@96 maker 2 left 0/8
            #6 TRIGGERED order 4 1@98 left 1
            #6 TRADE order 4 1@96 maker 2 left 0/7
            #6 TRIGGERED order 3 1@97 left 1
            #6 TRADE order 3 1@96 maker 2 left 0/6
        """,
        leaves="BUY 96 = 6: 2:6",
    ),
    Example(
        rule="a stop becomes a market order, whose remainder is cancelled",
        given=[*traded_at(100), buy(1, 2, 99), stop(2, SELL, 5, 99)],
        does=[sell(3, 1, 99)],
        says="""
            #4 ACCEPTED order 3 1@99 left 1
            #4 TRADE order 3 1@99 maker 1 left 0/1
            #4 TRIGGERED order 2 5@99 left 5
            #4 TRADE order 2 1@99 maker 1 left 4/0
            #4 CANCELLED order 2 4@0 left 0 MARKET_REMAINDER
        """,
        leaves="",
    ),
    Example(
        rule="a stop-limit order becomes a limit order, which rests; it may trade with whoever reached it",
        given=[*traded_at(100), sell(1, 2, 101), stop(2, BUY, 3, 101, price=102, time_in_force=DAY)],
        does=[buy(3, 1, 101), sell(4, 1, 103)],
        says="""
            #4 ACCEPTED order 3 1@101 left 1
            #4 TRADE order 3 1@101 maker 1 left 0/1
            #4 TRIGGERED order 2 3@101 left 3
            #4 TRADE order 2 1@101 maker 1 left 2/0
            #5 ACCEPTED order 4 1@103 left 1
        """,
        leaves="""
            BUY 102 = 2: 2:2
            SELL 103 = 1: 4:1
        """,
    ),
    Example(
        rule="waiting stops can be canceled and reduced, and an id that waits is taken",
        given=[stop(1, BUY, 5, 101), stop(2, SELL, 5, 99, price=98), stop(3, SELL, 2, 98)],
        does=[cancel(1), reduce(2, 2), reduce(3, 2), buy(2, 1, 100), buy(1, 1, 90)],
        says="""
            #3 CANCELLED order 1 5@0 left 0 REQUESTED
            #4 REDUCED order 2 2@98 left 3
            #5 REDUCED order 3 2@0 left 0
            #6 REJECTED order 2 0@100 left 0 DUPLICATE_ORDER_ID
            #7 ACCEPTED order 1 1@90 left 1
        """,
        leaves="""
            BUY 90 = 1: 1:1
            STOP 2 SELL 3@99 to 98
        """,
    ),
    Example(
        rule="a trailing sell stop follows the highest trade since it came, a buy stop the lowest; neither goes back",
        given=[*traded_at(100), trail(3, SELL, 1, 3), trail(4, BUY, 1, 9)],
        does=[*traded_at(104), *traded_at(102), *traded_at(103)],
        says="""
            #4 ACCEPTED order 1 1@104 left 1
            #5 ACCEPTED order 2 1@104 left 1
            #5 TRADE order 2 1@104 maker 1 left 0/0
            #6 ACCEPTED order 1 1@102 left 1
            #7 ACCEPTED order 2 1@102 left 1
            #7 TRADE order 2 1@102 maker 1 left 0/0
            #8 ACCEPTED order 1 1@103 left 1
            #9 ACCEPTED order 2 1@103 left 1
            #9 TRADE order 2 1@103 maker 1 left 0/0
        """,
        leaves="""
            STOP 4 BUY 1@109
            STOP 3 SELL 1@101
        """,
    ),
    Example(
        rule="a trailing buy stop comes down with the price, and is due when a trade reaches it",
        given=[*traded_at(100), trail(3, BUY, 1, 3), *traded_at(96), sell(4, 1, 105)],
        does=[*traded_at(98), *traded_at(99)],
        says="""
            #6 ACCEPTED order 1 1@98 left 1
            #7 ACCEPTED order 2 1@98 left 1
            #7 TRADE order 2 1@98 maker 1 left 0/0
            #8 ACCEPTED order 1 1@99 left 1
            #9 ACCEPTED order 2 1@99 left 1
            #9 TRADE order 2 1@99 maker 1 left 0/0
            #9 TRIGGERED order 3 1@99 left 1
            #9 TRADE order 3 1@105 maker 4 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="basis points are of the best trade's price, rounded down to a tick, at least one",
        settings=FIVES,
        given=[
            *traded_at(1000),
            trail(3, SELL, 1, 170, BASIS_POINTS),  # 17.0 of 1000, 17.68 of 1040: 15
            trail(4, SELL, 1, 10, BASIS_POINTS),  # 1.0: a tick
            trail(5, BUY, 1, 10_000, BASIS_POINTS),  # all of it
        ],
        does=[sell(1, 1, 1040), buy(2, 1, 1040)],
        says="""
            #5 ACCEPTED order 1 1@1040 left 1
            #6 ACCEPTED order 2 1@1040 left 1
            #6 TRADE order 2 1@1040 maker 1 left 0/0
        """,
        leaves="""
            STOP 5 BUY 1@2000
            STOP 4 SELL 1@1035
            STOP 3 SELL 1@1025
        """,
    ),
    Example(
        rule="basis points of a negative price are of its magnitude",
        settings=FIVES,
        given=traded_at(-1000),
        does=[trail(3, SELL, 1, 170, BASIS_POINTS), trail(4, BUY, 1, 170, BASIS_POINTS)],
        says="""
            #2 ACCEPTED order 3 1@0 left 1
            #3 ACCEPTED order 4 1@0 left 1
        """,
        leaves="""
            STOP 4 BUY 1@-985
            STOP 3 SELL 1@-1015
        """,
    ),
    Example(
        rule="a trailing stop that moved is the youngest at its new trigger; of several, in order of acceptance",
        given=[*traded_at(100), trail(3, SELL, 1, 2), trail(4, SELL, 1, 1), trail(5, SELL, 1, 2), stop(6, SELL, 1, 99)],
        does=traded_at(101),
        says="""
            #6 ACCEPTED order 1 1@101 left 1
            #7 ACCEPTED order 2 1@101 left 1
            #7 TRADE order 2 1@101 maker 1 left 0/0
        """,
        leaves="""
            STOP 4 SELL 1@100
            STOP 6 SELL 1@99
            STOP 3 SELL 1@99
            STOP 5 SELL 1@99
        """,
    ),
    Example(
        rule="a trailing stop whose trigger is the same as before has not moved",
        settings=FIVES,
        # All of the price is always as far as zero.
        given=[*traded_at(100), trail(3, SELL, 1, 10_000, BASIS_POINTS), stop(4, SELL, 1, 0)],
        does=traded_at(105),
        says="""
            #4 ACCEPTED order 1 1@105 left 1
            #5 ACCEPTED order 2 1@105 left 1
            #5 TRADE order 2 1@105 maker 1 left 0/0
        """,
        leaves="""
            STOP 3 SELL 1@0
            STOP 4 SELL 1@0
        """,
    ),
    Example(
        rule="a triggered order brings its owner and policy",
        given=[
            *traded_at(100),
            *[buy(1, 2, 99, participant_id=7), buy(2, 1, 98)],
            extended_command(
                CommandType.STOP,
                3,
                side=SELL,
                quantity=1,
                trigger=99,
                participant_id=7,
                self_trade=SelfTradePrevention.CANCEL_RESTING,
            ),
        ],
        does=[sell(4, 1, 99)],
        says="""
            #5 ACCEPTED order 4 1@99 left 1
            #5 TRADE order 4 1@99 maker 1 left 0/1
            #5 TRIGGERED order 3 1@99 left 1
            #5 CANCELLED order 1 1@99 left 0 SELF_TRADE
            #5 TRADE order 3 1@98 maker 2 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="a triggered order for whose trades the tape that refuses has no room is cancelled",
        given=[sell(1, 1, 100), buy(2, 2, 99), stop(3, SELL, 2, 100), stop(4, SELL, 1, 99, price=105)],
        does=[buy(5, 1, 100)],
        says="""
            #4 ACCEPTED order 5 1@100 left 1
            #4 TRADE order 5 1@100 maker 1 left 0/0
            #4 TRIGGERED order 3 2@100 left 2
            #4 CANCELLED order 3 2@0 left 0 TRADE_POOL_FULL
        """,
        leaves="""
            BUY 99 = 2: 2:2
            STOP 4 SELL 1@99 to 105
        """,
        settings=EngineConfig((Instrument(),), orders=8, trades=1, when_trades_dry=PoolPolicy.REJECT),
    ),
]
