"""Books with a crowd of n orders of one kind, for complexity.py.

All prices here are relative to `ORIGIN`, the price of the last trade. A crowd in front is what a buyer at `REACH` meets
first; one behind is beyond `REACH`; one beside is on the buyer's own side, or waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import (
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    ExecInst,
    MatchAlgorithm,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

ORIGIN = 1_000_000_000
OWN = 7
"""The participant of a crowd's own orders, and of the probes that must not trade with them."""
REACH = 2_000_000
"""The limit of a buyer that reaches every order in front."""
COLLIDING = 172_933
"""The size of a hash table of 100,000 entries, as of the GNU C++ library: numbers so far apart collide in it."""
FREE_IDS = 1 << 40
"""Probes take their order ids from here."""

_PRICED = [int(kind) for kind in (CommandType.LIMIT, CommandType.STOP_LIMIT, CommandType.REPLACE)]
_TRIGGERED = [int(CommandType.STOP), int(CommandType.STOP_LIMIT)]
FRONT, BEHIND, BESIDE = "in front", "behind", "beside"
Values = int | NDArray[np.int64]


@dataclass(frozen=True)
class Crowd:
    """n orders of a kind; `fields` are those of each command, `level`: all at one price."""

    kind: str
    place: str
    fields: dict[str, Any] = field(default_factory=dict)
    level: bool = False
    own: SelfTradePrevention = SelfTradePrevention.NONE
    algorithm: MatchAlgorithm = MatchAlgorithm.FIFO
    nothing_trades: bool = False  # an incoming order passes over the crowd
    participants: bool = False  # each order has a participant of its own

    @property
    def name(self) -> str:
        """As in the table."""
        where = "at one price" if self.level else "at n prices"
        return f"{self.kind}, {self.place}, {where}"

    @property
    def size(self) -> int:
        """Of each order."""
        return int(self.fields.get("quantity", 1))


def orders(count: int, **fields: Any) -> Commands:
    """So many limit orders to buy one lot, or other commands; the ids are the caller's."""
    made = np.zeros(count, EXTENDED_COMMAND)
    for name, value in ({"kind": CommandType.LIMIT, "quantity": 1} | fields).items():
        made[name] = value
    made["price"][np.isin(made["kind"], _PRICED)] += ORIGIN
    made["trigger"][np.isin(made["kind"], _TRIGGERED)] += ORIGIN
    return made


def crowded(crowd: Crowd, n: int) -> Engine:
    """An engine whose first book holds the crowd, after a trade at price 0."""
    engine = Engine([Instrument(algorithm=crowd.algorithm)], orders=n + 10_000, trades=1_024)
    for order_id, side in ((FREE_IDS - 1, Side.SELL), (FREE_IDS - 2, Side.BUY)):
        engine.process(orders(1, order_id=order_id, side=side))
    steps = np.zeros(n, np.int64) if crowd.level else np.arange(n)
    own = {"participant_id": 1 + COLLIDING * np.arange(n)} if crowd.participants else {}
    events = engine.process(orders(n, **({"order_id": np.arange(n)} | _placed(crowd, steps) | crowd.fields | own)))
    if (events["reason"] != 0).any() or len(events) != n:
        raise ValueError(f"{crowd.name}: the crowd does not rest: {events[events['reason'] != 0][:1]}")
    return engine


def _placed(crowd: Crowd, steps: NDArray[np.int64]) -> dict[str, Values]:
    if "STOP" in CommandType(crowd.fields.get("kind", CommandType.LIMIT)).name:
        if crowd.fields.get("flags") == ExecInst.TRAIL_BASIS_POINTS:
            return {"trigger": 1 + steps % 10_000, "side": Side.SELL}
        if crowd.fields["kind"] == CommandType.TRAILING_STOP:
            return {"trigger": 5_000_000 + steps, "side": Side.SELL}
        limit = -9_000_000 if crowd.fields["kind"] == CommandType.STOP_LIMIT else 0
        return {"trigger": -1_000_000 - steps, "price": limit, "side": Side.SELL}
    if crowd.place == BESIDE:
        return {"price": -1_000 - steps, "side": Side.BUY}
    return {"price": (10 if crowd.place == FRONT else REACH + 10) + steps, "side": Side.SELL}


_RESTING: dict[str, dict[str, Any]] = {
    "limit": {},
    "iceberg": {"quantity": 10, "display_quantity": 1},
    "DAY": {"time_in_force": TimeInForce.DAY},
    "GTD": {"time_in_force": TimeInForce.GTD, "expiry": 1 << 50},
    "all-or-none": {"quantity": 1_000, "flags": ExecInst.ALL_OR_NONE},
}
_WAITING: dict[str, dict[str, Any]] = {
    "stop": {"kind": CommandType.STOP},
    "stop-limit": {"kind": CommandType.STOP_LIMIT},
    "trailing stop": {"kind": CommandType.TRAILING_STOP},
}
_POINTS = {
    "kind": CommandType.TRAILING_STOP,
    "flags": ExecInst.TRAIL_BASIS_POINTS,
}

CROWDS = [
    *(
        Crowd(kind, place, fields, level=level, nothing_trades=kind == "all-or-none")
        for kind, fields in _RESTING.items()
        for place, level in ((FRONT, False), (FRONT, True), (BEHIND, False), (BESIDE, False), (BESIDE, True))
    ),
    *(
        Crowd(f"own, {policy.name}", FRONT, {"participant_id": OWN}, level=level, own=policy)
        for policy in (SelfTradePrevention.CANCEL_RESTING, SelfTradePrevention.CANCEL_AGGRESSING)
        for level in (False, True)
    ),
    Crowd("limit of n participants", FRONT, participants=True),
    Crowd("pro-rata limit", FRONT, level=True, algorithm=MatchAlgorithm.PRO_RATA),
    Crowd("pro-rata limit", BESIDE, level=False, algorithm=MatchAlgorithm.PRO_RATA),
    *(Crowd(kind, BESIDE, fields, level=level) for kind, fields in _WAITING.items() for level in (False, True)),
    Crowd("trailing stop in basis points", BESIDE, _POINTS | {"trigger": 5_000}, level=True),
    Crowd("trailing stop in basis points", BESIDE, _POINTS),
]
