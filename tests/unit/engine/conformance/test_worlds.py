"""Random worlds have what an engine takes, all of it, and nothing else."""

import itertools

import numpy as np
import pytest

from lowlat.engine.conformance.worlds import World
from lowlat.engine.foreign.capabilities import needed
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import ExecType, PoolPolicy

FIELDS = {Capability.REASONS, Capability.TRADE_IDS}
"""Of events, not of commands."""
KINDS = frozenset(Capability) - FIELDS


@pytest.mark.parametrize("claimed", [frozenset(), KINDS, *(frozenset({each}) for each in KINDS)], ids=str)
def test_worlds_need_no_more_than_is_claimed(claimed: frozenset[Capability]) -> None:
    for seed in range(30):
        world = World(claimed, f"{seed}")
        assert needed(world.commands, world.instruments).keys() <= claimed


def test_worlds_have_all_that_is_claimed() -> None:
    seen = set(
        itertools.chain.from_iterable(
            needed((w := World(KINDS, f"{seed}")).commands, w.instruments) for seed in range(60)
        )
    )
    assert seen == KINDS


def test_worlds_are_made_by_their_seed() -> None:
    one, same, other = World(KINDS, "1"), World(KINDS, "1"), World(KINDS, "2")
    assert np.array_equal(one.commands, same.commands) and one.instruments == same.instruments
    assert not np.array_equal(one.commands, other.commands)


def test_worlds_trade_and_go_wrong() -> None:
    kinds = []
    for seed in range(40):
        world = World(KINDS, f"{seed}")
        engine = Engine.of(EngineConfig(world.instruments, 64, when_orders_dry=PoolPolicy.GROW))
        kinds += engine.process(world.commands)["kind"].tolist()
    assert {ExecType.TRADE, ExecType.REJECTED, ExecType.CANCELLED, ExecType.TRIGGERED} <= {*kinds}
    assert kinds.count(ExecType.TRADE) > len(kinds) // 20
