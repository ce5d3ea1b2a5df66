"""Tables of level-3 events: CSV, Parquet and Arrow files, and what a user says of their columns."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pyarrow as pa
from pyarrow import parquet

from lowlat.engine.feed import columns, tables
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.feed.table_facts import metadata_of
from lowlat.engine.flow.readers.table import mapping, open_table
from lowlat.engine.flow.readers.table.mapping import ACTIONS, FIELDS, SIDES, column_mapping
from tests.fuzz.parsers.feeds import read_events
from tests.fuzz.parsers.target import Target, written

# -- CSV -------------------------------------------------------------------------------------------------------------

_COLUMNS: Final = (
    "time=ts,id=id,buy_id=bid,sell_id=ask,side=side:{B=buy,S=sell,N=both},symbol=sym,unit=0.01,trades=aggressor,"
    "action=what:{A=add,X=cancel,E=execute,C=clear,I=ignore},price=px|last,quantity=qty"
)
_TABLE: Final = b"""\
ts,id,bid,ask,side,what,px,last,qty,sym
2026-01-05T09:00:00.5Z,7,,,B,A,1.01,,30,ARL
2026-01-05T09:00:01Z,8,,,S,A,1.10,,20,ARL
2026-01-05T09:00:02Z,,7,8,N,E,,1.05,10,ARL
2026-01-05T09:00:02Z,,7,8,B,E,,1.05,10,XYZ
2026-01-05T09:00:03Z,,0,8,S,X,,,,ARL
"""


def _read_table(data: bytes, folder: Path) -> None:
    read_events(open_table(written(folder, "day.csv", data), ReadOptions(columns=_COLUMNS)))


def _plant_table() -> None:
    """A reader that takes every cell for a number."""
    mock.patch.object(columns, "_first_bad", lambda *_: ValueError("planted")).start()


TABLE = Target(
    "table",
    _read_table,
    lambda: [_TABLE, _TABLE.replace(b"\n", b"\r\n"), _TABLE.replace(b",", b";")],
    _plant_table,
    ("engine/feed/tables.py", "engine/feed/columns.py", "engine/flow/readers/table/events.py"),
)

# -- Parquet and Arrow -----------------------------------------------------------------------------------------------


def _read_typed(data: bytes, folder: Path) -> None:
    """The first byte: 0: the columns are those that `lowlat convert` writes, else those of `_COLUMNS`."""
    options = ReadOptions(columns=_COLUMNS if data[:1] != b"\0" else None)
    read_events(open_table(written(folder, "day.table", data[1:]), options))


@cache
def _own() -> Any:
    """As `lowlat convert` writes it."""
    facts = OrderEventStream(Path("day.csv"), "table", Decimal("0.01"), "unix", iter(()))
    rows = {
        "time_ns": pa.array([5, 6, 7], pa.uint64()),
        "row": pa.array([1, 2, 3], pa.uint64()),
        "order_id": pa.array([1, 2, 1], pa.uint64()),
        "other_id": pa.array([0, 0, 2], pa.uint64()),
        "price": pa.array([Decimal("1.01"), Decimal("1.02"), Decimal("1.02")], pa.decimal128(38, 2)),
        "quantity": pa.array([9, 8, 8], pa.uint64()),
        "symbol": pa.array(["ARL", "XYZ", "ARL"]),
        "action": pa.array(["add", "add", "execute"]),
        "side": pa.array(["buy", "sell", "buy"]),
        "flags": pa.array([0, 1, 0], pa.uint16()),
    }
    return pa.table(rows, metadata=metadata_of(facts))


@cache
def _others() -> Any:
    """Columns of other types, with gaps, and a text that is stored once."""
    rows = {
        "ts": pa.array([1, 2, 3], pa.timestamp("us", "UTC")),
        "id": pa.array([7, 8, None], pa.int32()),
        "bid": pa.array([None, None, 7], pa.uint64()),
        "ask": pa.array([None, None, "8"], pa.large_string()),
        "side": pa.array(["B", "S", "N"]).dictionary_encode(),
        "what": pa.array(["A", "A", "E"]),
        "px": pa.array([1.01, 1.10, None]),
        "last": pa.array([None, None, 1.05], pa.float32()),
        "qty": pa.array([Decimal(30), Decimal(20), Decimal(10)], pa.decimal128(9, 0)),
        "sym": pa.array(["ARL", "ARL", None]).dictionary_encode(),
    }
    return pa.table(rows)


@cache
def _rare() -> Any:
    """Types that few writers use, a time and a text by number, and a list that nothing reads."""
    rows = {
        "ts": pa.array([1, 2, 3], pa.timestamp("s", "+01:00")).dictionary_encode(),
        "id": pa.array([7, 8, None], pa.decimal256(40, 0)),
        "bid": pa.nulls(3),
        "ask": pa.array([None, None, b"8"], pa.large_binary()),
        "side": pa.array(["B", "S", "N"], pa.large_string()),
        "what": pa.array([b"A", b"A", b"E"], pa.binary(1)),
        "px": pa.array([Decimal("1.01"), Decimal("1.10"), None], pa.decimal256(50, 2)),
        "last": pa.array([None, None, 1.5], pa.float16()),
        "qty": pa.array([30, 20, 10], pa.int64()),
        "sym": pa.array(["ARL", "a text of more than 12 bytes", None], pa.string_view()),
        "unread": pa.array([[1], [2, 3], None], pa.list_(pa.int8())),
    }
    return pa.table(rows)


def _parquet_seeds() -> list[bytes]:
    """Without and with dictionaries; newer pages, of numbers by their differences, in two groups of rows."""
    simple: list[dict[str, Any]] = [
        {"compression": each, "use_dictionary": each != "none"} for each in ("none", "zstd")
    ]
    newer: dict[str, Any] = {
        "compression": "gzip",
        "data_page_version": "2.0",
        "row_group_size": 2,
        "use_dictionary": ["side", "sym"],
        "column_encoding": {"qty": "DELTA_BINARY_PACKED"},
    }
    told = [(table, options) for table in (_own(), _others()) for options in simple]
    return [
        _seed(table, partial(parquet.write_table, table, **options)) for table, options in [*told, (_rare(), newer)]
    ]


def _arrow_seeds() -> list[bytes]:
    """Of both versions of the format; two batches."""
    told = [(table, each) for table in (_own(), _others()) for each in (None, "lz4", "zstd")]
    return [_seed(table, partial(_write_arrow, table, each)) for table, each in [*told, (_rare(), "zstd")]]


def _seed(table: Any, write: Callable[[Any], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return bytes([table is not _own()]) + file.getvalue()


def _write_arrow(table: Any, compression: str | None, file: Any) -> None:
    version = pa.ipc.MetadataVersion.V5 if compression else pa.ipc.MetadataVersion.V4
    options = pa.ipc.IpcWriteOptions(compression=compression, metadata_version=version)
    with pa.ipc.new_file(file, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=2 if table is _rare() else None)


def _plant_damage() -> None:
    """A reader that lets the errors of its library through."""
    mock.patch.object(tables.ArrowTable, "_readable", lambda _self: nullcontext()).start()


PARQUET = Target(
    "parquet",
    _read_typed,
    _parquet_seeds,
    _plant_damage,
    tuple(f"engine/feed/{name}.py" for name in ("thrift", "parquet_sizes", "column_types", "tables", "columns")),
)
ARROW = Target(
    "arrow",
    _read_typed,
    _arrow_seeds,
    _plant_damage,
    tuple(f"engine/feed/{name}.py" for name in ("arrow_sizes", "column_types", "tables", "table_facts")),
)

# -- what columns mean -----------------------------------------------------------------------------------------------


def _read_mapping(data: bytes, folder: Path) -> None:
    """The first byte: odd: up to a NUL, a mapping in a file, and the rest is added to it; even: all is the mapping."""
    told, _, more = data[1:].partition(b"\0")
    text = told.decode("utf-8", "replace")
    if data and data[0] % 2:
        path = written(folder, "mine.toml", told)
        text = f"{path},{more.decode('utf-8', 'replace')}" if more else str(path)
    found = column_mapping(text)
    assert found.columns.keys() <= FIELDS.keys() and all(map(all, found.columns.values())), "fields have columns"
    assert set(found.action.values()) <= set(ACTIONS.values()) and set(found.side.values()) <= set(SIDES.values())
    assert all(unit is None or 0 < unit <= 10**6 for unit in (found.unit, found.quantity_unit))
    read_events(open_table(written(folder, "day.csv", _TABLE), ReadOptions(columns=text)))


def _mapping_seeds() -> list[bytes]:
    """As an option; the same in a file, alone and with something added."""
    file = b"""\
description = "Of a venue."
unit = "0.01"
trades = "aggressor"
[columns]
time = "ts"
id = "id"
buy_id = "bid"
sell_id = "ask"
side = "side"
action = "what"
price = ["px", "last"]
quantity = "qty"
symbol = "sym"
[action]
A = "add"
X = "cancel"
E = "execute"
[side]
B = "buy"
S = "sell"
N = "both"
"""
    return [
        b"\0" + _COLUMNS.encode(),
        b"\1" + file,
        b"\1" + file + b"\0unit=0.005,action=what:{A=add,E=trade,X=cancel}",
    ]


def _plant_mapping() -> None:
    """A reader whose own errors are not typed."""
    mock.patch.object(mapping, "FormatError", lambda *words: ValueError(words)).start()


MAPPING = Target(
    "mapping",
    _read_mapping,
    _mapping_seeds,
    _plant_mapping,
    ("engine/flow/readers/table/mapping.py", "engine/flow/readers/table/__init__.py"),
)
