"""Each rule that turns a LOBSTER row into a command, on files of a few rows that can be checked by hand.

A price of 1000000 is 100 dollars; the rows of one test are seconds apart unless they belong to one burst.
"""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import lzma
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from lowlat.engine.flow.readers.lobster import read_lobster
from lowlat.engine.flow.recording import Fill, Origin, RecordedFlow, verify
from lowlat.engine.matching.commands import describe
from lowlat.engine.matching.config import ORDERS
from lowlat.engine.matching.records import CommandType, Side, TimeInForce
from lowlat.engine.reference.engine import ReferenceEngine

Rows = tuple[str, ...]
Read = Callable[..., RecordedFlow]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(*rows: str) -> RecordedFlow:
        path = tmp_path / "messages.csv"
        path.write_text("\n".join(rows) + "\n")
        return read_lobster(path)

    return write_and_read


def told(flow: RecordedFlow) -> list[str]:
    """Each command as one short line: kind, id, the fields that the kind uses, then its source."""
    lines = []
    for record, origin in zip(flow.commands, flow.origin, strict=True):
        line = f"{CommandType(record['kind']).name} {record['order_id']}"
        if record["kind"] == CommandType.LIMIT:
            force = "" if record["time_in_force"] == TimeInForce.GTC else " IOC"
            line += f" {Side(record['side']).name} {record['quantity']}@{record['price']}{force}"
        elif record["kind"] == CommandType.REDUCE:
            line += f" {record['quantity']}"
        lines.append(line + ("" if origin == Origin.RECORDED else f" {Origin(origin).name}"))
    return lines


def expected(flow: RecordedFlow) -> list[list[tuple[int, int, int]]]:
    bounds = flow.bursts.first_fill
    return [flow.bursts.fills[a:b].tolist() for a, b in pairwise(bounds)]


def replayed(flow: RecordedFlow) -> tuple[int, int, int, int]:
    check = verify(flow, ReferenceEngine([flow.instrument()]).process(flow.commands))
    return check.matched, check.total, check.stray_trades, check.rejected


def test_add_partial_cancel_and_delete_become_limit_reduce_and_cancel(read: Read) -> None:
    flow = read("1.000000001,1,7,30,1000000,1", "2,2,7,10,1000000,1", "3.5,3,7,20,1000000,1", "4,1,8,5,1000100,-1")
    assert told(flow) == ["LIMIT 7 BUY 30@1000000", "REDUCE 7 10", "CANCEL 7", "LIMIT 8 SELL 5@1000100"]
    assert flow.row.tolist() == [1, 2, 3, 4]
    assert flow.time_ns.tolist() == [1_000_000_001, 2_000_000_000, 3_500_000_000, 4_000_000_000]
    assert (flow.seeded, flow.changes.never_added, flow.changes.moved_up, flow.changes.departures) == (0, 0, 0, 0)
    assert flow.instrument().decimal(1000000) == 100
    assert replayed(flow) == (0, 0, 0, 0)


def test_partial_cancel_of_all_that_is_left_is_a_cancel(read: Read) -> None:
    assert told(read("1,1,7,30,1000000,1", "2,2,7,30,1000000,1")) == ["LIMIT 7 BUY 30@1000000", "CANCEL 7"]


def test_executions_of_one_time_and_direction_are_one_aggressive_order(read: Read) -> None:
    flow = read(
        "1,1,1,10,1000000,-1",
        "1,1,2,10,1000100,-1",
        "1,1,3,10,1000200,-1",
        "2,4,1,10,1000000,-1",
        "2,5,0,99,1000150,-1",
        "2,4,2,10,1000100,-1",
        "2,4,3,4,1000200,-1",
        "3,4,3,6,1000200,-1",
    )
    # Ids 1..3 are the file's, so the aggressors are 4 and 5: buyers, since they hit sell orders.
    assert told(flow)[3:] == ["LIMIT 4 BUY 24@1000200 IOC", "LIMIT 5 BUY 6@1000200 IOC"]
    assert expected(flow) == [[(1, 1000000, 10), (2, 1000100, 10), (3, 1000200, 4)], [(3, 1000200, 6)]]
    assert flow.bursts.command.tolist() == [3, 4]
    assert flow.row.tolist() == [1, 2, 3, 4, 8]
    assert flow.changes.left_out == {"hidden execution": 1}
    assert replayed(flow) == (2, 2, 0, 0)


