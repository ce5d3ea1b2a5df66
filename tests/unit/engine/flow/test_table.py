"""Tables of events in any columns, on a few rows that can be checked by hand."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import numpy as np
import pytest

from lowlat.engine.feed.records import OrderAction, OrderEventFlag, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.table import mapping, open_table
from lowlat.engine.flow.readers.table.mapping import column_mapping, shipped
from lowlat.engine.matching.records import Side
from lowlat.errors import InputError, UsageError

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402 (after the check that it is there)

Open = Callable[..., tuple[OrderEventStream, OrderEvents]]
SIMPLE = "time=ts,id=id,side=side,action=what:{A=add,X=cancel,E=execute},price=px,quantity=qty,unit=0.01"
WITHOUT_WORDS = "time=ts,id=id,side=side,action=what,price=px,quantity=qty"
HEAD = "ts,id,side,what,px,qty"


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def write_and_open(
        content: bytes | str, columns: str | None = SIMPLE, *, symbols: tuple[str, ...] = (), until: int | None = None
    ) -> object:
        path = tmp_path / "day.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        stream = open_table(path, ReadOptions(frozenset(symbols), until, columns))
        blocks = [block.copy() for block in stream.blocks]
        return stream, np.concatenate(blocks) if blocks else np.zeros(0)

    return write_and_open  # type: ignore[return-value]


def told(events: OrderEvents) -> list[str]:
    """Each event as one short line: action, id, side, quantity and price, the other order, an auction's mark."""
    return [
        f"{OrderAction(event['action']).name} {event['order_id']} {Side(event['side']).name} {event['quantity']}"
        f"@{event['price']}" + (f" by {event['other_id']}" if event["other_id"] else "")
        + (" auction" if event["flags"] & OrderEventFlag.AUCTION else "")
        for event in events
    ]  # fmt: skip


def test_rows_become_events(opened: Open) -> None:
    rows = f"{HEAD}\n5,7,B,A,1.01,30\n6,8,sell,A,1.1,20\r\n9,7,Bid,E,1.01,10\n9,7,b,X,,\n"
    stream, events = opened(rows)
    assert told(events) == ["ADD 7 BUY 30@101", "ADD 8 SELL 20@110", "EXECUTE 7 BUY 10@101", "CANCEL 7 BUY 0@0"]
    assert events["time_ns"].tolist() == [5, 6, 9, 9] and events["row"].tolist() == [2, 3, 4, 5]
    assert stream.symbols == ["day"] and stream.messages == {"add": 2, "execute": 1, "cancel": 1}


@pytest.mark.parametrize(
    ("text", "unit", "ns"),
    [
        ("1767603600.000000001", "", 1_767_603_600 * 10**9 + 1),
        ("1767603600", ":s", 1_767_603_600 * 10**9),
        ("1767603600123.5", ":ms", 1_767_603_600_123_500_000),
        ("1767603600123456", ":us", 1_767_603_600_123_456_000),
        ("2026-01-05T09:00:00.000000001Z", "", 1_767_603_600 * 10**9 + 1),
        ("2026-01-05 10:00:00.5+01:00", "", 1_767_603_600 * 10**9 + 5 * 10**8),
        ("2026-01-05 09:00:00", "", 1_767_603_600 * 10**9),
        ("93000250", ":hhmmssmmm", (9 * 3_600 + 30 * 60) * 10**9 + 250 * 10**6),
        (" 12 ", "", 12),
    ],
)
def test_times_of_each_form(opened: Open, text: str, unit: str, ns: int) -> None:
    stream, events = opened(f"{HEAD}\n{text},7,B,A,1.01,30\n", SIMPLE.replace("time=ts", f"time=ts{unit}"))
    assert events["time_ns"].tolist() == [ns]
    assert stream.time_base == ("midnight" if "hh" in unit else "unix")


