"""Thousands of commands of every type for each corner of the input: every event, book, stop and the tape equal the
reference engine's, in odd batches, with a tape that is emptied now and then.
"""

import numpy as np
import pytest

from lowlat.engine.matching.commands import describe
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import ExecType, Reason
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.comparison import state_difference
from tests.property.strategies import EXAMPLES
from tests.property.world_streams import WORLD_STREAMS

COMMANDS = 5_000
SEEDS = range(max(1, EXAMPLES // 150))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", WORLD_STREAMS)
def test_a_long_random_stream(name: str, seed: int) -> None:
    world = WORLD_STREAMS[name]
    oracle, native = ReferenceEngine.of(world.settings), Engine.of(world.settings)
    stream = world.commands([seed, *name.encode()], COMMANDS)
    cuts = np.cumsum(np.random.default_rng(7).integers(1, 300, len(stream)))
    happened: set[int] = set()
    for part in np.split(stream, cuts[cuts < len(stream)]):
        ours = np.concatenate([oracle.process(part[at : at + 1]) for at in range(len(part))])
        theirs = native.process(part)
        first = next((at for at, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other), None)
        assert first is None, f"{describe(ours[first])}, not {describe(theirs[first])}"
        assert len(ours) == len(theirs)
        assert state_difference(oracle, native, (0, 1)) is None
        assert oracle.drain_trades() == native.drain_trades()
        happened |= set(ours["kind"])
    native.check_invariants()
    assert happened == set(ExecType)  # the stream did reach everything that can happen


def test_the_streams_together_give_every_reason() -> None:
    given: set[int] = set()
    for name, world in WORLD_STREAMS.items():
        stream = world.commands([0, *name.encode()], COMMANDS)
        given |= set(ReferenceEngine.of(world.settings).process(stream)["reason"])
    assert {Reason(reason) for reason in given} == set(Reason)
