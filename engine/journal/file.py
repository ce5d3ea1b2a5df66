"""A journal's file: made, opened, and read as far as it can be trusted."""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from lowlat import file_lock
from lowlat.engine import _core
from lowlat.engine.journal.errors import (
    JournalDamagedError,
    JournalError,
    JournalExistsError,
    JournalHeldError,
    JournalWriteError,
    NoJournalError,
)
from lowlat.engine.journal.header import JOURNAL, JournalHead, pack_head, read_head
from lowlat.engine.journal.records import BLOCK, BlockKind, Fault
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, Commands

_END: Final = struct.Struct("<4sI")
END_BYTES: Final = _END.size
"""What follows its payload."""
STRETCH_BYTES: Final = 1 << 26
"""Walked in one go, a tenth of a second or so; several of the longest blocks."""


_DAMAGE: Final = {
    Fault.HEAD: "its head's checksum does not match",
    Fault.PAYLOAD: "its commands' checksum does not match",
    Fault.CHAIN: "it does not follow the block before: one is missing, repeated, or of another journal",
    Fault.SEQUENCE: "its commands do not follow those of the block before",
    Fault.KIND: "it is of no known kind or length",
    Fault.END: "its end is not as it was written",
}


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a block says: its place in the file, what it holds, and from which command on."""

    offset: int
    kind: BlockKind
    size: int
    """Bytes of the payload."""
    sequence: int


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its place in the file, and its commands, which are the file's own memory."""

    offset: int
    kind: BlockKind
    sequence: int
    commands: Commands


