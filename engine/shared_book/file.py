"""Where the files of mapped books lie, and how they are opened: never through a link, never by others' hands.

The folder is the user's own, closed to others, so that nobody can plant anything in it; names are made from symbols
that an allow-list has passed. A writer holds a lock for its life.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lowlat import file_lock
from lowlat.engine.shared_book.errors import (
    BookDiskFullError,
    BookError,
    BookFolderError,
    BookHeldError,
    BookPermissionError,
    BookUnavailableError,
    NoSuchBookError,
    SymbolNameError,
    UnsafeBookError,
)

SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,31}", re.ASCII)
SUFFIX: Final = ".book"


def checked_symbol(symbol: str) -> str:
    """`symbol` itself, if it can name a book. Raises `SymbolNameError`."""
    if not SYMBOL.fullmatch(symbol):
        raise SymbolNameError(
            f"{symbol!r} cannot name a book; use up to 32 of A-Z, 0-9, '.', '_' and '-', a letter or digit first"
        )
    return symbol


def default_folder() -> Path:
    """`$XDG_RUNTIME_DIR/lowlat`: the user's own, in memory, gone after the session. Raises `BookFolderError`."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not Path(runtime).is_absolute():
        raise BookFolderError(f"no folder for books: XDG_RUNTIME_DIR is {runtime!r}; name one of your own (--dir)")
    return Path(runtime) / "lowlat"


@contextmanager
def opened_folder(path: Path, *, create: bool) -> Iterator[int]:
    """A descriptor of the folder, checked to be the user's alone. Raises `BookFolderError`, `BookPermissionError`."""
    try:
        if create:
            path.mkdir(mode=0o700, exist_ok=True)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except PermissionError as error:
        raise BookPermissionError(f"folder {path}: {error.strerror}; name one of your own") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise BookFolderError(f"{path} is no folder, or a link to one; name the folder itself") from error
    except FileNotFoundError as error:
        what = "cannot be made: its parent does not exist" if create else "does not exist: nothing was published there"
        raise BookFolderError(f"folder {path} {what}") from error
    except OSError as error:
        raise BookFolderError(f"folder {path}: {error.strerror}") from error
    try:
        _check_private(os.fstat(folder), path)
        yield folder
    finally:
        os.close(folder)


def _check_private(facts: os.stat_result, path: Path) -> None:
    if facts.st_uid != os.geteuid():
        raise BookFolderError(f"folder {path} belongs to user {facts.st_uid}, not to you; name one of your own")
    if facts.st_mode & 0o022:
        raise BookFolderError(
            f"folder {path} has mode {stat.S_IMODE(facts.st_mode):04o}: others could plant files in it; chmod 700 it"
        )


def create_book(folder: int, symbol: str) -> int | None:
    """A new, empty file that is locked; None when there is one already. Raises `BookError`s."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        book = os.open(symbol + SUFFIX, flags, 0o600, dir_fd=folder)
    except FileExistsError:
        return None
    except OSError as error:
        raise _explained(error, symbol) from error
    if not lock(book):  # another writer was quicker to find the new file
        os.close(book)
        raise BookHeldError(f"book {symbol} has a live writer, which is just starting; stop it, or use another")
    return book


def open_book(folder: int, symbol: str, *, write: bool) -> int:
    """The file of a symbol, checked to be a regular one of the user's alone. Raises `BookError`s."""
    # Without O_NONBLOCK a planted pipe would hold up whoever opens it.
    flags = (os.O_RDWR if write else os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        book = os.open(symbol + SUFFIX, flags, dir_fd=folder)
    except OSError as error:
        raise _explained(error, symbol) from error
    facts = os.fstat(book)
    sound = stat.S_ISREG(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o077
    # Two names are someone else's way to the same bytes. No name is sound: replaced since it was opened.
    if not sound or facts.st_nlink > 1:
        os.close(book)
        raise UnsafeBookError(
            f"{symbol}{SUFFIX} is not a private regular file with one name (mode {facts.st_mode:o}, "
            f"{facts.st_nlink} names, user {facts.st_uid}); it was left alone: remove it"
        )
    return book


def is_current(folder: int, symbol: str, book: int) -> bool:
    """Whether the open file is the one that the name leads to now."""
    try:
        named = os.stat(symbol + SUFFIX, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(book))


def allocate(book: int, size: int, symbol: str) -> None:
    """Give the file all its blocks now: a store to a page without one would kill the process (SIGBUS).

    Raises `BookDiskFullError`.
    """
    if not hasattr(os, "posix_fallocate"):
        raise BookUnavailableError("mapped books are not available here, because the system lacks posix_fallocate")
    try:
        os.posix_fallocate(book, 0, size)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise BookDiskFullError(
                f"no room for the {size} bytes of book {symbol}: {error.strerror}; free some, or name another folder"
            ) from error
        raise _explained(error, symbol) from error


def lock(book: int) -> bool:
    """Take the writer's lock, unless another open file has it. Raises `BookUnavailableError`."""
    with _locks():
        return file_lock.lock(book)


def is_held(book: int) -> bool:
    """Whether a writer holds the lock. Raises `BookUnavailableError`."""
    with _locks():
        return file_lock.is_held(book)


@contextmanager
def _locks() -> Iterator[None]:
    try:
        yield
    except file_lock.LockUnavailableError as error:
        raise BookUnavailableError(f"mapped books are not available here, because {error}") from error


def process_start(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when no such process runs (proc_pid_stat(5))."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # from field 3 on: the name before may hold spaces and brackets
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def _explained(error: OSError, symbol: str) -> BookError:
    name = symbol + SUFFIX
    if isinstance(error, FileNotFoundError):
        return NoSuchBookError(f"there is no book {symbol}; 'lowlat book' lists those there are")
    if isinstance(error, PermissionError):
        return BookPermissionError(f"{name}: {error.strerror}; it must be yours, with mode 0600")
    if error.errno in {errno.ELOOP, errno.EISDIR, errno.ENXIO}:
        return UnsafeBookError(f"{name} is a link or no file ({error.strerror}); it was left alone: remove it")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return BookDiskFullError(f"no room for book {symbol}: {error.strerror}; free some, or name another folder")
    if error.errno == errno.EMFILE:
        return BookError(f"{name}: {error.strerror}; a book takes two, so raise the limit: ulimit -n")
    return BookError(f"{name}: {error.strerror}")
