"""The matching rules of `docs/matching.md` as examples small enough to check by hand."""

from lowlat.engine.conformance.examples import (
    all_or_none,
    auctions,
    expiry,
    icebergs,
    off_tick,
    plain,
    pro_rata,
    self_trade,
    stops,
)
from lowlat.engine.conformance.examples.example import Example

EXAMPLES: list[Example] = [
    *plain.EXAMPLES,
    *icebergs.EXAMPLES,
    *all_or_none.EXAMPLES,
    *self_trade.EXAMPLES,
    *pro_rata.EXAMPLES,
    *off_tick.EXAMPLES,
    *stops.EXAMPLES,
    *auctions.EXAMPLES,
    *expiry.EXAMPLES,
]
