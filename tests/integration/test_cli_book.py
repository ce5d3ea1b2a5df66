"""`lowlat book` while another process publishes: a snapshot, a document, a list, and a ladder that follows the book.

The test itself is the publishing process.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import Side
from lowlat.engine.shared_book.directory import MappedBookWriter
from lowlat.errors import ExitCode
from tests.waiting import PATIENCE_S, wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
HEARTBEAT = 224
"""Its offset in a book's file."""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[MappedBookWriter]:
    """AAPL at 585.33 to 585.35, in a folder named `books`."""
    with MappedBookWriter("AAPL", folder=tmp_path / "books", instrument=Instrument(unit=Decimal("0.01"))) as writer:
        with writer.batch(command=42):
            for n in range(12):
                writer.update_level(Side.BUY, 58533 - n, 100 + n, 2)
                writer.update_level(Side.SELL, 58535 + n, 1200 + n, 3)
        yield writer


def test_a_snapshot_as_a_table(lowlat: Run, writer: MappedBookWriter) -> None:
    done = lowlat("book", "AAPL", "--dir", "books", "--levels", "2")
    assert (done.returncode, done.stderr) == (0, "")
    title, header, first, second = done.stdout.splitlines()
    assert title.startswith(f"AAPL  spread 0.02 · command 42 · update 2 · writer {os.getpid()}")
    assert header.split() == ["orders", "quantity", "bid", "ask", "quantity", "orders"]
    assert first.split() == ["2", "100", "585.33", "585.35", "1,200", "3"]
    assert second.split() == ["2", "101", "585.32", "585.36", "1,201", "3"]


def test_a_snapshot_as_a_document(lowlat: Run, writer: MappedBookWriter, tmp_path: Path) -> None:
    done = lowlat("book", "AAPL", "--json", env={"LOWLAT_DIR": "books"})
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(published("lowlat.book/1")).validate(document)
    assert {name: document[name] for name in ("schema", "symbol", "unit", "depth", "live", "command", "sequence")} == {
        **{"schema": "lowlat.book/1", "symbol": "AAPL", "unit": "0.01", "depth": 64},
        **{"live": True, "command": 42, "sequence": 4},
    }
    assert [len(document["bids"]), len(document["asks"])] == [10, 10]
    assert document["asks"][1] == {"price": 58536, "quantity": 1201, "orders": 3}
    done = lowlat("book", "AAPL", "--dir", "books", "-o", "book.json")
    assert "585.33" in done.stdout and done.stderr == "lowlat: wrote book.json\n"
    assert document.pop("age_s") >= 0 and document["writer_state"] == "running"
    later = json.loads((tmp_path / "book.json").read_text())
    assert later.pop("age_s") >= 0 and later == document


def test_the_list(lowlat: Run, writer: MappedBookWriter, tmp_path: Path) -> None:
    MappedBookWriter("MSFT", folder=tmp_path / "books").close()
    (tmp_path / "books" / "XX.book").write_text("no book at all")
    (tmp_path / "books" / "XX.book").chmod(0o600)
    done = lowlat("book", "--dir", "books")
    assert (done.returncode, done.stderr) == (0, "")
    listed = [" ".join(line.split()) for line in done.stdout.splitlines()[1:3]]
    assert listed[0].startswith(f"AAPL process {os.getpid()} 585.33 585.35 2")
    assert listed[1].startswith("MSFT none - - 2")
    assert "not like a book" in done.stdout.splitlines()[3]
    document = json.loads(lowlat("book", "--dir", "books", "--json").stdout)
    jsonschema.Draft202012Validator(published("lowlat.books/1")).validate(document)
    assert [(book["symbol"], book["live"], book["bid"]) for book in document["books"]] == [
        *[("AAPL", True, 58533), ("MSFT", False, None), ("XX", False, None)]
    ]


