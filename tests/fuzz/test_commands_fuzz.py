"""Any bytes are commands: for any array of the right dtype, the engine gives the same events as the reference engine,
and its books stay valid.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator

from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, Commands, MatchAlgorithm, TickRounding
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.comparison import paste, state_difference
from tests.property.strategies import PROPERTY
from tests.property.world_streams import WORLD_STREAMS

SETTINGS = EngineConfig((Instrument(), Instrument(tick=7, lot=3, price_min=-700)), orders=30, trades=10)
ROUNDING = (Instrument(tick=3, off_tick=TickRounding.NEAREST), Instrument(algorithm=MatchAlgorithm.PRO_RATA))
WIDE_SETTINGS = EngineConfig(SETTINGS.instruments + ROUNDING, orders=30, trades=10)


def answers_are_equal(settings: EngineConfig, stream: Commands) -> None:
    native, reference = Engine.of(settings), ReferenceEngine.of(settings)
    theirs, ours = native.process(stream).tolist(), reference.process(stream).tolist()
    assert theirs == ours, paste(settings, stream.tolist())
    assert state_difference(reference, native, range(len(settings.instruments))) is None, paste(
        settings, stream.tolist()
    )
    native.check_invariants()


@pytest.mark.scaled
@PROPERTY
@given(st.binary(max_size=32 * 40))
def test_bytes(raw: bytes) -> None:
    answers_are_equal(SETTINGS, np.frombuffer(raw[: len(raw) // 32 * 32], COMMAND))


@pytest.mark.scaled
@PROPERTY
@given(st.binary(max_size=64 * 40))
def test_wide_bytes(raw: bytes) -> None:
    answers_are_equal(WIDE_SETTINGS, np.frombuffer(raw[: len(raw) // 64 * 64], EXTENDED_COMMAND))


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes(seed: int) -> None:
    random = np.random.default_rng(seed)
    stream = np.frombuffer(random.bytes(32 * 4_000), COMMAND).copy()
    # Without this, nearly all would be rejected for the kind or the symbol.
    for name, few in (("kind", 7), ("symbol", 3), ("side", 3), ("time_in_force", 4), ("flags", 3), ("order_id", 20)):
        kept = random.random(len(stream)) < 0.05
        stream[name] = np.where(kept, stream[name], random.integers(0, few, len(stream)))
    near = random.random(len(stream)) < 0.8
    stream["price"] = np.where(near, random.integers(-5, 6, len(stream)), stream["price"])
    stream["quantity"] = np.where(near, random.integers(-1, 9, len(stream)), stream["quantity"])
    answers_are_equal(SETTINGS, stream)


def flipped(stream: Commands, random: Generator) -> Commands:
    """The array with 2,000 bits flipped: nearly valid commands reach further than random ones."""
    made = stream.copy()
    raw = made.view(np.uint8).reshape(-1)
    raw[random.integers(0, len(raw), 2_000)] ^= np.uint8(1) << random.integers(0, 8, 2_000, dtype=np.uint8)
    return made


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("profile", ["cancel-storm", "all-kinds"])
def test_a_flood_with_bits_flipped(profile: str, seed: int) -> None:
    flow = synthetic_flow(load_profile(profile), 3_000, seed)
    stream = flipped(flow.commands, np.random.default_rng(seed))
    answers_are_equal(EngineConfig(flow.instruments, orders=flow.orders), stream)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["close", "rounded", "pools-exhausted", "tape-rejects"])
def test_every_kind_with_bits_flipped(name: str, seed: int) -> None:
    world = WORLD_STREAMS[name]
    stream = flipped(world.commands([seed, *name.encode()], 4_000), np.random.default_rng(seed))
    answers_are_equal(world.settings, stream)


@pytest.mark.parametrize("seed", range(5))
def test_commands_shuffled_repeated_and_left_out(seed: int) -> None:
    random = np.random.default_rng(seed)
    flow = synthetic_flow(load_profile("sweep"), 3_000, seed)
    stream = random.choice(flow.commands, len(flow.commands))
    answers_are_equal(EngineConfig((Instrument(),), orders=flow.orders), stream)
