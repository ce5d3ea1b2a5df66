"""The names of a journal's files: the segment that is being written, older segments by number, and the snapshot.

day.journal            the segment that is being written, or was last
day.journal.000001     the oldest segment, from the first command on
day.journal.000002     the next one
day.journal.snapshot   an engine's state after one of the blocks
day.journal.new        a segment that is being created; removed by recovery
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from lowlat.engine.journal.errors import JournalError
from lowlat.inputs import real_path

SEGMENT_MAX: Final = 2**32 - 1
"""The largest number of a segment."""
SNAPSHOT_SUFFIX: Final = ".snapshot"
_NEW_SUFFIX: Final = ".new"
_NUMBER: Final = re.compile("(?!0{6})(?:[0-9]{6}|[1-9][0-9]{6,9})")
"""How `segment_path` writes a number: any other spelling is no segment's name."""


def journal_itself(path: str | Path) -> Path:
    """The journal, where `path` is a symbolic link to a file: its other files are beside it, not beside the link."""
    link = os.path.islink(path) and os.path.isfile(path)  # noqa: PTH113, PTH114 (`Path.is_file` raises `PermissionError`)
    return real_path(path) if link else Path(path)


def is_reserved(path: Path) -> bool:
    """Whether it is a name that a journal gives to files that it removes or replaces, so that none may have it."""
    return path.name.endswith((SNAPSHOT_SUFFIX, _NEW_SUFFIX))


def journal_of(segment: Path) -> tuple[Path, int] | None:
    """The journal whose older segment has this name, and its number; None if no segment is called so."""
    name, _, number = segment.name.rpartition(".")
    return (segment.with_name(name), int(number)) if name and _NUMBER.fullmatch(number) else None


def snapshot_path(journal: Path) -> Path:
    """The path of the snapshot. `journal`: any path, even of what cannot be one (`.`)."""
    return journal.parent / (journal.name + SNAPSHOT_SUFFIX)


def new_path(journal: Path) -> Path:
    """The path of a segment until it is complete."""
    return journal.with_name(journal.name + _NEW_SUFFIX)


def segment_path(journal: Path, number: int) -> Path:
    """The path of a segment that is no longer written."""
    return journal.with_name(f"{journal.name}.{number:06}")


def longest_path(journal: Path) -> Path:
    """The longest of the paths that its files may have."""
    return segment_path(journal, SEGMENT_MAX)


def is_of_journal(file: Path, journal: Path) -> bool:
    """Whether a file is one of the journal's."""
    name = file.name.removeprefix(journal.name)
    others = (SNAPSHOT_SUFFIX, _NEW_SUFFIX)
    return (
        file.parent == journal.parent
        and file.name.startswith(journal.name)
        and (name in ("", *others) or (_NUMBER.fullmatch(name[1:]) is not None and name[0] == "."))
    )


def numbered_segments(journal: Path) -> list[int]:
    """The numbers of the segments that are no longer written, oldest first. Raises `JournalError`."""
    prefix = f"{journal.name}."
    try:
        names = [file.name.removeprefix(prefix) for file in journal.parent.iterdir() if file.name.startswith(prefix)]
    except OSError as error:
        raise JournalError(f"cannot list {journal.parent}: {error.strerror}") from error
    return sorted(int(name) for name in names if _NUMBER.fullmatch(name))