@pytest.mark.parametrize(
    ("unit", "text", "price"),
    [
        ("0.01", "585.33", 58533),
        ("0.0001", "-0.9512", -9512),
        ("0.25", "5000.75", 20003),
        ("100", "300", 3),
        ("0.01", "+1", 100),
        ("0.000000001", "9000000000.000000001", 9 * 10**18 + 1),
    ],
)
def test_prices_are_exact(opened: Open, unit: str, text: str, price: int) -> None:
    _, events = opened(f"{HEAD}\n1,7,B,A,{text},30\n", SIMPLE.replace("unit=0.01", f"unit={unit}"))
    assert events["price"].tolist() == [price]


def test_quantities_may_be_decimals(opened: Open) -> None:
    _, events = opened(f"{HEAD}\n1,7,B,A,1,0.12345678\n", f"{SIMPLE},quantity_unit=1e-8")
    assert events["quantity"].tolist() == [12_345_678]


def test_headers_with_marks_blanks_and_other_cases(opened: Open) -> None:
    assert told(opened("\ufeffTS, Id, Side, What, Px, Qty\n5, 7, B, A, 1.01, 30\n")[1]) == ["ADD 7 BUY 30@101"]
    assert told(opened('"ts";"id";"side";"what";"px";"qty"\n5;7;B;A;1.01;30')[1]) == ["ADD 7 BUY 30@101"]


def test_symbols_and_an_end_can_be_asked_for(opened: Open) -> None:
    rows = "ts,id,side,what,px,qty,sym\n1,7,B,A,1,30,GOOG\n2,8,B,A,1,30,AAPL\n3,9,B,A,1,30,GOOG\n4,9,B,A,1,30,GOOG\n"
    stream, events = opened(rows, f"{SIMPLE},symbol=sym", symbols=("AAPL", "GOOG"), until=4)
    assert stream.symbols == ["GOOG", "AAPL"] and events["symbol"].tolist() == [0, 1, 0]
    stream, events = opened(rows, f"{SIMPLE},symbol=sym", symbols=("AAPL",))
    assert stream.symbols == ["AAPL"] and events["order_id"].tolist() == [8] and events["symbol"].tolist() == [0]


