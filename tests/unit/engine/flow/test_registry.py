"""A file is read by the reader that recognizes it: by how it begins, then by its name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.engine.feed.source import recordings
from lowlat.engine.flow.registry import Reader, reader_of
from lowlat.engine.journal.header import JOURNAL
from lowlat.errors import InputError, PlugInError, UsageError
from tests.dbn_files import dbn

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

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


@pytest.mark.parametrize("content", [b"", b"time,type,id\n", b"34200.1,8,11,50,5850100,-1\n", b"1,2,3\n"])
def test_what_nothing_recognizes_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.txt").write_bytes(content)
    with pytest.raises(UsageError, match=r"notes\.txt is in no known format; name its format with --format: lobster"):
        reader_of(tmp_path / "notes.txt")


def test_a_format_that_contradicts_the_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_bytes(ROW)
    with pytest.raises(UsageError, match=r"day\.csv is a LOBSTER file, not a journal; remove --format journal"):
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
    (tmp_path / name).write_bytes(b"")
    assert reader_of(tmp_path / name).name == reader


def test_a_wrong_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_bytes(zstd.compress(dbn([])))
    with pytest.raises(UsageError, match=r"day\.csv is a DBN file, not a LOBSTER file; remove --format lobster"):
        reader_of(tmp_path / "day.csv", "lobster")
    with pytest.raises(UsageError, match=r"day\.csv is a DBN file, not a table; remove --columns"):
        reader_of(tmp_path / "day.csv", "columns", "--columns")


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
