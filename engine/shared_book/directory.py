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

from lowlat.engine.shared_book.file import SUFFIX, SYMBOL, folder_of, opened_folder
from lowlat.engine.shared_book.header import BookIdentity
from lowlat.engine.shared_book.reader import BookSnapshot, MappedBookReader
from lowlat.engine.shared_book.records import BookState
from lowlat.engine.shared_book.writer import Found, MappedBookWriter
from lowlat.errors import LowlatError
from lowlat.reports.model.book import WriterState

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
    """One book of a folder: its last consistent state, or in `trouble` why it is unreadable. `live`: has a writer.

    `writer_state`: what its process does; None if that is unknown.
    """

    symbol: str
    live: bool
    identity: BookIdentity | None = None
    book: BookSnapshot | None = None
    writer_state: WriterState | None = None
    trouble: str | None = None


def mapped_books(folder: str | Path | None = None) -> list[BookEntry]:
    """The books of a folder (default: `default_folder`), by symbol. Raises `BookError`.

    A book that cannot be read is an entry too: it says why, and keeps none of the others from being listed.
    """
    path = folder_of(folder)
    with opened_folder(path, create=False):
        names = sorted(file.stem for file in path.iterdir() if file.suffix == SUFFIX)
    return [_entry(name, path) for name in names if SYMBOL.fullmatch(name)]


def _entry(symbol: str, folder: Path) -> BookEntry:
    state: WriterState | None = None
    try:
        with MappedBookReader(symbol, folder=folder, live_only=False) as reader:
            state = reader.writer_state
            return BookEntry(symbol, state != "exited", reader.identity, reader.snapshot(1), state)
    except (LowlatError, OSError) as error:
        return BookEntry(symbol, state in {"running", "stopped"}, writer_state=state, trouble=str(error))
