"""A file is read by the reader that recognizes it: by how it begins, then by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowlat.engine.flow.registry import Reader, reader_of
from lowlat.engine.journal.header import JOURNAL
from lowlat.errors import PlugInError, UsageError

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


def test_a_reader_without_a_way_to_read_is_its_packages_fault(tmp_path: Path) -> None:
    with pytest.raises(PlugInError, match="the reader toy has neither 'open' nor 'read'; give it one"):
        Reader(name="toy", noun="toy", sentence="a toy").flow(tmp_path)
