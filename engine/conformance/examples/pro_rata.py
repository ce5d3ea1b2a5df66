"""Pro-rata symbols: the slices of a level share the incoming quantity."""

from lowlat.engine.conformance.examples.example import FOK, Example, buy, sell
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import MatchAlgorithm, PoolPolicy, SelfTradePrevention

SHARED = EngineConfig((Instrument(algorithm=MatchAlgorithm.PRO_RATA),), orders=16, trades=16)
TENS = EngineConfig((Instrument(algorithm=MatchAlgorithm.PRO_RATA, lot=10),), orders=16, trades=16)
TWO_TRADES = EngineConfig(
    (Instrument(algorithm=MatchAlgorithm.PRO_RATA),), orders=16, trades=2, when_trades_dry=PoolPolicy.REJECT
)

EXAMPLES = [
    Example(
        rule="each gets its share rounded down; what is left goes one each, oldest first; trades come oldest first",
        settings=SHARED,
        given=[sell(1, 1, 100), sell(2, 3, 100), sell(3, 6, 100)],
        does=[buy(4, 5, 100)],  # shares of 5/10: a half, one and a half, three
        says="""
            #3 ACCEPTED order 4 5@100 left 5
            #3 TRADE order 4 1@100 maker 1 left 4/0
            #3 TRADE order 4 1@100 maker 2 left 3/2
            #3 TRADE order 4 3@100 maker 3 left 0/3
        """,
        leaves="SELL 100 = 5: 2:2 3:3",
    ),
    Example(
        rule="an order whose share is nothing has no trade",
        settings=SHARED,
        given=[sell(1, 9, 100), sell(2, 1, 100)],
        does=[buy(3, 5, 100)],  # four and a half, a half: the older one gets what is left
        says="""
            #2 ACCEPTED order 3 5@100 left 5
            #2 TRADE order 3 5@100 maker 1 left 0/4
        """,
        leaves="SELL 100 = 5: 1:4 2:1",
    ),
    Example(
        rule="where the incoming order suffices, all are filled, and the next level is shared",
        settings=SHARED,
        given=[sell(1, 2, 100), sell(2, 3, 100), sell(3, 4, 101), sell(4, 4, 101)],
        does=[buy(5, 8, 101)],
        says="""
            #4 ACCEPTED order 5 8@101 left 8
            #4 TRADE order 5 2@100 maker 1 left 6/0
            #4 TRADE order 5 3@100 maker 2 left 3/0
            #4 TRADE order 5 2@101 maker 3 left 1/2
            #4 TRADE order 5 1@101 maker 4 left 0/3
        """,
        leaves="SELL 101 = 5: 3:2 4:3",
    ),
    Example(
        rule="shares are rounded down to a lot, and lots are what is left",
        settings=TENS,
        given=[sell(1, 30, 100), sell(2, 50, 100)],
        does=[buy(3, 40, 100)],  # 15 and 25: one lot and two, and one is left
        says="""
            #2 ACCEPTED order 3 40@100 left 40
            #2 TRADE order 3 20@100 maker 1 left 20/10
            #2 TRADE order 3 20@100 maker 2 left 0/30
        """,
        leaves="SELL 100 = 40: 1:10 2:30",
    ),
    Example(
        rule="slices share; when they are refilled and quantity is left, the level is shared again",
        settings=SHARED,
        given=[sell(1, 6, 100, display_quantity=2), sell(2, 3, 100)],
        does=[buy(3, 3, 100), buy(4, 5, 100)],
        says="""
            #2 ACCEPTED order 3 3@100 left 3
            #2 TRADE order 3 2@100 maker 1 left 1/4
            #2 REFILLED order 1 2@100 left 4
            #2 TRADE order 3 1@100 maker 2 left 0/2
            #3 ACCEPTED order 4 5@100 left 5
            #3 TRADE order 4 2@100 maker 2 left 3/0
            #3 TRADE order 4 2@100 maker 1 left 1/2
            #3 REFILLED order 1 2@100 left 2
            #3 TRADE order 4 1@100 maker 1 left 0/1
        """,
        leaves="SELL 100 = 1: 1:1",
    ),
    Example(
        rule="pro rata, CANCEL_RESTING: own orders are canceled before the level is shared, oldest first",
        settings=SHARED,
        given=[sell(1, 2, 100, participant_id=7), sell(2, 4, 100), sell(3, 4, 100, participant_id=7), sell(4, 4, 100)],
        does=[buy(5, 4, 100, participant_id=7, self_trade=SelfTradePrevention.CANCEL_RESTING)],
        says="""
            #4 ACCEPTED order 5 4@100 left 4
            #4 CANCELLED order 1 2@100 left 0 SELF_TRADE
            #4 CANCELLED order 3 4@100 left 0 SELF_TRADE
            #4 TRADE order 5 2@100 maker 2 left 2/2
            #4 TRADE order 5 2@100 maker 4 left 0/2
        """,
        leaves="SELL 100 = 4: 2:2 4:2",
    ),
    Example(
        rule="pro rata, CANCEL_AGGRESSING: the others share once; if anything is left, it is cancelled",
        settings=SHARED,
        given=[sell(1, 2, 100, participant_id=7), sell(2, 4, 100, display_quantity=2), sell(3, 2, 100)],
        does=[
            buy(4, 2, 100, participant_id=7, self_trade=SelfTradePrevention.CANCEL_AGGRESSING),
            buy(5, 5, 100, participant_id=7, self_trade=SelfTradePrevention.CANCEL_AGGRESSING),
        ],
        says="""
            #3 ACCEPTED order 4 2@100 left 2
            #3 TRADE order 4 1@100 maker 2 left 1/3
            #3 TRADE order 4 1@100 maker 3 left 0/1
            #4 ACCEPTED order 5 5@100 left 5
            #4 TRADE order 5 1@100 maker 2 left 4/2
            #4 REFILLED order 2 2@100 left 2
            #4 TRADE order 5 1@100 maker 3 left 3/0
            #4 CANCELLED order 5 3@100 left 0 SELF_TRADE
        """,
        leaves="SELL 100 = 4: 1:2 2:2",
    ),
    Example(
        rule="pro rata, CANCEL_BOTH: the same, the resting ones first, oldest first",
        settings=SHARED,
        given=[sell(1, 2, 100, participant_id=7), sell(2, 2, 100), sell(3, 1, 100, participant_id=7)],
        does=[
            buy(4, 1, 100, participant_id=7, self_trade=SelfTradePrevention.CANCEL_BOTH),
            buy(5, 5, 100, participant_id=7, self_trade=SelfTradePrevention.CANCEL_BOTH),
        ],
        says="""
            #3 ACCEPTED order 4 1@100 left 1
            #3 TRADE order 4 1@100 maker 2 left 0/1
            #4 ACCEPTED order 5 5@100 left 5
            #4 TRADE order 5 1@100 maker 2 left 4/0
            #4 CANCELLED order 1 2@100 left 0 SELF_TRADE
            #4 CANCELLED order 3 1@100 left 0 SELF_TRADE
            #4 CANCELLED order 5 4@100 left 0 SELF_TRADE
        """,
        leaves="",
    ),
    Example(
        rule="pro rata, DECREMENT: own orders share like the others, and what they would trade is decremented",
        settings=SHARED,
        given=[sell(1, 4, 100, participant_id=7), sell(2, 4, 100)],
        does=[buy(3, 4, 100, participant_id=7, self_trade=SelfTradePrevention.DECREMENT)],
        says="""
            #2 ACCEPTED order 3 4@100 left 4
            #2 REDUCED order 1 2@100 left 2 SELF_TRADE
            #2 REDUCED order 3 2@100 left 2 SELF_TRADE
            #2 TRADE order 3 2@100 maker 2 left 0/2
        """,
        leaves="SELL 100 = 4: 1:2 2:2",
    ),
    Example(
        rule="pro rata, fill or kill: not whole where it reaches an own order, unless that is cancelled",
        settings=SHARED,
        given=[sell(1, 4, 100), sell(2, 4, 101), sell(3, 4, 101, participant_id=7)],
        does=[
            buy(4, 5, 101, FOK, participant_id=7, self_trade=SelfTradePrevention.CANCEL_AGGRESSING),
            buy(4, 4, 101, FOK, participant_id=7, self_trade=SelfTradePrevention.CANCEL_AGGRESSING),
            buy(5, 5, 101, FOK, participant_id=7, self_trade=SelfTradePrevention.CANCEL_RESTING),
            buy(5, 4, 101, FOK, participant_id=7, self_trade=SelfTradePrevention.CANCEL_RESTING),
        ],
        says="""
            #3 REJECTED order 4 0@101 left 0 FOK_NOT_FILLABLE
            #4 ACCEPTED order 4 4@101 left 4
            #4 TRADE order 4 4@100 maker 1 left 0/0
            #5 REJECTED order 5 0@101 left 0 FOK_NOT_FILLABLE
            #6 ACCEPTED order 5 4@101 left 4
            #6 CANCELLED order 3 4@101 left 0 SELF_TRADE
            #6 TRADE order 5 4@101 maker 2 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="pro rata, a tape that refuses: every order of a level that is reached is met",
        settings=TWO_TRADES,
        given=[sell(1, 4, 100), sell(2, 4, 101), sell(3, 4, 101)],
        does=[buy(4, 5, 101), buy(4, 4, 101)],
        says="""
            #3 REJECTED order 4 0@101 left 0 TRADE_POOL_FULL
            #4 ACCEPTED order 4 4@101 left 4
            #4 TRADE order 4 4@100 maker 1 left 0/0
        """,
        leaves="SELL 101 = 8: 2:4 3:4",
    ),
]
