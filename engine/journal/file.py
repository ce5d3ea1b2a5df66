"""A journal's file: creates, opens, and reads it as far as it can be trusted."""

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

from lowlat import file_lock, units
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
from lowlat.files import flush_folder
from lowlat.inputs import is_refusal, open_regular

_END: Final = struct.Struct("<4sI")
END_BYTES: Final = _END.size
"""Size of the trailer after a block's payload."""
STRETCH_BYTES: Final = 1 << 26
"""Size of a stretch read at once: about 0.1 s, several of the longest blocks."""


_DAMAGE: Final = {
    Fault.HEAD: "its header checksum does not match",
    Fault.PAYLOAD: "its command checksum does not match",
    Fault.CHAIN: "it does not follow the previous block: one is missing, repeated, or from another journal",
    Fault.SEQUENCE: "its commands do not follow those of the previous block",
    Fault.KIND: "its type or length is unknown",
    Fault.END: "its end marker does not match",
}


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a block: its place in the file, its content, and its first command."""

    offset: int
    kind: BlockKind
    size: int
    """Size of the payload in bytes."""
    sequence: int


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its place in the file, and its commands, a view of the mapped file."""

    offset: int
    kind: BlockKind
    sequence: int
    commands: Commands


class JournalFile:
    """A journal, open for reading. Close it, or use it in a `with` block; the commands of its blocks end with it.

    Raises `NoJournalError`, `JournalError`, `JournalDamagedError` for an unusable head, `UsageError` for a head with
    invalid engine settings. Problems after the head are in `fault`. The file is mapped: if another process truncates it
    meanwhile, as recovery does with a torn tail, reading on kills this process (SIGBUS).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before: tuple[int, _core.JournalPosition, Fault] | None = None
        descriptor = _opened(path, os.O_RDONLY)
        try:
            self.held = _is_held(descriptor)
            self.size = os.fstat(descriptor).st_size
            self._map = mmap.mmap(descriptor, self.size, prot=mmap.PROT_READ) if self.size else None
        except (OSError, ValueError) as error:  # files without content that can be mapped, such as most of /sys
            raise NoJournalError(f"{path} is not a journal: it cannot be mapped into memory: {error}") from error
        finally:
            os.close(descriptor)
        self.data = memoryview(self._map or b"")
        try:
            self.head, self.start, self._checksum = read_head(self.data, JOURNAL, JournalHead.from_json, str(path))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> JournalFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.data.release()
        if self._map is not None:
            with contextlib.suppress(BufferError):  # a block is still in use: the mapping ends with it
                self._map.close()

    @property
    def settings(self) -> EngineConfig:
        """Settings of the journal's engine."""
        return self.head.settings

    @property
    def beginning(self) -> _core.JournalPosition:
        """The position before the first block."""
        return _core.JournalPosition(self.start, 0, 0, self._checksum)

    @cached_property
    def _walked(self) -> tuple[_core.JournalPosition, Fault]:
        place, fault = self.beginning, Fault.NONE
        for reached in self.stretches(place):
            place, fault = reached
        return place, fault

    @property
    def end(self) -> _core.JournalPosition:
        """The position after the last block that can be trusted."""
        return self._walked[0]

    @property
    def fault(self) -> Fault:
        """Why the trusted part ends there."""
        return self._walked[1]

    def explain(self, place: _core.JournalPosition, fault: Fault) -> str:
        """A sentence that explains why reading ended at a position."""
        where = (
            f"block {place.blocks}, byte {place.end:,} of {self.path}, after {units.counted(place.sequence, 'command')}"
        )
        if fault is Fault.TORN:
            return f"torn tail of {units.counted(self.size - place.end, 'byte')}: {where}, was not written completely"
        return f"damaged at {where}: {_DAMAGE[fault]}"

    def check(self, place: _core.JournalPosition, fault: Fault) -> None:
        """Raise `JournalDamagedError` unless reading ended at a valid end of a journal."""
        if fault not in (Fault.NONE, Fault.TORN):
            raise JournalDamagedError(
                f"{self.explain(place, fault)}; nothing after that can be trusted. To continue from the previous "
                f"block, keep a copy and truncate the file: truncate -s {place.end} {self.path}"
            )

    def stretches(
        self, place: _core.JournalPosition, matcher: _core.Matcher | None = None
    ) -> Iterator[tuple[_core.JournalPosition, Fault]]:
        """Walk from a position as far as blocks can be trusted, one stretch at a time; with a matcher, execute them.

        Yields where each stretch ended and, for the last one, why.
        """
        end = place.end
        while True:
            begin, end = place.end, min(end + STRETCH_BYTES, self.size)
            with self.data[:end] as seen:
                place, why = _core.walk_journal(seen, place, matcher)
            fault = Fault(why)
            # Before the end of the file, a cut-off block may only be cut off by the stretch; damage is always damage.
            if end == self.size or fault not in (Fault.NONE, Fault.TORN):
                yield place, fault
                return
            yield place, Fault.NONE
            end = place.end if place.end > begin else 2 * end  # only zeros: widen the stretch quickly

    def heads(self, begin: int, end: int) -> Iterator[Head]:
        """Heads of the blocks between two offsets. Checks nothing, so the part must have been walked before."""
        while begin < end:
            _, size, sequence, _, kind, _, _ = np.frombuffer(self.data, BLOCK, 1, begin).item()
            yield Head(begin, BlockKind(kind), size, sequence)
            begin += BLOCK.itemsize + size + END_BYTES

    def blocks(self) -> Iterator[Block]:
        """The blocks that can be trusted, in order; each is checked before it is yielded."""
        begin = self.start
        for reached in self.stretches(self.beginning):
            yield from map(self.block, self.heads(begin, reached[0].end))
            begin = reached[0].end
        self._walked = reached

    def block(self, head: Head) -> Block:
        """The block of a head."""
        dtype = EXTENDED_COMMAND if head.kind is BlockKind.EXTENDED_COMMANDS else COMMAND
        commands = np.frombuffer(self.data, dtype, head.size // dtype.itemsize, head.offset + BLOCK.itemsize)
        return Block(head.offset, head.kind, head.sequence, commands)

    def replay(self, engine: Engine, place: _core.JournalPosition) -> tuple[_core.JournalPosition, Fault]:
        """Check and execute the blocks from a position on. Returns where and why it ended.

        Raises `JournalDamagedError` if it ended at damage.
        """
        for reached in self.stretches(place, engine.matcher):
            place, fault = reached
        self.check(place, fault)
        return place, fault

    def continues(self, end: int, chain: int) -> bool:
        """Whether a block with this checksum, or the head, ends at this offset."""
        if end == self.start:
            return chain == self._checksum
        return end > self.start and bytes(self.data[end - END_BYTES : end]) == _END.pack(b"LLJE", chain)

    def walk_to(self, end: int) -> tuple[_core.JournalPosition, Fault]:
        """Check the blocks before an offset. Returns where and why that ended."""
        if self._before is None or self._before[0] != end:
            with self.data[:end] as before:
                place, why = _core.walk_journal(before, self.beginning)
            self._before = (end, place, Fault(why))
        return self._before[1:]

    def damage_before(self, snapshot: _core.JournalPosition) -> str | None:
        """What is wrong with the blocks before a snapshot, which recovery does not need; None if nothing is."""
        place, fault = self.walk_to(snapshot.end)
        return None if place.end == snapshot.end else self.explain(place, fault)


def create_journal(path: Path, settings: EngineConfig) -> tuple[int, JournalHead, _core.JournalPosition]:
    """Create a journal, locked and synced to the disk: its descriptor, its head, and the position of the first block.

    Raises `JournalExistsError`, `JournalError`.
    """
    said = JournalHead.of(settings)
    head, checksum = pack_head(JOURNAL, said.to_json())
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        descriptor = _opened(path, os.O_RDWR)
    except OSError as error:
        raise JournalError(f"cannot create {path}: {error.strerror}; name another file") from error
    try:
        _lock(descriptor, path)
        # Empty: its creator was killed before it wrote the head.
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
        flush_folder(path.absolute().parent)  # otherwise a crash may lose the name
    except OSError as error:
        raise JournalWriteError(
            f"cannot write {path}: {error.strerror}; free some space, or name another file"
        ) from error


def open_to_append(path: Path) -> int:
    """Open and lock an existing journal. Raises `NoJournalError`, `JournalHeldError`, `JournalError`."""
    descriptor = _opened(path, os.O_RDWR)
    try:
        _lock(descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _opened(path: Path, flags: int) -> int:
    try:
        return open_regular(path, flags)
    except FileNotFoundError as error:
        raise NoJournalError(f"{path} does not exist; name a journal") from error
    except OSError as error:
        why = error.strerror or str(error)
        if is_refusal(error):
            raise NoJournalError(f"{path} is not a journal: {why}") from error
        raise JournalError(f"cannot open {path}: {why}; name a journal that you may read") from error


def _lock(descriptor: int, path: Path) -> None:
    try:
        held = not file_lock.lock(descriptor)
    except OSError as error:
        raise JournalError(f"journals are not available here, because {error.strerror}") from error
    if held:
        raise JournalHeldError(f"{path} is being written by another engine; stop that one, or name another journal")


def _is_held(descriptor: int) -> bool:
    try:
        return file_lock.is_held(descriptor)
    except OSError:  # then nobody can hold it
        return False
