"""Mapped books as the documents that `reports/terminal/ladder.py` shows."""

from __future__ import annotations

from pathlib import Path

from lowlat.engine.matching.records import Levels
from lowlat.engine.shared_book.directory import BookEntry, MappedBookReader, mapped_books
from lowlat.reports.terminal.ladder import BookDocument, BookLine, BooksDocument, LadderLevel


def book_document(reader: MappedBookReader, levels: int) -> BookDocument:
    """The best `levels` of a live book. Raises `NoWriterError` too, besides what `MappedBookReader.snapshot` raises."""
    reader.check_writer()
    book, identity = reader.snapshot(levels), reader.identity
    return BookDocument(
        symbol=identity.symbol,
        unit=str(identity.unit),
        tick=identity.tick,
        depth=identity.depth,
        live=True,
        writer_pid=book.pid,
        generation=book.generation,
        sequence=book.sequence,
        command=book.command,
        bids=_levels(book.bids),
        asks=_levels(book.asks),
    )


def books_document(folder: Path) -> BooksDocument:
    """All books of a folder. Raises `BookFolderError`."""
    return BooksDocument(folder=str(folder), books=[_line(entry) for entry in mapped_books(folder)])


def _levels(rows: Levels) -> list[LadderLevel]:
    return [LadderLevel(price, quantity, orders) for price, quantity, orders in rows.tolist()]


def _line(entry: BookEntry) -> BookLine:
    book = entry.book
    if book is None or entry.identity is None:
        return BookLine(symbol=entry.symbol, live=entry.live, trouble=entry.trouble)
    return BookLine(
        symbol=entry.symbol,
        live=entry.live,
        unit=str(entry.identity.unit),
        writer_pid=book.pid,
        generation=book.generation,
        sequence=book.sequence,
        bid=book.best.bid,
        ask=book.best.ask,
    )