def test_typed_columns_of_parquet_and_arrow(opened: Open) -> None:
    table = pa.table({
        "ts": pa.array([5, 6], pa.timestamp("us", "UTC")),
        "id": pa.array([7, 2**64 - 1], pa.uint64()),
        "side": pa.array(["B", "S"]).dictionary_encode(),
        "what": ["A", "E"],
        "px": pa.array([1.01, 1.1]),
        "qty": pa.array([30, None], pa.int32()),
        "unread": [[1], [2]],
    })  # fmt: skip
    parquet, arrow = io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet)
    with pa.ipc.new_file(arrow, table.schema) as writer:
        writer.write_table(table)
    for data in parquet.getvalue(), arrow.getvalue():
        _, events = opened(data)
        assert told(events) == ["ADD 7 BUY 30@101", f"EXECUTE {2**64 - 1} SELL 0@110"]
        assert events["time_ns"].tolist() == [5_000, 6_000] and events["row"].tolist() == [1, 2]
        with pytest.raises(InputError, match=r"day\.csv: it is damaged: .*; fetch it again"):
            opened(data[: len(data) // 2])


def arrow_table(**columns: object) -> Any:
    """A row, with these columns in place of others."""
    return pa.table({"ts": [5], "id": [7], "side": ["B"], "what": ["A"], "px": [1.01], "qty": [30], **columns})


def arrow_file(table: Any) -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


@pytest.mark.parametrize("begin", [13, -5, 1 << 30])
def test_a_text_outside_of_its_column_is_damage(opened: Open, begin: int) -> None:
    data = bytearray(arrow_file(arrow_table(side=["Bid         "])))
    ends = data.rindex(np.array([0, 12], np.int32).tobytes(), 0, data.index(b"Bid  "))
    data[ends : ends + 4] = np.int32(begin).tobytes()
    with pytest.raises(InputError, match=r"day\.csv: it is damaged: .*; fetch it again"):
        opened(bytes(data))


@pytest.mark.parametrize("dictionary", [True, False])
def test_a_text_of_a_parquet_file_that_is_no_text_is_damage(opened: Open, dictionary: bool) -> None:
    file = io.BytesIO()
    pq.write_table(arrow_table(side=["Bid"]), file, use_dictionary=dictionary, compression="none")
    with pytest.raises(InputError, match=r"day\.csv: it is damaged: In column 2: .*; fetch it again"):
        opened(file.getvalue().replace(b"Bid", b"B\xffd"))


def test_a_time_zone_that_is_no_text_is_damage(opened: Open) -> None:
    times = pa.array([5], pa.timestamp("ns", "Zone"))
    with pytest.raises(InputError, match=r"day\.csv: it is damaged: 'utf-8' codec can't decode"):
        opened(arrow_file(arrow_table(ts=times)).replace(b"Zone", b"Z\xffne"))


@pytest.mark.parametrize("decimals", [-1, 7, 1 << 30])
def test_decimals_that_pyarrow_cannot_rescale_are_damage(opened: Open, decimals: int) -> None:
    """It looks up a power of ten by their number, also outside of its table."""
    data = arrow_file(arrow_table(px=pa.array([Decimal("1.01")], pa.decimal128(6, 5))))
    digits = np.array([6, 5], np.int32).tobytes()
    assert data.count(digits) == 2  # in the header, and once more in the footer
    with pytest.raises(InputError, match=rf"it is damaged: column px: {decimals} of its 6 digits are decimals"):
        opened(data.replace(digits, np.array([6, decimals], np.int32).tobytes()))


def test_a_column_whose_name_is_no_text_is_damage(opened: Open) -> None:
    with pytest.raises(InputError, match=r"day\.csv: it is damaged: 'utf-8' codec can't decode"):
        opened(arrow_file(arrow_table(other=[0])).replace(b"other", b"ot\xf2er"))


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_a_flipped_bit_is_damage_or_another_value(opened: Open, form: str) -> None:
    table, parquet, rng = pa.concat_tables([arrow_table(side=[side]) for side in "BSBBS"]), io.BytesIO(), Random(1)
    pq.write_table(table, parquet)
    whole = parquet.getvalue() if form == "parquet" else arrow_file(table.combine_chunks())
    refused = 0
    for _ in range(100):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        try:
            opened(bytes(data))
        except (InputError, UsageError):
            refused += 1
    assert 20 < refused < 100


def test_of_two_columns_of_one_name_the_first_counts(opened: Open) -> None:
    table = arrow_table()
    for twice in table.append_column("px", pa.array([9.0])), table.add_column(0, "qty", table["qty"]):
        parquet = io.BytesIO()
        pq.write_table(twice, parquet)
        for data in parquet.getvalue(), arrow_file(twice):
            assert told(opened(data)[1]) == ["ADD 7 BUY 30@101"]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"ts": pa.array([2**63], pa.uint64())}, "rows from 1: Integer value 9223372036854775808 not in range"),
        ({"ts": pa.array([2**62], pa.timestamp("s"))}, "rows from 1: Casting from timestamp"),
        ({"id": pa.array([[7]])}, "column id: list<item: int64> is not read; write numbers, times or short text"),
        ({"px": pa.array([1e308])}, r"row 1, column px: 1e\+308 is not a number of at most"),
    ],
)
def test_values_that_no_event_can_have(opened: Open, columns: dict[str, object], why: str) -> None:
    with pytest.raises(InputError, match=rf"day\.csv, {why}"):
        opened(arrow_file(arrow_table(**columns)))


def test_times_beyond_what_64_bits_hold(opened: Open) -> None:
    with pytest.raises(InputError, match=r"row 1, column ts: 9300000000 is after the year 2262; name its unit"):
        opened(arrow_file(arrow_table(ts=[9_300_000_000])), SIMPLE.replace("time=ts", "time=ts:s"))


