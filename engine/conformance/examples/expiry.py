"""The clock, and good-till-date orders."""

from lowlat.engine.conformance.examples.example import (
    ALL_OR_NONE,
    GTD,
    TWO_SYMBOLS,
    Example,
    buy,
    clock,
    phase,
    replace,
    sell,
    stop,
)
from lowlat.engine.matching.records import SelfTradePrevention, Side, TradingPhase

EXAMPLES = [
    Example(
        rule="GTD orders go when the clock reaches their expiry: by expiry, then by acceptance, over all symbols",
        settings=TWO_SYMBOLS,
        given=[
            buy(1, 1, 100, GTD, expiry=5),
            buy(2, 1, 100, GTD, symbol=1, expiry=3),
            sell(3, 1, 101, GTD, expiry=3),
            stop(4, Side.BUY, 1, 200, time_in_force=GTD, expiry=5),
            buy(5, 1, 99, GTD, expiry=6),
            buy(6, 1, 98, symbol=1),
        ],
        does=[clock(2), clock(3), clock(5)],
        says="""
            #6 ACCEPTED order 0 0@0 left 0
            #7 ACCEPTED order 0 0@0 left 0
            #7 CANCELLED order 2 1@100 left 0 EXPIRED
            #7 CANCELLED order 3 1@101 left 0 EXPIRED
            #8 ACCEPTED order 0 0@0 left 0
            #8 CANCELLED order 1 1@100 left 0 EXPIRED
            #8 CANCELLED order 4 1@0 left 0 EXPIRED
        """,
        leaves="""
            BUY 99 = 1: 5:1
            symbol 1 BUY 98 = 1: 6:1
        """,
    ),
    Example(
        rule="an expiry that is not after the clock is refused; a clock may stand still, and not go back",
        given=[clock(5)],
        does=[buy(1, 1, 100, GTD, expiry=5), buy(1, 1, 100, GTD, expiry=6), clock(5), clock(4), clock(-1), clock(6)],
        says="""
            #1 REJECTED order 1 0@100 left 0 EXPIRY_NOT_AHEAD
            #2 ACCEPTED order 1 1@100 left 1
            #3 ACCEPTED order 0 0@0 left 0
            #4 REJECTED order 0 0@0 left 0 CLOCK_BACKWARDS
            #5 REJECTED order 0 0@0 left 0 CLOCK_BACKWARDS
            #6 ACCEPTED order 0 0@0 left 0
            #6 CANCELLED order 1 1@100 left 0 EXPIRED
        """,
        leaves="",
    ),
    Example(
        rule="what replaces an order leaves it its expiry and its time of acceptance",
        given=[buy(1, 1, 100, GTD, expiry=5), buy(2, 1, 100, GTD, expiry=5), replace(1, 2, 100)],
        does=[clock(5)],
        says="""
            #3 ACCEPTED order 0 0@0 left 0
            #3 CANCELLED order 1 2@100 left 0 EXPIRED
            #3 CANCELLED order 2 1@100 left 0 EXPIRED
        """,
        leaves="",
    ),
    Example(
        rule="after each that goes, all-or-none orders are tried again, before the next goes",
        given=[
            sell(1, 1, 100, GTD, expiry=4, participant_id=7),  # keeps order 4 from trading whole
            sell(2, 1, 100, GTD, expiry=5),
            sell(3, 1, 100),
            buy(4, 2, 100, flags=ALL_OR_NONE, participant_id=7, self_trade=SelfTradePrevention.CANCEL_AGGRESSING),
        ],
        does=[clock(5)],
        says="""
            #4 ACCEPTED order 0 0@0 left 0
            #4 CANCELLED order 1 1@100 left 0 EXPIRED
            #4 TRIGGERED order 4 2@100 left 2
            #4 TRADE order 4 1@100 maker 2 left 1/0
            #4 TRADE order 4 1@100 maker 3 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="stops that follow from an expiry are executed before the next goes, and may expire thereafter",
        given=[
            sell(1, 1, 100, GTD, expiry=4, participant_id=7),
            sell(2, 1, 100),
            buy(3, 1, 100, flags=ALL_OR_NONE, participant_id=7, self_trade=SelfTradePrevention.CANCEL_AGGRESSING),
            stop(4, Side.SELL, 3, 100, price=99, time_in_force=GTD, expiry=5),
            buy(5, 2, 99, GTD, expiry=5),
        ],
        does=[clock(5)],
        says="""
            #5 ACCEPTED order 0 0@0 left 0
            #5 CANCELLED order 1 1@100 left 0 EXPIRED
            #5 TRIGGERED order 3 1@100 left 1
            #5 TRADE order 3 1@100 maker 2 left 0/0
            #5 TRIGGERED order 4 3@100 left 3
            #5 TRADE order 4 2@99 maker 5 left 1/0
            #5 CANCELLED order 4 1@99 left 0 EXPIRED
        """,
        leaves="",
    ),
    Example(
        rule="expired orders of symbols in any phase go",
        given=[buy(1, 1, 100, GTD, expiry=5), phase(TradingPhase.CLOSED)],
        does=[clock(7)],
        says="""
            #2 ACCEPTED order 0 0@0 left 0
            #2 CANCELLED order 1 1@100 left 0 EXPIRED
        """,
        leaves="",
    ),
]
