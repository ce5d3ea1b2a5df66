"""Books forged in any field, with a right checksum, and books that are cut while they are read.

Each is one error with a name, and one row of the list; the other books are listed as ever.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from lowlat.documents import published, text
from lowlat.engine import _core
from lowlat.engine.matching.records import LEVEL, Side
from lowlat.engine.shared_book import file, reader
from lowlat.engine.shared_book.directory import MappedBookReader, MappedBookWriter, mapped_books
from lowlat.engine.shared_book.document import book_document, books_document
from lowlat.engine.shared_book.errors import BookError, NotABookError
from lowlat.engine.shared_book.records import BOOK_HEADER
from lowlat.engine.shared_book.watch import watched
from lowlat.errors import InputError
from lowlat.reports.terminal.ladder import ladder, listing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "books"


def leave_a_book(folder: Path, symbol: str) -> Path:
    with MappedBookWriter(symbol, folder=folder) as writer:
        writer.update_level(Side.BUY, 5, 1)
    return folder / f"{symbol}.book"


def forge(book: Path, field: str, value: object) -> None:
    """Change a field of the header, and the checksum with it."""
    raw = bytearray(book.read_bytes())
    header = np.frombuffer(raw, BOOK_HEADER, count=1)
    header[field] = value
    if field != "checksum":
        header["checksum"] = zlib.crc32(raw[:120])
    del header
    with book.open("r+b") as stream:  # not truncated first: it may be mapped
        stream.write(raw)


UNITS = [b"1e999999", b"1e-999999", b"1e99999999999999999999", b"NaN", b"sNaN", b"inf", b"-1", b"0", b"", b"1e25", b"x"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_that_cannot_be_is_one_row_and_the_other_books_are_listed(folder: Path, unit: bytes) -> None:
    for symbol in ("AAA", "BAD", "CCC"):
        leave_a_book(folder, symbol)
    forge(folder / "BAD.book", "unit", unit)
    entries = mapped_books(folder)
    assert [entry.symbol for entry in entries] == ["AAA", "BAD", "CCC"]
    assert [entry.book is None for entry in entries] == [False, True, False]
    assert "unit" in str(entries[1].trouble) and len(str(entries[1].trouble)) < 200
    with pytest.raises(NotABookError):
        MappedBookReader("BAD", folder=folder, live_only=False)


WORDS = [0, 1, 2, 3, 4, 63, 255, 2**16, 2**31 - 1, 2**32 - 1, 2**59, 2**63 - 1, 2**63, 2**64 - 1]
VALUES = {
    "unit": UNITS,
    "symbol": [b"", b"BAD\x1b[2J", b"../BAD", b"\xff" * 32],
    "tick": [-(2**63), -1, 0, 2**63 - 1],
}
FIELDS = [name for name in BOOK_HEADER.names or () if not name.startswith("zero")]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("field", FIELDS)
def test_a_header_forged_in_any_field_is_an_error_or_a_book(folder: Path, field: str, live: bool) -> None:
    """Whatever is shown keeps to the schema; whatever is not says why. Nothing else is raised, nothing hangs."""
    leave_a_book(folder, "AAA")
    for value in VALUES.get(field, WORDS):
        with MappedBookWriter("BAD", folder=folder) as writer:
            writer.update_level(Side.BUY, 5, 1)
            if not live:
                writer.close()
            kind = BOOK_HEADER[field]
            fitting = value % 2 ** (8 * kind.itemsize) if isinstance(value, int) and kind.kind == "u" else value
            forge(folder / "BAD.book", field, fitting)
            check_listed(folder)
            try:
                with MappedBookReader("BAD", folder=folder, live_only=live) as reader:
                    document = book_document(reader, 3) if live else None
                    reader.snapshot(patience_s=0.001)
            except (BookError, InputError) as error:
                assert len(str(error)) < 300
            else:
                if document:
                    jsonschema.validate(json.loads(text(document)), published("lowlat.book/1"))
                    ladder(document)
        (folder / "BAD.book").unlink()


def check_listed(folder: Path) -> None:
    books = books_document(folder)
    assert [book.symbol for book in books.books] == ["AAA", "BAD"]
    assert books.books[0].bid == 5 and books.books[0].trouble is None
    jsonschema.validate(json.loads(text(books)), published("lowlat.books/1"))
    listing(books)


# -- heartbeats -----------------------------------------------------------------------------------------------------


def test_publishing_and_saying_so_is_a_heartbeat(folder: Path) -> None:
    with MappedBookWriter("AAPL", folder=folder) as writer, MappedBookReader("AAPL", folder=folder) as book:
        acts = [
            lambda: writer.update_level(Side.BUY, 5, 1),
            lambda: writer.publish_levels(np.array([(5, 1, 1)], LEVEL), np.empty(0, LEVEL)),  # changes nothing
            writer.heartbeat,
        ]
        for act in acts:
            forge(folder / "AAPL.book", "heartbeat", 1)
            time.sleep(0.03)  # longer than heartbeats are apart, and than a tick of the coarse clock
            before = time.time_ns()
            act()
            assert before - 100_000_000 <= book.snapshot().heartbeat_ns <= time.time_ns()
        age = book.snapshot().age_s
        assert age is not None and age >= 0 and book.writer_state == "running"
    with pytest.raises(BookError, match="is closed"):
        writer.heartbeat()


def test_a_watcher_is_told_how_old_the_book_is(folder: Path) -> None:
    with MappedBookWriter("AAPL", folder=folder) as writer:
        writer.update_level(Side.BUY, 5, 1)
        forge(folder / "AAPL.book", "heartbeat", int((time.time() - 60) * 1e9))
        frames = watched("AAPL", folder, 3)
        document, _ = next(frames)
        assert document.age_s is not None and document.age_s >= 60 and document.writer_state == "running"
        writer.native.begin()  # stopped in the middle of an update
        document, status = next(frames)
        assert (document.writer_state, document.bids[0].price) == ("running", 5) and "kept changing" in status
        writer.native.end(1)
    forge(folder / "AAPL.book", "heartbeat", int((time.time() - 3600) * 1e9))
    document, status = next(frames)
    assert (document.writer_state, document.age_s, document.live) == ("exited", None, False)
    assert "has closed it; not updated for 1 h" in status
    frames.close()


@pytest.mark.parametrize(("heartbeat_s", "known"), [(0, False), (60, True), (-0.5, True), (-3600, False)])
def test_an_age_is_told_where_it_is_known(folder: Path, heartbeat_s: float, known: bool) -> None:
    """Never beaten; a minute ago; a little ahead, by another clock; an hour ahead, because the clock was set back."""
    leave_a_book(folder, "AAPL")
    heartbeat = int((time.time() - heartbeat_s) * 1e9) if heartbeat_s else 0
    forge(folder / "AAPL.book", "heartbeat", heartbeat)
    with MappedBookReader("AAPL", folder=folder, live_only=False) as reader:
        age = reader.snapshot().age_s
        assert (age is not None) == known
        assert age is None or age >= max(heartbeat_s, 0)
        assert reader.writer_state == "exited"


# -- cut while in use -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 100, 4096])
def test_a_book_that_is_cut_is_an_error_for_its_writer_and_its_readers(folder: Path, size: int) -> None:
    writer = MappedBookWriter("AAPL", folder=folder, depth=1024)
    reader = MappedBookReader("AAPL", folder=folder)
    rows = np.array([(9999 - n, 1, 1) for n in range(1024)], LEVEL)
    writer.publish_levels(rows, np.empty(0, LEVEL))
    view = reader.depth(Side.BUY)
    os.truncate(folder / "AAPL.book", size)
    message = "AAPL.book lost its content while it was in use: it was truncated"
    assert view["price"][1000] == 0, "a view reads zeros"
    acts = (
        lambda: reader.snapshot(1024),
        lambda: reader.read(lambda book: book.depth(Side.BUY)["price"].sum()),
        lambda: reader.valid(reader.sequence),
        lambda: writer.publish_levels(rows[1:], np.empty(0, LEVEL)),
        lambda: writer.publish_levels(rows, np.empty(0, LEVEL)),
    )
    for act in acts:
        with pytest.raises(InputError, match=message):
            act()
    assert mapped_books(folder)[0].trouble is not None
    reader.close()
    writer.close()


@pytest.mark.parametrize(("mapped", "message"), [(True, "lost its content"), (False, "truncated while it was opened")])
def test_a_book_cut_once_its_size_is_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mapped: bool, message: str
) -> None:
    """After it was mapped, or before."""
    book = leave_a_book(folder, "AAPL")
    leave_a_book(folder, "MSFT")

    class Cutting(reader.MappedFile):
        def __new__(cls, descriptor: int, *arguments: object, **named: object) -> Cutting:
            if not mapped:
                cut(descriptor)
            mapping = super().__new__(cls, descriptor, *arguments, **named)  # type: ignore[arg-type]
            cut(descriptor)
            return mapping

    def cut(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == book.stat().st_ino:
            os.truncate(book, 0)

    monkeypatch.setattr(reader, "MappedFile", Cutting)
    entries = mapped_books(folder)
    assert message in str(entries[0].trouble) and entries[1].trouble is None


def test_a_book_cut_while_it_is_made_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its writer would go on in memory that nobody shares."""
    ordinary = _core.format_book

    def cut_and_format(mapping: object, identity: bytes) -> None:
        os.truncate(folder / "AAPL.book", 0)
        ordinary(mapping, identity)

    monkeypatch.setattr(_core, "format_book", cut_and_format)
    with pytest.raises(InputError, match=r"AAPL\.book lost its content"):
        MappedBookWriter("AAPL", folder=folder)


def test_a_process_that_is_stopped_is_told_from_one_that_runs() -> None:
    assert file.process_status(os.getpid()) is not None and file.process_status(2**22 + 1) is None
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    os.kill(child, 19)
    os.waitid(os.P_PID, child, os.WSTOPPED | os.WNOWAIT)
    stopped = file.process_status(child)
    assert stopped is not None and stopped.stopped
    os.kill(child, 9)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert file.process_status(child) is None, "a zombie does not run"
    os.waitpid(child, 0)
