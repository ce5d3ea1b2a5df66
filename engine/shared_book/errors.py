"""What can be wrong with a mapped book, its file or its folder."""

from __future__ import annotations

from lowlat.errors import LowlatError


class BookError(LowlatError):
    """Root of the errors of mapped books; itself for a file or folder that cannot be used, or must not be."""


class NoSuchBookError(BookError):
    """No book of this symbol in the folder."""


class NotABookError(BookError):
    """A file that is no book, or one whose header does not agree with itself."""


class BookLayoutError(BookError):
    """A book of another layout version, or one whose sizes are not those of its version."""


class BookHeldError(BookError):
    """A live writer has the book."""


class NoWriterError(BookError):
    """Nobody writes the book any more. Of a writer that died in the middle of an update no whole book is left."""


class BookBusyError(BookError):
    """The writer lives, but was in the middle of an update all the while: stopped, or never pausing."""


class LevelError(BookError):
    """Levels that are no book: out of order, crossed, or numbers that do not fit."""
