"""Removes the segments of a journal that its snapshot replaces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lowlat.engine.journal.errors import JournalError
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.names import numbered_segments, segment_path
from lowlat.engine.journal.segment import head_of, is_stranger
from lowlat.engine.journal.snapshot import Saved, missing_snapshot, restore_snapshot
from lowlat.engine.matching.native import Engine
from lowlat.files import flush_folder


@dataclass(frozen=True, slots=True)
class RemovedSegment:
    """A segment that was removed, and its size in bytes."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did: the snapshot that it took, and the segments that it removed, oldest first."""

    snapshot: Saved
    removed: tuple[RemovedSegment, ...]


def check_snapshot(journal: Path) -> None:
    """Restore the snapshot into another engine, since nothing else will hold its commands.

    Raises `JournalError`, `MemoryError`.
    """
    with JournalFile(journal) as file:
        if restore_snapshot(file, Engine.of(file.settings)) is None:
            raise JournalError(missing_snapshot(file, None))


def remove_segments(journal: Path, before: int) -> list[RemovedSegment]:
    """Remove the segments with a smaller number, oldest first, so that a crash leaves a journal without gaps.

    Only when a snapshot of the segment `before` or a later one is on the disk. Raises `JournalError`.
    """
    removed = []
    last = head_of(journal)
    try:
        for number in numbered_segments(journal):
            path = segment_path(journal, number)
            if number < before and last is not None and not is_stranger(path, last.identity):
                removed.append(RemovedSegment(path, path.stat().st_size))
                path.unlink()
                flush_folder(journal.absolute().parent)  # each: a power cut may reorder what was not flushed
    except OSError as error:
        raise JournalError(f"cannot remove a segment of {journal}: {error.strerror}") from error
    return removed
