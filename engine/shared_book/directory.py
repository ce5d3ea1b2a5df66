"""A book in a mapped file: one process writes its levels, others read them live and never accept a torn one.

    with MappedBookWriter("AAPL") as book:            # in the matching process
        book.publish(engine)

    with MappedBookReader("AAPL") as book:            # in any other
        book.best(), book.snapshot(levels=10).bids

`engine/native/shared_book/mapped_book.hpp` shows the file's layout and explains its sequence lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lowlat.engine.shared_book.errors import BookError
from lowlat.engine.shared_book.file import SUFFIX, SYMBOL, default_folder, opened_folder
from lowlat.engine.shared_book.header import BookIdentity
from lowlat.engine.shared_book.reader import BookSnapshot, MappedBookReader
from lowlat.engine.shared_book.records import BookState
from lowlat.engine.shared_book.writer import Found, MappedBookWriter

__all__ = [
    "BookEntry",
    "BookIdentity",
    "BookSnapshot",
    "BookState",
    "Found",
    "MappedBookReader",
    "MappedBookWriter",
    "mapped_books",
]


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One book of a folder: its last consistent state, or in `trouble` why it is unreadable. `live`: has a writer."""

    symbol: str
    live: bool
    identity: BookIdentity | None = None
    book: BookSnapshot | None = None
    trouble: str | None = None


def mapped_books(folder: Path | None = None) -> list[BookEntry]:
    """The books of a folder (default: `$XDG_RUNTIME_DIR/lowlat`), by symbol. Raises `BookError`."""
    path = folder or default_folder()
    with opened_folder(path, create=False):
        names = sorted(file.stem for file in path.iterdir() if file.suffix == SUFFIX)
    return [_entry(name, path) for name in names if SYMBOL.fullmatch(name)]


def _entry(symbol: str, folder: Path) -> BookEntry:
    live = False
    try:
        with MappedBookReader(symbol, folder=folder, live_only=False) as reader:
            live = reader.has_writer
            return BookEntry(symbol, live, reader.identity, reader.snapshot(1))
    except BookError as error:
        return BookEntry(symbol, live, trouble=str(error))
