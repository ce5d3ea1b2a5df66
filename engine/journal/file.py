"""A journal: its segments, read in order as far as they can be trusted."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Final

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.journal.errors import JournalDamagedError, JournalError, NoJournalError
from lowlat.engine.journal.header import JournalHead
from lowlat.engine.journal.names import journal_itself, journal_of, numbered_segments, segment_path, snapshot_path
from lowlat.engine.journal.records import Fault
from lowlat.engine.journal.segment import Block, Head, Reached, Segment, head_of, is_named, is_stranger
from lowlat.engine.journal.snapshot_file import SnapshotFile
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine
from lowlat.uncopied import Uncopied

STRETCH_BYTES: Final = 1 << 26
"""Size of a stretch read at once: about 0.1 s."""

_NAMED_MAX: Final = 10
"""Files that a message lists one by one."""

_DAMAGE: Final = {
    Fault.HEAD: "its header checksum does not match",
    Fault.PAYLOAD: "its command checksum does not match",
    Fault.CHAIN: "it does not follow the previous block: one is missing, repeated, or from another journal",
    Fault.SEQUENCE: "its commands do not follow those of the previous block",
    Fault.KIND: "its type or length is unknown",
    Fault.END: "its end marker does not match",
    Fault.CUT: "the segment ends there, but the next one continues from elsewhere",
}


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """A segment of a journal. `sequence`: commands before it. `size`: in bytes."""

    path: Path
    number: int
    sequence: int
    size: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Segments that are not there, although one before them is. `first`: of them; `count`: how many."""

    first: Path
    count: int

    def __str__(self) -> str:
        if self.count == 1:
            return f"{self.first} is missing"
        return f"{self.first} and {units.counted(self.count - 1, 'other')} are missing"

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return f"put the {'segment' if self.count == 1 else 'segments'} back from a copy"


