"""Dry run of an incoming order: whether it would fill completely, and how many trade records it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lowlat.engine.matching.records import MatchAlgorithm, SelfTradePrevention
from lowlat.engine.reference.book import Book, Order

CANCELS_INCOMING = frozenset({SelfTradePrevention.CANCEL_AGGRESSING, SelfTradePrevention.CANCEL_BOTH})


@dataclass(slots=True)
class Reach:
    """The outcome of a dry run.

    `left`: the remaining quantity. `whole`: whether the order would fill completely. `records`: upper bound on its
    trades.
    """

    left: int
    whole: bool = True
    records: int = 0
    ends: bool = False  # prevention would cancel the incoming order here


def reach(taker: Order, book: Book) -> Reach:
    """Walk the other side as matching would, without changing it."""
    ladder = book.ladders[1 - taker.side]
    look = _look_at_shares if book.rules.algorithm is MatchAlgorithm.PRO_RATA else _look_at_queue
    found = Reach(taker.quantity)
    for price in ladder.prices(taker.limit):
        if found.ends or not found.left:
            break
        look(taker, ladder.queues[price].values(), found)
    found.whole = found.whole and not found.left
    return found


def _look_at_queue(taker: Order, queue: Iterable[Order], found: Reach) -> None:
    """A level by time priority: every slice in queue order, then the icebergs' hidden quantities. The remaining
    quantity only falls, so an all-or-none order that was skipped stays skipped."""
    reserve_quantity = 0
    for maker in queue:
        if found.ends or not found.left:
            return
        if maker.all_or_none and maker.quantity > found.left:
            continue
        policy = taker.policy_toward(maker)
        if policy in CANCELS_INCOMING:
            found.ends, found.whole = True, False
        elif policy != SelfTradePrevention.CANCEL_RESTING:
            found.left -= min(found.left, maker.shown)
            reserve_quantity += maker.reserve_quantity
            _count(maker, policy, found)
    found.left -= min(found.left, reserve_quantity)


def _look_at_shares(taker: Order, queue: Iterable[Order], found: Reach) -> None:
    """A pro-rata level: the order meets all of its orders, and an own order is assumed to get a share."""
    gives = 0
    for maker in queue:
        policy = taker.policy_toward(maker)
        if policy in CANCELS_INCOMING:
            found.ends, found.whole = True, False
        elif policy != SelfTradePrevention.CANCEL_RESTING:
            gives += maker.quantity
            _count(maker, policy, found)
    found.left -= min(found.left, gives)


def _count(maker: Order, policy: int, found: Reach) -> None:
    if policy == SelfTradePrevention.DECREMENT:
        found.whole = False
    else:
        found.records += maker.slices
