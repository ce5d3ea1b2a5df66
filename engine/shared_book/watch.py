"""A mapped book watched over time: across a writer that dies, and the next one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lowlat.engine.shared_book.directory import MappedBookReader
from lowlat.engine.shared_book.document import book_document
from lowlat.engine.shared_book.errors import BookBusyError, NoSuchBookError, NoWriterError
from lowlat.reports.terminal.ladder import BookDocument


def watched(symbol: str, folder: Path, levels: int) -> Iterator[tuple[BookDocument, str]]:
    """The book at each step, and a line on how it fares; without end.

    The first step raises what is wrong, as `MappedBookReader` does. Later ones keep the last book while there is no
    writer, saying so, and go on with the next writer.
    """
    reader = MappedBookReader(symbol, folder=folder)
    try:
        last, at = book_document(reader, levels), time.monotonic()
        yield last, ""
        while True:
            try:
                book, now = book_document(reader, levels), time.monotonic()
                status = _pace(last, book, now - at)
                last, at = book, now
            except BookBusyError as error:
                status = f"as it was last: {error}"
            except NoWriterError as error:
                status = f"as it was last: {error}"
                reader = _next_reader(reader, folder)
            yield last, status
    finally:
        reader.close()


def _next_reader(reader: MappedBookReader, folder: Path) -> MappedBookReader:
    """A reader of the next writer's file, or the same reader while there is none."""
    with suppress(NoWriterError, NoSuchBookError, BookBusyError):
        found = MappedBookReader(reader.identity.symbol, folder=folder)
        reader.close()
        return found
    return reader


def _pace(before: BookDocument, now: BookDocument, seconds: float) -> str:
    if now.generation != before.generation or seconds <= 0:
        return "a new writer"
    return f"{(now.sequence - before.sequence) / 2 / seconds:,.0f} updates/s"