def test_a_burst_that_hits_buy_orders_sells_down_to_the_lowest_price(read: Read) -> None:
    flow = read("1,1,1,10,1000100,1", "1,1,2,10,1000000,1", "2,4,1,10,1000100,1", "2,4,2,1,1000000,1")
    assert told(flow)[2:] == ["LIMIT 3 SELL 11@1000000 IOC"]
    assert replayed(flow) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    "between",
    ["2,3,9,5,990000,1", "2,1,10,5,990000,1"],
    ids=["delete", "add"],
)
def test_a_row_that_changes_the_book_ends_a_burst(read: Read, between: str) -> None:
    flow = read("1,1,1,10,1000000,-1", "1,1,9,5,990000,1", "2,4,1,3,1000000,-1", between, "2,4,1,3,1000000,-1")
    assert len(flow.bursts) == 2
    assert replayed(flow) == (2, 2, 0, 0)


def test_the_other_direction_at_the_same_time_is_another_burst(read: Read) -> None:
    flow = read("1,1,1,10,1000000,-1", "1,1,2,10,990000,1", "2,4,1,3,1000000,-1", "2,4,2,3,990000,1")
    assert len(flow.bursts) == 2


def test_neighboring_rows_of_one_resting_order_are_one_fill(read: Read) -> None:
    flow = read("1,1,1,10,1000000,-1", "2,4,1,3,1000000,-1", "2,4,1,7,1000000,-1")
    assert expected(flow) == [[(1, 1000000, 10)]]
    assert replayed(flow) == (1, 1, 0, 0)


def test_hidden_executions_and_crosses_are_left_out_and_counted(read: Read) -> None:
    flow = read("1,1,1,10,1000000,-1", "2,5,0,7,999950,1", "3,6,-1,500,1000000,1")
    assert told(flow) == ["LIMIT 1 SELL 10@1000000"]
    assert flow.changes.left_out == {"hidden execution": 1, "cross trade": 1}
    assert flow.rows["halt"] == 0 and flow.rows["add"] == 1 and flow.rows["delete"] == 0


def test_a_file_without_visible_rows_gives_an_empty_flow(read: Read) -> None:
    flow = read("2,5,0,7,999950,1")
    assert len(flow.commands) == len(flow.bursts) == 0
    assert replayed(flow) == (0, 0, 0, 0)
    check = verify(flow, ReferenceEngine([flow.instrument()]).process(flow.commands))
    assert check.share is None


def test_orders_older_than_the_first_add_are_seeded_in_id_order_with_all_they_lose_later(read: Read) -> None:
    flow = read(
        "1,1,50,1,1000100,-1",
        "2,2,20,3,1000000,-1",
        "3,4,10,5,1000000,-1",
        "3,4,20,4,1000000,-1",
        "4,3,20,2,1000000,-1",
    )
    assert told(flow)[:3] == [
        "LIMIT 10 SELL 5@1000000 SEEDED",
        "LIMIT 20 SELL 9@1000000 SEEDED",  # 3 canceled + 4 executed + 2 deleted
        "LIMIT 50 SELL 1@1000100",
    ]
    assert (flow.seeded, flow.changes.never_added) == (2, 2)
    assert replayed(flow) == (1, 1, 0, 0)


def test_a_file_that_begins_with_an_order_never_added_seeds_it_before(read: Read) -> None:
    flow = read("1,3,10,5,1000000,-1", "2,1,50,1,1000100,-1")
    assert told(flow) == ["LIMIT 10 SELL 5@1000000 SEEDED", "CANCEL 10", "LIMIT 50 SELL 1@1000100"]


def test_a_never_added_order_with_a_later_id_enters_before_the_first_larger_id(read: Read) -> None:
    flow = read("1,1,50,1,1000000,-1", "2,1,70,1,1000000,-1", "3,4,50,1,1000000,-1", "3,4,60,2,1000000,-1")
    assert told(flow)[:3] == ["LIMIT 50 SELL 1@1000000", "LIMIT 60 SELL 2@1000000 PLACED", "LIMIT 70 SELL 1@1000000"]
    assert flow.row.tolist()[:3] == [1, 2, 2]
    assert replayed(flow) == (1, 1, 0, 0)


