"""Executions of an auction: an engine's uncross, where the displayed orders explain them; else the venue's word."""

from __future__ import annotations

from collections import Counter

from lowlat.engine.flow.recording.changes import AUCTION
from lowlat.engine.flow.recording.model import Fill, RecordedAuction
from lowlat.engine.matching.records import Side, TradingPhase
from tests.plain_recording.bursts import Execution
from tests.plain_recording.market import CONTINUOUS, RecordedMarket


class AuctionRecorder:
    """Collects the executions of one auction, and settles it when another event follows.

    `open`: those of the auction that has not been settled. `log`: the auctions that an engine settles; `command` is the
    place of a command in the log of the market.
    """

    def __init__(self, market: RecordedMarket) -> None:
        self.open: list[Execution] = []
        self.log: list[RecordedAuction] = []
        self._market = market

    def settle(self) -> None:
        """The open auction, if there is one, is complete: have an engine uncross, or apply what the venue tells."""
        executions, self.open = self.open, []
        market = self._market
        told = self._told(executions)
        if not executions or market.engine_phase != TradingPhase.CALL or told != market.book.uncross():
            for execution in executions:
                market.apply(execution.at, execution.order_id, execution.quantity, AUCTION)
            return
        sides = tuple(self._fills(executions, side) for side in Side)
        self.log.append(RecordedAuction(len(market.log), (sides[0], sides[1])))
        market.set_engine_phase(executions[0].at, CONTINUOUS)
        for taken in told:
            for order_id, quantity in taken.items():
                market.book.take(market.book.orders[order_id], quantity)
        market.set_engine_phase(executions[0].at, market.venue_phase)

    def _told(self, executions: list[Execution]) -> tuple[Counter[int], Counter[int]]:
        """What each order of either side trades."""
        told = Counter[int](), Counter[int]()
        for execution in executions:
            if not execution.quantity:
                continue
            order = self._market.book.orders.get(execution.order_id)
            told[0 if order is None else order.side][execution.order_id] += execution.quantity
        return told

    def _fills(self, executions: list[Execution], side: Side) -> tuple[Fill, ...]:
        orders = self._market.book.orders
        of_side = [
            execution
            for execution in executions
            if execution.order_id in orders and orders[execution.order_id].side == side
        ]
        return tuple(Fill(execution.order_id, execution.price, execution.quantity) for execution in of_side)
