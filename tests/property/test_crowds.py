"""All-or-none orders, trailing stops, fill-or-kill and self-trade prevention in crowds: in small books, and in books so
large that the native engine keeps an index of them. Its events, books and stops equal those of the reference engine.
"""

from collections.abc import Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lowlat.engine.conformance.rows import Row
from lowlat.engine.matching.commands import extended_command
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import (
    CommandType,
    ExecInst,
    MatchAlgorithm,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property import broken_rules
from tests.property.comparison import difference, paste
from tests.property.strategies import EXAMPLES, PROPERTY, Case, cases, mixed, naming
from tests.property.worlds import kinds, world_settings

DENSE = {
    "all_or_none": 9,
    "trailing_stop": 6,
    "one_shot": 6,
    "limit": 8,
    "iceberg": 2,
    "market": 2,
    "post_only": 1,
    "slide": 1,
    "stop": 2,
    "stop_limit": 1,
    "dated": 1,
    "clock": 1,
    "phase": 1,
    "cancel": 3,
    "reduce": 3,
    "replace": 4,
}
"""How often a kind is drawn."""

CROWD = 500
SYMBOLS = tuple(Instrument(algorithm=algorithm) for algorithm in MatchAlgorithm)
CROWDED = EngineConfig(SYMBOLS, orders=4_096, trades=8_192)


def dense(tick: int, lot: int) -> st.SearchStrategy[Row]:
    drawn = kinds(tick, lot)
    return mixed(*((weight, drawn[name]) for name, weight in DENSE.items()))


def dense_rows(sized: EngineConfig) -> st.SearchStrategy[Row]:
    return dense(sized.instruments[0].tick, sized.instruments[0].lot)


def crowd_order(at: int, symbol: int, participants: int) -> Row:
    """One of many: a limit order to sell, some icebergs, some all-or-none orders (by time priority only), and bids."""
    side = Side.BUY if at % 5 == 0 else Side.SELL
    fields = {
        "side": side,
        "price": -(at % 3) - 1 if side == Side.BUY else at % 4 + 1,
        "quantity": 1 + at % 3,
        "symbol": symbol,
        "participant_id": 1 + at % participants if participants else 0,
    }
    if at % 7 == 3:
        fields |= {"quantity": 5, "display_quantity": 2}
    elif at % 31 == 8 and symbol == 0:
        fields |= {"quantity": 9, "flags": ExecInst.ALL_OR_NONE}
    return extended_command(CommandType.LIMIT, 1_000_000 + at, **fields)


def crowd(participants: int) -> list[Row]:
    """A crowd in each book, and orders that cannot fill, whose walks make it worth an index."""
    rows = [crowd_order(at, symbol, participants) for at in range(CROWD) for symbol in range(len(SYMBOLS))]
    kill = {
        "side": Side.BUY,
        "price": 5,
        "quantity": 1_000_000,
        "time_in_force": TimeInForce.FOK,
        "participant_id": 1,
        "self_trade": SelfTradePrevention.CANCEL_RESTING,
    }
    kills = [extended_command(CommandType.LIMIT, 1, symbol=symbol, **kill) for symbol in range(len(SYMBOLS))]
    return rows + kills * 8


def check(tested: type[MatchingEngine], sized: EngineConfig, before: Sequence[Row], rows: Sequence[Row]) -> None:
    """Both engines give the same, a few commands at a time."""
    oracle, engine = ReferenceEngine.of(sized), tested.of(sized)
    if before:
        assert difference(oracle, engine, before) is None
    for start in range(0, len(rows), 4):
        told = [naming(oracle, row) for row in rows[start : start + 4]] if before else rows[start : start + 4]
        differing = difference(oracle, engine, told)
        assert differing is None, f"{differing}\n{paste(sized, rows)}"
        if isinstance(engine, Engine):
            engine.check_invariants()


@pytest.mark.scaled
@PROPERTY
@given(cases(100, world_settings(), dense_rows, short=5))
def test_dense_small_books(case: Case) -> None:
    check(Engine, case.settings, [], case.rows)


@pytest.mark.scaled
@settings(PROPERTY, max_examples=EXAMPLES // 6)
@given(st.lists(dense(1, 1), min_size=20, max_size=60), st.sampled_from([0, 1, 2, 5]))
def test_dense_books_with_an_index(rows: list[Row], participants: int) -> None:
    check(Engine, CROWDED, crowd(participants), rows)


@pytest.mark.parametrize("broken", [broken_rules.AllOrNoneTradesInPart, broken_rules.CascadeLastInFirstOut])
def test_a_broken_engine_is_rejected(broken: type[MatchingEngine]) -> None:
    @settings(PROPERTY, max_examples=500, phases=[Phase.generate], derandomize=True, database=None)
    @given(cases(100, world_settings(), dense_rows, short=5))
    def compare(case: Case) -> None:
        check(broken, case.settings, [], case.rows)

    with pytest.raises(AssertionError):
        compare()
