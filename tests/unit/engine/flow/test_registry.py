"""A file is read by the reader that recognizes it: by how it begins, then by its name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import random
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.engine.feed.source import recordings
from lowlat.engine.flow.other_formats import other_format
from lowlat.engine.flow.registry import Reader, reader_of
from lowlat.engine.journal.header import JOURNAL
from lowlat.errors import InputError, PlugInError, UsageError
from tests.dbn_files import dbn

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DATABENTO = b"ts_recv,ts_event,rtype,publisher_id,instrument_id\n"
ROW = b"34200.017459617,5,0,1,2238200,-1\n"


@pytest.mark.parametrize(
    ("name", "content", "reader"),
    [
        ("day.csv", ROW, "lobster"),
        ("day.txt", ROW, "lobster"),  # renamed
        ("day", b"34200,1,16113575,18,5853300,1\r\n", "lobster"),
        ("day.csv.xz", b"\xfd7zXZ", "lobster"),  # compressed: by its name alone
        ("day.csv", JOURNAL, "journal"),
    ],
)
def test_a_file_finds_its_reader(tmp_path: Path, name: str, content: bytes, reader: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert reader_of(tmp_path / name).name == reader


@pytest.mark.parametrize("content", [b"?", b"time,type,id\n", b"34200.1,8,11,50,5850100,-1\n", b"1,2,3\n"])
def test_what_nothing_recognizes_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.txt").write_bytes(content)
    with pytest.raises(UsageError, match=r"notes\.txt is in no known format; name its format with --format: lobster"):
        reader_of(tmp_path / "notes.txt")


def test_a_format_that_contradicts_the_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_bytes(ROW)
    with pytest.raises(UsageError, match=r"day\.csv is a LOBSTER file, not a journal; use --format lobster"):
        reader_of(tmp_path / "day.csv", "journal")


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress, lzma.compress, bz2.compress, zstd.compress])
def test_what_is_packed_is_recognized_by_what_is_in_it(tmp_path: Path, squeeze: Callable[[bytes], bytes]) -> None:
    """Whatever its name says, and though much of it may be packed into one block."""
    noise = random.Random(7).randbytes(300_000)
    for content, reader in (ROW * 9, "lobster"), (dbn([]) + noise, "dbn"), (b"PAR1" + noise, "columns"):
        (tmp_path / "day.txt").write_bytes(squeeze(content))
        assert reader_of(tmp_path / "day.txt").name == reader


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("DAY.CSV", "lobster"),
        ("day.DBN.ZST", "dbn"),
        ("day.dbn", "dbn"),
        ("day.csv.zip", "lobster"),
        ("a.parquet", "columns"),
    ],
)
def test_a_name_in_any_case_helps_where_the_content_does_not(tmp_path: Path, name: str, reader: str) -> None:
    (tmp_path / name).write_bytes(b"?")
    assert reader_of(tmp_path / name).name == reader


@pytest.mark.parametrize("name", ["day.csv", "day.dbn", "day.itch", "day.parquet", "day", "day.csv.gz"])
def test_an_empty_file_is_called_that(tmp_path: Path, name: str) -> None:
    """Whatever its name says, and though it may be packed."""
    (tmp_path / name).write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
    for asked in None, "dbn", "lobster":
        with pytest.raises(InputError, match=rf"{name}: the file is empty; fetch it again"):
            reader_of(tmp_path / name, asked)


@pytest.mark.parametrize(
    ("content", "asked", "told"),
    [
        (dbn([], 3), "lobster", "a DBN v3 file, not a LOBSTER file; use --format dbn"),
        (dbn([], 1), "itch", "a DBN v1 file, not a NASDAQ ITCH file; use --format dbn"),
        (DATABENTO, "lobster", "a Databento CSV file, not a LOBSTER file; use --format dbn"),
        (b"," + DATABENTO, "journal", "a Databento CSV file, not a journal; use --format dbn"),
        (b"PAR1", "dbn", "a Parquet file, not a DBN file; use --format columns"),
        (b"ARROW1\0\0", "dbn", "an Arrow file, not a DBN file; use --format columns"),
        (b"time_ns,row,order_id,", "lobster", "a table of events, not a LOBSTER file; use --format columns"),
        (b"\xd4\xc3\xb2\xa1", "dbn", "a pcap capture, not a DBN file; use --format itch"),
        (b"\x0a\x0d\x0d\x0a", "dbn", "a pcapng capture, not a DBN file; use --format itch"),
        (b"\0\x0cS" + bytes(20), "dbn", "a NASDAQ ITCH file, not a DBN file; use --format itch"),
        (JOURNAL, "columns", "a journal, not a table; use --format journal"),
        (ROW, "dbn", "a LOBSTER file, not a DBN file; use --format lobster"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("squeeze", [bytes, zstd.compress])
def test_a_wrong_format_is_named_and_the_right_one(
    tmp_path: Path, content: bytes, asked: str, told: str, squeeze: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "day.csv").write_bytes(squeeze(content))
    with pytest.raises(UsageError, match=re.escape(f"day.csv is {told}")):
        reader_of(tmp_path / "day.csv", asked)


def test_columns_of_what_is_no_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_bytes(dbn([]))
    with pytest.raises(UsageError, match=r"day\.csv is a DBN v3 file, not a table; remove --columns"):
        reader_of(tmp_path / "day.csv", "columns", "--columns")


OTHERS = {
    "a DBZ file": b"\x51\x2a\x4d\x18\x80\0\0\0DBZ\1",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n",
    "an array of numpy": b"\x93NUMPY\1\0",
    "a Feather file of version 1": b"FEA1",
    "an Arrow stream": b"\xff\xff\xff\xff\xc8\1\0\0",
    "an ORC file": b"ORC\x0a",
    "an Avro file": b"Obj\1\4",
    "an SQLite database": b"SQLite format 3\0",
    "a Python pickle": b"\x80\4\x95\x0a",
    "compressed by LZ4": b"\4\x22\x4d\x18",
    "compressed as .Z": b"\x1f\x9d\x90",
    "compressed by lzip": b"LZIP\1",
    "a 7-Zip archive": b"7z\xbc\xaf\x27\x1c",
    "a RAR archive": b"Rar!\x1a\7",
    "a tar archive": b"day.csv".ljust(257, b"\0") + b"ustar\x0000",
    "text in UTF-16": "\ufeff34200,1".encode("utf-16-le"),
    "a PDF": b"%PDF-1.7",
    "a web page or XML": b"\n<!DOCTYPE html>",
    "JSON": b'{"type": "open"}',
    "an order book file of LOBSTER": b"5859400,200,5853300,18,9999999999,0,-9999999999,0\n",
    "a CSV file of Tardis": b"exchange,symbol,timestamp,local_timestamp,is_snapshot",
}


@pytest.mark.parametrize(("what", "content"), OTHERS.items())
def test_a_file_of_a_format_that_is_not_read_is_named_with_what_to_do(
    tmp_path: Path, what: str, content: bytes
) -> None:
    """Whatever its name promises and `--format` says."""
    for name, asked in ("day.csv", None), ("day.bin", None), ("day.bin", "lobster"), ("day.dbn", "itch"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=rf"{name} is {what}.*: \w+"):
            reader_of(tmp_path / name, asked)


def test_no_recording_is_taken_for_another_file() -> None:
    """What readers recognize is theirs; rows of LOBSTER are no levels of a book."""
    rows = [ROW * 9, dbn([]), dbn([], 1), b"PAR1", b"ARROW1", JOURNAL, b"ts_recv,ts_event,rtype,publisher_id,"]
    assert [other_format(content) for content in rows] == [None] * len(rows)


def test_what_a_pipe_holds_is_recognized_and_stays_in_it() -> None:
    """As after `curl ... | lowlat replay -`, also where the first bytes come one by one."""
    for content, reader in (zstd.compress(dbn([])), "dbn"), (ROW * 9, "lobster"), (gzip.compress(ROW), "lobster"):
        here, there = os.pipe()
        os.write(there, content[:1])
        late = threading.Timer(0.01, lambda end=there, rest=content[1:]: (os.write(end, rest), os.close(end)))
        late.start()
        assert reader_of(Path(f"/proc/self/fd/{here}")).name == reader
        late.join()
        assert os.read(here, 1 << 16) == content
        os.close(here)


def test_a_pipe_without_bytes_is_in_no_format() -> None:
    here, there = os.pipe()
    os.close(there)
    with pytest.raises(UsageError, match="in no known format"):
        reader_of(Path(f"/proc/self/fd/{here}"))
    os.close(here)


def test_folders_and_patterns_are_their_files_by_name(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    assert [path.name for path in recordings([tmp_path])] == ["a.csv", "b.csv", "c.txt"]
    assert [path.name for path in recordings([tmp_path / "*.csv", tmp_path / "c.txt"])] == ["a.csv", "b.csv", "c.txt"]
    assert recordings([Path("-"), Path("absent")]) == [Path("/dev/stdin"), Path("absent")]
    for empty in tmp_path / "inner", tmp_path / "*.dbn":
        with pytest.raises(InputError, match="no files; name a file, or a folder or a pattern of them"):
            recordings([empty])


def test_a_reader_without_a_way_to_read_is_its_packages_fault(tmp_path: Path) -> None:
    with pytest.raises(PlugInError, match="the reader toy has neither 'open' nor 'read'; give it one"):
        Reader(name="toy", noun="toy", sentence="a toy").flow(tmp_path)
