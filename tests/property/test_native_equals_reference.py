"""No list of commands may tell the native engine from the reference engine, which is simple enough to read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowlat.engine.matching.commands import commands
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.comparison import difference, paste, pasted, split
from tests.property.strategies import PROPERTY, Case, cases


@pytest.mark.scaled
@PROPERTY
@given(cases())
def test_every_event_and_the_final_books_are_equal(case: Case) -> None:
    native = Engine.of(case.settings)
    differing = difference(ReferenceEngine.of(case.settings), native, case.rows)
    assert differing is None, f"{differing}\n{case}"
    native.check_invariants()


@pytest.mark.scaled
@PROPERTY
@given(cases(), st.sampled_from([1, 2, 7, 17]))
def test_where_a_batch_is_split_makes_no_byte_of_difference(case: Case, batch: int) -> None:
    stream = commands(*case.rows)
    whole = Engine.of(case.settings).process(stream)
    engine = Engine.of(case.settings)
    parts = [np.empty(0, EVENT), *(engine.process(part) for part in split(stream, batch))]
    assert whole.tobytes() == b"".join(part.tobytes() for part in parts), f"{case}"


@pytest.mark.scaled
@PROPERTY
@given(cases(20))
def test_a_reset_engine_is_a_new_one(case: Case) -> None:
    used = Engine.of(case.settings)
    used.process(commands(*case.rows))
    used.reset()
    used.check_invariants()
    if case.settings.when_orders_dry.name == "REJECT":  # pools that have grown stay so
        differing = difference(ReferenceEngine.of(case.settings), used, case.rows)
        assert differing is None, f"{differing}\nbefore and after a reset:\n{case}"


@settings(PROPERTY, max_examples=50)
@given(cases())
def test_what_is_printed_can_be_pasted(case: Case) -> None:
    sized, stream = pasted(paste(case.settings, case.rows))
    assert sized == case.settings
    assert np.array_equal(stream, commands(*case.rows))
