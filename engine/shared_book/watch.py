"""Watches a mapped book over time, across the death of a writer and its successor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lowlat.engine.shared_book.directory import MappedBookReader
from lowlat.engine.shared_book.document import book_document
from lowlat.engine.shared_book.errors import BookBusyError, NoSuchBookError, NoWriterError
from lowlat.reports.model.book import BookDocument


def watched(symbol: str, folder: Path, levels: int) -> Iterator[tuple[BookDocument, str]]:
    """Yield the book and a status line at each step, without end.

    The first step raises what `MappedBookReader` does. Later steps keep the last book while there is no writer, say so,
    and continue with the next writer.
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
                status = f"last known state: {error}"
                last = replace(last, writer_state=reader.writer_state)
            except NoWriterError as error:
                status = f"last known state: {error}"
                last = replace(last, live=False, writer_state="exited", age_s=None)
                reader = _next_reader(reader, folder)
            yield last, status
    finally:
        reader.close()


def _next_reader(reader: MappedBookReader, folder: Path) -> MappedBookReader:
    """A reader of the next writer's file, or the same reader if there is none yet."""
    with suppress(NoWriterError, NoSuchBookError, BookBusyError):
        found = MappedBookReader(reader.identity.symbol, folder=folder)
        reader.close()
        return found
    return reader


def _pace(before: BookDocument, now: BookDocument, seconds: float) -> str:
    if now.generation != before.generation or seconds <= 0:
        return "a new writer"
    return f"{(now.sequence - before.sequence) / 2 / seconds:,.0f} updates/s"
