"""`FILE.snapshot`: an engine's state after a block of its journal, so that recovery replays only the later blocks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.journal.errors import JournalDamagedError, JournalError, SnapshotError
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import (
    HEAD_START_BYTES,
    SNAPSHOT,
    SnapshotHead,
    declared_size,
    pack_head,
    read_head,
)
from lowlat.engine.journal.names import snapshot_path
from lowlat.engine.matching.native import Engine, available_bytes
from lowlat.errors import FormatError, OutputPathError
from lowlat.files import write_atomically


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot that was written or read: the number of commands before it, and its size."""

    path: Path
    sequence: int
    size: int


def write_snapshot(journal: Path, identity: str, state: bytes, place: _core.JournalPosition) -> Saved:
    """Replace the snapshot with this state atomically: a crash leaves either the old or the new one.

    Raises `SnapshotError` if it cannot be written.
    """
    said = SnapshotHead(
        identity=identity,
        segment=place.segment,
        end=place.end,
        blocks=place.blocks,
        sequence=place.sequence,
        chain=place.chain,
        state_bytes=len(state),
        state_checksum=_core.crc32c(state),
    )
    path = snapshot_path(journal)
    content = pack_head(SNAPSHOT, said.to_json())[0] + state
    try:
        write_atomically(path, content, like=journal)
    except OutputPathError as error:
        raise SnapshotError(str(error)) from error
    return Saved(path, place.sequence, len(content))


def restore_snapshot(journal: JournalFile, engine: Engine) -> _core.JournalPosition | None:
    """Restore the snapshot's state into an empty engine. Returns its position in the journal, None without a snapshot.

    Raises `SnapshotError` for one that is damaged or of another journal, `JournalDamagedError` for a journal that ends
    before it; the engine is then still empty.
    """
    snapshot = journal.snapshot
    if snapshot.fault is not None:
        raise SnapshotError(snapshot.fault)
    if snapshot.file is None:
        return None
    try:
        snapshot.file.seek(0)
        return _restored(journal, engine, snapshot.file, snapshot.path)
    except OSError as error:
        raise SnapshotError(f"cannot read {snapshot.path}: {error.strerror}") from error


def _restored(journal: JournalFile, engine: Engine, file: BinaryIO, path: Path) -> _core.JournalPosition:
    head = file.read(HEAD_START_BYTES)
    head += file.read(max(declared_size(head) - len(head), 0))
    try:
        said, _, _ = read_head(memoryview(head), SNAPSHOT, SnapshotHead.from_json, str(path))
    except JournalError as error:
        raise SnapshotError(str(error)) from error
    if said.identity != journal.head.identity:
        raise SnapshotError(f"{path} belongs to another journal: {said.identity}, not {journal.head.identity}")
    place = _core.JournalPosition(said.end, said.blocks, said.sequence, said.chain, said.segment)
    if (place.segment, place.end) > (journal.head.segment, journal.last_size):
        has = f"it has {journal.last_size:,}{_of_segment(journal.head.segment)}"
        raise _lost(f"{journal.path} was truncated", place, has, path)
    _check_place(journal, place, path)
    if said.state_bytes > available_bytes():
        raise SnapshotError(f"{path} says that its state has {units.size(said.state_bytes)}: more than there is memory")
    whole = os.fstat(file.fileno()).st_size == len(head) + said.state_bytes
    state = file.read(said.state_bytes) if whole else b""
    if len(state) != said.state_bytes or _core.crc32c(state) != said.state_checksum:
        raise SnapshotError(f"{path} is damaged: the checksum of its state does not match")
    try:
        _core.restore_state(engine.matcher, state, available_bytes())
    except FormatError as error:
        raise SnapshotError(f"{path} does not hold a state of this engine: {error}") from error
    if engine.counters.commands != said.sequence:
        after = engine.counters.commands
        engine.matcher.reset()
        raise SnapshotError(
            f"{path} contradicts itself: its state is after {units.counted(after, 'command')}, its header says "
            f"{said.sequence:,}"
        )
    return place


def _check_place(journal: JournalFile, said: _core.JournalPosition, path: Path) -> None:
    """Check that the snapshot was taken after a block of the journal, whose number and commands are as it says.
    Raises `SnapshotError`, and `JournalDamagedError` if the journal has lost that block.

    If blocks before are damaged, which recovery from a snapshot survives, they cannot be counted.
    """
    if not journal.continues(said):
        if journal.has_lost(said):  # as where a disk loses what it has synced
            has = f"its blocks end at byte {journal.walk_to(said).place.end:,}"
            raise _lost(f"{journal.path} has lost its end", said, has, path)
        raise SnapshotError(f"{path} does not match {journal.path}: no block ends where the snapshot was taken")
    place = journal.walk_to(said).place
    there = (place.segment, place.end) == (said.segment, said.end)
    if there and (place.blocks, place.sequence) != (said.blocks, said.sequence):
        told = f"{units.counted(said.blocks, 'block')} and {units.counted(said.sequence, 'command')}"
        raise SnapshotError(
            f"{path} does not match {journal.path}: it was taken after {told}, and there are {place.blocks:,} and "
            f"{place.sequence:,} before that place"
        )


def _lost(what: str, said: _core.JournalPosition, has: str, path: Path) -> JournalDamagedError:
    return JournalDamagedError(
        f"{what}: its snapshot was taken at byte {said.end:,}{_of_segment(said.segment)}, and {has}; keep copies of "
        f"both, then remove {path} to recover what is left"
    )


def _of_segment(number: int) -> str:
    return f" of segment {number}" if number > 1 else ""


def missing_snapshot(file: JournalFile, fault: str | None) -> str:
    """Why a journal cannot be recovered whose first segments compaction removed, without the snapshot."""
    snapshot = fault or f"{snapshot_path(file.path)} does not exist"
    if file.gap is not None:
        return f"{file.gap}, and {snapshot}; {file.gap.remedy}"
    return (
        f"{file.path} begins with command {file.beginning.sequence:,}, since compaction removed those before, and "
        f"{snapshot}; put the snapshot back from a copy"
    )
