"""The commands of a recorded flow as the walk leaves them, in the order in which an engine gets them.

Each has the event that it belongs to, its origin, and its rank among those of that event: first what makes room for all
else, such as ghosts; then orders that enter before the event, by id; then the event's own commands, in their order.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.flow.recording.model import Ints
from lowlat.engine.matching.records import COMMAND, Commands

_BEFORE: Final = 1
"""Rank of orders that enter before an event (`Rank` of `engine/native/flow/recording/recorded_log.hpp`)."""
_RANK_BITS: Final = 2
_FIELDS: Final = ("order_id", "price", "quantity", "kind", "side", "time_in_force")
_LOGGED: Final = np.dtype(
    {
        "names": ["order_id", "price", "key", "quantity", "kind", "side", "time_in_force", "origin"],
        "formats": ["<u8", "<i8", "<u8", "<u4", "u1", "u1", "u1", "u1"],
    }
)
"""`LoggedCommand`. `key`: event and rank."""


class CommandLog:
    """Commands of one symbol. `by_arrival`: order ids grow as orders arrive."""

    def __init__(self, walk: _core.RecordedWalk, *, by_arrival: bool) -> None:
        self._walk, self._by_arrival = walk, by_arrival
        self._count = walk.commands()

    def __len__(self) -> int:
        return self._count

    def sequence(self) -> Ints:
        """The order in which an engine gets the logged commands: their places in the log."""
        key = np.empty(self._count, np.uint64)
        self._walk.keys(key)
        order = np.argsort(key, kind="stable")
        if self._by_arrival:
            early = (key & ((1 << _RANK_BITS) - 1)) == _BEFORE
            before = np.flatnonzero(early[order])
            placed, ids = order[before], np.empty(len(before), np.uint64)
            self._walk.ids(placed, ids)
            order[before] = placed[np.lexsort((ids, key[placed]))]
        return order

    def commands(self, position: Ints, symbol: int) -> tuple[Commands, NDArray[np.uint8], Ints]:
        """The logged commands at these positions, the origin of each, and the index of its event. Empties the log."""
        commands = np.zeros(self._count, COMMAND)
        origin = np.zeros(self._count, np.uint8)
        index = np.zeros(self._count, np.int64)
        room = np.empty(_core.RECORDED_PART_COMMANDS, _LOGGED)
        for number, first in enumerate(range(0, self._count, len(room))):
            part = room[: self._walk.take_part(number, room)]
            at = position[first : first + len(part)]
            for name in _FIELDS:
                commands[name][at] = part[name]
            origin[at] = part["origin"]
            index[at] = part["key"] >> np.uint64(_RANK_BITS)
        commands["symbol"] = symbol
        return commands, origin, index


def positions_of(sequence: Ints) -> Ints:
    """Where each element stands in a sequence of them."""
    position = np.empty_like(sequence)
    position[sequence] = np.arange(len(sequence))
    return position
