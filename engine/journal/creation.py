"""Creates a journal's segments: the first one, and the next one in its place.

A crash at any step leaves a journal: before the new segment has its name, the old one goes on; afterwards, the new one
does. The old segment has two names in between, of which recovery removes the new one, with all that a crash left.
"""

from __future__ import annotations

import os
import shlex
from errno import ENAMETOOLONG
from pathlib import Path

from lowlat.engine import _core
from lowlat.engine.journal.errors import JournalError, JournalExistsError, JournalWriteError
from lowlat.engine.journal.header import JOURNAL, JournalHead, pack_head
from lowlat.engine.journal.names import (
    is_reserved,
    journal_of,
    longest_path,
    new_path,
    numbered_segments,
    segment_path,
)
from lowlat.engine.journal.segment import head_of, lock, open_to_append, opened
from lowlat.engine.matching.config import EngineConfig
from lowlat.files import flush_folder, make_like, remove_abandoned


def create_journal(path: Path, settings: EngineConfig) -> tuple[int, JournalHead, _core.JournalPosition]:
    """Create a journal, locked and synced to the disk: its descriptor, its head, and the position of the first block.

    Raises `JournalExistsError`, `JournalError`.
    """
    _check_name(path)
    _refuse_segment(path)
    head = JournalHead.of(settings)
    descriptor = _created(path)
    try:
        lock(descriptor, path)
        # Empty: its creator was killed before it wrote the head.
        empty = os.fstat(descriptor).st_size == 0
    except BaseException:
        os.close(descriptor)
        raise
    if not empty:
        os.close(descriptor)
        raise JournalExistsError(f"{path} exists; recover from it, remove it, or name another file")
    try:
        if older := numbered_segments(path):
            raise JournalExistsError(f"{segment_path(path, older[0])} exists; remove it, or name another file")
        place = _write_head(descriptor, head, path)
        _flush_folder(path)  # otherwise a crash may lose the name
    except BaseException:
        path.unlink(missing_ok=True)  # still locked
        os.close(descriptor)
        raise
    return descriptor, head, place


def continue_journal(path: Path) -> int:
    """Open and lock an existing journal, to append to it, without what a crash left. Returns its descriptor.

    Raises `NoJournalError`, `JournalHeldError`, `JournalError`.
    """
    _check_name(path)
    descriptor = open_to_append(path)
    try:
        discard_unfinished(path)
        # The lock is on the file, whatever its name; but a segment that has ended is no longer locked.
        if os.fstat(descriptor).st_nlink > 1:
            name = shlex.quote(str(path))
            copy = shlex.quote(f"{path}.copy")
            raise JournalError(
                f"{path} has another name (a hard link), by which a second engine could write it after a rotation; "
                f"remove that, or make a copy: cp -p {name} {copy} && mv {copy} {name}"
            )
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def create_next(path: Path, head: JournalHead) -> tuple[int, _core.JournalPosition]:
    """Create a segment beside the one that it will follow, locked and synced, with the same owner and mode.

    Raises `JournalError`.
    """
    new = new_path(path)
    try:
        new.unlink(missing_ok=True)
    except OSError as error:
        raise JournalError(f"cannot remove {new}: {error.strerror}") from error
    descriptor = _created(new)
    try:
        lock(descriptor, new)
        _make_like(descriptor, path)
        return descriptor, _write_head(descriptor, head, new)
    except BaseException:
        new.unlink(missing_ok=True)
        os.close(descriptor)
        raise


def put_in_place(path: Path, number: int) -> Path:
    """Give the segment that is written its number, and the new one its name. Returns the old segment's path.

    Raises `JournalError`: the old segment then still has its name. Raises `OSError` if the new one has it, but maybe
    not on the disk.
    """
    numbered = segment_path(path, number)
    try:
        os.link(path, numbered)
        flush_folder(path.absolute().parent)
        new_path(path).replace(path)
    except OSError as error:
        discard_unfinished(path)
        taken = f"{numbered} is there; move it away" if isinstance(error, FileExistsError) else error.strerror
        raise JournalError(f"cannot start a new segment of {path}: {taken}") from error
    flush_folder(path.absolute().parent)
    return numbered


def discard_unfinished(path: Path) -> None:
    """Remove what an unfinished rotation or snapshot left. Only for the journal's writer. Raises `JournalError`."""
    try:
        remove_abandoned(path.absolute().parent)
        new_path(path).unlink(missing_ok=True)
        for number in numbered_segments(path):
            numbered = segment_path(path, number)
            if os.path.samestat(numbered.lstat(), path.stat()):
                numbered.unlink()
    except OSError as error:
        raise JournalError(f"cannot remove what a crash left beside {path}: {error.strerror}") from error


def _check_name(path: Path) -> None:
    if is_reserved(path):
        raise JournalError(f"{path}: a journal gives this ending to other files, and removes them; name another file")
    try:
        os.lstat(longest_path(path))
    except (FileNotFoundError, ValueError):
        pass
    except OSError as error:
        if error.errno == ENAMETOOLONG:
            raise JournalError(
                f"{path}: its other files have longer names, which would be too long; use a shorter name"
            ) from error


def _refuse_segment(path: Path) -> None:
    """Compaction would remove it, and a rotation needs its name."""
    named = journal_of(path)
    if named is None:
        return
    journal, number = named
    last = head_of(journal)
    if last is not None and number <= last.segment:
        raise JournalExistsError(f"{path} is the name of a segment of {journal}; name another file")


def _created(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return opened(path, os.O_RDWR)
    except OSError as error:
        raise JournalError(f"cannot create {path}: {error.strerror}; name another file") from error


def _make_like(descriptor: int, path: Path) -> None:
    try:
        make_like(descriptor, path)
    except OSError as error:
        raise JournalError(f"cannot give a segment of {path} its mode: {error.strerror}") from error


def _write_head(descriptor: int, head: JournalHead, path: Path) -> _core.JournalPosition:
    content, checksum = pack_head(JOURNAL, head.to_json())
    try:
        written = 0
        while written < len(content):
            written += os.write(descriptor, content[written:])
        os.fsync(descriptor)
    except OSError as error:
        raise _unwritten(path, error) from error
    return _core.JournalPosition(len(content), head.blocks, head.sequence, checksum, head.segment)


def _flush_folder(path: Path) -> None:
    try:
        flush_folder(path.absolute().parent)
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> JournalWriteError:
    return JournalWriteError(f"cannot write {path}: {error.strerror}; free some space, or name another file")
