"""The commands that complexity.py measures. Each leaves the book as it was, or nearly: what it trades is replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from complexity_crowds import BESIDE, FREE_IDS, FRONT, OWN, REACH, Crowd, orders

from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import (
    Commands,
    CommandType,
    ExecInst,
    MatchAlgorithm,
    Reason,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingPhase,
)

REPEATS = 20
"""Commands in a measured batch."""
TOUCH = 5
"""The price of what the probes themselves put up, to trade with: better than any crowd behind."""

_ids = count(FREE_IDS, REPEATS)
_risen = count(10)


def _fresh() -> np.ndarray[Any, np.dtype[np.int64]]:
    return next(_ids) + np.arange(REPEATS)


@dataclass
class Bench:
    """One engine with a crowd, and a clock."""

    engine: Engine
    crowd: Crowd
    n: int
    clock: Callable[[], float]
    seconds: float = 0.0

    def timed(self, commands: Commands, reason: Reason | None = None) -> None:
        """Execute and measure them; `reason`: why each must be rejected."""
        start = self.clock()
        events = self.engine.process(commands)
        self.seconds += self.clock() - start
        if reason is None and (events["reason"] == Reason.UNKNOWN_ORDER_ID).any():
            raise ValueError(f"{self.crowd.name}: a probe names an order that is gone")
        if reason is not None and not (events["reason"] == reason).all():
            raise ValueError(f"{self.crowd.name}: not all rejected with {reason.name}: {events[:1]}")

    def put(self, commands: Commands) -> None:
        """Execute commands that are not measured."""
        self.engine.process(commands)

    def cancel(self, ids: Any) -> None:
        """Cancel orders, not measured."""
        self.put(orders(REPEATS, kind=CommandType.CANCEL, order_id=ids, quantity=0))

    def taker(self, **fields: Any) -> Commands:
        """Buyers that reach all in front, of the crowd's participant if it has one."""
        own = {"participant_id": OWN, "self_trade": self.crowd.own} if self.crowd.own else {}
        return orders(REPEATS, **({"order_id": _fresh(), "price": REACH, "side": Side.BUY} | own | fields))


@dataclass(frozen=True)
class Probe:
    """A command to measure."""

    name: str
    measure: Callable[[Bench], None]
    where: Callable[[Crowd], bool] = lambda _: True
    linear: tuple[str, ...] = ()  # crowds beside which it is O(n), by the beginning of their names; see the docs

    def applies(self, crowd: Crowd) -> bool:
        """Whether there is such a case."""
        return self.where(crowd)

    def linear_beside(self, crowd: str) -> bool:
        """Whether it may be O(n) there."""
        return crowd.startswith(self.linear) if self.linear else False

    def run(self, engine: Engine, crowd: Crowd, n: int, clock: Callable[[], float]) -> float:
        """Microseconds for each command."""
        bench = Bench(engine, crowd, n, clock)
        self.measure(bench)
        return bench.seconds / REPEATS * 1e6


