"""Mapped books as the documents of `reports/model/book.py`."""

from __future__ import annotations

from pathlib import Path

from lowlat.engine.matching.records import Levels
from lowlat.engine.shared_book.directory import BookEntry, MappedBookReader, mapped_books
from lowlat.reports.model.book import BookDocument, BookLine, BooksDocument, LadderLevel


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
        writer_state=reader.writer_state,
        age_s=book.age_s,
        generation=book.generation,
        sequence=book.sequence,
        command=book.command,
        bids=_levels(book.bids),
        asks=_levels(book.asks),
    )


def books_document(folder: Path) -> BooksDocument:
    """All books of a folder. Raises `BookError`."""
    return BooksDocument(folder=str(folder), books=tuple(map(_line, mapped_books(folder))))


def _levels(rows: Levels) -> tuple[LadderLevel, ...]:
    return tuple(LadderLevel(price, quantity, orders) for price, quantity, orders in rows.tolist())


def _line(entry: BookEntry) -> BookLine:
    book = entry.book
    if book is None or entry.identity is None:
        return BookLine(symbol=entry.symbol, live=entry.live, writer_state=entry.writer_state, trouble=entry.trouble)
    return BookLine(
        symbol=entry.symbol,
        live=entry.live,
        unit=str(entry.identity.unit),
        writer_pid=book.pid,
        writer_state=entry.writer_state,
        age_s=book.age_s,
        generation=book.generation,
        sequence=book.sequence,
        bid=book.best.bid,
        ask=book.best.ask,
    )
