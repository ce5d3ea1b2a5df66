"""Attacks on the file of a mapped book that a naive implementation would allow.

A predictable path in a folder that others can write, a link planted under the book's name, a symbol used as a path, a
live book truncated by another process that opens it; and files that are damaged, of another version, or of no known
kind.
"""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lowlat.engine.matching.records import Side
from lowlat.engine.shared_book import file
from lowlat.engine.shared_book.directory import Found, MappedBookReader, MappedBookWriter, mapped_books
from lowlat.engine.shared_book.errors import (
    BookBusyError,
    BookError,
    BookHeldError,
    BookLayoutError,
    NoSuchBookError,
    NotABookError,
    NoWriterError,
)
from lowlat.engine.shared_book.file import default_folder
from lowlat.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "books"


def leave_a_book(folder: Path, symbol: str = "AAPL") -> Path:
    """A closed book of depth 64: 4352 bytes."""
    with MappedBookWriter(symbol, folder=folder) as writer:
        writer.update_level(Side.BUY, 5, 1)
    return folder / f"{symbol}.book"


def patch(file: Path, offset: int, raw: bytes) -> None:
    with file.open("r+b") as stream:
        stream.seek(offset)
        stream.write(raw)


# -- the folder -----------------------------------------------------------------------------------------------------


def test_folder_and_file_are_closed_to_others_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        file = leave_a_book(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_by_default_books_lie_in_the_users_runtime_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder.parent))
    with MappedBookWriter("AAPL"):
        assert [entry.symbol for entry in mapped_books()] == ["AAPL"]
    assert (folder.parent / "lowlat" / "AAPL.book").is_file()


