"""What can be wrong with a journal or its snapshot."""

from __future__ import annotations

from lowlat.errors import LowlatError, NotValidError


class JournalError(LowlatError):
    """Root of the errors of journals."""


class JournalExistsError(JournalError):
    """A journal was to be made where a file is already."""


class NoJournalError(JournalError):
    """No such file, or one that is no journal."""


class JournalVersionError(JournalError):
    """A journal of another version of the format."""


class JournalHeldError(JournalError):
    """Another process, or another engine of this one, is writing the journal."""


class JournalWriteError(JournalError):
    """The system did not take, or did not keep, what was appended: for want of room, most likely."""


class JournalResetError(JournalError):
    """An engine was to be emptied whose journal says otherwise."""


class JournalDamagedError(JournalError, NotValidError):
    """A block, or the head, that is not as it was written: nothing from there on can be trusted."""


class SnapshotError(JournalError):
    """A snapshot that is damaged, or of another journal."""
