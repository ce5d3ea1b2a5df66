"""An ITCH file as commands: events that name an order alone get its side and price, and the fills are the venue's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEventFlag
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers.itch import READER
from lowlat.engine.flow.recording import RecordedFlow, verify
from lowlat.engine.flow.recording.changes import SIDELESS
from lowlat.engine.flow.recording.columns import EventColumns
from lowlat.engine.flow.recording.completion import completed
from lowlat.engine.matching.native import Engine
from lowlat.errors import UsageError
from tests.itch_by_hand import message, prefixed

SECOND = 10**9
CENT = 100
ONE, TWO = {"locate": 1, "stock": "ONE"}, {"locate": 2, "stock": "TWO"}


def add(second: int, order_id: int, side: bytes, shares: int, cents: int, of: dict[str, object] = ONE) -> bytes:
    return message("A", second * SECOND, **of, order_id=order_id, side=side, shares=shares, price=cents * CENT)


DAY = [
    message("S", event_code=b"O"),
    message("R", **ONE),
    message("R", **TWO),
    add(1, 11, b"B", 100, 1_000),
    add(1, 12, b"B", 100, 1_001),
    add(1, 21, b"S", 70, 1_005, TWO),
    # An aggressive sell of 130 takes the better order whole, and a part of the other.
    message("E", 2 * SECOND, locate=1, order_id=12, shares=100, match=1),
    message("E", 2 * SECOND, locate=1, order_id=11, shares=30, match=2),
    # Twice replaced, the order is still a bid, at its last price.
    message("U", 3 * SECOND, locate=1, order_id=11, new_id=13, shares=60, price=999 * CENT),
    message("U", 4 * SECOND, locate=1, order_id=13, new_id=14, shares=50, price=998 * CENT),
    message("E", 5 * SECOND, locate=1, order_id=14, shares=20, match=3),
    message("C", 6 * SECOND, locate=2, order_id=21, shares=10, match=4, printable=b"Y", price=1_005 * CENT),
    message("X", 7 * SECOND, locate=1, order_id=14, shares=10),
    message("D", 8 * SECOND, locate=1, order_id=14),
    message("S", 9 * SECOND, event_code=b"C"),
]


def flow_of(folder: Path, day: list[bytes], options: ReadOptions | None = None) -> RecordedFlow:
    path = folder / "day.itch"
    path.write_bytes(prefixed(day))
    recorded = READER.flow(path, None, options)
    assert isinstance(recorded, RecordedFlow)
    return recorded


def test_the_engine_fills_what_the_venue_did(tmp_path: Path) -> None:
    recorded = flow_of(tmp_path, DAY)
    assert recorded.symbols == ("ONE", "TWO") and not recorded.changes.left_out.keys() & {SIDELESS}
    checked = verify(recorded, Engine(recorded.instruments, orders=1_024, trades=1_024).process(recorded.commands))
    assert (checked.matched, checked.total, checked.rejected) == (3, 3, 0)
    fills = recorded.bursts.fills[["maker_id", "price", "quantity"]].tolist()
    assert fills == [(12, 100_100, 100), (11, 100_000, 30), (14, 99_800, 20), (21, 100_500, 10)]


def test_one_symbol_up_to_a_time(tmp_path: Path) -> None:
    recorded = flow_of(tmp_path, DAY, ReadOptions(frozenset({"ONE"}), 5 * SECOND))
    assert recorded.symbols == ("ONE",) and len(recorded.bursts) == 1
    assert recorded.time_ns.max() == 4 * SECOND


def test_what_is_before_the_beginning_builds_the_book(tmp_path: Path) -> None:
    recorded = flow_of(tmp_path, DAY)
    later = recorded.measured_from(5 * SECOND)
    flow = later.flow()
    assert flow.seeded == np.count_nonzero(recorded.time_ns < 5 * SECOND) > 0
    assert (flow.commands == recorded.flow().commands).all()
    assert f"the first {flow.seeded} commands, before --from, build the book" in flow.notes
    with pytest.raises(UsageError, match="nothing to replay: no order at --from or later"):
        recorded.measured_from(10 * SECOND)


def test_orders_of_which_no_message_tells_the_side_are_left_out(tmp_path: Path) -> None:
    late = [*DAY[3:6], message("D", SECOND, locate=1, order_id=1), message("E", SECOND, locate=1, order_id=2, shares=1)]
    recorded = flow_of(tmp_path, [*late, *DAY[6:]])
    assert recorded.changes.left_out[SIDELESS] == 2 and len(recorded.bursts) == 3


def events(*rows: tuple[OrderAction, int, int, int, int]) -> EventColumns:
    """Events by action, order id, other id, side and price; a side of 2 is untold, a price of 0 too."""
    made = np.zeros(len(rows), ORDER_EVENT)
    for at, (action, order_id, other_id, side, price) in enumerate(rows):
        made[at]["action"], made[at]["order_id"], made[at]["other_id"] = action, order_id, other_id
        made[at]["side"], made[at]["price"] = side % 2, price
        made[at]["flags"] = OrderEventFlag.NO_SIDE * (side == 2) | OrderEventFlag.NO_PRICE * (price == 0)
    return EventColumns(**{name: made[name] for name in EventColumns.__dataclass_fields__ if name != "places"})


def test_an_id_that_is_used_again_is_another_order() -> None:
    add, cancel, replace = OrderAction.ADD, OrderAction.CANCEL, OrderAction.REPLACE
    told = events(
        (add, 1, 0, 1, 50),
        (replace, 1, 2, 2, 60),
        (cancel, 2, 0, 2, 0),
        (add, 2, 0, 0, 70),
        (replace, 2, 2, 2, 80),  # keeps its number
        (cancel, 2, 0, 2, 0),
    )
    whole, left_out = completed(told)
    assert whole.side.tolist() == [1, 1, 1, 0, 0, 0] and whole.price.tolist() == [50, 60, 60, 70, 80, 80]
    assert left_out == 0


def test_events_that_tell_all_are_left_as_they_are() -> None:
    told = events((OrderAction.ADD, 1, 0, 1, 50), (OrderAction.EXECUTE, 1, 0, 1, 50))
    assert completed(told) == (told, 0)


def test_a_long_chain_of_replacements_keeps_its_side() -> None:
    chain = [(OrderAction.ADD, 1, 0, 1, 5)] + [(OrderAction.REPLACE, n, n + 1, 2, 5) for n in range(1, 5_000)]
    whole, left_out = completed(events(*chain, (OrderAction.CANCEL, 5_000, 0, 2, 0)))
    assert whole.side.all() and left_out == 0
