"""One file of a journal: creates, opens, and reads it as far as it can be trusted."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from lowlat import file_lock
from lowlat.engine import _core
from lowlat.engine.journal.errors import JournalError, JournalHeldError, NoJournalError
from lowlat.engine.journal.header import HEAD_START_BYTES, JOURNAL, JournalHead, declared_size, read_head
from lowlat.engine.journal.records import BLOCK, BlockKind, Fault
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, Commands
from lowlat.errors import LowlatError
from lowlat.inputs import is_refusal, open_regular

_END: Final = struct.Struct("<4sI")
END_BYTES: Final = _END.size
"""Size of the trailer after a block's payload."""
_HEADS_BYTES: Final = 1 << 16
"""How much of a file is read at once in search of heads."""


class Reached(NamedTuple):
    """How far a journal can be trusted: the position after the last batch; why it ends there; and the block that cannot
    be trusted, which may be a later one of an incomplete batch.
    """

    place: _core.JournalPosition
    fault: Fault
    at: _core.JournalPosition


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a block: its place, its content, and its first command."""

    segment: int
    offset: int
    kind: BlockKind
    size: int
    """Size of the payload in bytes."""
    sequence: int


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its place, and a copy of its commands."""

    segment: int
    offset: int
    kind: BlockKind
    sequence: int
    commands: Commands


class Segment:
    """A file of a journal, open for reading as of now. It is read in pieces, so that another process may truncate it.

    Raises `NoJournalError`, `JournalError`, `JournalDamagedError` for an unusable head, `UsageError` for a head with
    invalid engine settings; reading raises `JournalError`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = opened(path, os.O_RDONLY)
        try:
            self.held = _is_held(self.descriptor)
            self.size = os.fstat(self.descriptor).st_size
            data = memoryview(self._head_bytes())
            self.head, self.start, self._checksum = read_head(data, JOURNAL, JournalHead.from_json, str(path))
        except BaseException:
            os.close(self.descriptor)
            raise
        self._window, self._window_at = b"", 0

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)

    @property
    def beginning(self) -> _core.JournalPosition:
        """The position before the first block."""
        head = self.head
        return _core.JournalPosition(self.start, head.blocks, head.sequence, self._checksum, head.segment)

    def walk(self, place: _core.JournalPosition, until: int, matcher: _core.Matcher | None) -> Reached:
        """Walk the batches from a position up to one that ends at `until` or later; with a matcher, execute them."""
        try:
            end, fault, at = _core.walk_journal(self.descriptor, self.size, place, until, matcher)
        except EOFError as error:
            raise self._cut() from error
        except OSError as error:
            raise self._unreadable(error) from error
        return Reached(end, Fault(fault), at)

    def heads(self, begin: int, end: int) -> Iterator[Head]:
        """Heads of the blocks between two offsets. Checks nothing, so the part must have been walked before."""
        while begin + BLOCK.itemsize <= end:
            _, size, sequence, _, _, kind, *_ = np.frombuffer(self._head_at(begin), BLOCK).item()
            if kind == 0:  # zeros, which are not a block, up to the end of a segment
                return
            yield Head(self.head.segment, begin, BlockKind(kind), size, sequence)
            begin += BLOCK.itemsize + size + END_BYTES

    def block(self, head: Head) -> Block:
        """The block of a head."""
        dtype = EXTENDED_COMMAND if head.kind is BlockKind.EXTENDED_COMMANDS else COMMAND
        commands = np.frombuffer(self._read(head.offset + BLOCK.itemsize, head.size), dtype)
        return Block(head.segment, head.offset, head.kind, head.sequence, commands)

    def continues(self, end: int, chain: int) -> bool:
        """Whether a block with this checksum, or the head, ends at this offset."""
        if end == self.start:
            return chain == self._checksum
        return self.start < end <= self.size and self._read(end - END_BYTES, END_BYTES) == _END.pack(b"LLJE", chain)

    def _head_bytes(self) -> bytes:
        try:
            start = os.pread(self.descriptor, HEAD_START_BYTES, 0)
            return os.pread(self.descriptor, min(max(declared_size(start), len(start)), self.size), 0)
        except OSError as error:  # files without content of their own, such as many of /proc
            raise NoJournalError(f"{self.path} is not a journal: it cannot be read: {error.strerror}") from error

    def _head_at(self, offset: int) -> bytes:
        at = offset - self._window_at
        if at < 0 or at + BLOCK.itemsize > len(self._window):
            self._window = self._read(offset, min(_HEADS_BYTES, self.size - offset))
            self._window_at, at = offset, 0
        return self._window[at : at + BLOCK.itemsize]

    def _read(self, offset: int, size: int) -> bytes:
        parts = []
        while size > 0:
            try:
                part = os.pread(self.descriptor, size, offset)
            except OSError as error:
                raise self._unreadable(error) from error
            if not part:
                raise self._cut()
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _cut(self) -> JournalError:
        return JournalError(f"{self.path} became shorter while it was read; read it again")

    def _unreadable(self, error: OSError) -> JournalError:
        return JournalError(f"cannot read {self.path}: {error.strerror}; check the disk, or read a copy")


def head_of(path: Path) -> JournalHead | None:
    """The head of a segment; None of another file."""
    try:
        segment = Segment(path)
    except LowlatError:
        return None
    segment.close()
    return segment.head


def is_stranger(path: Path, identity: str) -> bool:
    """Whether it is a segment of another journal, which may be called by a date, and not of the one with `identity`."""
    head = head_of(path)
    return head is not None and head.identity != identity


def open_to_append(path: Path) -> int:
    """Open and lock an existing journal. Raises `NoJournalError`, `JournalHeldError`, `JournalError`."""
    while True:
        descriptor = opened(path, os.O_RDWR)
        try:
            lock(descriptor, path)
            if is_named(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its writer put a new segment in its place, and ended


def opened(path: Path, flags: int) -> int:
    """Open a regular file. Raises `NoJournalError`, `JournalError`."""
    try:
        return open_regular(path, flags)
    except FileNotFoundError as error:
        raise NoJournalError(f"{path} does not exist; name a journal") from error
    except OSError as error:
        why = error.strerror or str(error)
        if is_refusal(error):
            raise NoJournalError(f"{path} is not a journal: {why}") from error
        may = "read" if flags == os.O_RDONLY else "write"
        raise JournalError(f"cannot open {path}: {why}; name a journal that you may {may}") from error


def lock(descriptor: int, path: Path) -> None:
    """Take the lock of the journal's only writer. Raises `JournalHeldError`, `JournalError`."""
    try:
        held = not file_lock.lock(descriptor)
    except OSError as error:
        raise JournalError(f"journals are not available here, because {error.strerror}") from error
    if held:
        raise JournalHeldError(f"{path} is being written by another engine; stop that one, or name another journal")


def is_named(descriptor: int, path: Path) -> bool:
    """Whether a path leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _is_held(descriptor: int) -> bool:
    try:
        return file_lock.is_held(descriptor)
    except OSError:  # then nobody can hold it
        return False