class JournalFile(Uncopied):
    """A journal, open for reading. Close it, or use it in a `with` block.

    Raises `NoJournalError`, `JournalError`, `JournalDamagedError` for an unusable head or a missing segment,
    `UsageError` for a head with invalid engine settings. Problems after the heads are in `fault`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = journal_itself(path)
        self._other: Segment | None = None
        self._before: tuple[tuple[int, int], Reached] | None = None
        older = None
        while older is None:
            older = self._open()
        self.first = self.head.segment
        while self.first - 1 in older:
            self.first -= 1
        self.gap = self._gap({number for number in older if number < self.first})
        """Before `first`; None if there is none."""

    def __enter__(self) -> JournalFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _open(self) -> set[int] | None:
        """Open the snapshot, then the last segment, then list the others. None if a writer changed that meanwhile."""
        self.snapshot = SnapshotFile(snapshot_path(self.path))
        try:
            self._last = Segment(self.path)
        except BaseException:
            self.snapshot.close()
            raise
        older = None
        try:
            self._refuse_ended()
            older = self._older()
            if self.snapshot.is_replaced:
                older = None
        finally:
            if older is None:
                self.close()
        return older

    def close(self) -> None:
        """Close the files."""
        self.snapshot.close()
        self._last.close()
        if self._other is not None:
            self._other.close()

    @property
    def head(self) -> JournalHead:
        """The head of the last segment."""
        return self._last.head

    @property
    def held(self) -> bool:
        """Whether an engine had the journal open for writing when this was opened."""
        return self._last.held

    def is_open_as(self, descriptor: int) -> bool:
        """Whether the last segment is the file of another descriptor."""
        return os.path.samestat(os.fstat(self._last.descriptor), os.fstat(descriptor))

    @property
    def settings(self) -> EngineConfig:
        """Settings of the journal's engine."""
        return self.head.settings

    @property
    def whole(self) -> bool:
        """Whether it has its first commands. Otherwise compaction removed them, and its snapshot replaces them."""
        return self.first == 1

    @property
    def beginning(self) -> _core.JournalPosition:
        """The position before the first block."""
        return self._segment(self.first).beginning

    @cached_property
    def segments(self) -> tuple[SegmentFacts, ...]:
        """All segments, oldest first."""
        opened = (self._segment(number) for number in range(self.first, self.head.segment + 1))
        return tuple(SegmentFacts(each.path, each.head.segment, each.head.sequence, each.size) for each in opened)

    @cached_property
    def _sizes(self) -> list[int]:
        """Bytes before each segment, and of all."""
        return [0, *accumulate(each.size for each in self.segments)]

    @property
    def size(self) -> int:
        """Size of all segments in bytes."""
        return self._sizes[-1]

    @property
    def last_size(self) -> int:
        """Size of the last segment in bytes."""
        return self._last.size

    def size_before(self, place: _core.JournalPosition) -> int:
        """Bytes of all segments before a position."""
        return self._sizes[place.segment - self.first] + place.end

    @cached_property
    def _walked(self) -> Reached:
        *_, reached = self.stretches(self.beginning)
        return reached

    @property
    def end(self) -> _core.JournalPosition:
        """The position after the last batch that can be trusted."""
        return self._walked.place

    @property
    def fault(self) -> Fault:
        """Why the trusted part ends there."""
        return self._walked.fault

    @property
    def stop(self) -> Reached:
        """Where the trusted part ends, and why."""
        return self._walked

    def torn_bytes(self, stop: Reached) -> int:
        """Size of a torn tail."""
        return self._last.size - stop.place.end if stop.fault is Fault.TORN else 0

    def explain(self, stop: Reached) -> str:
        """A sentence that explains why reading ended."""
        if stop.fault is Fault.TORN:
            tail = f"torn tail of {units.counted(self.torn_bytes(stop), 'byte')}"
            return f"{tail}: the batch from {self._where(stop.place)}, was not written completely"
        return f"damaged at {self._where(stop.at)}: {_DAMAGE[stop.fault]}"

    def _where(self, place: _core.JournalPosition) -> str:
        path = self._segment(place.segment).path
        return f"block {place.blocks}, byte {place.end:,} of {path}, after {units.counted(place.sequence, 'command')}"

    def check(self, stop: Reached) -> None:
        """Raise `JournalDamagedError` unless reading ended at a valid end of a journal."""
        if stop.fault not in (Fault.NONE, Fault.TORN):
            raise JournalDamagedError(
                f"{self.explain(stop)}; nothing after that can be trusted. To continue from the previous "
                f"batch, keep a copy and {self._to_continue(stop.place)}"
            )

    def _to_continue(self, place: _core.JournalPosition) -> str:
        path = self._segment(place.segment).path
        name, journal = shlex.quote(str(path)), shlex.quote(str(self.path))
        truncate = f"truncate the file: truncate -s {place.end} {name}"
        if path == self.path:
            return truncate
        later = [segment_path(self.path, number) for number in range(place.segment + 1, self.head.segment)]
        if len(later) > _NAMED_MAX:
            return f"{truncate}; remove {later[0]} to {later[-1].name}; mv {name} {journal}"
        remove = "".join(f" {shlex.quote(str(each))}" for each in later)
        return f"{truncate}{'; rm' if later else ''}{remove}; mv {name} {journal}"

    def stretches(self, place: _core.JournalPosition, matcher: _core.Matcher | None = None) -> Iterator[Reached]:
        """Walk from a position as far as batches can be trusted, one stretch at a time; with a matcher, execute them.

        Yields where each stretch ended and, for the last one, why.
        """
        while True:
            segment = self._segment(place.segment)
            until = min(place.end + STRETCH_BYTES, segment.size)
            reached = segment.walk(place, until, matcher)
            place = reached.place
            ended = reached.fault is not Fault.NONE or place.end < until or place.end >= segment.size
            if ended and segment is not self._last:
                reached = self._to_next(reached)
                place = reached.place
                ended = reached.fault is not Fault.NONE
            yield reached
            if ended:
                return

    def _to_next(self, stop: Reached) -> Reached:
        """From the end of a segment to the beginning of the next one: rotation syncs it, so its end is never torn."""
        if stop.fault not in (Fault.NONE, Fault.TORN):
            return stop
        following = self._segment(stop.place.segment + 1)
        if stop.fault is Fault.TORN or not following.head.follows(stop.place):
            return Reached(stop.place, Fault.CUT, stop.at)
        return Reached(following.beginning, Fault.NONE, following.beginning)

    def heads(self, begin: _core.JournalPosition, end: _core.JournalPosition) -> Iterator[Head]:
        """Heads of the blocks between two positions. Checks nothing, so the part must have been walked before."""
        for number in range(begin.segment, end.segment + 1):
            segment = self._segment(number)
            first = begin.end if number == begin.segment else segment.start
            last = end.end if number == end.segment else segment.size
            yield from segment.heads(first, last)

    def blocks(self) -> Iterator[Block]:
        """The blocks that can be trusted, in order; each is checked before it is yielded."""
        begin = self.beginning
        for reached in self.stretches(begin):
            yield from map(self.block, self.heads(begin, reached.place))
            begin = reached.place
        self._walked = reached

    def block(self, head: Head) -> Block:
        """The block of a head."""
        return self._segment(head.segment).block(head)

    def replay(self, engine: Engine, place: _core.JournalPosition) -> Reached:
        """Check and execute the blocks from a position on. Returns where and why it ended.

        Raises `JournalDamagedError` if it ended at damage.
        """
        *_, reached = self.stretches(place, engine.matcher)
        self.check(reached)
        return reached

    def continues(self, place: _core.JournalPosition) -> bool:
        """Whether a block with this position's checksum, or a head, ends there."""
        there = self.first <= place.segment <= self.head.segment
        return there and self._segment(place.segment).continues(place.end, place.chain)

    def has_lost(self, place: _core.JournalPosition) -> bool:
        """Whether the last segment ends before a position in its file, and not with damage."""
        if place.segment != self.head.segment:
            return False
        end, fault, _ = self.walk_to(place)
        return end.end < place.end and fault in (Fault.NONE, Fault.TORN)

    def walk_to(self, place: _core.JournalPosition) -> Reached:
        """Check the batches before a position. Returns where and why that ended."""
        key = (place.segment, place.end)
        if self._before is None or self._before[0] != key:
            self._before = (key, self._walk_to(place))
        return self._before[1]

    def _walk_to(self, end: _core.JournalPosition) -> Reached:
        place = self.beginning
        while place.segment < end.segment:
            segment = self._segment(place.segment)
            reached = self._to_next(segment.walk(place, segment.size, None))
            if reached.fault is not Fault.NONE:
                return reached
            place = reached.place
        return self._segment(end.segment).walk(place, end.end, None)

    def damage_before(self, snapshot: _core.JournalPosition) -> str | None:
        """What is wrong with the blocks before a snapshot, which recovery does not need; None if nothing is."""
        reached = self.walk_to(snapshot)
        there = (reached.place.segment, reached.place.end) == (snapshot.segment, snapshot.end)
        return told_both(self.gap, None if there else self.explain(reached))

    def _refuse_ended(self) -> None:
        """A segment that another follows is not a journal: what is appended to it, or removed, breaks the journal."""
        named = journal_of(self.path)
        if named is None or not named[0].exists():
            return
        journal, _ = named
        last = head_of(journal)
        if last is not None and last.identity == self.head.identity and last.segment > self.head.segment:
            raise JournalError(f"{self.path} is segment {self.head.segment} of {journal}; name that")

    def _older(self) -> set[int] | None:
        """Numbers of the segments before the last; None if the writer has put another in its place meanwhile."""
        number = self.head.segment
        there = numbered_segments(self.path)
        for path in (segment_path(self.path, other) for other in there if other >= number):
            if is_named(self._last.descriptor, path) or not os.path.lexists(path):
                continue
            if not is_named(self._last.descriptor, self.path):
                return None
            if is_stranger(path, self.head.identity):
                continue
            raise JournalDamagedError(
                f"{path} is newer than {self.path}, which is segment {number}; "
                "keep copies, and remove the one that is not of this journal"
            )
        return {other for other in there if other < number}

    def _gap(self, apart: set[int]) -> Gap | None:
        """`apart`: numbers before `first`, not next to it. Compaction, which removes the oldest first, may have made
        them so during the listing.
        """
        while apart:
            path = segment_path(self.path, min(apart))
            if os.path.lexists(path) and not is_stranger(path, self.head.identity):
                break
            apart.remove(min(apart))
        if not apart:
            return None
        first = begin = min(apart)
        while first in apart:
            first += 1
        return Gap(segment_path(self.path, first), self.first - begin - len(apart))

    def _segment(self, number: int) -> Segment:
        """A segment; besides the last one, one at a time is open."""
        if number == self.head.segment:
            return self._last
        if self._other is None or self._other.head.segment != number:
            if self._other is not None:
                self._other.close()
                self._other = None
            self._other = self._opened(number)
        return self._other

    def _opened(self, number: int) -> Segment:
        path = segment_path(self.path, number)
        try:
            segment = Segment(path)
        except NoJournalError as error:
            if os.path.lexists(path):
                raise JournalDamagedError(self._stranger(path, number)) from error
            raise JournalError(f"{path} was removed by compaction meanwhile; read the journal again") from error
        except JournalDamagedError as error:
            raise JournalDamagedError(
                f"{error}; put it back from a copy, or move it away if the snapshot is from after it"
            ) from error
        if (segment.head.identity, segment.head.segment) != (self.head.identity, number):
            segment.close()
            raise JournalDamagedError(self._stranger(path, number))
        return segment

    def _stranger(self, path: Path, number: int) -> str:
        return f"{path} is not segment {number} of {self.path}; put it back from a copy"


def told_both(gap: Gap | None, damage: str | None) -> str | None:
    """What is missing and what is damaged, in one sentence; None if nothing is."""
    return "; ".join(str(each) for each in (gap, damage) if each is not None) or None