def test_no_books(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "books").mkdir(mode=0o700)
    assert lowlat("book", "--dir", "books").stdout == "no books in books\n"


def test_a_book_without_a_writer_is_an_error(lowlat: Run, writer: MappedBookWriter) -> None:
    writer.close()
    done = lowlat("book", "AAPL", "--dir", "books")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr.startswith(
        f"lowlat: error: book AAPL has no writer: the last one (process {os.getpid()}) has closed it"
    )
    assert done.stderr.endswith("; start one\n")


def beat_ago(book: Path, seconds: float) -> None:
    """Date the heartbeat back."""
    with book.open("r+b") as file:
        file.seek(HEARTBEAT)
        file.write(int((time.time() - seconds) * 1e9).to_bytes(8, "little"))


def test_a_book_that_is_not_updated_says_for_how_long(lowlat: Run, writer: MappedBookWriter, tmp_path: Path) -> None:
    book = tmp_path / "books" / "AAPL.book"
    beat_ago(book, 5 * 60)
    for arguments in (("book", "--dir", "books"), ("book", "AAPL", "--dir", "books")):
        assert "not updated for 5 min, writer running" in lowlat(*arguments).stdout
    document = json.loads(lowlat("book", "AAPL", "--dir", "books", "--json").stdout)
    assert 300 <= document["age_s"] < 360 and document["writer_state"] == "running"
    writer.close()
    beat_ago(book, 3 * 3600)
    assert "not updated for 3 h, writer exited" in lowlat("book", "--dir", "books").stdout
    assert "has closed it; not updated for 3 h; start one" in lowlat("book", "AAPL", "--dir", "books").stderr


STOPPED = """
import sys
from lowlat.engine.shared_book import MappedBookWriter
writer = MappedBookWriter("IDLE", folder="books")
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_stopped_writer_is_told(lowlat: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", STOPPED]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        beat_ago(tmp_path / "books" / "IDLE.book", 60 * 60 * 50)
        assert "not updated for 2 days, writer stopped" in lowlat("book", "--dir", "books").stdout
        assert "not updated for 2 days, writer stopped" in lowlat("book", "IDLE", "--dir", "books").stdout
        listed = json.loads(lowlat("book", "--dir", "books", "--json").stdout)["books"][0]
        assert (listed["writer_state"], listed["live"], listed["age_s"] > 170_000) == ("stopped", True, True)
        process.kill()
    said = lowlat("book", "IDLE", "--dir", "books").stderr
    assert "exited without closing it; not updated for 2 days; start one" in said


class Screen:
    """A pseudo-terminal that is read all the time, since a program blocks when nobody reads its output."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        self.text = ""
        self._reading = threading.Thread(target=self._read)

    def start(self) -> None:
        os.close(self.theirs)
        self._reading.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # Linux reports a closed other end this way
            while part := os.read(self.ours, 65_536):
                self.text += part.decode()

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.text, lambda: f"{text!r} on the screen: {self.text[-1000:]}")

    def end(self) -> None:
        self._reading.join()
        os.close(self.ours)


def test_a_ladder_follows_the_book_over_its_writers(start: Start, writer: MappedBookWriter, tmp_path: Path) -> None:
    screen = Screen()
    process = start("book", "AAPL", "--dir", "books", "--watch", env={"TERM": "xterm"}, stdout=screen.theirs)
    screen.start()
    screen.wait_for("585.33")
    writer.update_level(Side.BUY, 58534, 7)
    screen.wait_for("585.34")
    writer.close()
    screen.wait_for("last known state: book AAPL has no writer")
    with MappedBookWriter("AAPL", folder=tmp_path / "books", depth=4) as following:
        following.update_level(Side.BUY, 60000, 1)
        screen.wait_for("600.00")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    screen.end()
    assert (process.returncode, err) == (0, "")
    assert screen.text.count("\x1b[?25l") == screen.text.count("\x1b[?25h") == 1, "the cursor, once hidden, is shown"
