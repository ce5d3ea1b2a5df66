"""What CME's matching does beyond plain orders, as Databento's MBO tells it: iceberg orders and self-match prevention.

One step of the venue has one `ts_event`: its trades (T), the fills of resting orders (F), then what they did to the
book (C, M). An iceberg shows a part; when that is used up it shows the next one, at the back of its queue, as an M with
the new size. Self-match prevention cancels a resting order in place of its fill: a C without an F.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lowlat.engine.flow.readers.databento import READER
from lowlat.engine.flow.recording import BurstCheck, Origin, RecordedFlow
from lowlat.engine.flow.recording.changes import HIDDEN, MORE_THAN_SHOWN, PASSED, REFILLED, RESERVE
from lowlat.engine.matching.records import CommandType
from lowlat.engine.reference.engine import ReferenceEngine
from tests.dbn_files import DOLLAR, LAST, dbn, record
from tests.property.broken_engines import LastInFirstOut
from tests.recorded_venue import replayed

ICEBERG, BEHIND, DEEPER = 1, 2, 3
PRICE = 5_000


def sell(action: str, order_id: int, size: int, at: int, *, price: int = PRICE, last: bool = False) -> bytes:
    return record(action, order_id, "A", price * DOLLAR, size, at=at, flags=LAST if last else 0)


def trade(size: int, at: int, price: int = PRICE) -> bytes:
    return record("T", 0, "B", price * DOLLAR, size, at=at, flags=0)


def resting() -> list[bytes]:
    """An iceberg that shows 10, an order of 20 behind it, and one at the next price."""
    return [
        sell("A", ICEBERG, 10, 1, last=True),
        sell("A", BEHIND, 20, 2, last=True),
        sell("A", DEEPER, 20, 3, price=PRICE + 1, last=True),
    ]


def step(at: int, *records: tuple[str, int, int]) -> list[bytes]:
    """One step of the venue: the trade of all fills, then these records (action, order, size), the last with F_LAST."""
    total = sum(size for action, _, size in records if action == "F")
    head = [trade(total, at)] if total else []
    return [*head, *(sell(*each, at, last=number == len(records)) for number, each in enumerate(records, 1))]


@pytest.fixture
def recorded(tmp_path: Path):  # type: ignore[no-untyped-def]
    def build(*steps: Sequence[bytes]) -> RecordedFlow:
        path = tmp_path / "glbx.dbn"
        path.write_bytes(dbn([*resting(), *(each for one in steps for each in one)]))
        flow = READER.flow(path)
        assert isinstance(flow, RecordedFlow)
        return flow

    return build


def whole(check: BurstCheck) -> bool:
    return check.share == 1 and not (check.stray_trades or check.rejected)


def test_a_refilled_iceberg_goes_to_the_back(recorded) -> None:  # type: ignore[no-untyped-def]
    """Used up, it shows 10 again; the next 15 hit the order behind it, and the 15 after that both."""
    flow = recorded(
        step(4, ("F", ICEBERG, 10), ("M", ICEBERG, 10)),
        step(5, ("F", BEHIND, 15), ("M", BEHIND, 5)),
        step(6, ("F", BEHIND, 5), ("F", ICEBERG, 10), ("C", BEHIND, 5), ("C", ICEBERG, 10)),
    )
    assert whole(replayed(flow)) and len(flow.bursts) == 3 and not flow.changes.departures
    assert flow.changes.explained == {REFILLED: 1} and not flow.changes.believed
    assert f"explained: {REFILLED}: 1" in list(flow.changes.notes())
    assert not whole(replayed(flow, LastInFirstOut))


def test_a_refill_that_kept_its_place_would_be_a_departure(recorded) -> None:  # type: ignore[no-untyped-def]
    """The check keeps its power: the venue's own fills contradict a refill at the front."""
    refill = ("F", ICEBERG, 10), ("M", ICEBERG, 10)
    flow = recorded(step(4, *refill), step(5, *refill), step(6, ("C", BEHIND, 20)))
    check = replayed(flow)
    assert flow.changes.departures == 1 and check.matched == 1 and check.total == 2


