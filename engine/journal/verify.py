"""Checks that a journal is intact and which books it produces, without changing the file.

The whole journal is executed. If there is a snapshot, a second engine recovers from it and must reach the same state.
Where compaction removed the first segments, all others are read, and the engine recovers from the snapshot alone.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lowlat.engine import _core
from lowlat.engine.journal.errors import JournalDamagedError, SnapshotError
from lowlat.engine.journal.file import Gap, JournalFile, SegmentFacts, told_both
from lowlat.engine.journal.header import JournalHead
from lowlat.engine.journal.names import snapshot_path
from lowlat.engine.journal.records import BlockKind, Fault
from lowlat.engine.journal.segment import Reached
from lowlat.engine.journal.snapshot import missing_snapshot, restore_snapshot
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND

Progress = Callable[[str, float], None]
"""Called with the current step and the fraction done, 0 to 1."""
State = Literal["sound", "torn", "damaged"]
_STATES: Final[dict[Fault, State]] = {Fault.NONE: "sound", Fault.TORN: "torn"}


@dataclass(slots=True)
class Tally:
    """Content of the blocks: number of `COMMAND` and `EXTENDED_COMMAND` records and of drains of the trade tape."""

    plain: int = 0
    wide: int = 0
    drains: int = 0

    @property
    def commands(self) -> int:
        """Commands of both widths."""
        return self.plain + self.wide

    def add(self, file: JournalFile, begin: _core.JournalPosition, end: _core.JournalPosition) -> None:
        """Count the blocks between two positions."""
        for head in file.heads(begin, end):
            match head.kind:
                case BlockKind.COMMANDS:
                    self.plain += head.size // COMMAND.itemsize
                case BlockKind.EXTENDED_COMMANDS:
                    self.wide += head.size // EXTENDED_COMMAND.itemsize
                case BlockKind.DRAIN:
                    self.drains += 1


@dataclass(frozen=True, slots=True)
class Books:
    """The books of an engine after recovery. `state`: SHA-256 of its state in snapshot form."""

    live_orders: int
    trades: int
    trades_on_tape: int
    state: str


@dataclass(frozen=True, slots=True)
class Executed:
    """The result of executing blocks: number of `commands`, where and why they ended, and the final books.

    `books` is None if the blocks were only read, since compaction removed those before.
    """

    commands: int
    stop: Reached
    books: Books | None

    @property
    def end(self) -> _core.JournalPosition:
        """The position after the last batch that can be trusted."""
        return self.stop.place


@dataclass(frozen=True, slots=True)
class SnapshotCheck:
    """A journal's snapshot. `sequence`: commands before it, None if it is not used; `fault` says why."""

    path: Path
    sequence: int | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class JournalCheck:
    """The content of a journal as far as it can be trusted, and the result of `JournaledEngine.recover`.

    `held`: whether an engine has it open for writing. `size`: of all segments in bytes. `whole`: all blocks that can be
    trusted, executed in `replay_ns` nanoseconds, checksums included. `gap`: segments before them that are missing.
    `state`: what follows them: nothing (sound), an incompletely written block (torn), damage, or a loss; `reason`: a
    sentence about it; `torn_bytes`: the size of a torn tail. `recovered`: the commands that recovery executes and the
    resulting books; None if it refuses. `problem`: what is damaged and how to proceed; None if nothing is.
    """

    path: Path
    held: bool
    head: JournalHead
    segments: tuple[SegmentFacts, ...]
    size: int
    gap: Gap | None
    tally: Tally
    whole: Executed
    replay_ns: int
    state: State
    reason: str | None
    torn_bytes: int
    snapshot: SnapshotCheck | None
    recovered: Executed | None
    problem: str | None


def check_journal(path: str | Path, progress: Progress = lambda _text, _share: None) -> JournalCheck:
    """Read and execute a whole journal, and recover from its snapshot.

    Raises `NoJournalError`, `JournalDamagedError`, or `JournalError` for a head of another version, and what
    `Engine` raises if there is not enough memory.
    """
    with JournalFile(path) as file:
        return _Check(file, progress).made()


def state_of(fault: Fault) -> State:
    """The state of a journal's end for a fault."""
    return _STATES.get(fault, "damaged")


@dataclass(frozen=True, slots=True)
class _Recovery:
    """What recovery executes, None if it refuses; what is wrong; whether the end of the journal is missing."""

    snapshot: SnapshotCheck | None
    executed: Executed | None
    problem: str | None
    lost: bool = False


