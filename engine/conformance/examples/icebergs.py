"""Icebergs: orders of which only a slice queues."""

from lowlat.engine.conformance.examples.example import FOK, Example, buy, reduce, replace, sell
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import PoolPolicy

EXAMPLES = [
    Example(
        rule="only the slice queues; used up, the next comes in at the back of the queue, the last may be smaller",
        given=[sell(1, 5, 100, display_quantity=2), sell(2, 3, 100)],
        does=[buy(3, 4, 100), buy(4, 3, 100)],
        says="""
            #2 ACCEPTED order 3 4@100 left 4
            #2 TRADE order 3 2@100 maker 1 left 2/3
            #2 REFILLED order 1 2@100 left 3
            #2 TRADE order 3 2@100 maker 2 left 0/1
            #3 ACCEPTED order 4 3@100 left 3
            #3 TRADE order 4 1@100 maker 2 left 2/0
            #3 TRADE order 4 2@100 maker 1 left 0/1
            #3 REFILLED order 1 1@100 left 1
        """,
        leaves="SELL 100 = 1: 1:1",
    ),
    Example(
        rule="an incoming order that goes on takes slice after slice, and the level before the next",
        given=[sell(1, 5, 100, display_quantity=2), sell(2, 1, 101)],
        does=[buy(3, 7, 101)],
        says="""
            #2 ACCEPTED order 3 7@101 left 7
            #2 TRADE order 3 2@100 maker 1 left 5/3
            #2 REFILLED order 1 2@100 left 3
            #2 TRADE order 3 2@100 maker 1 left 3/1
            #2 REFILLED order 1 1@100 left 1
            #2 TRADE order 3 1@100 maker 1 left 2/0
            #2 TRADE order 3 1@101 maker 2 left 1/0
        """,
        leaves="BUY 101 = 1: 3:1",
    ),
    Example(
        rule="it comes in with its whole quantity; of what rests it shows a slice",
        given=[sell(1, 3, 100)],
        does=[buy(2, 8, 100, display_quantity=2)],
        says="""
            #1 ACCEPTED order 2 8@100 left 8
            #1 TRADE order 2 3@100 maker 1 left 5/0
        """,
        leaves="BUY 100 = 2: 2:2+3",
    ),
    Example(
        rule="a slice that has traded in part keeps its place, and is not refilled",
        given=[sell(1, 5, 100, display_quantity=3), sell(2, 1, 100)],
        does=[buy(3, 2, 100)],
        says="""
            #2 ACCEPTED order 3 2@100 left 2
            #2 TRADE order 3 2@100 maker 1 left 0/3
        """,
        leaves="SELL 100 = 2: 1:1+2 2:1",
    ),
    Example(
        rule="a reduction takes from the hidden part first, then from the slice; the order keeps its place",
        given=[buy(1, 6, 100, display_quantity=2), buy(2, 1, 100)],
        does=[reduce(1, 3), reduce(1, 2)],
        says="""
            #2 REDUCED order 1 3@100 left 3
            #3 REDUCED order 1 2@100 left 1
        """,
        leaves="BUY 100 = 2: 1:1 2:1",
    ),
    Example(
        rule="replaced by no more it keeps place and slice; replaced by more it shows a new slice at the back",
        given=[buy(1, 6, 100, display_quantity=2), buy(2, 1, 100), sell(3, 1, 100)],
        does=[replace(1, 4, 100), buy(4, 1, 100), replace(1, 6, 100)],
        says="""
            #3 REPLACED order 1 4@100 left 4
            #4 ACCEPTED order 4 1@100 left 1
            #5 REPLACED order 1 6@100 left 6
        """,
        leaves="BUY 100 = 4: 2:1 4:1 1:2+4",
    ),
    Example(
        rule="replaced by no more it keeps its slice as it is: the hidden part becomes smaller",
        given=[buy(1, 6, 100, display_quantity=2), buy(2, 1, 100), sell(3, 1, 100)],
        does=[replace(1, 4, 100)],
        says="#3 REPLACED order 1 4@100 left 4",
        leaves="BUY 100 = 2: 1:1+3 2:1",
    ),
    Example(
        rule="fill or kill counts what is hidden",
        given=[sell(1, 5, 100, display_quantity=3)],
        does=[buy(2, 6, 100, FOK), buy(3, 5, 100, FOK)],
        says="""
            #1 REJECTED order 2 0@100 left 0 FOK_NOT_FILLABLE
            #2 ACCEPTED order 3 5@100 left 5
            #2 TRADE order 3 3@100 maker 1 left 2/2
            #2 REFILLED order 1 2@100 left 2
            #2 TRADE order 3 2@100 maker 1 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="on a tape that refuses, an iceberg that is met needs a record for each slice it has left",
        given=[sell(1, 5, 100, display_quantity=2), sell(2, 4, 101, display_quantity=2)],
        does=[buy(3, 1, 100), buy(4, 1, 101, FOK), reduce(1, 1), buy(5, 1, 100)],
        says="""
            #2 REJECTED order 3 0@100 left 0 TRADE_POOL_FULL
            #3 REJECTED order 4 0@101 left 0 TRADE_POOL_FULL
            #4 REDUCED order 1 1@100 left 4
            #5 ACCEPTED order 5 1@100 left 1
            #5 TRADE order 5 1@100 maker 1 left 0/3
        """,
        leaves="""
            SELL 100 = 1: 1:1+2
            SELL 101 = 2: 2:2+2
        """,
        settings=EngineConfig((Instrument(),), orders=8, trades=2, when_trades_dry=PoolPolicy.REJECT),
    ),
]
