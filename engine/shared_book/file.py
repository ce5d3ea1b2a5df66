"""Location and opening of the files of mapped books: never through a link, never a file of another user.

The folder belongs to the user and is closed to others, so that nobody can plant files in it; names are made from
symbols that pass an allow-list. A writer holds a lock for its lifetime.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lowlat import file_lock
from lowlat.arguments import checked_path
from lowlat.engine.shared_book.errors import BookError, BookHeldError, NoSuchBookError
from lowlat.errors import UsageError
from lowlat.private_files import why_not_private
from lowlat.text import shown

SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,31}", re.ASCII)
SUFFIX: Final = ".book"
RUNTIME_FOLDERS: Final = Path("/run/user")
"""Where systems with pam_systemd keep a private folder in memory for each user."""


def checked_symbol(symbol: object) -> str:
    """`symbol` itself, if it can name a book. Raises `UsageError`."""
    if not isinstance(symbol, str) or not SYMBOL.fullmatch(symbol):
        raise UsageError(
            f"{shown(symbol)} cannot name a book; use up to 32 of A-Z, 0-9, '.', '_' and '-', a letter or digit first"
        )
    return symbol


def folder_of(folder: str | Path | None) -> Path:
    """The folder that a caller names, else the user's."""
    return default_folder() if folder is None else checked_path("folder", folder)


def default_folder() -> Path:
    """The user's folder of books, in memory where the system has such a place; `opened_folder` checks it.

    `$XDG_RUNTIME_DIR/lowlat`; without an absolute path there `/run/user/UID/lowlat`, if the system made that folder for
    the user; else `lowlat-UID` in the directory for temporary files.
    """
    user = os.geteuid()
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if runtime.is_absolute():
        return runtime / "lowlat"
    runtime = RUNTIME_FOLDERS / str(user)
    with suppress(OSError):
        facts = runtime.lstat()
        if stat.S_ISDIR(facts.st_mode) and _why_not_private(facts) is None:
            return runtime / "lowlat"
    return Path(tempfile.gettempdir()) / f"lowlat-{user}"


@contextmanager
def opened_folder(path: Path, *, create: bool) -> Iterator[int]:
    """A descriptor of the folder, checked to be private to the user. Raises `BookError`."""
    try:
        if create:
            path.mkdir(mode=0o700, exist_ok=True)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except PermissionError as error:
        raise BookError(f"folder {path}: {error.strerror}; name one of your own") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise BookError(f"{path} is not a directory, or is a link to one; name the directory itself") from error
    except FileNotFoundError as error:
        what = (
            "cannot be created: its parent does not exist"
            if create
            else "does not exist: nothing has been published there"
        )
        raise BookError(f"folder {path} {what}") from error
    except OSError as error:
        raise BookError(f"folder {path}: {error.strerror}") from error
    except ValueError as error:
        raise BookError(f"folder {str(path)!r}: a file name cannot contain NUL") from error
    try:
        _check_private(os.fstat(folder), path)
        yield folder
    finally:
        os.close(folder)


def _check_private(facts: os.stat_result, path: Path) -> None:
    if reason := _why_not_private(facts):
        raise BookError(f"folder {path} {reason}")


def _why_not_private(facts: os.stat_result) -> str | None:
    if facts.st_uid != os.geteuid():
        return f"belongs to user {facts.st_uid}, not to you; name one of your own"
    if facts.st_mode & 0o022:
        return f"has mode {stat.S_IMODE(facts.st_mode):04o}: others could plant files in it; chmod 700 it"
    return None


def create_book(folder: int, symbol: str) -> int | None:
    """Create an empty, locked file; None if it already exists. Raises `BookError`s."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        book = os.open(symbol + SUFFIX, flags, 0o600, dir_fd=folder)
    except FileExistsError:
        return None
    except OSError as error:
        raise _explained(error, symbol) from error
    if not lock(book):  # another writer locked the new file first
        os.close(book)
        raise BookHeldError(f"book {symbol} has a live writer, which is just starting; stop it, or use another symbol")
    return book


def open_book(folder: int, symbol: str, *, write: bool) -> int:
    """Open a symbol's file, checked to be regular and private to the user. Raises `BookError`s."""
    # Without O_NONBLOCK, opening a planted pipe would block.
    flags = (os.O_RDWR if write else os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        book = os.open(symbol + SUFFIX, flags, dir_fd=folder)
    except OSError as error:
        raise _explained(error, symbol) from error
    facts = os.fstat(book)
    reason = why_not_private(facts) if stat.S_ISREG(facts.st_mode) else "is not a regular file"
    if reason:
        os.close(book)
        raise BookError(
            f"{symbol}{SUFFIX} {reason}; a book is a private regular file with one name; it was left untouched; "
            "remove it"
        )
    return book


def is_current(folder: int, symbol: str, book: int) -> bool:
    """Whether the name still refers to the open file."""
    try:
        named = os.stat(symbol + SUFFIX, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(book))


def allocate(book: int, size: int, symbol: str) -> None:
    """Allocate all blocks of the file now: a store to a page without one would kill the process (SIGBUS).

    Raises `BookError`.
    """
    if not hasattr(os, "posix_fallocate"):
        raise BookError("mapped books are not available here, because the system lacks posix_fallocate")
    try:
        os.posix_fallocate(book, 0, size)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise BookError(
                f"no space for the {size} bytes of book {symbol}: {error.strerror}; free some, or name another "
                "directory"
            ) from error
        raise _explained(error, symbol) from error


def lock(book: int) -> bool:
    """Take the writer's lock, unless it is held through another open file. Raises `BookError`."""
    with _locks():
        return file_lock.lock(book)


def is_held(book: int) -> bool:
    """Whether a writer holds the lock. Raises `BookError`."""
    with _locks():
        return file_lock.is_held(book)


@contextmanager
def _locks() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BookError(f"mapped books are not available here, because {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """`start`: in clock ticks since boot. `stopped`: by a signal such as Ctrl-Z sends, or by a debugger."""

    start: int
    stopped: bool


def process_status(pid: int) -> ProcessStatus | None:
    """The status of a process; None if no such process runs (proc_pid_stat(5))."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # from field 3 on: the name may contain spaces and parentheses
    if len(fields) < 20 or fields[0] in {"Z", "X"}:  # a process that just ends has none
        return None
    return ProcessStatus(int(fields[19]), fields[0] in {"T", "t"})


def _explained(error: OSError, symbol: str) -> BookError:
    name = symbol + SUFFIX
    if isinstance(error, FileNotFoundError):
        return NoSuchBookError(f"there is no book {symbol}; 'lowlat book' lists the available books")
    if isinstance(error, PermissionError):
        return BookError(f"{name}: {error.strerror}; it must be yours, with mode 0600")
    if error.errno in {errno.ELOOP, errno.EISDIR, errno.ENXIO}:
        return BookError(f"{name} is a link or not a file ({error.strerror}); it was left untouched; remove it")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return BookError(f"no space for book {symbol}: {error.strerror}; free some, or name another directory")
    if error.errno == errno.EMFILE:
        return BookError(f"{name}: {error.strerror}; a book needs two, so raise the limit: ulimit -n")
    return BookError(f"{name}: {error.strerror}")
