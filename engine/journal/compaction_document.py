"""What a compaction did, as a `lowlat.journal-compaction/1` document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Count
from lowlat.engine.journal.compaction import Compacted
from lowlat.engine.journal.names import journal_itself

SCHEMA: Final = "lowlat.journal-compaction/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSnapshot:
    """The snapshot that takes the place of the removed commands."""

    file: Annotated[str, Meta(description="Path of the snapshot")]
    commands: Annotated[Count, Meta(description="Commands before it")]
    size_bytes: Annotated[Count, Meta(description="Size of the file, bytes")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedFile:
    """A segment that was removed."""

    file: Annotated[str, Meta(description="Path that the segment had")]
    size_bytes: Annotated[Count, Meta(description="Size of the file, bytes")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionDocument:
    """What a compaction of a journal did."""

    schema: Annotated[Literal["lowlat.journal-compaction/1"], Meta(description="Kind and version of the document")] = (
        SCHEMA
    )
    file: Annotated[str, Meta(description="Path of the journal")]
    snapshot: WrittenSnapshot
    removed: Annotated[tuple[RemovedFile, ...], Meta(description="Segments that were removed, oldest first")]

    @classmethod
    def of(cls, path: Path, done: Compacted) -> CompactionDocument:
        """The document of a compaction."""
        saved, beside = done.snapshot, journal_itself(path)
        return cls(
            file=str(path),
            snapshot=WrittenSnapshot(
                file=str(beside.with_name(saved.path.name)), commands=saved.sequence, size_bytes=saved.size
            ),
            removed=tuple(
                RemovedFile(file=str(beside.with_name(each.path.name)), size_bytes=each.size) for each in done.removed
            ),
        )
