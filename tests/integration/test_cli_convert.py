"""`lowlat convert`: tables and journals of recorded orders, whole or not at all."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.convert import convert as convert_file
from lowlat.engine.flow.registry import reader_of
from lowlat.engine.flow.writers import writer_of
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.errors import JournalWriteError
from lowlat.errors import OutputPathError
from tests.dbn_files import DOLLAR, LAST, MAYBE_BAD_BOOK, dbn, record
from tests.recorded_day import recorded_day
from tests.waiting import PATIENCE_S, wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]

pytest.importorskip("pyarrow")


def sell(action: str, order_id: int, size: int, flags: int = LAST) -> bytes:
    return record(action, order_id, "A", 5 * DOLLAR, size, flags=flags, at=9)


DAY = dbn(
    [
        sell("A", 7, 30),
        record("N", at=9),
        record("T", 9, "B", 5 * DOLLAR, 10, flags=0, at=9),
        sell("F", 7, 10, 0),
        sell("C", 7, 10, LAST | MAYBE_BAD_BOOK),
    ],
    mappings=[("ARL", [(20260105, 20260106, "1")])],
)
ROWS = """\
time_ns,row,order_id,other_id,price,quantity,symbol,action,side,flags
1767603600000000009,1,7,0,5.000000000,30,"ARL","add","sell",0
1767603600000000009,4,7,9,5.000000000,10,"ARL","execute","sell",1
"""


@pytest.fixture
def day(tmp_path: Path) -> Path:
    path = tmp_path / "day.dbn"
    path.write_bytes(DAY)
    return path


def test_a_recording_becomes_a_table_and_the_table_a_table(lowlat: Run, day: Path, tmp_path: Path) -> None:
    done = lowlat("convert", day.name, "day.csv")
    assert (done.returncode, done.stdout) == (0, "wrote day.csv: 2 events, 1 symbol\n")
    assert done.stderr.splitlines() == [
        "lowlat: left out: none: 1",
        "lowlat: fault: records of a book that may be wrong (F_MAYBE_BAD_BOOK): 1",
    ]
    assert (tmp_path / "day.csv").read_text() == ROWS
    for step in ("day.csv", "day.parquet"), ("day.parquet", "day.arrow"), ("day.arrow", "again.csv"):
        assert lowlat("convert", *step).stdout == f"wrote {step[1]}: 2 events, 1 symbol\n"
    again = (tmp_path / "again.csv").read_text()
    assert [line.split(",")[:1] + line.split(",")[2:] for line in again.splitlines()] == [
        line.split(",")[:1] + line.split(",")[2:] for line in ROWS.splitlines()
    ], "but for the row, which counts in the file that was read"


def test_symbols_can_be_chosen(lowlat: Run, day: Path) -> None:
    assert lowlat("convert", day.name, "a.csv", "--symbols", "ARL").stdout == "wrote a.csv: 2 events, 1 symbol\n"
    done = lowlat("convert", day.name, "b.csv", "--symbols", "ARL,XYZ")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lowlat: error: day.dbn: it has no symbol XYZ; see --symbols\n"
    assert not (day.parent / "b.csv").exists()


def test_a_recording_becomes_the_journal_of_its_replay(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text(recorded_day()[0])
    assert lowlat("convert", "day.csv", "day.journal").returncode == 0
    assert lowlat("convert", "day.journal", "again.journal").returncode == 0
    one, two = (lowlat("journal", "dump", name).stdout.splitlines() for name in ("day.journal", "again.journal"))
    assert len(one) > 1_900 and one[1:] == two[1:]
    refused = lowlat("convert", "day.csv", "day.journal")
    assert refused.returncode == 2 and "a journal is never written over" in refused.stderr


@pytest.mark.parametrize("name", ["day.parquet", "day.arrow"])
def test_a_table_tells_of_its_recording_what_its_rows_do_not(lowlat: Run, tmp_path: Path, name: str) -> None:
    """The unit of prices, what times count from, the levels displayed, and that ids show when orders arrived."""
    messages = tmp_path / "AAPL_2012-06-21_message_10.csv"
    messages.write_text(recorded_day(500)[0].replace("34200.000004,1,2,", "34200.000004,1,9000,"))
    assert lowlat("convert", messages.name, name).returncode == 0
    given, again = (reader_of(path).open for path in (messages, tmp_path / name))
    assert given is not None and again is not None
    done = lowlat("convert", messages.name, "day.csv")
    assert done.stderr == (
        "lowlat: not in the file: that times count from midnight, how many levels are displayed, that order ids show "
        "when orders arrived; a .parquet or .arrow file has it\n"
    )
    told, read = given(messages, ReadOptions()), again(tmp_path / name, ReadOptions())
    for fact in ("unit", "time_base", "displayed_levels", "ids_by_arrival"):
        assert getattr(read, fact) == getattr(told, fact), fact
    assert np.array_equal(np.concatenate([*told.blocks]), np.concatenate([*read.blocks]))


def test_a_folder_becomes_a_folder(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "tables").mkdir()
    for name in ("b.dbn", "a.DBN", ".hidden"):
        (tmp_path / "days" / name).write_bytes(DAY)
    done = lowlat("convert", "days", "tables", "--to", "csv", "-q")
    assert done.stdout == "wrote tables/a.csv: 2 events, 1 symbol\nwrote tables/b.csv: 2 events, 1 symbol\n"
    assert (tmp_path / "tables/a.csv").read_text() == ROWS
    done = lowlat("convert", "days/?.*", "tables", "--to", "arrow", "-q")
    assert len(done.stdout.splitlines()) == 2 and (tmp_path / "tables/b.arrow").exists()


def test_a_folder_with_a_file_of_something_else_is_refused_before_any_is_written(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "tables").mkdir()
    (tmp_path / "days/a.dbn").write_bytes(DAY)
    for name, content, why in (
        ("README.md", b"hello", "days/README.md is in no known format"),
        ("b.csv", b"", "days/b.csv: the file is empty"),
        ("b.h5", b"\x89HDF\r\n\x1a\n", "days/b.h5 is an HDF5 file"),
    ):
        (tmp_path / "days" / name).write_bytes(content)
        done = lowlat("convert", "days", "tables", "--to", "csv")
        assert done.returncode == 2 and why in done.stderr
        assert not list((tmp_path / "tables").iterdir())
        (tmp_path / "days" / name).unlink()


def test_a_parquet_file_in_a_pipe_is_no_damaged_one(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "day_message_1.csv").write_text(recorded_day(60)[0])
    lowlat("convert", "day_message_1.csv", "day.parquet")
    reading, writing = os.pipe()
    os.write(writing, (tmp_path / "day.parquet").read_bytes())
    os.close(writing)
    done = lowlat("convert", "-", "out.csv", stdin=reading)
    assert done.returncode == 2
    assert "/dev/stdin: a Parquet file is read from its end; name a file in place of a pipe" in done.stderr
    (tmp_path / "day.parquet.gz").write_bytes(gzip.compress((tmp_path / "day.parquet").read_bytes()))
    assert "a Parquet file is read from its end; unpack it" in lowlat("convert", "day.parquet.gz", "out.csv").stderr


def test_a_journal_on_a_full_disk_is_named_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "day.dbn").write_bytes(DAY)
    reader, writer = reader_of(tmp_path / "day.dbn"), writer_of(tmp_path / "day.journal", None)

    def full(engine: JournaledEngine, _: object) -> None:
        raise JournalWriteError(f"{engine.path} accepted none of the batch: No space left on device; free some space")

    monkeypatch.setattr(JournaledEngine, "process", full)
    why = r"cannot write .*/day\.journal: it accepted none of the batch: No space left on device; free some space"
    with pytest.raises(OutputPathError, match=why):
        convert_file(tmp_path / "day.dbn", tmp_path / "day.journal", reader, writer, ReadOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["day.dbn"]


def test_stdin_and_columns(lowlat: Run, tmp_path: Path) -> None:
    def text(rows: str) -> int:
        reading, writing = os.pipe()
        os.write(writing, rows.encode())
        os.close(writing)
        return reading

    mapping = "time=t:s,id=i,side=s,action=a,price=p,quantity=q,unit=0.01"
    rows = "t,i,s,a,p,q\n5,1,B,add,1.25,3\n"
    done = lowlat("convert", "-", "out.csv", "--columns", mapping, stdin=text(rows))
    assert done.stdout == "wrote out.csv: 1 event, 1 symbol\n"
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == '5000000000,2,1,0,1.25,3,"stdin","add","buy",0'
    refused = lowlat("convert", "-", "out.csv", stdin=text(rows))
    assert refused.returncode == 2 and "name its format with --format" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("day.dbn", "name recorded orders and the file to write"),
        ("day.dbn day.txt", "its suffix does not tell a format; name one with --to: parquet, arrow, csv, journal"),
        ("day.dbn out.csv --to xml", "--to xml is unknown; name one with --to: parquet"),
        ("day.dbn out.csv --format lobster", "day.dbn is a DBN v3 file, not a LOBSTER file; use --format dbn"),
        ("day.dbn out.csv --columns bitstamp", "day.dbn is a DBN v3 file, not a table; remove --columns"),
        ("book.journal out.journal --symbols ARL", "--symbols is for a venue's recording, and book.journal is"),
        ("day.dbn day.dbn --to csv", "day.dbn is the file that is read; name another"),
        ("day.dbn day.dbn out.csv", "out.csv: to convert 2 files needs a directory; create it first"),
        ("day.dbn no/out.csv", "cannot write no/out.csv: there is no directory"),
        ("missing.dbn out.csv", "missing.dbn: no such file"),
        ("day.dbn -", "convert writes a file, which appears when it is whole; name it in place of -"),
        ("missing*.dbn out.csv", "missing*.dbn: no files; name a file, or a folder or a pattern of them"),
        ("cut.dbn out.csv", "the file ends 55 bytes into a record; fetch it again"),
        ("cut.dbn out.parquet", "the file ends 55 bytes into a record; fetch it again"),
        ("book.journal out.csv", "a journal does not hold level-3 events; convert it to a .journal"),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_leaves_nothing(
    lowlat: Run, day: Path, tmp_path: Path, arguments: str, why: str
) -> None:
    (tmp_path / "cut.dbn").write_bytes(DAY[:-1])
    if "book.journal" in arguments:
        lowlat("convert", "day.dbn", "book.journal")
    before = sorted(tmp_path.iterdir())
    done = lowlat("convert", *arguments.split())
    assert done.returncode == 2 and done.stdout == ""
    assert why in done.stderr and done.stderr.startswith("lowlat: error: ")
    assert sorted(tmp_path.iterdir()) == before and day.read_bytes() == DAY


def waits(process: int) -> bool:
    """Whether it sleeps; other programs may keep it from running for a while, which is no sleep."""
    time.sleep(0.02)
    return psutil.Process(process).status() == psutil.STATUS_SLEEPING


def test_ctrl_c_leaves_nothing(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """While it waits for more of a recording that comes through a pipe."""
    reading, writing = os.pipe()
    with start("convert", "-", "out.csv", "--format", "dbn", stdin=reading) as process:
        os.close(reading)
        with open(writing, "wb", closefd=False) as pipe:
            pipe.write(DAY + sell("A", 7, 30) * 30_000)  # more than is read at once, and no end
        wait_until(lambda: any(path.stat().st_size > 100_000 for path in tmp_path.glob("*.tmp")), "a part was written")
        # Python hears a signal only before or within a call of the system, not on the way into one.
        wait_until(lambda: all(waits(process.pid) for _ in range(5)), "it waits for more")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    os.close(writing)
    assert (process.returncode, list(tmp_path.iterdir())) == (130, [])
    assert err.startswith("lowlat: interrupted")


def test_a_replay_may_also_write_the_profile_of_its_orders(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text(recorded_day()[0])
    done = lowlat("replay", "day.csv", "--runs", "1", "--profile-out", "mine.toml", "-o", "report.json")
    assert done.returncode == 0 and "lowlat: wrote mine.toml\n" in done.stderr
    assert (tmp_path / "mine.toml").read_text() == lowlat("profile", "fit", "day.csv").stdout