def test_a_never_added_order_first_named_inside_a_burst_enters_before_the_burst(read: Read) -> None:
    flow = read("1,1,50,1,1000000,-1", "3,4,50,1,1000000,-1", "3,4,60,2,1000000,-1")
    assert told(flow) == [
        "LIMIT 50 SELL 1@1000000",
        "LIMIT 60 SELL 2@1000000 PLACED",
        "LIMIT 61 BUY 3@1000000 IOC",
    ]
    assert replayed(flow) == (1, 1, 0, 0)


def test_a_late_row_moves_up_to_just_before_the_larger_ids_at_its_price(read: Read) -> None:
    flow = read(
        "1,1,50,1,1000000,-1",
        "2,1,60,1,1000100,-1",
        "3,1,70,1,1000100,-1",
        "4,1,40,2,1000100,-1",  # came before 60 and 70, says its id
        "5,1,30,2,1000200,-1",  # alone at its price: stays at its row
        "6,4,50,1,1000000,-1",
        "6,4,40,2,1000100,-1",
        "6,4,60,1,1000100,-1",
    )
    assert told(flow)[:5] == [
        "LIMIT 50 SELL 1@1000000",
        "LIMIT 40 SELL 2@1000100 PLACED",
        "LIMIT 60 SELL 1@1000100",
        "LIMIT 70 SELL 1@1000100",
        "LIMIT 30 SELL 2@1000200",
    ]
    assert (flow.changes.moved_up, flow.changes.departures) == (1, 0)
    assert replayed(flow) == (1, 1, 0, 0)


def test_several_late_rows_of_one_price_queue_by_id(read: Read) -> None:
    flow = read(
        "1,1,50,1,1000000,-1",
        "2,1,60,1,1000100,-1",
        "3,1,20,1,1000100,-1",
        "4,1,30,1,1000100,-1",
        "5,1,10,1,1000100,-1",
    )
    assert [line.split()[1] for line in told(flow)] == ["50", "10", "20", "30", "60"]
    orders = ReferenceEngine([flow.instrument()])
    orders.process(flow.commands)
    assert orders.orders()["order_id"].tolist() == [50, 10, 20, 30, 60]


def test_a_late_row_stays_where_its_level_has_traded_since(read: Read) -> None:
    flow = read(
        "1,1,50,9,1000100,-1",
        "2,4,50,1,1000100,-1",  # had 40 been there, it would have been hit
        "3,1,40,2,1000100,-1",
        "4,4,50,8,1000100,-1",
        "4,4,40,1,1000100,-1",
    )
    assert flow.changes.moved_up == 0
    assert replayed(flow) == (2, 2, 0, 0)


def test_a_departure_counts_once_and_the_book_is_put_back(read: Read) -> None:
    flow = read(
        "1,1,1,50,1000000,-1",
        "1,1,2,50,1000000,-1",
        "1,1,3,50,1000000,-1",
        "2,4,1,10,1000000,-1",
        "2,4,3,20,1000000,-1",  # skips 2; an engine takes 30 from 1
        "3,4,1,40,1000000,-1",
        "3,4,2,50,1000000,-1",
        "3,4,3,30,1000000,-1",
    )
    assert flow.changes.departures == 1
    assert told(flow)[3:] == [
        "LIMIT 4 BUY 30@1000000 IOC",
        "CANCEL 1 RESTORED",  # has 20 left and should have 40: it and all behind it enter again
        "CANCEL 2 RESTORED",
        "CANCEL 3 RESTORED",
        "LIMIT 1 SELL 40@1000000 RESTORED",
        "LIMIT 2 SELL 50@1000000 RESTORED",
        "LIMIT 3 SELL 30@1000000 RESTORED",
        "LIMIT 5 BUY 120@1000000 IOC",
    ]
    check = verify(flow, ReferenceEngine([flow.instrument()]).process(flow.commands))
    assert (check.matched, check.total, check.stray_trades, check.rejected) == (1, 2, 0, 0)
    (mismatch,) = check.mismatches
    assert (mismatch.burst, mismatch.row, mismatch.order_id, mismatch.side) == (0, 4, 4, Side.BUY)
    assert mismatch.expected == (Fill(1, 1000000, 10), Fill(3, 1000000, 20))
    assert mismatch.actual == (Fill(1, 1000000, 30),)


