"""Prices that an engine changes: rounded to the tick, or slid behind the other side."""

from lowlat.engine.conformance.examples.example import POST_ONLY, SLIDE, Example, buy, replace, sell
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import PRICE_MIN, Instrument
from lowlat.engine.matching.records import TickRounding

NEAREST = EngineConfig((Instrument(tick=10, off_tick=TickRounding.NEAREST, price_min=-200, price_max=200),), orders=16)
PASSIVE = EngineConfig((Instrument(tick=10, off_tick=TickRounding.PASSIVE),), orders=16)

EXAMPLES = [
    Example(
        rule="NEAREST takes the nearest multiple; a tie is the lower for a buyer, the higher for a seller",
        settings=NEAREST,
        does=[
            *(buy(order, 1, price) for order, price in enumerate([94, 95, 96, -94, -95, -96], 1)),
            *(sell(order, 1, price) for order, price in enumerate([104, 105, 106], 7)),
        ],
        says="""
            #0 ACCEPTED order 1 1@90 left 1
            #1 ACCEPTED order 2 1@90 left 1
            #2 ACCEPTED order 3 1@100 left 1
            #3 ACCEPTED order 4 1@-90 left 1
            #4 ACCEPTED order 5 1@-100 left 1
            #5 ACCEPTED order 6 1@-100 left 1
            #6 ACCEPTED order 7 1@100 left 1
            #6 TRADE order 7 1@100 maker 3 left 0/0
            #7 ACCEPTED order 8 1@110 left 1
            #8 ACCEPTED order 9 1@110 left 1
        """,
        leaves="""
            BUY 90 = 2: 1:1 2:1
            BUY -90 = 1: 4:1
            BUY -100 = 2: 5:1 6:1
            SELL 110 = 2: 8:1 9:1
        """,
    ),
    Example(
        rule="NEAREST of a seller below zero: the tie is the higher; the band is that of the rounded price",
        settings=NEAREST,
        does=[sell(1, 1, -105), sell(2, 1, -106), sell(3, 1, 204), sell(4, 1, 205), buy(5, 1, -205), buy(6, 1, -206)],
        says="""
            #0 ACCEPTED order 1 1@-100 left 1
            #1 ACCEPTED order 2 1@-110 left 1
            #2 ACCEPTED order 3 1@200 left 1
            #3 REJECTED order 4 0@205 left 0 PRICE_OUTSIDE_BAND
            #4 REJECTED order 5 0@-205 left 0 PRICE_OUTSIDE_BAND
            #5 REJECTED order 6 0@-206 left 0 PRICE_OUTSIDE_BAND
        """,
        leaves="""
            SELL -110 = 1: 2:1
            SELL -100 = 1: 1:1
            SELL 200 = 1: 3:1
        """,
    ),
    Example(
        rule="PASSIVE rounds a buyer's price down, a seller's up, and not beyond int64",
        settings=PASSIVE,
        does=[
            buy(1, 1, 99),
            buy(2, 1, -91),
            sell(3, 1, 101),
            sell(4, 1, 100),
            buy(5, 1, PRICE_MIN),
            sell(6, 1, -PRICE_MIN - 1),
        ],
        says="""
            #0 ACCEPTED order 1 1@90 left 1
            #1 ACCEPTED order 2 1@-100 left 1
            #2 ACCEPTED order 3 1@110 left 1
            #3 ACCEPTED order 4 1@100 left 1
            #4 REJECTED order 5 0@-9223372036854775808 left 0 PRICE_OUTSIDE_BAND
            #5 REJECTED order 6 0@9223372036854775807 left 0 PRICE_OUTSIDE_BAND
        """,
        leaves="""
            BUY 90 = 1: 1:1
            BUY -100 = 1: 2:1
            SELL 100 = 1: 4:1
            SELL 110 = 1: 3:1
        """,
    ),
    Example(
        rule="a replacement is rounded for the order's side; a price that rounds to its own keeps the place",
        settings=PASSIVE,
        given=[sell(1, 2, 110), sell(2, 2, 110), sell(3, 2, 120)],
        does=[replace(1, 1, 101), replace(3, 2, 109)],
        says="""
            #3 REPLACED order 1 1@110 left 1
            #4 REPLACED order 3 2@110 left 2
        """,
        leaves="SELL 110 = 5: 1:1 2:2 3:2",
    ),
    Example(
        rule="with SLIDE a post-only order that would trade comes in one tick behind the other side instead",
        given=[sell(1, 1, 100), buy(2, 1, 90)],
        does=[buy(3, 1, 105, flags=SLIDE), buy(4, 1, 98, flags=SLIDE), sell(5, 1, 99, flags=SLIDE)],
        says="""
            #2 ACCEPTED order 3 1@99 left 1
            #3 ACCEPTED order 4 1@98 left 1
            #4 ACCEPTED order 5 1@100 left 1
        """,
        leaves="""
            BUY 99 = 1: 3:1
            BUY 98 = 1: 4:1
            BUY 90 = 1: 2:1
            SELL 100 = 2: 1:1 5:1
        """,
    ),
    Example(
        rule="it slides to one of the symbol's ticks behind, however far its own price reaches",
        given=[sell(1, 1, 20), sell(2, 1, 30)],
        does=[
            buy(3, 1, 25, flags=SLIDE),
            buy(4, 1, 20, flags=POST_ONLY),
            sell(5, 1, 10, flags=SLIDE),
            sell(6, 1, 5, flags=SLIDE),
            buy(7, 1, 10, flags=SLIDE),
        ],
        says="""
            #2 ACCEPTED order 3 1@15 left 1
            #3 REJECTED order 4 0@20 left 0 POST_ONLY_WOULD_TRADE
            #4 ACCEPTED order 5 1@20 left 1
            #5 ACCEPTED order 6 1@20 left 1
            #6 ACCEPTED order 7 1@10 left 1
        """,
        leaves="""
            BUY 15 = 1: 3:1
            BUY 10 = 1: 7:1
            SELL 20 = 3: 1:1 5:1 6:1
            SELL 30 = 1: 2:1
        """,
        settings=EngineConfig((Instrument(tick=5, price_min=5, price_max=30),), orders=16),
    ),
    Example(
        rule="where the price behind is outside the band, sliding is no way out",
        given=[sell(1, 1, 5), sell(2, 1, 30)],
        does=[buy(3, 1, 5, flags=SLIDE)],
        says="#2 REJECTED order 3 0@5 left 0 POST_ONLY_WOULD_TRADE",
        leaves="""
            SELL 5 = 1: 1:1
            SELL 30 = 1: 2:1
        """,
        settings=EngineConfig((Instrument(tick=5, price_min=5, price_max=30),), orders=16),
    ),
]