def test_words_may_be_numbers_and_numbers_decimals(opened: Open) -> None:
    table = pa.table({
        "ts": [5], "id": [7], "side": pa.array([1], pa.int8()), "what": ["A"], "qty": pa.array([3.0]),
        "px": pa.array(["1.25"]).cast(pa.decimal128(10, 3)),
    })  # fmt: skip
    parquet = io.BytesIO()
    pq.write_table(table, parquet)
    assert told(opened(parquet.getvalue(), SIMPLE.replace("side=side", "side=side:{1=sell}"))[1]) == [
        "ADD 7 SELL 3@125"
    ]


BITSTAMP = """\
microtimestamp,event,id,order_type,price,amount
1767603600000001,order_created,5,0,93000.01,0.50000000
1767603600000002,order_changed,5,0,93000.01,0.20000000
1767603600000003,order_deleted,5,0,93000.01,0.20000000
"""
COINBASE = """\
type,time,product_id,order_id,side,price,size,remaining_size,new_size,maker_order_id,taker_order_id,reason
received,2026-01-05T09:00:00.000001Z,BTC-USD,d50ec984-77a8-460a-b958-66f114b0de9b,sell,502.1,1.34,,,,,
open,2026-01-05T09:00:00.000002Z,BTC-USD,d50ec984-77a8-460a-b958-66f114b0de9b,sell,200.2,,1.00,,,,
match,2026-01-05T09:00:00.000003Z,BTC-USD,,sell,200.2,0.25,,,d50ec984-77a8-460a-b958-66f114b0de9b,132fb6ae-456b-4654-b4e0-d681ac05cea1,
change,2026-01-05T09:00:00.000004Z,BTC-USD,d50ec984-77a8-460a-b958-66f114b0de9b,sell,200.2,,,0.5,,,
done,2026-01-05T09:00:00.000005Z,BTC-USD,d50ec984-77a8-460a-b958-66f114b0de9b,sell,200.2,,0.5,,,,canceled
"""
SHANGHAI = """\
BizIndex,SecurityID,TickTime,Type,BuyOrderNO,SellOrderNO,Price,Qty,TickBSFlag
1,600000,91500000,S,0,0,0.000,0,OCALL
2,600000,92500000,T,11,12,10.050,300,N
3,600000,93000010,A,0,21,10.060,500,S
4,600000,93000020,T,22,21,10.060,200,B
5,600000,93000020,A,22,0,10.060,100,B
6,600000,93000030,D,0,21,10.060,300,S
"""
SHENZHEN = """\
ApplSeqNum,SecurityID,TransactTime,Type,Side,Price,Qty,BidApplSeqNum,OfferApplSeqNum
1,000001,93000010,0,1,11.1200,500,,
2,000001,93000020,0,2,11.1200,200,,
3,000001,93000020,F,,11.1200,200,1,2
4,000001,93000030,4,,0.0000,300,1,0
"""
MAKER = int("d50ec98477a8460a", 16) ^ int("b95866f114b0de9b", 16)
TAKER = int("132fb6ae456b4654", 16) ^ int("b4e0d681ac05cea1", 16)


@pytest.mark.parametrize(
    ("name", "rows", "events"),
    [
        ("bitstamp", BITSTAMP, [
            "ADD 5 BUY 50000000@9300001", "UPSERT 5 BUY 20000000@9300001", "CANCEL 5 BUY 20000000@9300001"]),
        ("coinbase", COINBASE, [
            f"ADD {MAKER} SELL 100000000@20020", f"EXECUTE {MAKER} SELL 25000000@20020 by {TAKER}",
            f"UPSERT {MAKER} SELL 50000000@20020", f"CANCEL {MAKER} SELL 50000000@20020"]),
        ("shanghai", SHANGHAI, [
            "EXECUTE 11 BUY 300@10050 auction", "EXECUTE 12 SELL 300@10050 auction", "ADD 21 SELL 500@10060",
            "EXECUTE 21 SELL 200@10060 by 22", "ADD 22 BUY 100@10060", "REDUCE 21 SELL 300@10060"]),
        ("shenzhen", SHENZHEN, [
            "ADD 1 BUY 500@111200", "ADD 2 SELL 200@111200", "EXECUTE 1 BUY 200@111200", "EXECUTE 2 SELL 200@111200",
            "REDUCE 1 BUY 300@0"]),
    ],
)  # fmt: skip
def test_mappings_that_come_with_lowlat(opened: Open, name: str, rows: str, events: list[str]) -> None:
    assert told(opened(rows, name)[1]) == events


