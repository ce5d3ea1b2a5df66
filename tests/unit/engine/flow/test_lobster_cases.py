"""Small files after public reports of what LOBSTER files hold: each gives the book and the fills of its venue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from lowlat.engine.flow.readers.lobster import read_lobster
from lowlat.engine.flow.recording import RecordedFlow
from lowlat.engine.flow.registry import reader_of
from lowlat.engine.matching.records import CommandType, Side
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.errors import UsageError
from tests.recorded_venue import replayed

CASES = Path(__file__).parents[3] / "lobster_cases"


class Right(NamedTuple):
    """Bursts, all of which match; the orders at the end (id, price, quantity); what was changed, as notes."""

    bursts: int
    orders: list[tuple[int, int, int]]
    notes: Mapping[str, int] = {}


BASE = Right(2, [(100, 5853300, 13), (103, 5856000, 10)])
RIGHT = {
    "base": BASE,
    "spaces": BASE,
    "bom": BASE._replace(notes={"byte order mark": 1}),
    "header": BASE._replace(notes={"line of column names": 1}),
    "size0_delete": BASE,
    "crossed": Right(1, [], {"locks or crosses the book": 1, "differs from its order in side or price": 1}),
    "locked": Right(0, [(2, 5850000, 10)], {"locks or crosses the book": 1}),
    "delete_between_fills": Right(2, []),
    "halt_cross": Right(
        2,
        [(1, 1000000, 5), (2, 1000200, 5), (5, 1005000, 20)],
        {"cross trade": 1, "executions in an auction": 2},
    ),
    "over_exec": Right(2, [(2, 5850100, 10)], {"takes more than shown": 1}),
    "readd_live_id": Right(1, [(3, 1000000, 10), (2, 1000200, 10)], {"adds an order that is in the book": 1}),
    "replace_same_id_priority": Right(3, []),
    "subdollar": Right(1, [(1, 9512, 100), (2, 9533, 50)]),
}


@pytest.mark.parametrize("case", RIGHT)
def test_each_file_gives_its_venues_fills_and_book(case: str) -> None:
    flow, right = read_lobster(CASES / f"{case}.csv"), RIGHT[case]
    check = replayed(flow)
    assert (check.matched, check.total, check.stray_trades, check.rejected) == (right.bursts, right.bursts, 0, 0)
    assert flow.changes.departures == 0 and not flow.changes.removed
    assert orders_after(flow, len(flow.commands)) == right.orders
    counted = flow.changes.left_out + flow.changes.believed + flow.changes.applied
    assert counted == right.notes


def orders_after(flow: RecordedFlow, commands: int) -> list[tuple[int, int, int]]:
    engine = ReferenceEngine(flow.instruments)
    engine.process(flow.commands[:commands])
    return [tuple(row) for row in engine.orders()[["order_id", "price", "quantity"]].tolist()]


def test_every_case_has_its_right_answer() -> None:
    assert {path.stem for path in CASES.glob("*.csv")} == RIGHT.keys() | {"onlyhidden"}


@pytest.mark.parametrize("case", sorted(RIGHT))
def test_each_file_is_recognized(case: str, tmp_path: Path) -> None:
    copy = tmp_path / "day.dat"
    copy.write_bytes((CASES / f"{case}.csv").read_bytes())
    assert reader_of(copy).name == "lobster"


def test_a_locked_book_stands_until_the_venue_says_otherwise() -> None:
    flow = read_lobster(CASES / "locked.csv")
    engine = ReferenceEngine(flow.instruments)
    shown = []
    for n in range(len(flow.commands)):
        engine.process(flow.commands[n : n + 1])
        shown.append((flow.row[n], CommandType(flow.commands["kind"][n]).name, engine.best().bid, engine.best().ask))
    assert shown == [
        (1, "LIMIT", 5850000, None),
        (2, "PHASE", 5850000, None),  # a call, in which nothing trades
        (2, "LIMIT", 5850000, 5850000),
        (3, "CANCEL", None, 5850000),
        (3, "PHASE", None, 5850000),
    ]


def test_nothing_trades_in_a_halt_and_the_cross_is_the_venues() -> None:
    flow = read_lobster(CASES / "halt_cross.csv")
    before_cross = int((flow.row < 8).sum())
    assert orders_after(flow, before_cross) == [
        *[(3, 1010000, 50), (1, 1000000, 10)],
        *[(4, 990000, 50), (2, 1000200, 10), (5, 1005000, 20)],
    ]
    engine = ReferenceEngine(flow.instruments)
    engine.process(flow.commands)
    assert [(trade["maker_id"], trade["price"]) for trade in engine.trades()] == [(1, 1000000), (2, 1000200)]


def test_the_second_life_of_an_id_queues_behind_those_who_were_there() -> None:
    flow = read_lobster(CASES / "replace_same_id_priority.csv")
    assert flow.bursts.fills["maker_id"].tolist() == [2, 3, 1]


def test_a_tick_is_what_all_prices_are_multiples_of() -> None:
    assert read_lobster(CASES / "subdollar.csv").ticks == (1,)
    assert read_lobster(CASES / "base.csv").ticks == (100,)


def test_a_file_of_hidden_executions_has_nothing_to_replay() -> None:
    flow = read_lobster(CASES / "onlyhidden.csv")
    with pytest.raises(UsageError, match=r"onlyhidden\.csv: nothing to replay: 2 hidden executions$"):
        flow.flow()


def test_sides_are_the_files() -> None:
    flow = read_lobster(CASES / "base.csv")
    assert flow.commands["side"][:4].tolist() == [Side.BUY, Side.SELL, Side.BUY, Side.SELL]
