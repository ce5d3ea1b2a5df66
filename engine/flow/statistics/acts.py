"""Names the purpose of each command of a flow, with the keys of a profile's `[mix]`."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.profile import Mix
from lowlat.engine.flow.records import FollowedCommands
from lowlat.engine.matching.records import Commands, CommandType, ExecInst, TimeInForce

ACTS: Final = Mix.__struct_fields__
"""The acts, in the order of their numbers."""
OTHER: Final = len(ACTS)
"""The number of a command that no act describes: the engine rejected it."""

_OF_KIND: Final = {
    CommandType.MARKET: "market",
    CommandType.CANCEL: "cancel",
    CommandType.REDUCE: "reduce",
    CommandType.REPLACE: "replace",
    CommandType.STOP: "stop",
    CommandType.STOP_LIMIT: "stop_limit",
    CommandType.TRAILING_STOP: "trailing_stop",
    CommandType.ADVANCE_TIME: "clock",
    CommandType.PHASE: "auction",
}


def acts_of(commands: Commands, rows: FollowedCommands) -> NDArray[np.uint8]:
    """The act of each command: an index into `ACTS`, or `OTHER`. uint8 (n,).

    A limit order that could not trade is an add; one that traded is a take, whatever its price.
    """
    kind, force, flags = (commands[name] for name in ("kind", "time_in_force", "flags"))
    limit = kind == CommandType.LIMIT
    iceberg = commands["display_quantity"] > 0 if "display_quantity" in (commands.dtype.names or ()) else False
    conditions = {
        **{name: kind == number for number, name in _OF_KIND.items()},
        "fok": limit & (force == TimeInForce.FOK),
        "ioc": limit & (force == TimeInForce.IOC),
        "slide": limit & (flags & ExecInst.PRICE_SLIDE != 0),
        "all_or_none": limit & (flags & ExecInst.ALL_OR_NONE != 0),
        "iceberg": limit & iceberg,
        "day": limit & (force == TimeInForce.DAY),
        "gtd": limit & (force == TimeInForce.GTD),
        "post_only": limit & (flags & ExecInst.POST_ONLY != 0),
        "take": limit & (rows["makers"] > 0),
        "add": limit,
    }
    chosen = [rows["accepted"] == 0, *conditions.values()]
    numbers = [OTHER, *(ACTS.index(name) for name in conditions)]
    return np.select(chosen, numbers, OTHER).astype(np.uint8)
