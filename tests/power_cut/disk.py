"""What a disk may hold after a power cut, given the recorded order of writes and syncs.

Each sector of a file holds its content as of the last completed sync or any later version; each file has its size as of
that sync or any later one; and of the changes of names since the folder was last synced, any number of the first ones
are there. Versions of different sectors and files are independent of each other, as in ALICE and CrashMonkey: that
allows more states than any real file system.
"""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

SECTOR: Final = 512
_RECORD: Final = struct.Struct("<cQQQ")

Files: TypeAlias = dict[str, bytes]
"""Contents by name."""
Pick: TypeAlias = Callable[[list[Any]], Any]
"""Takes one of the versions of something, oldest first."""


@dataclass(frozen=True)
class Call:
    """One recorded call; see record_writes.c."""

    op: str
    inode: int
    number: int
    data: bytes


def recorded(log: Path) -> list[Call]:
    """All calls, in order."""
    content, at, calls = log.read_bytes(), 0, []
    while at < len(content):
        op, inode, number, size = _RECORD.unpack_from(content, at)
        at += _RECORD.size
        calls.append(Call(op.decode(), inode, number, content[at : at + size]))
        at += size
    return calls


@dataclass
class _File:
    now: bytearray = field(default_factory=bytearray)
    """What the program reads."""
    kept: bytes = b""
    """What surely is on the disk."""
    versions: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    """Of sectors that are not: contents, oldest first, with the time of each."""
    sizes: list[tuple[int, int]] = field(default_factory=list)
    begun: list[tuple[int, bytes]] = field(default_factory=list)
    """Syncs that have begun: when, and what was there."""

    def sector(self, number: int) -> bytes:
        return bytes(self.now[number * SECTOR : (number + 1) * SECTOR]).ljust(SECTOR, b"\0")

    def change(self, time: int, begin: int, end: int) -> None:
        for number in range(begin // SECTOR, -(-end // SECTOR)):
            self.versions.setdefault(number, []).append((time, self.sector(number)))
        if len(self.now) != (self.sizes[-1][1] if self.sizes else len(self.kept)):
            self.sizes.append((time, len(self.now)))

    def end_sync(self) -> None:
        when, self.kept = self.begun.pop(0)
        self.sizes = [each for each in self.sizes if each[0] > when]
        newer = {number: [each for each in all_ if each[0] > when] for number, all_ in self.versions.items()}
        self.versions = {number: all_ for number, all_ in newer.items() if all_}


class Disk:
    """A disk after some of the calls."""

    def __init__(self) -> None:
        self.files: dict[int, _File] = {}
        self.names: dict[str, int] = {}
        """As the program sees them."""
        self.kept_names: dict[str, int] = {}
        self.changes: list[dict[str, int]] = []
        """Names after each change since the last sync of the folder."""
        self.begun_names: list[int] = []
        self.time = 0

    def apply(self, call: Call) -> None:
        """Go on by one call."""
        self.time += 1
        match call.op:
            case "W":
                self._write(self._file(call.inode), call.number, call.data)
            case "T":
                self._truncate(self._file(call.inode), call.number)
            case "B" | "E":
                self._sync(call.op, call.inode)
            case "C" | "R" | "U":
                self._rename(call)

    def _file(self, inode: int) -> _File:
        return self.files.setdefault(inode, _File())

    def _write(self, file: _File, at: int, data: bytes) -> None:
        file.now.extend(bytes(max(at + len(data) - len(file.now), 0)))
        file.now[at : at + len(data)] = data
        file.change(self.time, at, at + len(data))

    def _truncate(self, file: _File, size: int) -> None:
        before = len(file.now)
        del file.now[size:]
        file.now.extend(bytes(size - len(file.now)))
        file.change(self.time, min(size, before), max(size, before))

    def _sync(self, op: str, inode: int) -> None:
        file = self.files.get(inode)
        if file is None:  # the folder
            if op == "B":
                self.begun_names.append(len(self.changes))
            else:
                count = self.begun_names.pop(0)
                self.kept_names = self.changes[count - 1] if count else self.kept_names
                self.changes = self.changes[count:]
        elif op == "B":
            file.begun.append((self.time, bytes(file.now)))
        else:
            file.end_sync()

    def _rename(self, call: Call) -> None:
        names = [Path(name).name for name in call.data.decode().split("\0")]
        if call.op == "C":
            self._file(call.inode)
            self.names = self.names | {names[0]: call.inode}
        elif call.op == "U":
            self.names = {name: inode for name, inode in self.names.items() if name != names[0]}
        else:
            old, new = names
            inode = self.names[old]
            self.names = {name: each for name, each in self.names.items() if name != old} | {new: inode}
        self.changes.append(self.names)

    def contents(self, names: dict[str, int], pick: Pick) -> Files:
        """One state: of each sector, and of each size, the version that `pick` takes."""
        made = {inode: _one_state(self.files[inode], pick) for inode in sorted(set(names.values()))}
        return {name: made[inode] for name, inode in names.items()}

    def states(self, chance: random.Random, most: int) -> Iterator[Files]:
        """States after a cut at this moment: all that was written, as after a killed process; then every state that the
        disk may hold or, where there are more than `most` for some names, so many samples.
        """
        yield self.contents(self.names, _newest)
        for names in [self.kept_names, *self.changes]:
            counts: list[int] = []
            self.contents(names, _counting(counts))
            if math.prod(counts) <= most:
                for combination in itertools.product(*map(range, counts)):
                    yield self.contents(names, _these(combination))
            else:
                yield self.contents(names, _oldest)
                for _ in range(most):
                    yield self.contents(names, _older(chance, chance.choice([0.02, 0.2, 0.5, 0.9])))


def _newest(versions: list[Any]) -> Any:
    return versions[-1]


def _oldest(versions: list[Any]) -> Any:
    return versions[0]


def _counting(counts: list[int]) -> Pick:
    """The newest version; the number of versions goes to `counts`."""

    def pick(versions: list[Any]) -> Any:
        counts.append(len(versions))
        return versions[-1]

    return pick


def _these(numbers: Iterable[int]) -> Pick:
    """One version after the other, by number."""
    following = iter(numbers)
    return lambda versions: versions[next(following)]


def _older(chance: random.Random, share: float) -> Pick:
    """The newest version, but with this share an older one."""

    def pick(versions: list[Any]) -> Any:
        return chance.choice(versions[:-1]) if len(versions) > 1 and chance.random() < share else versions[-1]

    return pick


def _one_state(file: _File, pick: Pick) -> bytes:
    size = pick([len(file.kept), *(size for _, size in file.sizes)])
    end = max([size, *((number + 1) * SECTOR for number in file.versions)])
    content = bytearray(file.kept.ljust(end, b"\0"))
    for number, versions in file.versions.items():
        begin = number * SECTOR
        content[begin : begin + SECTOR] = pick(
            [bytes(content[begin : begin + SECTOR]), *(each for _, each in versions)]
        )
    return bytes(content[:size])
