"""Errors of journals and their snapshots."""

from __future__ import annotations

from lowlat.errors import LowlatError, NotValidError


class JournalError(LowlatError):
    """Base of all journal errors; raised itself if a journal cannot be opened, read or used as requested."""


class JournalExistsError(JournalError):
    """A file already exists where a journal was to be created."""


class NoJournalError(JournalError):
    """The file does not exist or is not a journal."""


class JournalHeldError(JournalError):
    """Another process, or another engine of this one, is writing the journal."""


class JournalWriteError(JournalError):
    """The system could not write or sync the appended data, most likely because the disk is full."""


class JournalDamagedError(JournalError, NotValidError):
    """A block or the head is corrupt: nothing from there on can be trusted."""


class SnapshotError(JournalError):
    """The snapshot is damaged or belongs to another journal."""