class JournalFile:
    """A journal, open for reading. Close it, or use it in a `with` block; its blocks' commands end with it.

    Raises `NoJournalError`, `JournalVersionError`, `JournalDamagedError` for a head that cannot be used. What is wrong
    further behind is in `fault`. The file is mapped: whoever cuts it meanwhile, as recovery does with a torn tail, ends
    a process that reads on (SIGBUS).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        descriptor = _opened(path, os.O_RDONLY)
        try:
            self.held = _is_held(descriptor)
            self.size = os.fstat(descriptor).st_size
            self._map = mmap.mmap(descriptor, self.size, prot=mmap.PROT_READ) if self.size else None
        except (OSError, ValueError) as error:  # of what has no content of its own, such as most of /sys
            raise NoJournalError(f"{path} is no journal: it cannot be mapped into memory: {error}") from error
        finally:
            os.close(descriptor)
        self.data = memoryview(self._map or b"")
        try:
            self.head, self.start, self._checksum = read_head(self.data, JOURNAL, JournalHead, str(path))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> JournalFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.data.release()
        if self._map is not None:
            with contextlib.suppress(BufferError):  # somebody holds a block's commands: it goes with them
                self._map.close()

    @property
    def settings(self) -> EngineConfig:
        """Of the engine whose journal it is."""
        return self.head.settings

    @property
    def beginning(self) -> _core.JournalPosition:
        """Before the first block."""
        return _core.JournalPosition(self.start, 0, 0, self._checksum)

    @cached_property
    def _walked(self) -> tuple[_core.JournalPosition, Fault]:
        place, fault = self.beginning, Fault.NONE
        for reached in self.stretches(place):
            place, fault = reached
        return place, fault

    @property
    def end(self) -> _core.JournalPosition:
        """Behind the last block that can be trusted."""
        return self._walked[0]

    @property
    def fault(self) -> Fault:
        """Why it ends there."""
        return self._walked[1]

    def explain(self, place: _core.JournalPosition, fault: Fault) -> str:
        """A sentence on why reading ended at a place."""
        where = f"block {place.blocks}, byte {place.end:,} of {self.path}, behind {place.sequence:,} commands"
        if fault is Fault.TORN:
            return f"torn tail of {self.size - place.end:,} bytes: {where}, was not written to its end"
        return f"damaged at {where}: {_DAMAGE[fault]}"

    def check(self, place: _core.JournalPosition, fault: Fault) -> None:
        """Raise `JournalDamagedError` unless reading ended where a journal may end."""
        if fault not in (Fault.NONE, Fault.TORN):
            raise JournalDamagedError(
                f"{self.explain(place, fault)}; nothing from there on can be trusted. To go on from the block before, "
                f"keep a copy and cut the file: truncate -s {place.end} {self.path}"
            )

    def stretches(
        self, place: _core.JournalPosition, matcher: _core.Matcher | None = None
    ) -> Iterator[tuple[_core.JournalPosition, Fault]]:
        """Walk from a place on as far as the blocks can be trusted, executing them with a matcher, a stretch at a time.

        Where each stretch ended, and, of the last, why.
        """
        end = place.end
        while True:
            begin, end = place.end, min(end + STRETCH_BYTES, self.size)
            with self.data[:end] as seen:
                place, why = _core.walk_journal(seen, place, matcher)
            fault = Fault(why)
            # Before the file's end a block may be cut off by the stretch alone; damage is damage.
            if end == self.size or fault not in (Fault.NONE, Fault.TORN):
                yield place, fault
                return
            yield place, Fault.NONE
            end = place.end if place.end > begin else 2 * end  # nothing but zeros: look at all of it soon

    def heads(self, begin: int, end: int) -> Iterator[Head]:
        """Heads of the blocks between two bytes; of a part that was walked, since nothing is checked."""
        while begin < end:
            _, size, sequence, _, kind, _, _ = np.frombuffer(self.data, BLOCK, 1, begin).item()
            yield Head(begin, BlockKind(kind), size, sequence)
            begin += BLOCK.itemsize + size + END_BYTES

    def blocks(self) -> Iterator[Block]:
        """The blocks that can be trusted, in order; each is checked before it comes."""
        begin = self.start
        for reached in self.stretches(self.beginning):
            yield from map(self.block, self.heads(begin, reached[0].end))
            begin = reached[0].end
        self._walked = reached

    def block(self, head: Head) -> Block:
        """The block behind a head."""
        dtype = EXTENDED_COMMAND if head.kind is BlockKind.EXTENDED_COMMANDS else COMMAND
        commands = np.frombuffer(self.data, dtype, head.size // dtype.itemsize, head.offset + BLOCK.itemsize)
        return Block(head.offset, head.kind, head.sequence, commands)

    def replay(self, engine: Engine, place: _core.JournalPosition) -> tuple[_core.JournalPosition, Fault]:
        """Execute the blocks from a place on, each once it has been checked; where and why it ended.

        Raises `JournalDamagedError` when it ended in damage.
        """
        for reached in self.stretches(place, engine.matcher):
            place, fault = reached
        self.check(place, fault)
        return place, fault

    def continues(self, end: int, chain: int) -> bool:
        """Whether a block with this checksum ends there, or the head does."""
        if end == self.start:
            return chain == self._checksum
        return end > self.start and bytes(self.data[end - END_BYTES : end]) == _END.pack(b"LLJE", chain)

    def damage_before(self, snapshot: _core.JournalPosition) -> str | None:
        """What is wrong with the blocks before a snapshot, which recovery does without; None if nothing is."""
        with self.data[: snapshot.end] as before:
            place, fault = _core.walk_journal(before, self.beginning)
        return None if place.end == snapshot.end else self.explain(place, Fault(fault))


def create_journal(path: Path, settings: EngineConfig) -> tuple[int, JournalHead, _core.JournalPosition]:
    """A new journal, locked and on the disk: its descriptor, its head, and where the first block goes.

    Raises `JournalExistsError`, `JournalError`.
    """
    said = JournalHead.of(settings)
    head, checksum = pack_head(JOURNAL, said)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        descriptor = _opened(path, os.O_RDWR)
    except OSError as error:
        raise JournalError(f"cannot make {path}: {error.strerror}; name another file") from error
    try:
        _lock(descriptor, path)
        # Empty: who was making it was killed before its head was written.
        empty = os.fstat(descriptor).st_size == 0
    except BaseException:
        os.close(descriptor)
        raise
    if not empty:
        os.close(descriptor)
        raise JournalExistsError(f"{path} exists; recover from it, remove it, or name another file")
    try:
        _write_head(descriptor, head, path)
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor, said, _core.JournalPosition(len(head), 0, 0, checksum)


def _write_head(descriptor: int, head: bytes, path: Path) -> None:
    try:
        written = 0
        while written < len(head):
            written += os.write(descriptor, head[written:])
        os.fsync(descriptor)
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # or a crash may lose the name
        finally:
            os.close(folder)
    except OSError as error:
        raise JournalWriteError(f"cannot write {path}: {error.strerror}; free some room, or name another") from error


def open_to_append(path: Path) -> int:
    """The descriptor of an existing journal, locked. Raises `NoJournalError`, `JournalHeldError`, `JournalError`."""
    descriptor = _opened(path, os.O_RDWR)
    try:
        _lock(descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _opened(path: Path, flags: int) -> int:
    try:
        # Without O_NONBLOCK a pipe of that name would hold up whoever opens it.
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise NoJournalError(f"there is no {path}; name a journal") from error
    except OSError as error:
        raise JournalError(f"cannot open {path}: {error.strerror}; name a journal that is yours") from error
    if not os.path.isfile(descriptor):  # noqa: PTH113 (a descriptor, not a path)
        os.close(descriptor)
        raise NoJournalError(f"{path} is no journal: it is no regular file")
    return descriptor


def _lock(descriptor: int, path: Path) -> None:
    try:
        held = not file_lock.lock(descriptor)
    except file_lock.LockUnavailableError as error:
        raise JournalError(f"journals are not available here, because {error}") from error
    if held:
        raise JournalHeldError(f"{path} is being written by another engine; stop that one, or name another journal")


def _is_held(descriptor: int) -> bool:
    try:
        return file_lock.is_held(descriptor)
    except file_lock.LockUnavailableError:  # then nobody can have it
        return False
