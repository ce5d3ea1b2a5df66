"""The commands of a recorded flow as they are collected, and in the order in which an engine gets them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.recording.model import Ints, Origin
from lowlat.engine.matching.records import COMMAND, Commands, Side, TimeInForce

CLEAR: Final = 0
"""Rank of what makes room for all else of its event: ghosts that it crosses, and the phase it needs."""
BEFORE: Final = 1
"""Rank of orders that enter before an event, by id."""
AT: Final = 2
"""Rank of an event's own commands, and of those after it."""

_FIELDS: Final = ("order_id", "price", "quantity", "kind", "side", "time_in_force")
_LOGGED: Final = np.dtype([*((name, COMMAND[name]) for name in _FIELDS), ("key", "<u8"), ("origin", "u1")])
_RANK_BITS: Final = 2
_PART: Final = 1 << 16


class CommandLog:
    """Commands of one symbol, each with the event it belongs to, its rank there and its origin.

    `by_arrival`: order ids grow as orders arrive.
    """

    def __init__(self, *, by_arrival: bool) -> None:
        self._by_arrival = by_arrival
        self._rows: list[tuple[int, ...]] = []
        self._parts: list[NDArray[np.void]] = []
        self._packed = 0

    def __len__(self) -> int:
        return self._packed + len(self._rows)

    def add(
        self,
        index: int,
        kind: int,
        order_id: int,
        quantity: int,
        side: int = Side.BUY,
        price: int = 0,
        *,
        force: int = TimeInForce.GTC,
        rank: int = AT,
        origin: int = Origin.RECORDED,
    ) -> None:
        """Log a command at event `index`. Those of one event and rank keep their order; `BEFORE`, that of ids."""
        self._rows.append((order_id, price, quantity, kind, side, force, index << _RANK_BITS | rank, origin))
        if len(self._rows) == _PART:
            self._pack()

    def _pack(self) -> None:
        self._parts.append(np.array(self._rows, _LOGGED))
        self._packed += len(self._rows)
        self._rows.clear()

    def sequence(self) -> Ints:
        """The order in which an engine gets the logged commands: their places in the log."""
        self._pack()
        key = np.concatenate([part["key"] for part in self._parts])
        order = np.argsort(key, kind="stable")
        if self._by_arrival:
            before = np.flatnonzero((key[order] & ((1 << _RANK_BITS) - 1)) == BEFORE)
            if len(before):
                placed = order[before]
                ids = np.concatenate([part["order_id"] for part in self._parts])[placed]
                order[before] = placed[np.lexsort((ids, key[placed]))]
        return order

    def commands(self, position: Ints, symbol: int) -> tuple[Commands, NDArray[np.uint8], Ints]:
        """The logged commands at these positions, the origin of each, and the index of its event. Empties the log."""
        commands = np.zeros(len(position), COMMAND)
        origin = np.zeros(len(position), np.uint8)
        index = np.zeros(len(position), np.int64)
        for number, first in enumerate(range(0, self._packed, _PART)):
            part, self._parts[number] = self._parts[number], np.empty(0, _LOGGED)
            at = position[first : first + len(part)]
            for name in _FIELDS:
                commands[name][at] = part[name]
            origin[at] = part["origin"]
            index[at] = part["key"] >> np.uint64(_RANK_BITS)
        commands["symbol"] = symbol
        self._parts.clear()
        return commands, origin, index


def positions_of(sequence: Ints) -> Ints:
    """Where each element stands in a sequence of them."""
    position = np.empty_like(sequence)
    position[sequence] = np.arange(len(sequence))
    return position
