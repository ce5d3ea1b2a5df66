"""Tables of level-3 events: CSV, Parquet and Arrow files, and what a user says of their columns."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from functools import cache
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


def _seeds(packed: tuple[str | None, ...], write: Callable[[Any, Any, str | None], None]) -> list[bytes]:
    seeds = []
    for first, table in enumerate((_own(), _others())):
        for compression in packed:
            file = io.BytesIO()
            write(table, file, compression)
            seeds.append(bytes([first]) + file.getvalue())
    return seeds


def _write_parquet(table: Any, file: Any, compression: str | None) -> None:
    parquet.write_table(table, file, compression=compression or "none", use_dictionary=compression is not None)


def _write_arrow(table: Any, file: Any, compression: str | None) -> None:
    version = pa.ipc.MetadataVersion.V5 if compression else pa.ipc.MetadataVersion.V4
    options = pa.ipc.IpcWriteOptions(compression=compression, metadata_version=version)
    with pa.ipc.new_file(file, table.schema, options=options) as writer:
        writer.write_table(table)


def _plant_damage() -> None:
    """A reader that lets the errors of its library through."""
    mock.patch.object(tables.ArrowTable, "_readable", lambda _self: nullcontext()).start()


PARQUET = Target(
    "parquet",
    _read_typed,
    lambda: _seeds((None, "zstd"), _write_parquet),
    _plant_damage,
    tuple(f"engine/feed/{name}.py" for name in ("thrift", "parquet_sizes", "column_types", "tables", "columns")),
)
ARROW = Target(
    "arrow",
    _read_typed,
    lambda: _seeds((None, "lz4", "zstd"), _write_arrow),
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
