"""What can be wrong with a mapped book, its file or its folder."""

from __future__ import annotations

from lowlat.errors import LowlatError, UsageError


class BookError(LowlatError):
    """Root of the errors of mapped books."""


class SymbolNameError(BookError, UsageError):
    """A symbol that cannot name a book."""


class BookDepthError(BookError, UsageError):
    """A number of levels that a book cannot have."""


class BookFolderError(BookError):
    """A folder that is missing, or that others could plant files in."""


class BookUnavailableError(BookError):
    """The platform lacks what a mapped book needs."""


class NoSuchBookError(BookError):
    """No book of this symbol in the folder."""


class BookPermissionError(BookError):
    """The system does not let this user at the book."""


class UnsafeBookError(BookError):
    """What stands under the book's name is a link, no regular file, or open to others: it is left alone."""


class NotABookError(BookError):
    """A file that is no book, or one whose header does not agree with itself."""


class BookVersionError(BookError):
    """A book of another layout version."""


class BookSizeError(BookError):
    """A book whose sizes are not those of its version."""


class TruncatedBookError(BookSizeError):
    """A file shorter than the book it holds."""


class BookHeldError(BookError):
    """A live writer has the book."""


class BookDiskFullError(BookError):
    """No room for the book's file."""


class NoWriterError(BookError):
    """Nobody writes the book any more."""


class WriterDiedError(NoWriterError):
    """The writer died in the middle of an update: there is no whole book to show."""


class BookBusyError(BookError):
    """The writer lives, but was in the middle of an update all the while: stopped, or never pausing."""


class LevelError(BookError):
    """Levels that are no book: out of order, crossed, or numbers that do not fit."""
