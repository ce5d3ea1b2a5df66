"""An engine that ends and recovers between batches, with or without a snapshot, still equals the reference engine in
every event and book, for all commands, pools and policies.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.comparison import difference
from tests.property.strategies import PROPERTY, Case
from tests.property.worlds import WORLDS

ENDS = st.lists(st.sampled_from(["goes on", "ends", "saves and ends", "saves", "drains"]), min_size=1, max_size=6)
# Each end makes an engine and a file, which take milliseconds.
COSTLY = settings(PROPERTY, max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate])


class Forgetful(JournaledEngine):
    """Broken: it empties the tape without recording that in its journal."""

    def drain_trades(self) -> int:
        return self.matcher.drain_trades()


def check(engine_type: type[JournaledEngine], case: Case, batch: int, ends: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, oracle = Path(folder) / "journal", ReferenceEngine.of(case.settings)
        engine = engine_type.journaling(path, case.settings, sync=SyncPolicy.NONE)
        for number, start in enumerate(range(0, len(case.rows), batch)):
            differing = difference(oracle, engine, case.rows[start : start + batch])
            assert differing is None, f"{differing}\n{case}"
            end = ends[number % len(ends)]
            if end == "drains":
                assert oracle.drain_trades() == engine.drain_trades()
            if "saves" in end:
                engine.snapshot()
            if "ends" in end:
                engine.close()
                engine = engine_type.recover(path, sync=SyncPolicy.NONE)
                engine.check_invariants()
        engine.close()


@COSTLY
@given(WORLDS, st.sampled_from([5, 9, 20]), ENDS)
def test_it_is_the_reference_engine_however_often_it_comes_back(case: Case, batch: int, ends: list[str]) -> None:
    check(JournaledEngine, case, batch, ends)


def test_an_engine_that_forgets_is_found() -> None:
    @settings(COSTLY, max_examples=500, derandomize=True, database=None)
    @given(WORLDS)
    def forgets(case: Case) -> None:
        check(Forgetful, case, 8, ["drains", "ends"])

    with pytest.raises(AssertionError, match="tape:"):
        forgets()
