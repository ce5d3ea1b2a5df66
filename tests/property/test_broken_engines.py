"""Each engine with a planted fault must be detected, by the same comparison that passes the native engine, and by a
worked example.
"""

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lowlat.engine.conformance.examples import EXAMPLES
from lowlat.engine.conformance.examples.example import failure
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.broken_engines import BROKEN, TakerPriced
from tests.property.broken_rules import BROKEN_RULES, AllOrNoneTradesInPart
from tests.property.comparison import difference, pasted
from tests.property.strategies import PROPERTY, Case, cases
from tests.property.worlds import ROOMY, WORLDS, world_rows

TWO_BOOKS = st.just(EngineConfig((Instrument(), Instrument()), orders=64, trades=64))

each_broken_engine = pytest.mark.parametrize("broken", BROKEN, ids=lambda kind: kind.__name__)


def differs(case: Case, broken: type[MatchingEngine]) -> bool:
    return difference(ReferenceEngine.of(case.settings), broken.of(case.settings), case.rows) is not None


ENOUGH = settings(PROPERTY, max_examples=2_000, phases=[Phase.generate], database=None, derandomize=True)
"""The first commands that tell two engines apart are enough; where there are none, `find` raises NoSuchExample."""


@pytest.mark.slow
@each_broken_engine
def test_a_property_rejects_it(broken: type[MatchingEngine]) -> None:
    find(cases(sizes=TWO_BOOKS), lambda case: differs(case, broken), settings=ENOUGH)


@pytest.fixture(scope="module")
def worlds() -> list[Case]:
    """As many cases as the property that compares small worlds draws, generated once for all tests."""
    drawn: list[Case] = []

    @settings(ENOUGH, max_examples=150)
    @given(WORLDS)
    def draw(case: Case) -> None:
        drawn.append(case)

    draw()
    return drawn


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN_RULES, ids=lambda kind: kind.__name__)
def test_a_property_of_small_worlds_rejects_it(broken: type[MatchingEngine], worlds: list[Case]) -> None:
    if not any(differs(case, broken) for case in worlds):
        find(WORLDS, lambda case: differs(case, broken), settings=ENOUGH)


@pytest.mark.parametrize("broken", [*BROKEN, *BROKEN_RULES], ids=lambda kind: kind.__name__)
def test_a_worked_example_rejects_it(broken: type[MatchingEngine]) -> None:
    # The first is enough: a broken engine may not terminate on the others.
    assert any(failure(example, broken.of(example.settings)) for example in EXAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "strategy"),
    [(TakerPriced, cases(4, TWO_BOOKS)), (AllOrNoneTradesInPart, cases(4, st.just(ROOMY), world_rows))],
    ids=["plain", "wide"],
)
def test_a_failure_shrinks_to_few_commands_that_can_be_pasted(
    broken: type[MatchingEngine], strategy: SearchStrategy[Case]
) -> None:
    shrinking = settings(
        PROPERTY,
        max_examples=2_000,
        phases=[Phase.generate, Phase.shrink],
        database=None,
        derandomize=True,
    )
    case = find(strategy, lambda case: differs(case, broken), settings=shrinking)
    assert len(case.rows) <= 3  # one order rests, one trades with it
    sized, stream = pasted(repr(case))
    ours, theirs = (kind.of(sized).process(stream) for kind in (ReferenceEngine, broken))
    assert ours.tolist() != theirs.tolist()
