"""A check that cannot fail is no check: each engine with a fault planted must be told from a sound one, by the same
comparison that passes the native engine, and by a worked example."""

import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st

from engine.contract import MatchingEngine
from engine.instrument import Instrument
from engine.reference import ReferenceEngine
from engine.settings import Settings
from tests.property.broken_engines import BROKEN, TakerPriced
from tests.property.comparison import difference, pasted
from tests.property.strategies import PROPERTY, Case, cases
from tests.worked_examples import EXAMPLES
from tests.worked_examples.example import failure

TWO_BOOKS = st.just(Settings((Instrument(), Instrument()), orders=64, trades=64))

each_broken_engine = pytest.mark.parametrize("broken", BROKEN, ids=lambda kind: kind.__name__)


def differs(case: Case, broken: type[MatchingEngine]) -> bool:
    return difference(ReferenceEngine.of(case.settings), broken.of(case.settings), case.rows) is not None


@each_broken_engine
def test_a_property_rejects_it(broken: type[MatchingEngine]) -> None:
    # Raises NoSuchExample where no commands tell the two apart; the first that do are enough.
    enough = settings(PROPERTY, max_examples=2_000, phases=[Phase.generate], database=None, derandomize=True)
    find(cases(sizes=TWO_BOOKS), lambda case: differs(case, broken), settings=enough)


@each_broken_engine
def test_a_worked_example_rejects_it(broken: type[MatchingEngine]) -> None:
    failures = [failure(example, broken.of(example.settings)) for example in EXAMPLES]
    assert any(failures)


def test_a_failure_shrinks_to_few_commands_that_can_be_pasted() -> None:
    shrinking = settings(
        PROPERTY, max_examples=2_000, phases=[Phase.generate, Phase.shrink], database=None, derandomize=True
    )
    case = find(cases(4, TWO_BOOKS), lambda case: differs(case, TakerPriced), settings=shrinking)
    assert len(case.rows) <= 3  # one order rests, one trades with it at another price
    sized, stream = pasted(repr(case))
    ours, theirs = (kind.of(sized).process(stream) for kind in (ReferenceEngine, TakerPriced))
    assert ours.tolist() != theirs.tolist()