class _Check:
    def __init__(self, file: JournalFile, progress: Progress) -> None:
        self.file = file
        self.progress = progress
        self.tally = Tally()
        self.replay_ns = 0

    def made(self) -> JournalCheck:
        file, whole = self.file, self._walk_whole()
        recovery = self._recovery(whole)
        state = state_of(whole.stop.fault)
        reason = None if whole.stop.fault is Fault.NONE else file.explain(whole.stop)
        if recovery.lost:
            state, reason = "damaged", recovery.problem
        return JournalCheck(
            path=file.path,
            held=file.held,
            head=file.head,
            segments=file.segments,
            size=file.size,
            gap=file.gap,
            tally=self.tally,
            whole=whole,
            replay_ns=self.replay_ns,
            state=state,
            reason=reason,
            torn_bytes=file.torn_bytes(whole.stop),
            snapshot=recovery.snapshot,
            recovered=recovery.executed,
            problem=recovery.problem,
        )

    def _walk_whole(self) -> Executed:
        """Execute all of it; if its first commands are gone, only read it."""
        engine = Engine.of(self.file.settings) if self.file.whole else None
        place = self.file.beginning
        start_ns = time.perf_counter_ns()
        for stop in self.file.stretches(place, engine.matcher if engine else None):
            self.replay_ns += time.perf_counter_ns() - start_ns
            self.tally.add(self.file, place, stop.place)
            place = stop.place
            self._report_progress("executing the journal" if engine else "reading the journal", place)
            start_ns = time.perf_counter_ns()
        return Executed(place.sequence if engine else 0, stop, _books(engine) if engine else None)

    def _recovery(self, whole: Executed) -> _Recovery:
        path = snapshot_path(self.file.path)
        engine = Engine.of(self.file.settings)
        try:
            begin = restore_snapshot(self.file, engine)
        except SnapshotError as error:
            return self._without_snapshot(SnapshotCheck(path, None, str(error)), whole)
        except JournalDamagedError as error:  # the snapshot is from after the journal's end
            fault = "it was taken after the journal's end"
            return _Recovery(SnapshotCheck(path, None, fault), None, str(error), lost=True)
        if begin is None:
            return self._without_snapshot(None, whole)
        return self._recovery_from(SnapshotCheck(path, begin.sequence), begin, engine, whole)

    def _without_snapshot(self, snapshot: SnapshotCheck | None, whole: Executed) -> _Recovery:
        if self.file.whole:
            problem = self._damage(whole)
        else:
            problem = missing_snapshot(self.file, snapshot.fault if snapshot else None)
        return _Recovery(snapshot, None if problem else whole, problem)

    def _recovery_from(
        self, snapshot: SnapshotCheck, begin: _core.JournalPosition, engine: Engine, whole: Executed
    ) -> _Recovery:
        for stop in self.file.stretches(begin, engine.matcher):
            self._report_progress("recovering from the snapshot", stop.place)
        behind = Executed(stop.place.sequence - begin.sequence, stop, _books(engine))
        if self._damage(behind) is None:
            return _Recovery(snapshot, behind, self._difference(whole, behind))
        problem = told_both(self.file.gap, self._damage(whole) or self._damage(behind))
        return _Recovery(SnapshotCheck(snapshot.path, None, "the journal is damaged after it"), None, problem)

    def _damage(self, executed: Executed) -> str | None:
        try:
            self.file.check(executed.stop)
        except JournalDamagedError as error:
            return str(error)
        return None

    def _difference(self, whole: Executed, behind: Executed) -> str | None:
        """What is wrong even though recovery from the snapshot completes."""
        path, gap = snapshot_path(self.file.path), self.file.gap
        wrong = told_both(gap, None if self._damage(whole) is None else self.file.explain(whole.stop))
        if wrong is not None:
            remedy = "keep copies of both" if gap is None else gap.remedy
            return f"{wrong}; recovery starts after that, from {path}; {remedy}"
        if whole.books is not None and whole.books != behind.books:
            return (
                f"{path} gives different books than a full replay of {self.file.path}; remove the snapshot to recover"
            )
        return None

    def _report_progress(self, what: str, place: _core.JournalPosition) -> None:
        self.progress(what, self.file.size_before(place) / self.file.size)


def _books(engine: Engine) -> Books:
    counters = engine.counters
    state, _ = _core.save_state(engine.matcher)
    return Books(counters.live_orders, counters.trades, counters.trades_held, hashlib.sha256(state).hexdigest())
