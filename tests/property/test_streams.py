"""Tens of thousands of commands for each corner of the input: every event and the final books equal the reference
engine's, and the bytes are the same for any batching.
"""

import msgspec
import numpy as np
import pytest

from lowlat.engine.flow.profile import load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.commands import describe
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import ExecType
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.comparison import state_difference
from tests.property.strategies import EXAMPLES
from tests.property.streams import STREAMS

COMMANDS = 6_000
SEEDS = range(max(1, EXAMPLES // 150))


def compare(settings: EngineConfig, stream: np.ndarray) -> np.ndarray:
    """Run both engines over a stream, the native one in odd batches; return the events."""
    native, reference = Engine.of(settings), ReferenceEngine.of(settings)
    cuts = np.cumsum(np.random.default_rng(7).integers(1, 700, len(stream)))
    ours = reference.process(stream)
    theirs = np.concatenate([native.process(part) for part in np.split(stream, cuts[cuts < len(stream)])])
    first = next((at for at, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other), None)
    assert first is None, f"event {first}: {describe(ours[first])}, not {describe(theirs[first])}"
    assert len(ours) == len(theirs)
    native.check_invariants()
    assert state_difference(reference, native, range(len(settings.instruments))) is None
    return ours


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", STREAMS)
def test_a_long_random_stream(name: str, seed: int) -> None:
    stream = STREAMS[name]
    events = compare(stream.settings, stream.commands(seed, COMMANDS))
    # The stream did reach everything that can happen to plain orders.
    assert set(events["kind"]) == set(ExecType) - {ExecType.TRIGGERED, ExecType.REFILLED}


COSTLY = ("deep", "many-symbols")
"""Profiles of which the reference engine takes seconds for the orders that populate the book."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in COSTLY)) for name in profile_names()]
)
def test_a_flood(name: str) -> None:
    profile = load_profile(name)
    if profile.live_orders > 1_000_000:  # the reference engine would take minutes for the orders that seed it
        profile = msgspec.structs.replace(profile, symbols=80, live_orders=15_000)
    flow = synthetic_flow(profile, COMMANDS, 1)
    settings = EngineConfig(flow.instruments, orders=flow.orders)
    events = compare(settings, flow.commands[: flow.seeded + COMMANDS])
    assert (events["kind"] != ExecType.REJECTED).all()