@pytest.mark.parametrize("value", [None, "", "here/below"])
@pytest.mark.parametrize("made", [True, False])
def test_without_a_runtime_folder_books_lie_in_another_private_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, made: bool
) -> None:
    """In the folder that the system made for the user; else in one of the user's own among the temporary files."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    if value is not None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)
    user = os.geteuid()
    monkeypatch.setattr(file, "RUNTIME_FOLDERS", tmp_path / "run")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if made:
        (tmp_path / "run" / str(user)).mkdir(parents=True, mode=0o700)
    where = tmp_path / "run" / str(user) / "lowlat" if made else tmp_path / f"lowlat-{user}"
    with MappedBookWriter("AAPL"):
        assert [entry.symbol for entry in mapped_books()] == ["AAPL"]
    assert (where / "AAPL.book").is_file() and stat.S_IMODE(where.stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["link", "open to others", "someone else's"])
def test_a_runtime_folder_that_is_not_the_users_own_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(file, "RUNTIME_FOLDERS", tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    user = os.geteuid()
    runtime = tmp_path / str(user)
    if kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        runtime.symlink_to(tmp_path / "elsewhere")
    elif kind == "open to others":
        runtime.mkdir()
        runtime.chmod(0o777)
    else:
        user += 1
        (tmp_path / str(user)).mkdir(mode=0o700)
        monkeypatch.setattr(os, "geteuid", lambda: user)
    assert default_folder() == tmp_path / "temporary" / f"lowlat-{user}"


def test_a_planted_folder_among_the_temporary_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(file, "RUNTIME_FOLDERS", tmp_path / "none")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    planted = tmp_path / f"lowlat-{os.geteuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    with pytest.raises(BookError, match="has mode 0777: others could plant files in it"):
        MappedBookWriter("AAPL")
    planted.rmdir()
    planted.symlink_to(tmp_path)
    with pytest.raises(BookError, match="is not a directory, or is a link to one"):
        MappedBookWriter("AAPL")
    assert list(tmp_path.glob("*.book")) == []


def test_a_folder_may_be_text(folder: Path) -> None:
    with MappedBookWriter("AAPL", folder=str(folder)), MappedBookReader("AAPL", folder=str(folder)) as reader:
        assert reader.has_writer and [entry.symbol for entry in mapped_books(str(folder))] == ["AAPL"]


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o720])
def test_a_folder_that_others_may_write_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(BookError, match=f"has mode {mode:04o}: others could plant files in it"):
        MappedBookWriter("AAPL", folder=folder)
    assert list(folder.iterdir()) == []


def test_a_folder_of_someone_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(BookError, match="belongs to user"):
        MappedBookWriter("AAPL", folder=folder)
    assert list(folder.iterdir()) == []


def test_a_link_in_place_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)
    with pytest.raises(BookError, match="is not a directory, or is a link to one"):
        MappedBookWriter("AAPL", folder=folder)
    assert list(elsewhere.iterdir()) == []


def test_a_folder_without_books_and_one_that_is_not_there(folder: Path) -> None:
    with pytest.raises(BookError, match="does not exist: nothing has been published there"):
        MappedBookReader("AAPL", folder=folder)
    with pytest.raises(BookError, match="its parent does not exist"):
        MappedBookWriter("AAPL", folder=folder / "deeper")
    folder.mkdir(mode=0o700)
    assert mapped_books(folder) == []
    with pytest.raises(NoSuchBookError, match="there is no book AAPL"):
        MappedBookReader("AAPL", folder=folder)


def test_a_folder_that_no_system_can_have(tmp_path: Path) -> None:
    for use in (mapped_books, lambda folder: MappedBookWriter("A", folder=folder)):
        with pytest.raises(BookError, match="cannot contain NUL"):
            use(f"{tmp_path}/a\0b")


# -- the name -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "symbol",
    ["../../etc/x", "/etc/x", "..", ".", "", ".hidden", "-x", "a", "A/B", "A\0B", "A\n", "A B", "Ä", "٣", "A" * 33],
)
def test_a_symbol_that_is_no_symbol_touches_nothing(folder: Path, symbol: str) -> None:
    for kind in (MappedBookWriter, MappedBookReader):
        with pytest.raises(UsageError, match="cannot name a book"):
            kind(symbol, folder=folder)
    assert not folder.exists()


@pytest.mark.parametrize("symbol", ["A", "7203.T", "BRK-B", "ES_Z6", "A" * 32])
def test_symbols_as_venues_write_them(folder: Path, symbol: str) -> None:
    leave_a_book(folder, symbol)
    with MappedBookReader(symbol, folder=folder, live_only=False) as reader:
        assert reader.identity.symbol == symbol
        assert reader.best().bid == 5


# -- what is planted under the name ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "pipe", "folder", "open to others"])
def test_what_is_no_private_file_is_left_alone(folder: Path, tmp_path: Path, kind: str) -> None:
    folder.mkdir(mode=0o700)
    name, victim = folder / "AAPL.book", tmp_path / "victim"
    if kind != "dangling link":
        victim.write_bytes(b"precious")
        victim.chmod(0o600)
    if kind.endswith("link"):
        name.hardlink_to(victim) if kind == "hard link" else name.symlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(name, 0o600)
    elif kind == "folder":
        name.mkdir(mode=0o700)
    else:
        name.touch()
        name.chmod(0o644)
    before = name.lstat().st_mode
    for end in (MappedBookWriter, MappedBookReader):
        with pytest.raises(BookError, match="left untouched; remove it"):
            end("AAPL", folder=folder)
    assert name.lstat().st_mode == before
    assert victim.read_bytes() == b"precious" if kind != "dangling link" else not victim.exists()


def test_a_file_of_someone_else_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root can open any file, so the owner is compared too."""
    leave_a_book(folder)
    monkeypatch.setattr(file, "_check_private", lambda *_: None)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(BookError, match=r"belongs to user .* private regular file"):
        MappedBookReader("AAPL", folder=folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_file_without_permission(folder: Path) -> None:
    leave_a_book(folder).chmod(0)
    for end in (MappedBookWriter, MappedBookReader):
        with pytest.raises(BookError, match="it must be yours, with mode 0600"):
            end("AAPL", folder=folder)


def test_opening_a_live_book_truncates_nothing(folder: Path) -> None:
    with MappedBookWriter("AAPL", folder=folder) as writer, MappedBookReader("AAPL", folder=folder) as reader:
        writer.update_level(Side.BUY, 5, 1)
        file = folder / "AAPL.book"
        before = (file.stat().st_ino, file.read_bytes())
        with pytest.raises(BookHeldError):
            MappedBookWriter("AAPL", folder=folder, depth=2)
        assert (file.stat().st_ino, file.read_bytes()) == before
        assert reader.best().bid == 5


# -- what is damaged ---------------------------------------------------------------------------------------------------

DAMAGE = {
    "version": (8, b"\x02", BookLayoutError, "has layout version 2, this program reads 1"),
    "symbol": (64, b"MSFT", NotABookError, "does not match its checksum"),
    "depth": (20, b"\xff\xff\xff\xff", NotABookError, "does not match its checksum"),
    "longer": (4352, b"\0", BookLayoutError, "the file has 4353 bytes, its book 4352"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_book_is_refused_by_readers_and_made_anew_by_writers(folder: Path, what: str) -> None:
    file = leave_a_book(folder)
    offset, raw, error, message = DAMAGE[what]
    patch(file, offset, raw)
    with pytest.raises(error, match=message):
        MappedBookReader("AAPL", folder=folder)
    assert message in str(mapped_books(folder)[0].trouble)
    with MappedBookWriter("AAPL", folder=folder) as writer:
        assert writer.found is Found.REPLACED
        with MappedBookReader("AAPL", folder=folder) as reader:
            assert len(reader.snapshot().bids) == 0


@pytest.mark.parametrize("size", [9, 255, 256, 4351])
def test_a_truncated_file_is_never_mapped(folder: Path, size: int) -> None:
    os.truncate(leave_a_book(folder), size)
    with pytest.raises(BookLayoutError, match=f"the file has {size} bytes"):
        MappedBookReader("AAPL", folder=folder)
    with MappedBookWriter("AAPL", folder=folder) as writer:
        assert writer.found is Found.REPLACED


@pytest.mark.parametrize("content", [b"", b"\0" * 4352])
def test_a_file_that_a_killed_writer_never_finished(folder: Path, content: bytes) -> None:
    folder.mkdir(mode=0o700)
    (folder / "AAPL.book").write_bytes(content)
    (folder / "AAPL.book").chmod(0o600)
    with pytest.raises(NoWriterError, match="was never completed"):
        MappedBookReader("AAPL", folder=folder)
    with MappedBookWriter("AAPL", folder=folder) as writer:
        assert writer.found is Found.REPLACED


def test_a_book_that_is_just_being_made_is_waited_for_a_little(folder: Path) -> None:
    with MappedBookWriter("AAPL", folder=folder):
        patch(folder / "AAPL.book", 0, b"\0" * 8)
        with pytest.raises(BookBusyError, match="still under creation"):
            MappedBookReader("AAPL", folder=folder)


def test_a_file_that_is_something_else_is_nobodys_to_remove(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    file = folder / "AAPL.book"
    file.write_text("my novel, chapter one")
    file.chmod(0o600)
    for end in (MappedBookWriter, MappedBookReader):
        with pytest.raises(NotABookError, match="not like a book; remove it"):
            end("AAPL", folder=folder)
    assert file.read_text() == "my novel, chapter one"


def test_a_renamed_book_is_not_taken_for_another(folder: Path) -> None:
    leave_a_book(folder).rename(folder / "MSFT.book")
    with pytest.raises(NotABookError, match="holds the book of 'AAPL'"):
        MappedBookReader("MSFT", folder=folder)
    with MappedBookWriter("MSFT", folder=folder) as writer:
        assert writer.found is Found.REPLACED


def test_levels_counted_beyond_the_file_are_not_read(folder: Path) -> None:
    with MappedBookWriter("AAPL", folder=folder), MappedBookReader("AAPL", folder=folder) as reader:
        patch(folder / "AAPL.book", 200, b"\xff" * 8)
        assert len(reader.depth(Side.BUY)) == len(reader.snapshot(1000).bids) == 64


# -- no room -----------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_an_error_now_and_no_bus_error_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(BookError, match="no space for the 4352 bytes of book AAPL"):
        MappedBookWriter("AAPL", folder=folder)
    assert list(folder.iterdir()) == [], "nothing half made is left"


SMALL_DISK = """
set -e
mount -t tmpfs -o size=16k tmpfs {folder}
chmod 700 {folder}
{python} -P -c '
from pathlib import Path
from lowlat.engine.shared_book.directory import MappedBookWriter
from lowlat.engine.shared_book.errors import BookError
MappedBookWriter("A", folder=Path("{folder}")).close()
try:
    MappedBookWriter("B", folder=Path("{folder}"), depth=4096)
except BookError:
    print(sorted(file.name for file in Path("{folder}").iterdir()))
'
"""


def test_a_disk_that_is_really_full(folder: Path) -> None:
    folder.mkdir()
    script = SMALL_DISK.format(folder=folder, python=sys.executable)
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    assert (done.stdout, done.stderr) == ("['A.book']\n", "")


def test_without_locks_there_are_no_mapped_books(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("fcntl.F_OFD_SETLK")
    with pytest.raises(BookError, match="not available here, because the system lacks F_OFD_SETLK"):
        MappedBookWriter("AAPL", folder=folder)
