"""What a group of rows unpacks to is read from the headers of its pages; no header makes that anything but an error."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowlat.engine.feed import parquet_sizes
from lowlat.engine.feed.parquet_sizes import unpacked_sizes
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.feed.tables import ArrowTable
from lowlat.engine.flow.readers.table import open_table
from lowlat.errors import InputError

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

ROWS = 6_000
TABLE = pa.table(
    {
        "number": np.arange(ROWS),
        "text": pa.array([f"{'A' * 90}{number:05}" for number in range(ROWS)]),
        "once": pa.array(["B" * 500] * ROWS),
    }
)


def file_of(**options: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(TABLE, file, **{"compression": "zstd", "use_dictionary": ["once"], **options})
    return file.getvalue()


def told(data: bytes) -> list[int]:
    return list(unpacked_sizes(io.BytesIO(data), "day.parquet"))


def with_total(data: bytes, total: int) -> bytes:
    """With another size of its only group of rows in the footer, wherever that stands there."""
    before = varint(parquet.read_metadata(io.BytesIO(data)).row_group(0).total_byte_size)
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    return data[:footer] + data[footer:].replace(before, varint(total, len(before)))


def footer_of(data: bytes) -> bytes:
    return data[-8 - int.from_bytes(data[-8:-4], "little") : -8]


def with_footer(data: bytes, footer: bytes) -> bytes:
    return data + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def varint(number: int, least: int = 1) -> bytes:
    """Of a number above zero, in as many bytes at least."""
    digits = [2 * number >> 7 * at & 0x7F for at in range(max(least, ((2 * number).bit_length() + 6) // 7))]
    return bytes([*(0x80 | each for each in digits[:-1]), digits[-1]])


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("options", [{}, {"compression": "none"}, {"row_group_size": 2_000}, {"data_page_size": 999}])
def test_each_group_has_the_bytes_that_its_pages_take_in_memory(version: str, options: dict[str, Any]) -> None:
    """Of each row 8 for the number and 4 and 95 for the text, at least; the long text once, with where each row is."""
    data = file_of(data_page_version=version, **options)
    about, sizes = parquet.read_metadata(io.BytesIO(data)), told(data)
    assert sum(sizes) > ROWS * (8 + 4 + 95) + 500
    assert sizes == [about.row_group(number).total_byte_size for number in range(about.num_row_groups)]


def test_a_footer_that_tells_less_is_not_believed(tmp_path: Path) -> None:
    honest = file_of()
    forged = with_total(honest, 100)
    assert parquet.read_metadata(io.BytesIO(forged)).row_group(0).total_byte_size == 100
    assert ROWS * 107 < told(forged)[0] <= told(honest)[0]
    path = tmp_path / "day.parquet"
    path.write_bytes(with_total(big(), 100))
    with pytest.raises(InputError, match=r"unpack to 2\.00 MiB or more: above 20 times as much is not order flow"):
        open_table(path, ReadOptions())


def test_pages_are_not_counted_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small ones, and columns that lie in the same bytes: each would be walked again."""
    monkeypatch.setattr(parquet_sizes, "PAGES_FREE", 500)
    row = {"data_page_size": 1, "write_batch_size": 1, "use_dictionary": False}
    small = io.BytesIO()
    parquet.write_table(pa.table({"number": np.arange(600)}), small, compression="none", **row)
    with pytest.raises(InputError, match=r"^day\.parquet: .* with more than 5\d\d pages, .* larger pages$"):
        told(small.getvalue())


def test_columns_that_lie_in_the_same_bytes_are_not_walked_again() -> None:
    whole = file_of()
    first = parquet.read_metadata(io.BytesIO(whole)).row_group(0).column(0)
    sizes = b"\x76" + varint(first.total_compressed_size) + b"\x26" + varint(first.data_page_offset)
    column = b"\x3c" + sizes + b"\0" + b"\0"
    group = b"\x19\xfc\xe8\x07" + column * 1_000 + b"\x16\x02" + b"\0"
    with pytest.raises(ValueError, match="its columns are larger than the file"):
        told(with_footer(whole, b"\x49\x1c" + group + b"\0"))


def test_a_footer_is_bounded_by_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_sizes, "FOOTER_BYTES_FREE", 100)
    whole = file_of()
    assert told(whole)
    with pytest.raises(
        InputError, match=r"^day\.parquet: a footer of .* in a file of .*; the limit is .* larger groups"
    ):
        told(whole[-len(footer_of(whole)) - 8 :])


@pytest.mark.parametrize(
    ("footer", "why"),
    [
        (b"", "no end"),
        (b"\x49\x1c", "no end"),
        (b"\x49\x1c\0\0", "no field 2"),
        (b"\x49\x1c\x26\x02\0\0", "no field 1"),
        (b"\x49\x1c\x19\x1c\0\x16\x02\0\0", "no field 3"),
        (b"\x49\x1c\x19\x1c\x3c\x96\x02\0\0\x16\x02\0\0", "no field 7"),
    ],
)
def test_a_footer_that_lacks_something_is_refused(footer: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=f"its footer has {why}"):
        told(with_footer(b"PAR1" * 4, footer))
    with pytest.raises(ValueError, match="it ends within its footer"):
        told(b"PAR1")


def test_statistics_that_contradict_their_column_do_not_end_the_process(tmp_path: Path) -> None:
    """pyarrow 26 aborts where it is asked for such a column; when it reads the rows it says what is wrong."""
    table, file = pa.table({"time_ns": [5, 6, 7]}), io.BytesIO()
    parquet.write_table(table, file, use_dictionary=False)
    whole, path, refused = file.getvalue(), tmp_path / "day.parquet", 0
    for at in range(len(whole) - 8 - len(footer_of(whole)), len(whole) - 8):
        for bits in (4, 0xFF):
            damaged = io.BytesIO(whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :])
            try:
                sum(map(len, ArrowTable(path, damaged, parquet=True).blocks([])))
            except InputError as error:
                assert "it is damaged" in str(error) or "above 20 times as much" in str(error)
                refused += 1
    assert refused > 100


def big() -> bytes:
    """A few hundred bytes of two megabytes."""
    file = io.BytesIO()
    table = pa.table({"time_ns": pa.array(["A" * (1 << 21)])})
    parquet.write_table(table, file, compression="zstd", use_dictionary=False, write_statistics=False)
    return file.getvalue()


def test_a_damaged_header_is_an_error_and_nothing_else() -> None:
    whole, chance, refused = file_of(), random.Random(1), 0
    first = parquet.read_metadata(io.BytesIO(whole)).row_group(0).column(0).data_page_offset
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[first + chance.randrange(40)] = chance.randrange(256)
        try:
            told(bytes(damaged))
        except ValueError:
            refused += 1
    assert refused > 20