def _resting(bench: Bench, **fields: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    ids = _fresh()
    bench.put(orders(REPEATS, **({"order_id": ids, "price": -500, "quantity": 9} | fields)))
    return ids


def _add(bench: Bench) -> None:
    ids = _fresh()
    bench.timed(orders(REPEATS, order_id=ids, price=-500))
    bench.cancel(ids)


def _cancel(bench: Bench) -> None:
    bench.timed(orders(REPEATS, kind=CommandType.CANCEL, order_id=_resting(bench), quantity=0))


def _reduce(bench: Bench) -> None:
    ids = _resting(bench)
    bench.timed(orders(REPEATS, kind=CommandType.REDUCE, order_id=ids, quantity=1))
    bench.cancel(ids)


def _replace(bench: Bench) -> None:
    ids = _resting(bench)
    bench.timed(orders(REPEATS, kind=CommandType.REPLACE, order_id=ids, price=-501, quantity=9))
    bench.cancel(ids)


def _take(bench: Bench) -> None:
    """Trades with an order of its own making: at the touch, or behind the crowd that it passes over."""
    price = REACH if bench.crowd.nothing_trades and bench.crowd.place == FRONT else TOUCH
    bench.put(orders(REPEATS, order_id=_fresh(), price=price, side=Side.SELL))
    bench.timed(orders(REPEATS, order_id=_fresh(), price=price, time_in_force=TimeInForce.IOC))


def _rise(bench: Bench) -> None:
    """Trades, each one tick above all before it in this book."""
    for _ in range(REPEATS):
        price = next(_risen)
        bench.put(orders(1, order_id=_fresh()[:1], price=price, side=Side.SELL))
        bench.timed(orders(1, order_id=_fresh()[:1], price=price, time_in_force=TimeInForce.IOC))


def _kill(bench: Bench) -> None:
    quantity = 1 if bench.crowd.own else bench.n * bench.crowd.size + 1
    kills = bench.taker(quantity=min(quantity, 2**32 - 1), time_in_force=TimeInForce.FOK)
    bench.timed(kills, Reason.FOK_NOT_FILLABLE)


def _post(bench: Bench) -> None:
    bench.put(orders(1, order_id=FREE_IDS - 3, price=REACH, side=Side.SELL))
    if bench.crowd.own == SelfTradePrevention.CANCEL_AGGRESSING:
        posts = bench.taker(flags=ExecInst.POST_ONLY)
        bench.timed(posts)
    else:
        posts = bench.taker(flags=ExecInst.POST_ONLY)
        bench.timed(posts, Reason.POST_ONLY_WOULD_TRADE)
    bench.put(orders(1, kind=CommandType.CANCEL, order_id=FREE_IDS - 3, quantity=0))


def _all_or_none(bench: Bench) -> None:
    quantity = 1 if bench.crowd.own else bench.n * bench.crowd.size + 1
    waiting = bench.taker(quantity=min(quantity, 2**32 - 1), flags=ExecInst.ALL_OR_NONE)
    bench.timed(waiting)
    bench.cancel(waiting["order_id"])


def _stop(bench: Bench) -> None:
    ids = _fresh()
    bench.timed(orders(REPEATS, kind=CommandType.STOP, order_id=ids, trigger=4_000_000))
    bench.cancel(ids)


def _trail(bench: Bench) -> None:
    ids = _fresh()
    bench.timed(orders(REPEATS, kind=CommandType.TRAILING_STOP, order_id=ids, trigger=4_000_000))
    bench.cancel(ids)


def _expire(bench: Bench) -> None:
    now = int(next(_ids)) - FREE_IDS
    ahead = now + np.arange(REPEATS) + 1
    _resting(bench, time_in_force=TimeInForce.GTD, expiry=ahead)
    bench.timed(orders(REPEATS, kind=CommandType.ADVANCE_TIME, quantity=ahead))


def _phase(phase: TradingPhase) -> Callable[[Bench], None]:
    def measure(bench: Bench) -> None:
        for _ in range(REPEATS):
            bench.timed(orders(1, kind=CommandType.PHASE, quantity=phase))
            bench.put(orders(1, kind=CommandType.PHASE, quantity=TradingPhase.CONTINUOUS))

    return measure


def _reopen(bench: Bench) -> None:
    for _ in range(REPEATS):
        bench.put(orders(1, kind=CommandType.PHASE, quantity=TradingPhase.CALL))
        bench.timed(orders(1, kind=CommandType.PHASE, quantity=TradingPhase.CONTINUOUS))


def _in_front(crowd: Crowd) -> bool:
    return crowd.place == FRONT


def _fifo_in_front(crowd: Crowd) -> bool:
    return crowd.place == FRONT and crowd.algorithm is MatchAlgorithm.FIFO


def _free_touch(crowd: Crowd) -> bool:
    return crowd.place != FRONT or crowd.nothing_trades or crowd.own != SelfTradePrevention.NONE or not crowd.level


def _waits(crowd: Crowd) -> bool:
    return "stop" in crowd.kind or crowd.place == BESIDE


PROBES = [
    Probe("add", _add),
    Probe("CANCEL", _cancel),
    Probe("REDUCE", _reduce),
    Probe("REPLACE", _replace),
    Probe("trade", _take, _free_touch),
    Probe("trade one tick up", _rise, _waits, ("trailing stop in basis points, beside, at n prices",)),
    Probe("FOK, unfillable", _kill, _in_front),
    Probe("POST_ONLY, crossing", _post, _in_front),
    Probe("ALL_OR_NONE, unfillable", _all_or_none, _fifo_in_front, ("all-or-none",)),
    Probe("STOP", _stop),
    Probe("TRAILING_STOP", _trail),
    Probe("ADVANCE_TIME", _expire),
    Probe("PHASE HALTED", _phase(TradingPhase.HALTED)),
    Probe("PHASE CALL", _phase(TradingPhase.CALL)),
    Probe("PHASE CLOSED", _phase(TradingPhase.CLOSED), lambda crowd: crowd.kind != "DAY"),
    Probe("PHASE CONTINUOUS", _reopen),
]
