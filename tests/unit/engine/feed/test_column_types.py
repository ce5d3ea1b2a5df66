"""Columns of Parquet and Arrow files that could take any amount of memory are refused before they are read."""

from __future__ import annotations

import io
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowlat.engine.feed import tables
from lowlat.engine.feed.tables import ArrowTable
from lowlat.errors import InputError
from lowlat.limits import TABLE_CELL_BYTES_MAX

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402 (after the check that it is there)

FORMS = ["parquet", "arrow"]
TEXTS = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view(), pa.binary_view()]
LONG = "x" * (TABLE_CELL_BYTES_MAX + 1)


def file_of(table: Any, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    if form == "parquet":
        pq.write_table(table, file, **options)
    else:
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    return file.getvalue()


def read(data: bytes, name: str = "it") -> list[object]:
    table = ArrowTable(Path("day"), io.BytesIO(data), parquet=data.startswith(b"PAR1"))
    return [value for block in table.blocks([name]) for value in block.columns[name].to_pylist()]


def of(values: list[object], kind: Any) -> Any:
    return pa.table({"it": pa.array(values, kind)})


def repeated(value: object, kind: Any) -> Any:
    return pa.table({"it": pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array([value], kind))})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", TEXTS, ids=str)
def test_text_of_each_type_is_read(kind: Any, form: str) -> None:
    told = [
        value.decode() if isinstance(value, bytes) else value for value in read(file_of(of(["B", None], kind), form))
    ]
    assert told == ["B", None]


@pytest.mark.parametrize("kind", TEXTS, ids=str)
def test_a_text_that_parquet_stores_once_is_short(kind: Any) -> None:
    with pytest.raises(InputError, match=r"column it: a text of 1,025 bytes; the limit is 1,024"):
        read(file_of(of([LONG, LONG], kind), "parquet"))
    assert len(read(file_of(of([LONG[1:]], kind), "parquet"))) == 1


@pytest.mark.parametrize("kind", TEXTS[:4], ids=str)
def test_a_text_in_a_dictionary_is_short(kind: Any) -> None:
    with pytest.raises(InputError, match=r"column it: a text of 1,025 bytes; the limit is 1,024"):
        read(file_of(repeated(LONG, kind), "arrow"))
    assert len(read(file_of(repeated(LONG[1:], kind), "arrow"))) == 2


@pytest.mark.parametrize("kind", TEXTS[4:], ids=str)
def test_a_text_that_many_views_can_show_is_short(kind: Any) -> None:
    table = of(["B", LONG, None], kind).append_column("other", pa.array([5, 6, 7]))
    with pytest.raises(InputError, match=r"column it: a text of 1,025 bytes; the limit is 1,024"):
        read(file_of(table, "arrow"))
    assert read(file_of(table, "arrow"), "other") == [5, 6, 7]
    assert len(read(file_of(of([LONG[1:], None], kind), "arrow"))) == 2


def test_texts_that_nothing_reads_are_not_validated_for_each_of_their_views() -> None:
    """That would take the square of the file's size: 300 GB here."""
    rows, size = 60_000, 5_000_000
    views = np.zeros(rows, np.dtype([("size", "<i4"), ("begin", "S4"), ("buffer", "<i4"), ("at", "<i4")]))
    views["size"], views["begin"] = size, b"xxxx"
    text = [None, pa.py_buffer(views.tobytes()), pa.py_buffer(b"x" * size)]
    table = pa.table({"other": pa.Array.from_buffers(pa.string_view(), rows, text), "it": np.zeros(rows, np.int8)})
    data = file_of(table, "arrow")
    assert len(read(data)) == rows
    with pytest.raises(InputError, match=r"column other: a text of 5,000,000 bytes"):
        read(data, "other")