def test_a_departure_across_levels_restores_each(read: Read) -> None:
    flow = read(
        "1,1,1,10,1000000,-1",
        "1,1,2,10,1000100,-1",
        "1,1,3,10,1000100,-1",
        "2,4,2,10,1000100,-1",  # the better price stays: an engine takes order 1
        "3,4,1,10,1000000,-1",
        "3,4,3,10,1000100,-1",
    )
    assert told(flow)[4:6] == ["LIMIT 1 SELL 10@1000000 RESTORED", "CANCEL 2 RESTORED"]
    assert replayed(flow) == (1, 2, 0, 0)


def test_rows_that_contradict_the_book_are_believed_and_counted(read: Read) -> None:
    flow = read(
        "1,1,1,10,1000000,-1",
        "2,2,1,3,1000100,-1",  # another price
        "3,2,1,3,1000000,1",  # another side
        "4,2,1,5,1000000,-1",  # more than the 4 it has
        "5,3,1,10,1000000,-1",  # gone
        "6,4,1,10,1000000,-1",  # gone
    )
    assert told(flow) == ["LIMIT 1 SELL 10@1000000", "REDUCE 1 3", "REDUCE 1 3", "CANCEL 1"]
    assert flow.changes.believed == {"differs from its order in side or price": 2, "takes more than shown": 1}
    assert flow.changes.left_out == {"order is not in the book": 2}


def test_an_id_may_come_again_once_its_order_is_gone(read: Read) -> None:
    flow = read("1,1,1,10,1000000,-1", "2,3,1,10,1000000,-1", "3,1,1,5,1000100,1")
    assert told(flow) == ["LIMIT 1 SELL 10@1000000", "CANCEL 1", "LIMIT 1 BUY 5@1000100"]
    assert replayed(flow) == (0, 0, 0, 0)


def test_a_measured_run_gets_room_and_notes(read: Read) -> None:
    flow = read(
        "1,1,50,1,1000000,-1",
        "2,1,60,1,1000100,-1",
        "3,1,40,2,1000100,-1",
        "4,3,60,1,1000100,-1",
        "5,2,10,1,990000,1",
        "6,5,0,1,1000050,-1",
        "7,4,50,1,1000000,-1",
    )
    run = flow.flow()
    assert run.commands.tolist() == flow.commands.tolist() and run.commands.ctypes.data % 64 == 0
    assert run.seeded == 1  # order 10
    assert run.mix == {"add": 3, "cancel": 2, "reduce": 0, "aggressive": 1}
    assert run.instruments == (flow.instrument(),)
    assert run.notes == (
        "orders seeded before the first row: 1",
        "orders never added in the file: 1",
        "orders entered earlier than their row, by order id: 1",
        "rows skipped: hidden execution: 1",
    )
    tight = ReferenceEngine(run.instruments, orders=flow.orders)
    assert verify(flow, tight.process(run.commands)).rejected == 0


@pytest.mark.parametrize(("needed", "room"), [(7, ORDERS), (ORDERS + 1, ORDERS + 1)])
def test_recorded_flows_have_the_usual_room_for_orders_or_what_they_need(read: Read, needed: int, room: int) -> None:
    flow = read("1,1,50,1,1000000,-1")
    assert dataclasses.replace(flow, orders=needed).flow().orders == room


@pytest.mark.parametrize("suffix", [".csv", ".csv.xz", ".csv.gz", ".csv.bz2"])
def test_compressed_files_are_read_directly(tmp_path: Path, suffix: str) -> None:
    squeeze = {".csv": bytes, ".csv.xz": lzma.compress, ".csv.gz": gzip.compress, ".csv.bz2": bz2.compress}[suffix]
    path = tmp_path / f"messages{suffix}"
    path.write_bytes(squeeze(b"1,1,7,30,1000000,1\r\n2,3,7,30,1000000,1"))
    assert told(read_lobster(str(path))) == ["LIMIT 7 BUY 30@1000000", "CANCEL 7"]


def test_the_largest_ids_and_prices_pass(read: Read) -> None:
    top = 2**63 - 1
    price = top // 100 * 100
    flow = read(f"1,1,{top},4294967295,{price},-1", f"2,4,{top},4294967295,{price},-1")
    assert flow.commands["order_id"].tolist() == [top, top + 1]
    assert replayed(flow) == (1, 1, 0, 0), [describe(record) for record in flow.commands]
