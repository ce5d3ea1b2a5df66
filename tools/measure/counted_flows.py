"""The flows whose cost is counted: every profile, and cases that an order index finds hard.

A case is a profile with other order ids, with just enough room for its orders, or after many commands. Its commands are
otherwise alike, so the difference to the profile is what the index costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow

COMMANDS, SEED = 100_000, 1

Ids = NDArray[np.uint64]


def strided(ids: Ids) -> Ids:
    """Ids that count up by 64, as where the low bits name one gateway of many."""
    return ids * np.uint64(64)


def shuffled(ids: Ids) -> Ids:
    """Dense ids in random order."""
    return np.random.default_rng(SEED).permutation(int(ids.max()) + 1).astype(np.uint64)[ids]


def scattered(ids: Ids) -> Ids:
    """Ids that look random in all 64 bits, by the finalizer of SplitMix64."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        ids = (ids ^ (ids >> np.uint64(shift))) * np.uint64(factor)
    return ids


IDS: Final[dict[str, Callable[[Ids], Ids]]] = {
    "ids of stride 64": strided,
    "shuffled ids": shuffled,
    "random ids": scattered,
}
LONG_RUN: Final = {"deep": 500_000}
"""Commands before the counted ones, until the ids of live orders are as far apart as they get."""
LEAST_ROOM: Final = {"steady": 20_000, "deep": 200_000}
"""Room for twice the live orders; where a profile has that already, it is a case by itself."""


def counted_flows() -> Iterator[Flow]:
    """A flow for each profile and each case, by the name of its figures."""
    for profile in profile_names():
        flow = synthetic_flow(load_profile(profile), COMMANDS, SEED)
        yield flow
        if profile in LONG_RUN:
            before = LONG_RUN[profile]
            long = synthetic_flow(load_profile(profile), before + COMMANDS, SEED)
            yield replace(long, name=f"{profile}, in the long run", seeded=flow.seeded + before)
        if profile not in LEAST_ROOM:
            continue
        for name, renamed in IDS.items():
            commands = flow.commands.copy()
            commands["order_id"] = renamed(flow.commands["order_id"])
            yield replace(flow, name=f"{profile}, {name}", commands=commands)
        if flow.orders != LEAST_ROOM[profile]:
            yield replace(flow, name=f"{profile}, little room", orders=LEAST_ROOM[profile])
