"""A command costs no more because of orders that it neither trades with nor cancels.

Each case is measured in a small and in a 64 times larger book, as CPU time, the minimum of several batches. If a
command visited every order, it would cost 64 times as much; O(log n) and the caches make it a few times. `make
complexity` measures every command beside every kind of order.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from time import process_time

import numpy as np
import pytest

from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import (
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    ExecInst,
    ExecType,
    Reason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

SMALL, FACTOR, GROWTH_MAX = 500, 64, 20
REPEATS = 50
FRESH = 1 << 40
MOMENTS = count(1)
OWN = {"participant_id": 7, "self_trade": SelfTradePrevention.CANCEL_RESTING}


def orders(number: int, **fields: object) -> Commands:
    made = np.zeros(number, EXTENDED_COMMAND)
    for name, value in ({"kind": CommandType.LIMIT, "quantity": 1} | fields).items():
        made[name] = value
    return made


def sells(n: int, *, levels: bool = True, **fields: object) -> Commands:
    prices = 100 + np.arange(n) if levels else 100
    return orders(n, **({"order_id": np.arange(n), "price": prices, "side": Side.SELL} | fields))


def cancels(ids: np.ndarray) -> Commands:
    return orders(len(ids), kind=CommandType.CANCEL, order_id=ids, quantity=0)


Batch = Callable[[Engine, int], float]
"""One batch of commands in an engine with n orders; returns its seconds."""


def timed(engine: Engine, commands: Commands, reason: Reason = Reason.NONE) -> float:
    start = process_time()
    events = engine.process(commands)
    seconds = process_time() - start
    assert (events["reason"] == reason).all(), events[:1]
    return seconds


def seconds(prepare: Callable[[int], list[Commands]], batch: Batch, n: int) -> float:
    """The minimum over several batches, after some that may build what later ones use."""
    engine = Engine(orders=4 * n + 1_000)
    for commands in prepare(n):
        assert (engine.process(commands)["kind"] != ExecType.REJECTED).all()
    taken = [batch(engine, n) for _ in range(10)]
    engine.check_invariants()
    return min(taken[4:])


def growth(prepare: Callable[[int], list[Commands]], batch: Batch) -> float:
    return seconds(prepare, batch, SMALL * FACTOR) / seconds(prepare, batch, SMALL)


def unrelated(engine: Engine, _n: int) -> float:
    """Cancels far from everything."""
    ids = FRESH + np.arange(REPEATS)
    engine.process(orders(REPEATS, order_id=ids, price=1))
    return timed(engine, cancels(ids), Reason.REQUESTED)


def expiries(engine: Engine, _n: int) -> float:
    """A clock that expires orders far away."""
    ahead = next(MOMENTS)
    ids = FRESH + np.arange(REPEATS)
    engine.process(orders(REPEATS, order_id=ids, price=1, time_in_force=TimeInForce.GTD, expiry=ahead))
    start = process_time()
    expired = engine.process(orders(1, kind=CommandType.ADVANCE_TIME, quantity=ahead))
    taken = process_time() - start
    assert len(expired) == REPEATS + 1
    return taken


def within_reach(engine: Engine, _n: int) -> float:
    """Orders that every all-or-none order reaches, and that change what is within reach."""
    ids = FRESH + np.arange(REPEATS)
    taken = timed(engine, orders(REPEATS, order_id=ids, price=100, side=Side.SELL))
    return taken + timed(engine, cancels(ids), Reason.REQUESTED)


def rises(engine: Engine, n: int) -> float:
    """Trades, each one tick above the last."""
    base = 10 * n + len(engine.trades())
    taken = 0.0
    for step in range(REPEATS):
        price = base + step
        engine.process(orders(1, order_id=FRESH, price=price, side=Side.SELL))
        taken += timed(engine, orders(1, order_id=FRESH + 1, price=price, time_in_force=TimeInForce.IOC))
    return taken


def kills(engine: Engine, n: int, each: int = 1) -> float:
    """Fill-or-kill orders for one lot more than there is."""
    kill = orders(REPEATS, order_id=FRESH, price=200 + n, quantity=each * n + 1, time_in_force=TimeInForce.FOK)
    return timed(engine, kill, Reason.FOK_NOT_FILLABLE)


def own_kills(engine: Engine, n: int) -> float:
    kill = orders(REPEATS, order_id=FRESH, price=200 + n, time_in_force=TimeInForce.FOK, **OWN)
    return timed(engine, kill, Reason.FOK_NOT_FILLABLE)


def posts(engine: Engine, n: int) -> float:
    post = orders(REPEATS, order_id=FRESH, price=200 + n, quantity=n, flags=ExecInst.POST_ONLY)
    return timed(engine, post, Reason.POST_ONLY_WOULD_TRADE)


def small_takes(engine: Engine, _n: int) -> float:
    """Orders that pass over all-or-none orders, and trade behind them."""
    engine.process(orders(REPEATS, order_id=FRESH + np.arange(REPEATS), price=99, side=Side.SELL))
    takes = orders(REPEATS, order_id=FRESH + REPEATS, price=100, time_in_force=TimeInForce.IOC)
    return timed(engine, takes)


def all_or_none(n: int, quantity: int) -> Commands:
    """Bids above every ask, for more than there is."""
    return orders(n, order_id=n + np.arange(n), price=200 + n, quantity=quantity, flags=ExecInst.ALL_OR_NONE)


def too_large(n: int) -> list[Commands]:
    return [sells(n), all_or_none(n, n + 2 * REPEATS)]


def trailing(n: int) -> list[Commands]:
    trade = [orders(1, order_id=FRESH + side, price=10 * n - 1, side=side) for side in (Side.SELL, Side.BUY)]
    stops = orders(n, order_id=np.arange(n), kind=CommandType.TRAILING_STOP, side=Side.SELL, trigger=5 * n)
    stops["trigger"] += np.arange(n)
    return [*trade, stops]


def far_stop(n: int) -> list[Commands]:
    return [sells(n, levels=False), orders(1, order_id=FRESH - 1, kind=CommandType.STOP, trigger=10**9)]


def own(n: int) -> list[Commands]:
    return [sells(n, levels=False, participant_id=7)]


def own_and_all_or_none(n: int) -> list[Commands]:
    return [*own(n), orders(1, order_id=FRESH - 1, price=100, quantity=2 * REPEATS, flags=ExecInst.ALL_OR_NONE, **OWN)]


def many_participants(n: int) -> list[Commands]:
    """Numbers that leave the same remainder by a prime which a table of so many entries may have as its size."""
    return [sells(n, quantity=1_000, participant_id=1 + 42_043 * np.arange(n))]


def kills_and_reduces(engine: Engine, n: int) -> float:
    """Reduces orders in a book that has an index, which the fill-or-kill orders keep."""
    taken = kills(engine, n, each=1_000)
    return taken + timed(engine, orders(REPEATS, kind=CommandType.REDUCE, order_id=np.arange(REPEATS)))


def one_at_a_time_too_large(n: int) -> list[Commands]:
    return [sells(n, levels=False, quantity=1_000, flags=ExecInst.ALL_OR_NONE)]


CASES: dict[str, tuple[Callable[[int], list[Commands]], Batch]] = {
    "an unrelated cancel beside all-or-none orders that cannot fill": (too_large, unrelated),
    "a clock that expires orders beside all-or-none orders": (too_large, expiries),
    "changes within the reach of all-or-none orders that cannot fill": (too_large, within_reach),
    "a rise of one tick beside trailing stops": (trailing, rises),
    "an unfillable fill-or-kill order over many levels": (lambda n: [sells(n)], kills),
    "the same over one level, with a stop far away": (far_stop, kills),
    "a crossing post-only order, with a stop far away": (far_stop, posts),
    "a fill-or-kill order behind its participant's own": (own, own_kills),
    "an unrelated cancel, with an all-or-none order behind its participant's own": (own_and_all_or_none, unrelated),
    "a change there": (own_and_all_or_none, within_reach),
    "an order that passes over all-or-none orders": (one_at_a_time_too_large, small_takes),
    "a change beside orders of many participants": (many_participants, kills_and_reduces),
}


@pytest.mark.parametrize("name", CASES)
def test_it_costs_no_more_in_a_large_book(name: str) -> None:
    assert growth(*CASES[name]) < GROWTH_MAX


def called(n: int) -> list[Commands]:
    """All-or-none bids, and asks that a call phase has collected within their reach; then the market opens."""
    asks = orders(n, order_id=np.arange(n), price=100, side=Side.SELL)
    call, opening = (orders(1, kind=CommandType.PHASE, quantity=phase) for phase in (1, 0))
    return [all_or_none(n, 2 * n), call, asks, opening]


def idle(n: int) -> list[Commands]:
    """Asks and all-or-none bids, whose index is dropped while nothing needs it; then an ask leaves."""
    return [*too_large(n), cancels(np.full(8 * n, FRESH)), cancels(np.zeros(1))]


def due_together(n: int) -> list[Commands]:
    """All-or-none bids, and stops behind them that one trade makes due; each passes over all the bids."""
    bids = orders(n, order_id=np.arange(n), price=100, quantity=10, flags=ExecInst.ALL_OR_NONE)
    stops = orders(n, order_id=n + np.arange(n), kind=CommandType.STOP, side=Side.SELL, trigger=50)
    ends = [orders(1, order_id=2 * n + side, price=50, side=side) for side in (Side.BUY, Side.SELL)]
    return [bids, stops, *ends]


ALONE = {
    "an opening with all-or-none orders across": called,
    "a change that all-or-none orders have waited for": idle,
    "stops that pass over all-or-none orders": due_together,
}
"""The last command of each would walk over all orders for each order, before anything tells that an index is due."""


@pytest.mark.parametrize("name", ALONE)
def test_a_single_command_walks_no_further_than_an_index_costs(name: str) -> None:
    def alone(n: int) -> float:
        """The minimum over engines that have never seen the command."""
        taken = []
        for _ in range(3):
            engine, (*before, last) = Engine(orders=4 * n), ALONE[name](n)
            for commands in before:
                engine.process(commands)
            start = process_time()
            assert (engine.process(last)["kind"] != ExecType.REJECTED).all()
            taken.append(process_time() - start)
        return min(taken)

    assert alone(8 * SMALL) / alone(SMALL) < GROWTH_MAX  # in proportion 8, by walks 64


def test_a_command_that_visits_every_order_is_rejected() -> None:
    def visiting(engine: Engine, _n: int) -> float:
        start = process_time()
        for _ in range(20):
            engine.check_invariants()
        return process_time() - start

    assert growth(lambda n: [sells(n)], visiting) > GROWTH_MAX
