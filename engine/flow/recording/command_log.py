"""The commands of a recorded flow as they are collected, and in the order in which an engine gets them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.recording.model import Ints, Origin
from lowlat.engine.matching.records import COMMAND, Commands, CommandType, Side, TimeInForce

CLEAR: Final = 0
"""Rank of what makes room for all else of its event: ghosts that it crosses, and the phase it needs."""
BEFORE: Final = 1
"""Rank of orders that enter before an event, by id."""
AT: Final = 2
"""Rank of an event's own commands, and of those after it."""

_LOGGED: Final = np.dtype(
    [
        *[("index", "<i8"), ("within", "<u8"), ("order_id", "<u8"), ("price", "<i8"), ("quantity", "<i8")],
        *[("rank", "u1"), ("origin", "u1"), ("kind", "u1"), ("side", "u1"), ("force", "u1")],
    ]
)
_PART: Final = 1 << 16


class CommandLog:
    """Commands of one symbol, each with the event it belongs to, its rank there and its origin.

    `by_arrival`: order ids grow as orders arrive.
    """

    def __init__(self, *, by_arrival: bool) -> None:
        self._by_arrival = by_arrival
        self._rows: list[tuple[int, ...]] = []
        self._parts: list[NDArray[np.void]] = [np.empty(0, _LOGGED)]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(
        self,
        index: int,
        kind: CommandType,
        order_id: int,
        *,
        side: int = Side.BUY,
        price: int = 0,
        quantity: int = 0,
        force: TimeInForce = TimeInForce.GTC,
        rank: int = AT,
        origin: Origin = Origin.RECORDED,
    ) -> None:
        """Log a command at event `index`. Those of one event and rank keep their order; `BEFORE`, that of ids."""
        self._rows.append(
            (
                index,
                order_id if rank == BEFORE and self._by_arrival else self._count,
                order_id,
                price,
                quantity,
                rank,
                origin,
                kind,
                side,
                force,
            )
        )
        self._count += 1
        if len(self._rows) == _PART:
            self._pack()

    def _pack(self) -> None:
        self._parts.append(np.array(self._rows, _LOGGED))
        self._rows.clear()

    def take(self) -> NDArray[np.void]:
        """All that was logged, in the order of the calls. The log is empty afterward."""
        self._pack()
        logged = np.concatenate(self._parts)
        self._parts = [np.empty(0, _LOGGED)]
        return logged


def sequence_of(logged: NDArray[np.void], position: Ints) -> Ints:
    """The order in which an engine gets logged commands. `position`: that of each one's event in the file."""
    return np.lexsort((logged["within"], logged["rank"], position))


def commands_of(logged: NDArray[np.void], symbol: NDArray[np.uint32]) -> Commands:
    """Logged commands as an engine takes them."""
    commands = np.zeros(len(logged), COMMAND)
    for name in ("order_id", "price", "quantity", "kind", "side"):
        commands[name] = logged[name]
    commands["time_in_force"] = logged["force"]
    commands["symbol"] = symbol
    return commands