def test_every_mapping_that_comes_with_lowlat_is_tested() -> None:
    assert set(shipped()) == {"bitstamp", "coinbase", "shanghai", "shenzhen", "events"}
    assert all(column_mapping(name) for name in shipped())


def test_a_mapping_may_be_a_file_and_be_changed(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    columns = {"time": "ts", "id": "id", "side": "side", "action": "what", "price": "px", "quantity": "qty"}
    path.write_text(
        "\n".join(['unit = "0.01"', "[columns]", *(f'{field} = "{name}"' for field, name in columns.items())])
    )
    assert told(opened(f"{HEAD}\n5,7,B,add,1,3\n", str(path))[1]) == ["ADD 7 BUY 3@100"]
    assert told(opened(f"{HEAD}\n5,7,B,add,1,3\n", f"{path},unit=0.5,quantity=px|qty")[1]) == ["ADD 7 BUY 1@2"]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (
            "nasdaq",
            "no mapping 'nasdaq'; there are bitstamp, coinbase, events, shanghai, shenzhen; or name a .toml file",
        ),
        ("time=ts", "no column is named for action, side, price, quantity, id \\(or buy_id and sell_id\\)"),
        (f"{SIMPLE},tick=1", "unknown field 'tick'; there are time, symbol"),
        (f"{SIMPLE},", "'' is not field=column"),
        (f"{SIMPLE},price=px:ms", "only time has a unit, and only id a kind"),
        (SIMPLE.replace("time=ts", "time=ts:h"), "time_unit 'h' is not one of s, ms, us, ns, hhmmssmmm"),
        (SIMPLE.replace("A=add", "A=new"), "action A=new: 'new' is not one of add, reduce"),
        (SIMPLE.replace("A=add", "A"), "'A' is not word=meaning"),
        (SIMPLE.replace("0.01", "0"), "unit '0' is not a decimal above 0"),
        (SIMPLE.replace("0.01", "1e-30"), "unit '1e-30' is not a decimal above 0"),
        (SIMPLE.replace("0.01", "x"), "unit 'x' is not a decimal above 0"),
        (f"{SIMPLE},trades=taker", "trades 'taker' is not one of resting, aggressor, both"),
        (SIMPLE.replace("id=id", "id="), "id: name a column"),
    ],
)
def test_mappings_that_are_wrong_say_why(columns: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        column_mapping(columns)


@pytest.mark.parametrize(
    ("file", "added", "why"),
    [
        ('action = {A = ["add"]}', f",{WITHOUT_WORDS}", r"action A=\['add'\]: \['add'\] is not one of add"),
        ("side = {B = {}}", f",{SIMPLE}", r"side B=\{\}: \{\} is not one of buy"),
        ("columns = 3", "", "'columns' is not a table of columns"),
        ("columns = 3", ",time=ts", "'columns' is not a table of columns"),
        (f"unit = '{'9' * 50_000}'", f",{WITHOUT_WORDS}", r"unit '9+ \[.*, with up to 18 places"),
    ],
)
def test_a_file_of_another_shape_is_a_mapping_that_is_wrong(tmp_path: Path, file: str, added: str, why: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(file)
    with pytest.raises(UsageError, match=why) as refused:
        column_mapping(f"{path}{added}")
    assert len(str(refused.value)) < 2_000


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("", r"day\.csv: its first line does not name columns"),
        ("ts,id,side,whta,px,qty\n", r"day\.csv: no column 'what'; did you mean 'whta'\?"),
        ("ts,id,side,q,px,qty\n", r"no column 'what'; it has 'ts', 'id', 'side', 'q', 'px', 'qty'"),
        (f"{HEAD}\n5,7,B,A,1,3\n5,7,B,Q,1,3\n", r"row 3, column what: the mapping has no action 'Q'; it has 'A', "),
        (f"{HEAD}\n5,7,B,A,1,3\n5,7,?,A,1,3\n", r"row 3, column side: the mapping has no side '\?'"),
        (f"{HEAD}\n5,7,B,A,1.005,3\n", r"row 2, column px: '1\.005'; expected a decimal number of 0\.01"),
        (f"{HEAD}\n5,7,B,A,1e400,3\n", r"row 2, column px: '1e400'; expected a decimal number of 0\.01"),
        (f"{HEAD}\n5,7,B,A,1e29,3\n5,7,B,A,x,3\n", r"row 3, column px: 'x'; expected a decimal number of"),
        (f"{HEAD}\n5,7,B,A,1e{'9' * 30},3\n", r"row 2, column px: '1e9+'; expected a decimal number of 0\.01"),
        (f"{HEAD}\n5,7,B,A,\u0663,3\n", r"row 2, column px: '\u0663'; expected a decimal number of 0\.01"),
        (f"{HEAD}\n5,7,B,A,1_0,3\n", r"row 2, column px: '1_0'; expected a decimal number of 0\.01"),
        (f"{HEAD}\n5,7,B,A,nan,3\n", r"row 2, column px: 'nan'; expected"),
        (f"{HEAD}\n5,7,B,A,99999999999999999999,3\n", r"row 2, column px: .*more than 64 bits|'9+'; expected"),
        (f"{HEAD}\n5,7,B,A,1,-3\n", r"row 2, column qty: it is below 0"),
        (f"{HEAD}\n5,x7,B,A,1,3\n", r"row 2, column id: 'x7'; expected a whole number up to 18446744073709551615"),
        (f"{HEAD}\n-5,7,B,A,1,3\n", r"row 2, column ts: it is before 1970; name its unit"),
        (f"{HEAD}\n5,7,B,A,1\n", r"row 2: Expected 6 columns, got 5"),
        (f"{HEAD}\n5,7,B,A,1,3\n2026-13-05T09:00:00,7,B,A,1,3\n", r"row 3, column ts: '2026-13-05T09:00:00'; expected"),
        (f"{HEAD}\n2026-13-05T09:00:00Z,7,B,A,1,3\n", r"row 2, column ts: .*; expected a time such as 2026-01-05T"),
        (f"{HEAD}\n\x1b[31m,7,B,A,1,3\n", r"row 2, column ts: '\\\\x1b\[31m'; expected"),
        (HEAD.encode() + b"\n\xff,7,B,A,1,3\n", r"day\.csv, rows from 2: .*invalid UTF8"),
        (f"{HEAD}\n{'9' * 70_000}", r"day\.csv, row 2: more than 65,536 bytes, the limit"),
    ],
)  # fmt: skip
def test_bad_tables_are_refused_with_place_and_advice(opened: Open, rows: str | bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        opened(rows)


def test_without_pyarrow_it_says_what_to_install(opened: Open) -> None:
    with (
        mock.patch.dict(sys.modules, {"pyarrow": None}),
        pytest.raises(UsageError, match=r"pip install 'lowlat\[arrow\]'"),
    ):
        opened(f"{HEAD}\n5,7,B,A,1,3\n")


def test_times_that_go_back_are_a_fault(opened: Open) -> None:
    assert opened(f"{HEAD}\n5,7,B,A,1,3\n4,8,B,A,1,3\n5,9,B,A,1,3\n")[0].faults == {"time goes back": 1}


def test_fields_are_those_of_the_page() -> None:
    page = (Path(__file__).parents[4] / "docs/reference/column-mappings.md").read_text("utf-8")
    assert all(f"| `{field}` |" in page for field in mapping.FIELDS)
