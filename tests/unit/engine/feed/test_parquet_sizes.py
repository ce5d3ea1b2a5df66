"""What a group of rows unpacks to is read from the headers of its pages; no header makes that anything but an error."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from lowlat.engine.feed import parquet_sizes
from lowlat.engine.feed.parquet_sizes import _CompactReader, unpacked_sizes
from lowlat.engine.feed.stream import ReadOptions
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
    return list(unpacked_sizes(io.BytesIO(data), parquet.read_metadata(io.BytesIO(data)), "day.parquet"))


def with_total(data: bytes, total: int) -> bytes:
    """With another size of its only group of rows in the footer, wherever that stands there."""
    before = varint(parquet.read_metadata(io.BytesIO(data)).row_group(0).total_byte_size)
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    return data[:footer] + data[footer:].replace(before, varint(total, len(before)))


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
    about = parquet.read_metadata(io.BytesIO(file_of()))
    column = about.row_group(0).column(0)
    group = Mock(num_columns=1_000, total_byte_size=0, column=lambda _number: column)
    twice = Mock(num_row_groups=1, row_group=lambda _number: group)
    with pytest.raises(ValueError, match="its columns are larger than the file"):
        list(unpacked_sizes(io.BytesIO(file_of()), twice, "day.parquet"))


def big() -> bytes:
    """A few hundred bytes of two megabytes."""
    file = io.BytesIO()
    table = pa.table({"time_ns": pa.array(["A" * (1 << 21)])})
    parquet.write_table(table, file, compression="zstd", use_dictionary=False, write_statistics=False)
    return file.getvalue()


def test_a_damaged_header_is_an_error_and_nothing_else() -> None:
    whole, chance, refused = file_of(), random.Random(1), 0
    about = parquet.read_metadata(io.BytesIO(whole))
    first = about.row_group(0).column(0).data_page_offset
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[first + chance.randrange(40)] = chance.randrange(256)
        try:
            list(unpacked_sizes(io.BytesIO(damaged), about, "day.parquet"))
        except ValueError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("data", [b"\x1c" * 9, b"\x15" + b"\xff" * 11, b"\x19\xf5", b"\x1b\x01"])
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"nested too deeply|more than 64 bits|a field of kind"):
        _CompactReader(data).struct()


@pytest.mark.parametrize("data", [b"", b"\x15", b"\x15\x80", b"\x18\x7f", b"\x17", b"\x1c"])
def test_what_ends_within_a_header_says_so(data: bytes) -> None:
    with pytest.raises(IndexError):
        _CompactReader(data).struct()
