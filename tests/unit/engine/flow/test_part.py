"""Parts of a recording that it does not have, and files that are cut before they show what they are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.registry import reader_of
from lowlat.errors import InputError, UsageError
from tests.dbn_files import DOLLAR, dbn, record

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DBN = dbn([record("A", number, "B", 5 * DOLLAR, 10, at=number) for number in range(1, 9)])
LOBSTER = b"34200.1,1,7,100,1000000,1\n"
TABLE = b"ts,oid,side,type,px,qty\n1767603600000000000,7,B,add,5.00,10\n"
COLUMNS = "time=ts:ns,id=oid,side=side,action=type,price=px,quantity=qty"


def read(path: Path, options: ReadOptions) -> int:
    columns = "columns" if options.columns else None
    return sum(map(len, reader_of(path, columns).events(path, options).blocks))


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [("day.dbn", DBN, None), ("day_message.csv", LOBSTER, None), ("day.csv", TABLE, COLUMNS)],
)
def test_a_symbol_that_is_not_there(tmp_path: Path, name: str, content: bytes, columns: str | None) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for until, before in (None, ""), (2**62, " before --to"):
        options = ReadOptions(frozenset({"NO\x1bPE"}), until, columns)
        with pytest.raises(InputError, match=rf"{name}: it has no symbol NO\\x1bPE{before}; see --symbols$"):
            read(path, options)


def test_a_time_of_day_is_none_of_a_file_with_dates(tmp_path: Path) -> None:
    path = tmp_path / "day.dbn"
    path.write_bytes(DBN)
    with pytest.raises(UsageError, match=r"its times have a date: give it, as in 2026-01-05T09:30, in UTC"):
        read(path, ReadOptions(time_base="midnight"))
    assert read(path, ReadOptions(time_base="unix")) == 8


def test_a_date_is_none_of_a_file_of_times_of_day(tmp_path: Path) -> None:
    path = tmp_path / "day_message.csv"
    path.write_bytes(LOBSTER)
    with pytest.raises(UsageError, match=r"its times are those of a day, without a date: give them as 09:30"):
        read(path, ReadOptions(time_base="unix"))


def test_a_compressed_file_cut_before_its_first_byte_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "day.dbn.zst"
    path.write_bytes(zstd.compress(DBN)[:-20])
    with pytest.raises(InputError, match="the compressed stream is truncated; fetch the file again"):
        read(path, ReadOptions())