@pytest.mark.parametrize("told", ["once", "each time"])
def test_one_order_may_take_an_iceberg_several_times(recorded, told: str) -> None:  # type: ignore[no-untyped-def]
    """45 take the 10 that it shows, the 20 behind it, and 15 of its reserve, of which it shows the other 5."""
    fills = [("F", ICEBERG, 25), ("F", BEHIND, 20)]
    if told == "each time":
        fills = [("F", ICEBERG, 10), ("F", BEHIND, 20), ("F", ICEBERG, 10), ("F", ICEBERG, 5)]
    flow = recorded(
        step(4, *fills, ("M", ICEBERG, 5), ("C", BEHIND, 20)), step(5, ("F", ICEBERG, 5), ("C", ICEBERG, 5))
    )
    assert whole(replayed(flow)) and not flow.changes.departures and not flow.changes.believed
    assert flow.changes.explained == {REFILLED: 1, RESERVE: 1 if told == "once" else 2}
    assert not whole(replayed(flow, LastInFirstOut))


def test_the_last_of_an_iceberg_is_a_hidden_execution(recorded) -> None:  # type: ignore[no-untyped-def]
    """All 25 that it has: its cancel takes off the 10 that it showed."""
    flow = recorded(step(4, ("F", ICEBERG, 25), ("F", BEHIND, 20), ("C", ICEBERG, 10), ("C", BEHIND, 20)))
    assert whole(replayed(flow))
    assert flow.changes.left_out == {HIDDEN: 1} and not flow.changes.believed


def test_more_than_shown_without_a_refill_is_not_explained(recorded) -> None:  # type: ignore[no-untyped-def]
    """What the order is afterward is told at another time: the row contradicts the book."""
    flow = recorded(step(4, ("F", ICEBERG, 25), ("C", ICEBERG, 25)), step(5, ("M", BEHIND, 30)))
    assert flow.changes.believed == {MORE_THAN_SHOWN: 1} and not flow.changes.explained


def test_a_modification_without_a_fill_is_no_refill(recorded) -> None:  # type: ignore[no-untyped-def]
    flow = recorded(
        step(4, ("M", ICEBERG, 30)), step(5, ("F", BEHIND, 20), ("C", BEHIND, 20)), step(6, ("M", BEHIND, 5))
    )
    assert whole(replayed(flow)) and not flow.changes.explained


@pytest.mark.parametrize("first", [True, False])
def test_self_match_prevention_takes_an_order_out_instead_of_filling_it(recorded, first: bool) -> None:  # type: ignore[no-untyped-def]
    """The order in front is of the aggressor's owner: its cancel is of the same step, ahead of the fills or behind."""
    cancel, fill = ("C", ICEBERG, 10), [("F", BEHIND, 20), ("C", BEHIND, 20)]
    flow = recorded(step(4, *([cancel, *fill] if first else [*fill, cancel])))
    assert whole(replayed(flow)) and not flow.changes.departures
    assert flow.changes.explained == ({} if first else {PASSED: 1})
    canceled = flow.commands["order_id"][flow.commands["kind"] == CommandType.CANCEL]
    assert canceled.tolist() == [ICEBERG]


def test_self_match_prevention_at_two_prices(recorded) -> None:  # type: ignore[no-untyped-def]
    """Two own orders are passed over by one that sweeps on to the next price."""
    sweep = [
        trade(5, 4, PRICE + 1),
        sell("F", DEEPER, 5, 4, price=PRICE + 1),
        sell("C", ICEBERG, 10, 4),
        sell("C", BEHIND, 20, 4),
        sell("M", DEEPER, 15, 4, price=PRICE + 1, last=True),
    ]
    flow = recorded(sweep, step(5, ("M", DEEPER, 15)))
    assert whole(replayed(flow)) and flow.changes.explained == {PASSED: 2}
    assert (flow.origin == Origin.PLACED).sum() == 2


def test_a_cancel_of_a_later_step_explains_nothing(recorded) -> None:  # type: ignore[no-untyped-def]
    flow = recorded(step(4, ("F", BEHIND, 20), ("C", BEHIND, 20)), step(5, ("C", ICEBERG, 10)))
    check = replayed(flow)
    assert flow.changes.departures == 1 and not flow.changes.explained
    assert (check.matched, check.total) == (0, 1)


def test_both_engines_agree_on_all_of_it(recorded) -> None:  # type: ignore[no-untyped-def]
    from lowlat.engine import Engine

    flow = recorded(
        step(4, ("F", ICEBERG, 25), ("F", BEHIND, 20), ("M", ICEBERG, 5), ("C", BEHIND, 20)),
        step(5, ("F", ICEBERG, 5), ("M", ICEBERG, 10)),
    )
    native = Engine(flow.instruments).process(flow.commands)
    assert native.tobytes() == ReferenceEngine(flow.instruments).process(flow.commands).tobytes()
