"""An order book in a memory-mapped file: one process writes it, others read it live."""

from lowlat.engine.shared_book.directory import (
    BookEntry,
    BookIdentity,
    BookSnapshot,
    BookState,
    Found,
    MappedBookReader,
    MappedBookWriter,
    mapped_books,
)

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
