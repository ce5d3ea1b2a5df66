"""One state machine for each operation on a book. After every step the native engine's events and book equal those of
the reference engine, and the native book is valid.
"""

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.native import Engine
from tests.property import broken_engines, broken_rules
from tests.property.machines import ORDER_KINDS, machine, world_machine
from tests.property.strategies import EXAMPLES, PROPERTY

STEPS = settings(PROPERTY, max_examples=EXAMPLES // 6, stateful_step_count=40)


@pytest.mark.scaled
@pytest.mark.parametrize("kind", ORDER_KINDS)
def test_the_native_engine_does_it_like_the_reference(kind: str) -> None:
    run_state_machine_as_test(machine(Engine, kind), settings=STEPS)


@pytest.mark.scaled
def test_all_plain_kinds_mixed() -> None:
    run_state_machine_as_test(machine(Engine, *ORDER_KINDS), settings=STEPS)


@pytest.mark.scaled
def test_everything_that_can_be_asked() -> None:
    run_state_machine_as_test(world_machine(Engine), settings=settings(STEPS, max_examples=EXAMPLES // 3))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        ("limit", broken_engines.TakerPriced),
        ("market", broken_engines.MarketRests),
        ("immediate_or_cancel", broken_engines.IocRests),
        ("fill_or_kill", broken_engines.FokTradesInPart),
        ("post_only", broken_engines.PostOnlyTrades),
        ("cancel", broken_engines.ForgetsToRemoveEmptyLevels),
        ("reduce", broken_engines.ReduceLosesPlace),
        ("replace", broken_engines.ReplaceKeepsPlace),
        ("wrong", broken_engines.DuplicateIdReplaces),
    ],
)
def test_the_machine_rejects_a_broken_engine(kind: str, broken: type[MatchingEngine]) -> None:
    finding = settings(STEPS, max_examples=500, phases=[Phase.generate], derandomize=True, database=None)
    with pytest.raises(AssertionError, match="commands"):
        run_state_machine_as_test(machine(broken, kind), settings=finding)


@pytest.mark.slow
@pytest.mark.parametrize("broken", [broken_rules.CascadeLastInFirstOut, broken_rules.AllOrNoneTradesInPart])
def test_the_world_machine_rejects_a_broken_engine(broken: type[MatchingEngine]) -> None:
    finding = settings(STEPS, max_examples=500, phases=[Phase.generate], derandomize=True, database=None)
    with pytest.raises(AssertionError, match="extended_commands"):
        run_state_machine_as_test(world_machine(broken), settings=finding)