def test_a_large_dictionary_is_not_validated_for_each_of_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 200), pa.array(map(str, range(10_000))))
    file, table = io.BytesIO(), pa.table({"it": shared})
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=1)
    monkeypatch.setattr(tables, "DICTIONARIES_BYTES_FREE", 10_000_000)
    assert len(read(file.getvalue())) == 200
    monkeypatch.setattr(tables, "DICTIONARIES_RATIO_MAX", 1)
    monkeypatch.setattr(tables, "DICTIONARIES_BYTES_FREE", 0)
    with pytest.raises(
        InputError, match=r"KiB whose batches use .* of dictionaries or more; write its text without them"
    ):
        read(file.getvalue())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([1], pa.list_(pa.int8())),
        ({"a": 1}, pa.struct([("a", pa.int8())])),
        ([("a", 1)], pa.map_(pa.string(), pa.int8())),
        (b"x" * 1_025, pa.binary(1_025)),
    ],
    ids=lambda each: str(each)[:20],
)
def test_a_cell_of_any_size_is_not_read(value: object, kind: Any, form: str) -> None:
    for twice in of([value], kind), pa.table([pa.array([5]), pa.array([value], kind)], names=["it", "it"]):
        with pytest.raises(InputError, match=r"day, column it: .* is not read; write numbers, times or short text"):
            read(file_of(twice, form))


@pytest.mark.parametrize(
    "column",
    [
        pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array([[1, 2]])),
        pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array(["B"], pa.string_view())),
        pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array([b"x" * 1_025], pa.binary(1_025))),
        pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array(["B"])),
        pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array(["B"])]),
    ],
    ids=lambda column: str(column.type)[:40],
)
def test_what_else_an_arrow_file_repeats_is_not_read(column: Any) -> None:
    with pytest.raises(InputError, match=r"day, column it: .* is not read"):
        read(file_of(pa.table({"it": column}), "arrow"))


def test_a_list_that_is_read_by_the_name_of_another_column_is_not_read() -> None:
    table = pa.table({"it.x": [5], "it": pa.array([{"x": [1]}])})
    with pytest.raises(InputError, match=r"day, column it\.x: it\.x\.list\.element of it is not read"):
        read(file_of(table, "parquet"), "it.x")
    assert read(file_of(table.select(["it.x"]), "parquet"), "it.x") == [5]


def test_decimals_of_any_length_are_not_read() -> None:
    """As text, which Parquet allows: each is converted after a block of them was copied."""
    data = file_of(of([b"\1"], pa.binary()), "parquet", store_schema=False)
    (size,) = struct.unpack("<I", data[-8:-4])
    footer = data[-8 - size : -8]
    end_of_column = footer.index(b"\x18\x02it\x00") + 4
    decimal = b"\x25\x0a\x15\x04\x15\x12"  # fields 6 to 8: DECIMAL, of 9 digits, 2 of them decimals
    footer = footer[:end_of_column] + decimal + footer[end_of_column:]
    with pytest.raises(InputError, match=r"day, column it: DECIMAL of any length is not read"):
        read(data[: -8 - size] + footer + struct.pack("<I", len(footer)) + b"PAR1")


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_an_encoding_that_pyarrow_cannot_read_is_no_damage(encoding: str) -> None:
    data = file_of(of(["B"], pa.string()), "parquet", use_dictionary=False, column_encoding={"it": encoding})
    with pytest.raises(InputError, match=r"day: pyarrow cannot read it: Not yet .*; write it with plain encoding"):
        read(data)


def test_times_and_decimals_in_a_dictionary_are_checked_too() -> None:
    zoned = file_of(repeated(5, pa.timestamp("ns", "Zone")), "arrow").replace(b"Zone", b"Z\xffne")
    with pytest.raises(InputError, match=r"day: it is damaged: 'utf-8' codec can't decode"):
        read(zoned)
    digits, wrong = struct.pack("<ii", 6, 5), struct.pack("<ii", 6, 1 << 30)
    scaled = file_of(repeated(Decimal("1.01"), pa.decimal128(6, 5)), "arrow").replace(digits, wrong)
    with pytest.raises(InputError, match=r"column it: 1073741824 of its 6 digits are decimals"):
        read(scaled)
