"""Self-trade prevention: what happens when an incoming order meets one of its own participant."""

from lowlat.engine.conformance.examples.example import ALL_OR_NONE, FOK, POST_ONLY, Example, buy, replace, sell
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import PoolPolicy, SelfTradePrevention

NONE, RESTING, INCOMING = (
    SelfTradePrevention.NONE,
    SelfTradePrevention.CANCEL_RESTING,
    SelfTradePrevention.CANCEL_AGGRESSING,
)
BOTH, DECREMENT = SelfTradePrevention.CANCEL_BOTH, SelfTradePrevention.DECREMENT

EXAMPLES = [
    Example(
        rule="self-trade NONE: they trade; so do orders of other owners, and those of nobody, under any policy",
        given=[sell(1, 2, 100, participant_id=7), sell(2, 1, 100, participant_id=8), sell(3, 1, 100)],
        does=[
            buy(4, 1, 100, participant_id=7, self_trade=NONE),
            buy(5, 1, 100, self_trade=BOTH),
            buy(6, 2, 100, participant_id=9, self_trade=BOTH),
        ],
        says="""
            #3 ACCEPTED order 4 1@100 left 1
            #3 TRADE order 4 1@100 maker 1 left 0/1
            #4 ACCEPTED order 5 1@100 left 1
            #4 TRADE order 5 1@100 maker 1 left 0/0
            #5 ACCEPTED order 6 2@100 left 2
            #5 TRADE order 6 1@100 maker 2 left 1/0
            #5 TRADE order 6 1@100 maker 3 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="self-trade CANCEL_RESTING: the resting order is canceled, all of an iceberg, and matching goes on",
        given=[sell(1, 5, 100, participant_id=7, display_quantity=2), sell(2, 3, 100)],
        does=[buy(3, 4, 100, participant_id=7, self_trade=RESTING)],
        says="""
            #2 ACCEPTED order 3 4@100 left 4
            #2 CANCELLED order 1 5@100 left 0 SELF_TRADE
            #2 TRADE order 3 3@100 maker 2 left 1/0
        """,
        leaves="BUY 100 = 1: 3:1",
    ),
    Example(
        rule="self-trade CANCEL_AGGRESSING: what remains of the incoming order is canceled when it meets its own",
        given=[sell(1, 3, 100), sell(2, 2, 100, participant_id=7), sell(3, 9, 100)],
        does=[
            buy(4, 4, 101, participant_id=7, self_trade=INCOMING),
            buy(5, 1, 100, participant_id=7, self_trade=INCOMING),
        ],
        says="""
            #3 ACCEPTED order 4 4@101 left 4
            #3 TRADE order 4 3@100 maker 1 left 1/0
            #3 CANCELLED order 4 1@101 left 0 SELF_TRADE
            #4 ACCEPTED order 5 1@100 left 1
            #4 CANCELLED order 5 1@100 left 0 SELF_TRADE
        """,
        leaves="SELL 100 = 11: 2:2 3:9",
    ),
    Example(
        rule="self-trade CANCEL_BOTH: the resting one first, then the incoming one",
        given=[sell(1, 3, 100), sell(2, 2, 100, participant_id=7), sell(3, 2, 100, participant_id=7)],
        does=[buy(4, 4, 101, participant_id=7, self_trade=BOTH)],
        says="""
            #3 ACCEPTED order 4 4@101 left 4
            #3 TRADE order 4 3@100 maker 1 left 1/0
            #3 CANCELLED order 2 2@100 left 0 SELF_TRADE
            #3 CANCELLED order 4 1@101 left 0 SELF_TRADE
        """,
        leaves="SELL 100 = 2: 3:2",
    ),
    Example(
        rule="self-trade DECREMENT: both lose the smaller quantity without a trade, and matching goes on",
        given=[sell(1, 2, 100, participant_id=7), sell(2, 1, 100), sell(3, 5, 100, participant_id=7)],
        does=[buy(4, 6, 100, participant_id=7, self_trade=DECREMENT)],
        says="""
            #3 ACCEPTED order 4 6@100 left 6
            #3 REDUCED order 1 2@100 left 0 SELF_TRADE
            #3 REDUCED order 4 2@100 left 4 SELF_TRADE
            #3 TRADE order 4 1@100 maker 2 left 3/0
            #3 REDUCED order 3 3@100 left 2 SELF_TRADE
            #3 REDUCED order 4 3@100 left 0 SELF_TRADE
        """,
        leaves="SELL 100 = 2: 3:2",
    ),
    Example(
        rule="self-trade DECREMENT of an iceberg is of its slice, which is then refilled",
        given=[sell(1, 5, 100, display_quantity=2, participant_id=7), sell(2, 1, 100)],
        does=[buy(3, 4, 100, participant_id=7, self_trade=DECREMENT)],
        says="""
            #2 ACCEPTED order 3 4@100 left 4
            #2 REDUCED order 1 2@100 left 3 SELF_TRADE
            #2 REDUCED order 3 2@100 left 2 SELF_TRADE
            #2 REFILLED order 1 2@100 left 3
            #2 TRADE order 3 1@100 maker 2 left 1/0
            #2 REDUCED order 1 1@100 left 2 SELF_TRADE
            #2 REDUCED order 3 1@100 left 0 SELF_TRADE
        """,
        leaves="SELL 100 = 1: 1:1+1",
    ),
    Example(
        rule="the incoming order's policy decides, not the resting one's",
        given=[sell(1, 2, 100, participant_id=7, self_trade=BOTH), sell(2, 2, 101, participant_id=7, self_trade=NONE)],
        does=[buy(3, 2, 101, participant_id=7), buy(4, 1, 101, participant_id=7, self_trade=INCOMING)],
        says="""
            #2 ACCEPTED order 3 2@101 left 2
            #2 TRADE order 3 2@100 maker 1 left 0/0
            #3 ACCEPTED order 4 1@101 left 1
            #3 CANCELLED order 4 1@101 left 0 SELF_TRADE
        """,
        leaves="SELL 101 = 2: 2:2",
    ),
    Example(
        rule="fill or kill: canceled orders give nothing; where it would be canceled or decremented it is not whole",
        given=[sell(1, 2, 100, participant_id=7), sell(2, 2, 100)],
        does=[
            buy(3, 2, 100, FOK, participant_id=7, self_trade=DECREMENT),
            buy(3, 2, 100, FOK, participant_id=7, self_trade=INCOMING),
            buy(3, 3, 100, FOK, participant_id=7, self_trade=RESTING),
            buy(3, 2, 100, FOK, participant_id=7, self_trade=RESTING),
        ],
        says="""
            #2 REJECTED order 3 0@100 left 0 FOK_NOT_FILLABLE
            #3 REJECTED order 3 0@100 left 0 FOK_NOT_FILLABLE
            #4 REJECTED order 3 0@100 left 0 FOK_NOT_FILLABLE
            #5 ACCEPTED order 3 2@100 left 2
            #5 CANCELLED order 1 2@100 left 0 SELF_TRADE
            #5 TRADE order 3 2@100 maker 2 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="all or none: it waits rather than meet its own, and brings its policy when it is tried again",
        given=[sell(1, 2, 100, participant_id=7), sell(2, 1, 100)],
        does=[
            buy(3, 2, 100, flags=ALL_OR_NONE, participant_id=7, self_trade=RESTING),
            sell(4, 1, 100),
        ],
        says="""
            #2 ACCEPTED order 3 2@100 left 2
            #3 ACCEPTED order 4 1@100 left 1
            #3 TRIGGERED order 3 2@100 left 2
            #3 CANCELLED order 1 2@100 left 0 SELF_TRADE
            #3 TRADE order 3 1@100 maker 2 left 1/0
            #3 TRADE order 3 1@100 maker 4 left 0/0
        """,
        leaves="",
    ),
    Example(
        rule="an all-or-none order that is passed over was not met; one that could be taken whole is",
        given=[sell(1, 5, 100, flags=ALL_OR_NONE, participant_id=7), sell(2, 1, 100)],
        does=[
            buy(3, 2, 100, participant_id=7, self_trade=INCOMING),
            buy(4, 5, 101, participant_id=7, self_trade=RESTING),
        ],
        says="""
            #2 ACCEPTED order 3 2@100 left 2
            #2 TRADE order 3 1@100 maker 2 left 1/0
            #3 ACCEPTED order 4 5@101 left 5
            #3 CANCELLED order 1 5@100 left 0 SELF_TRADE
        """,
        leaves="""
            BUY 101 = 5: 4:5
            BUY 100 = 1: 3:1
        """,
    ),
    Example(
        rule="a replaced order brings the policy it was entered with",
        given=[sell(1, 1, 101, participant_id=7), buy(2, 1, 100, participant_id=7, self_trade=RESTING)],
        does=[replace(2, 1, 101)],
        says="""
            #2 REPLACED order 2 1@101 left 1
            #2 CANCELLED order 1 1@101 left 0 SELF_TRADE
        """,
        leaves="BUY 101 = 1: 2:1",
    ),
    Example(
        rule="post only that meets none but its own would not trade",
        given=[sell(1, 1, 100, participant_id=7), sell(2, 1, 101)],
        does=[
            buy(3, 1, 101, flags=POST_ONLY, participant_id=7, self_trade=RESTING),
            buy(3, 1, 100, flags=POST_ONLY, participant_id=7, self_trade=RESTING),
        ],
        says="""
            #2 REJECTED order 3 0@101 left 0 POST_ONLY_WOULD_TRADE
            #3 ACCEPTED order 3 1@100 left 1
            #3 CANCELLED order 1 1@100 left 0 SELF_TRADE
        """,
        leaves="""
            BUY 100 = 1: 3:1
            SELL 101 = 1: 2:1
        """,
    ),
    Example(
        rule="on a tape that refuses, own orders that prevention deals with need no record",
        given=[sell(1, 1, 100, participant_id=7), sell(2, 1, 100), sell(3, 1, 100)],
        does=[
            buy(4, 3, 100, participant_id=7, self_trade=RESTING),
            buy(4, 2, 100, participant_id=7, self_trade=DECREMENT),
        ],
        says="""
            #3 REJECTED order 4 0@100 left 0 TRADE_POOL_FULL
            #4 ACCEPTED order 4 2@100 left 2
            #4 REDUCED order 1 1@100 left 0 SELF_TRADE
            #4 REDUCED order 4 1@100 left 1 SELF_TRADE
            #4 TRADE order 4 1@100 maker 2 left 0/0
        """,
        leaves="SELL 100 = 1: 3:1",
        settings=EngineConfig((Instrument(),), orders=8, trades=1, when_trades_dry=PoolPolicy.REJECT),
    ),
]
