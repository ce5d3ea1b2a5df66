"""The check of replayed fills counts matching fills correctly, and rejects an engine that fills otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.flow.readers.lobster import read_lobster
from lowlat.engine.flow.readers.lobster.book import read_book
from lowlat.engine.flow.recording import LOOK_AHEAD_ROWS, RecordedFlow, best_states, compare_best, verify
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import COMMAND, EVENT
from lowlat.engine.reference.book import Ladder, Order
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.errors import ArrayError

ROWS = (
    "1,1,1,10,1000100,-1",
    "1,1,2,10,1000100,-1",
    "1,1,3,10,1000200,-1",
    "1,1,4,10,990000,1",
    "2,4,1,10,1000100,-1",
    "3,4,2,10,1000100,-1",
    "3,4,3,5,1000200,-1",
    "4,4,4,10,990000,1",
)


@pytest.fixture
def flow(tmp_path: Path) -> RecordedFlow:
    path = tmp_path / "messages.csv"
    path.write_text("\n".join(ROWS))
    return read_lobster(path)


class LastInFirstOut(ReferenceEngine):
    def _makers(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        while taker.quantity and ladder.reaches(taker.limit):
            yield next(reversed(ladder.queues[next(ladder.prices())].values()))


class TakerPriced(ReferenceEngine):
    def _trade_price(self, _maker: Order, taker: Order) -> int:
        return taker.price


class OneLevelOnly(ReferenceEngine):
    def _makers(self, ladder: Ladder, taker: Order) -> Iterator[Order]:
        best = next(ladder.prices(), None)
        for maker in super()._makers(ladder, taker):
            if maker.price != best:
                return
            yield maker


@pytest.mark.parametrize(
    ("engine", "matched"),
    [
        (ReferenceEngine, 3),
        (LastInFirstOut, 1),  # 2 before 1, then 1 where 2 is due; the lone bid is hit all the same
        (TakerPriced, 2),  # the second burst prints 1000200 for order 2
        (OneLevelOnly, 2),  # the second burst stops at 1000100
    ],
)
def test_broken_engines_are_found(flow: RecordedFlow, engine: type[ReferenceEngine], matched: int) -> None:
    check = verify(flow, engine([flow.instrument()]).process(flow.commands))
    assert (check.matched, check.total) == (matched, 3)
    assert len(check.mismatches) == 3 - matched
    assert check.share == matched / 3


def test_an_engine_with_another_tick_is_found_by_its_rejects(flow: RecordedFlow) -> None:
    check = verify(flow, ReferenceEngine([Instrument(tick=1000)]).process(flow.commands))
    assert check.rejected > 0 and check.matched < 3


def test_trades_of_what_is_no_burst_are_stray(flow: RecordedFlow) -> None:
    commands = flow.commands.copy()
    commands[3]["price"] = 1000100  # the bid of row 4 now meets order 1
    check = verify(flow, ReferenceEngine([flow.instrument()]).process(commands))
    assert check.stray_trades == 1


def test_events_of_an_engine_that_ran_before_are_counted_from_their_first_sequence(flow: RecordedFlow) -> None:
    engine = ReferenceEngine([flow.instrument()])
    engine.cancel(99)
    assert verify(flow, engine.process(flow.commands)).matched == 3


def test_no_events_match_nothing(flow: RecordedFlow) -> None:
    check = verify(flow, np.zeros(0, EVENT))
    assert (check.matched, check.total) == (0, 3)


def test_events_of_something_else_are_refused(flow: RecordedFlow) -> None:
    with pytest.raises(ArrayError, match="expected EVENT"):
        verify(flow, np.zeros(3, COMMAND))
    events = np.zeros(2, EVENT)
    events["sequence"] = (0, len(flow.commands))
    with pytest.raises(ArrayError, match="the flow has 7"):
        verify(flow, events)
    events["sequence"] = (5, 4)
    with pytest.raises(ArrayError, match="out of order"):
        verify(flow, events)


def test_best_states_after_each_command(flow: RecordedFlow) -> None:
    states = best_states(ReferenceEngine([flow.instrument()]), flow.commands)
    assert states.tolist() == [
        [1000100, 10, 0, 0],
        [1000100, 20, 0, 0],
        [1000100, 20, 0, 0],
        [1000100, 20, 990000, 10],
        [1000100, 10, 990000, 10],
        [1000200, 5, 990000, 10],
        [1000200, 5, 0, 0],
    ]


def test_best_states_are_sought_in_order(flow: RecordedFlow, tmp_path: Path) -> None:
    states = best_states(ReferenceEngine([flow.instrument()]), flow.commands)
    path = tmp_path / "book.csv"
    # The vendor writes prices out of reach for an empty side. It lacks [1000100, 20, 990000, 10], row 4's state.
    path.write_text(
        "1000100,10,-9999999999,0\n1000100,20,-9999999999,0\n7,7,7,7\n"
        "1000100,10,990000,10\n1000200,5,990000,10\n1000200,5,-9999999999,0\n"
    )
    check = compare_best(flow, states, read_book(path).best)
    assert (check.found, check.total, check.missing_rows) == (5, 6, (4,))
    backwards = read_book(path).best[::-1]
    assert compare_best(flow, states, backwards).found == 1


def test_best_states_are_not_sought_beyond_the_window(flow: RecordedFlow) -> None:
    states = np.tile([[1, 1, 1, 1]], (7, 1))
    states[-1] = 2
    filler = np.arange(10, 10 + 4 * LOOK_AHEAD_ROWS).reshape(-1, 4)
    vendor = np.concatenate(([[1, 1, 1, 1]], filler, [[2, 2, 2, 2]]))
    assert compare_best(flow, states, vendor).found == 1
    assert compare_best(flow, states, np.delete(vendor, 1, axis=0)).found == 2


def test_states_of_another_shape_are_refused(flow: RecordedFlow) -> None:
    with pytest.raises(ArrayError, match=r"expected \(7, 4\)"):
        compare_best(flow, np.zeros((3, 4), np.int64), np.zeros((3, 4), np.int64))
