"""Errors of mapped books, their files and folders."""

from __future__ import annotations

from lowlat.errors import LowlatError


class BookError(LowlatError):
    """Base of all mapped book errors; raised itself for a file or folder that cannot or must not be used."""


class NoSuchBookError(BookError):
    """The folder has no book of this symbol."""


class NotABookError(BookError):
    """The file is not a book, or its header is inconsistent."""


class BookLayoutError(BookError):
    """The book has another layout version, or sizes that do not match its version."""


class BookHeldError(BookError):
    """A live writer holds the book."""


class NoWriterError(BookError):
    """The book has no writer any more. If the writer died during an update, no consistent book is left."""


class BookBusyError(BookError):
    """The writer is alive but was always in the middle of an update: it is stopped, or updates without a pause."""


class LevelError(BookError):
    """Invalid levels: out of order, crossed, or with numbers that do not fit."""
