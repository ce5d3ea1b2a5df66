"""All command types, policies and phases together: the native engine equals the reference engine after every batch, for
any batching, and the reference engine's books follow from its own events.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowlat.engine.conformance.rows import stream_of
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import CommandType, ExecType, TradingPhase
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.comparison import difference, paste, pasted
from tests.property.rebuilt import Rebuilt
from tests.property.strategies import EXAMPLES, PROPERTY, Case
from tests.property.worlds import WORLDS


@pytest.mark.scaled
@PROPERTY
@given(WORLDS, st.sampled_from([1, 3, 8, 60]), st.booleans())
def test_events_books_stops_and_tape_are_equal_after_every_batch(case: Case, batch: int, drains: bool) -> None:
    oracle, native = ReferenceEngine.of(case.settings), Engine.of(case.settings)
    for start in range(0, len(case.rows), batch):
        differing = difference(oracle, native, case.rows[start : start + batch])
        assert differing is None, f"{differing}\n{case}"
        if drains:  # a tape that refuses has room again
            assert oracle.drain_trades() == native.drain_trades()
        native.check_invariants()


@pytest.mark.scaled
@settings(PROPERTY, max_examples=EXAMPLES // 2)
@given(WORLDS)
def test_the_events_account_for_every_lot_and_tell_the_books(case: Case) -> None:
    engine = ReferenceEngine.of(case.settings)
    books = [Rebuilt(symbol) for symbol in range(len(case.settings.instruments))]
    phases = [TradingPhase.CONTINUOUS for _ in books]
    for row in case.rows:
        events = engine.process(stream_of([row]))
        if row[4] == CommandType.PHASE and events[0]["kind"] == ExecType.ACCEPTED:
            phases[row[3]] = TradingPhase(row[2])
        for book in books:
            book.tell(row, events)
            differing = book.differs(engine.orders(book.symbol))
            assert differing is None, f"{differing}\n{case}"
            assert phases[book.symbol] != TradingPhase.CONTINUOUS or not book.crossed(), f"crossed\n{case}"


@settings(PROPERTY, max_examples=30)
@given(WORLDS)
def test_what_is_printed_can_be_pasted(case: Case) -> None:
    sized, stream = pasted(paste(case.settings, case.rows))
    assert sized == case.settings
    assert np.array_equal(stream, stream_of(case.rows))
