"""Errors in a LOBSTER file name the row and column."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from lowlat.engine.flow.readers.lobster import read_lobster
from lowlat.engine.flow.readers.lobster.book import read_book
from lowlat.errors import ExitCode, LobsterError, UsageError

GOOD = "1,1,7,30,1000000,1"


@pytest.mark.parametrize(
    ("row", "column", "value", "expected"),
    [
        ("soon,1,7,30,1000000,1", "time", "'soon'", "number of seconds"),
        ("nan,1,7,30,1000000,1", "time", "'nan'", "number of seconds"),
        ("1e3,1,7,30,1000000,1", "time", "'1e3'", "number of seconds"),
        ("1.2.3,1,7,30,1000000,1", "time", "'1.2.3'", "number of seconds"),
        ("86400.1,1,7,30,1000000,1", "time", "'86400.1'", "0 to 86400"),
        ("-1,1,7,30,1000000,1", "time", "'-1'", "0 to 86400"),
        ("0.5,1,7,30,1000000,1", "time", "'0.5'", "not before that of the row above"),
        ("2,8,7,30,1000000,1", "type", "'8'", "a type from 1 to 7"),
        ("2,0,7,30,1000000,1", "type", "'0'", "a type from 1 to 7"),
        ("2,,7,30,1000000,1", "type", "''", "an integer"),
        ("2,1,x,30,1000000,1", "order id", "'x'", "an integer"),
        ("2,1,0,30,1000000,1", "order id", "'0'", "a positive order id"),
        ("2,1,9223372036854775808,30,1000000,1", "order id", "'9223372036854775808'", "integer of 64 bits"),
        ("2,1,7,1.5,1000000,1", "size", "'1.5'", "an integer"),
        ("2,1,7,1_0,1000000,1", "size", "'1_0'", "an integer"),
        ("2,1,7,1 0,1000000,1", "size", "'1 0'", "an integer"),
        ("2,1,7,--30,1000000,1", "size", "'--30'", "an integer"),
        ("2,1,7,+30,1000000,1", "size", "'+30'", "an integer"),
        (".,1,7,30,1000000,1", "time", "'.'", "number of seconds"),
        ("2,1,7,-30,1000000,1", "size", "'-30'", "a positive size"),
        ("2,5,0,0,1000000,1", "size", "'0'", "a positive size"),
        ("2,1,7,4294967296,1000000,1", "size", "'4294967296'", "at most 4294967295"),
        ("2,1,7,30,0,1", "price", "'0'", "a positive price"),
        ("2,4,7,30,-1000000,1", "price", "'-1000000'", "a positive price"),
        ("2,7,0,0,2,-1", "price", "'2'", "-1 (halt), 0 (quotes) or 1 (trading)"),
        ("2,1,7,30,1000000,0", "direction", "'0'", "1 (buy) or -1 (sell)"),
        ("2,5,0,30,1000000,2", "direction", "'2'", "1 (buy) or -1 (sell)"),
    ],
)
def test_a_bad_field_is_named_with_its_row_and_column(
    tmp_path: Path, row: str, column: str, value: str, expected: str
) -> None:
    path = tmp_path / "messages.csv"
    path.write_text(f"{GOOD}\n{row}\n{GOOD}\n")
    with pytest.raises(LobsterError) as caught:
        read_lobster(path)
    assert (caught.value.row, caught.value.column) == (2, column)
    assert str(caught.value).startswith(f"{path}, row 2, column {column}: {value} is not ")
    assert expected in str(caught.value)
    assert isinstance(caught.value, UsageError) and caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("row", ["2,1,7,30,1000000", "2,1,7,30,1000000,1,", "", "2 1 7 30 1000000 1"])
def test_a_row_of_another_width_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "messages.csv"
    path.write_text(f"{GOOD}\n{GOOD}\n{row}\n{GOOD}\n")
    with pytest.raises(LobsterError, match=r"row 3: . columns? in .*; expected 6") as caught:
        read_lobster(path)
    assert (caught.value.row, caught.value.column) == (3, None)


def test_widths_that_cancel_out_are_seen(tmp_path: Path) -> None:
    """Five plus seven columns are twelve fields, like two valid rows."""
    path = tmp_path / "messages.csv"
    path.write_text("1,1,7,30,1000000\n1,1,1,8,30,1000000,1\n")
    with pytest.raises(LobsterError, match="row 1: 5 columns"):
        read_lobster(path)


def test_the_first_of_several_bad_rows_is_named(tmp_path: Path) -> None:
    path = tmp_path / "messages.csv"
    path.write_text(f"{GOOD}\n2,1,7,30,1000000,3\n3,9,7,30,1000000,1\n")
    with pytest.raises(LobsterError, match="row 2, column direction"):
        read_lobster(path)


@pytest.mark.parametrize("name", ["none.csv", "none.csv.xz"])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(LobsterError, match=f"{name}: no such file"):
        read_lobster(tmp_path / name)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(LobsterError, match="it is a directory; name a file in it"):
        read_lobster(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "messages.csv"
    path.touch()
    with pytest.raises(LobsterError, match="the file is empty"):
        read_lobster(path)


@pytest.mark.parametrize(("suffix", "squeeze"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_a_truncated_stream(tmp_path: Path, suffix: str, squeeze: object) -> None:
    assert callable(squeeze)
    whole = squeeze("\n".join([GOOD] * 100).encode())
    path = tmp_path / f"messages.csv{suffix}"
    path.write_bytes(whole[:-6])
    with pytest.raises(LobsterError, match="truncated"):
        read_lobster(path)


def test_best_states_need_four_columns_a_level(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("1,2,3\n")
    with pytest.raises(LobsterError, match="row 1: 3 columns; expected four per level"):
        read_book(path)
    path.write_text("1,2,3,4\n1,2,x,4\n")
    with pytest.raises(LobsterError, match="row 2, column bid price: 'x'"):
        read_book(path)
