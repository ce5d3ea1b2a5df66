"""`JournaledEngine`: the native engine with a journal, from which it can be recovered after a crash.

    with JournaledEngine.create(Path("day.journal"), symbols=2) as engine:
        engine.process(commands)  # written to the journal, and synced according to the policy, before execution

        engine.compact()  # now and then: a snapshot takes the place of all segments before it

    engine = JournaledEngine.recover(Path("day.journal"))
    engine.recovery.commands, engine.recovery.torn_bytes

`docs/journal.md` specifies the format and the guarantees of each policy.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from errno import EIO
from pathlib import Path
from typing import Final, NoReturn, Self

from lowlat.arguments import checked_path
from lowlat.engine import _core
from lowlat.engine.journal.compaction import Compacted, check_snapshot, remove_segments
from lowlat.engine.journal.creation import continue_journal, create_journal, create_next, put_in_place
from lowlat.engine.journal.errors import JournalDamagedError, JournalError, JournalWriteError, SnapshotError
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import JournalHead
from lowlat.engine.journal.names import journal_itself
from lowlat.engine.journal.records import Fault, SyncPolicy
from lowlat.engine.journal.snapshot import Saved, missing_snapshot, restore_snapshot, write_snapshot
from lowlat.engine.matching.config import ORDERS, EngineConfig
from lowlat.engine.matching.instrument import Instrument, instruments
from lowlat.engine.matching.interface import checked_commands
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands, Events, PoolPolicy
from lowlat.errors import UsageError
from lowlat.text import shown

INTERVAL_NS: Final = 10_000_000
"""Default time between two `fdatasync` calls of `SyncPolicy.INTERVAL`."""
INTERVALS_NS: Final = range(1_000, 3_600_000_000_001)
"""Its allowed range."""
SEGMENT_BYTES: Final = range(4_096, 2**62)
"""The allowed range of `segment_bytes`."""
_HOW_TO_MAKE: Final = "create an engine with a journal by JournaledEngine.create() or recover()"


@dataclass(frozen=True, slots=True)
class Recovery:
    """How an engine was recovered.

    `commands`: in the journal; always whole batches, so this is also the number of the first command to send again.
    `replayed`: those replayed after the snapshot. `snapshot_fault`: why an existing snapshot was not used.
    `torn_bytes`: size of the remains of a batch interrupted by a crash, cut off; `torn` says where. `damage`: what is
    wrong with the journal before the snapshot, which replaces that part.
    """

    commands: int
    replayed: int
    snapshot_fault: str | None
    torn_bytes: int
    torn: str | None
    damage: str | None = None


class JournaledEngine(Engine):
    """An engine that writes every command to its journal before executing it. Made by `create` or `recover`.

    After a `JournalWriteError` no command of that batch was executed. If `can_go_on`, the whole batch was rolled back
    and can be retried when there is room; otherwise recover from the journal. Close it, or use it in a `with` block.
    A forked child process cannot use it.
    """

    path: Path
    """Absolute, and of the file itself where a symbolic link leads to it: the journal's other files are beside it."""
    recovery: Recovery | None
    """None for a new engine."""
    segment_bytes: int | None
    """From this size on, a segment is followed by another before the next batch; None: never by itself."""
    journal: _core.JournalWriter

    def __init__(self, *_arguments: object, **_settings: object) -> None:
        raise UsageError(_HOW_TO_MAKE)

    @classmethod
    def of(cls, settings: EngineConfig) -> NoReturn:
        """Not supported: raises `UsageError`. `journaling` takes settings, and the path of a journal."""
        raise UsageError(_HOW_TO_MAKE)

    @classmethod
    def create(
        cls,
        path: str | Path,
        symbols: int | Sequence[Instrument] = 1,
        *,
        orders: int = ORDERS,
        trades: int = 100_000,
        when_orders_dry: PoolPolicy = PoolPolicy.REJECT,
        when_trades_dry: PoolPolicy = PoolPolicy.RECYCLE,
        sync: SyncPolicy = SyncPolicy.BATCH,
        interval_ns: int = INTERVAL_NS,
        segment_bytes: int | None = None,
    ) -> Self:
        """Create an engine with empty books and a new journal. `interval_ns`: of `SyncPolicy.INTERVAL`, 1 us to 1 h.

        `segment_bytes`: rotate by itself (see `rotate`) once the segment has this size, at least 4,096 bytes.

        Raises what `Engine` does, `JournalExistsError` if a nonempty file exists, `JournalError` if the file cannot be
        created.
        """
        settings = EngineConfig(instruments(symbols), orders, trades, when_orders_dry, when_trades_dry)
        return cls.journaling(path, settings, sync=sync, interval_ns=interval_ns, segment_bytes=segment_bytes)

    @classmethod
    def journaling(
        cls,
        path: str | Path,
        settings: EngineConfig,
        *,
        sync: SyncPolicy = SyncPolicy.BATCH,
        interval_ns: int = INTERVAL_NS,
        segment_bytes: int | None = None,
    ) -> Self:
        """The same, from settings."""
        _check_options(sync, interval_ns, segment_bytes)
        path, engine = _absolute(path), super().of(settings)
        engine.recovery = None
        descriptor, head, place = create_journal(path, settings)
        engine._journal_to(path, head, sync, interval_ns, segment_bytes)
        engine.journal = engine._writer(descriptor, place)
        return engine

    @classmethod
    def recover(
        cls,
        path: str | Path,
        *,
        sync: SyncPolicy = SyncPolicy.BATCH,
        interval_ns: int = INTERVAL_NS,
        segment_bytes: int | None = None,
    ) -> Self:
        """Recover the engine as of the end of its journal, ready to continue. Cuts off a torn tail; see `recovery`.

        Raises `NoJournalError`, `JournalDamagedError`, `JournalError`, `JournalHeldError`; `MemoryError` if there is
        not enough memory for the size to which its pools had grown.
        """
        _check_options(sync, interval_ns, segment_bytes)
        path = _absolute(path)
        descriptor = continue_journal(path)
        try:
            with JournalFile(path) as file:
                if not file.is_open_as(descriptor):
                    raise JournalError(f"{path} was replaced by another file meanwhile; recover again")
                engine = super().of(file.settings)
                engine.recovery, place = recovered(file, engine)
                head, size = file.head, file.last_size
            if size > place.end:  # a torn tail, or zeros
                os.ftruncate(descriptor, place.end)
            os.fsync(descriptor)  # data that was read may not be on the disk yet; recovery acknowledges it
        except BaseException:
            os.close(descriptor)
            raise
        engine._journal_to(path, head, sync, interval_ns, segment_bytes)
        engine.journal = engine._writer(descriptor, place)
        return engine

    def _journal_to(
        self, path: Path, head: JournalHead, sync: SyncPolicy, interval_ns: int, segment_bytes: int | None
    ) -> None:
        self.path = path
        self.segment_bytes = segment_bytes
        self._head = head
        self._process = os.getpid()
        self._policy = (sync, interval_ns)

    def _writer(self, descriptor: int, place: _core.JournalPosition) -> _core.JournalWriter:
        try:
            return _core.JournalWriter(descriptor, os.fsencode(self.path), place, *self._policy)
        except OSError as error:
            raise JournalError(
                f"{self.path} cannot be synced at intervals: a thread cannot be started: {error.strerror}; "
                "raise the limit of processes (ulimit -u), or use another policy"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the journal; with a policy other than NONE, after syncing all of it to the disk.

        Raises `JournalWriteError` if that fails or failed before, `BusyError` while another thread is executing.
        """
        try:
            _core.close_journal(self.matcher, self.journal)
        except OSError as error:
            raise self._failure(error) from error

    @property
    def can_go_on(self) -> bool:
        """Whether it accepts further commands."""
        return self.journal.open

    def process(self, commands: Commands) -> Events:
        """See `MatchingEngine.process`. Raises `JournalWriteError`, and with `segment_bytes` what `rotate` does: no
        command was executed then.

        A batch is atomic: after a crash, the journal has all of its commands or none. If the journal's file was
        removed, replaced or truncated meanwhile, nothing is written, and `can_go_on` is false.

        A batch that is in the journal is executed to its end, whatever signals come; if a handler raises, so does
        `process`, and `take_interrupted` gives the events. Memory for them is reserved before anything is written.
        Where that was not enough (see `Engine`), the `MemoryError` comes when all commands are in the journal and some
        were executed: then `can_go_on` is false.
        """
        ready = checked_commands(commands)
        self._check_open()
        if self.segment_bytes is not None and self.journal.end >= self.segment_bytes:
            self.rotate()
        try:
            # Always without the GIL: it waits for the disk.
            return self.matcher.process(ready, 0, self.journal)
        except OSError as error:
            raise self._failure(error) from error

    def drain_trades(self) -> int:
        """See `MatchingEngine.drain_trades`. Also journaled, because a full tape may cause rejections."""
        self._check_open()
        try:
            return self.matcher.drain_trades(self.journal)
        except OSError as error:
            raise self._failure(error) from error

    def reset(self) -> None:
        """Not supported with a journal: raises `JournalError`."""
        raise JournalError(f"{self.path} records what this engine did; create a new engine with a new journal")

    def snapshot(self) -> Saved:
        """Sync the journal, then write the state to a snapshot next to it. Raises `SnapshotError`,
        `JournalWriteError`.
        """
        self._check_open()
        try:
            state, place = _core.save_state(self.matcher, self.journal)
        except OSError as error:
            raise self._failure(error) from error
        return write_snapshot(self.path, self._head.identity, state, place)

    def rotate(self) -> Path:
        """Sync the journal whatever the policy, and continue it in a new segment (a file), which gets the journal's
        name. Returns the path of the segment that ended, whose name has its number: `day.journal.000001`.

        Raises `JournalError`, `JournalWriteError`, `BusyError`. If `can_go_on`, the journal is as before.
        """
        self._check_open()
        with _core.MatcherClaim(self.matcher):
            try:
                self.journal.finish()
            except OSError as error:
                raise self._failure(error) from error
            head = self._head.after(self.journal.place)
            writer = self._writer(*create_next(self.path, head))
            try:
                ended = put_in_place(self.path, self._head.segment)
            except OSError as error:
                self.journal.lose_name(error.errno or EIO)
                raise self._failure(error) from error
            self._head, self.journal = head, writer
        return ended

    def compact(self, keep: int = 0) -> Compacted:
        """Rotate, take a snapshot, restore it into a second engine as a check, and remove all segments before it but
        the last `keep`. Recovery then needs the snapshot: the removed commands are nowhere else.

        Killed at any moment, it leaves a journal from which everything acknowledged is recovered. Raises what `rotate`
        and `snapshot` do, and `MemoryError` if there is not enough for the second engine; then nothing was removed.
        """
        if type(keep) is not int or keep < 0:
            raise UsageError(f"keep: {shown(keep)} is not a number of segments, 0 or more")
        self.rotate()
        saved = self.snapshot()
        check_snapshot(self.path)
        removed = remove_segments(self.path, self._head.segment - keep)
        return Compacted(saved, tuple(removed))

    def _check_open(self) -> None:
        if self.journal.closed:
            raise JournalError(f"{self.path} was closed; recover from it to continue")
        if os.getpid() != self._process:
            raise JournalError(f"{self.path} is written by process {self._process}, of which this is a fork")
        if not self.journal.in_step:
            raise self._behind()

    def _behind(self) -> JournalWriteError:
        return JournalWriteError(f"{self.path} is missing what this engine has done; close it, and recover")

    def _failure(self, error: OSError) -> JournalWriteError:
        if self.can_go_on:
            return JournalWriteError(
                f"{self.path} accepted none of the batch: {error.strerror}; free some space and retry"
            )
        if not self.journal.in_step:
            return self._behind()
        if self.journal.trouble is not None:
            return JournalWriteError(
                f"{self.path} {self.journal.trouble} while this engine was writing it; none of the batch was "
                "executed. Close the engine, put the file or a copy of it back, and recover from it"
            )
        return JournalWriteError(
            f"the end of {self.path} on disk is unknown: {error.filename or 'fsync'} failed: {error.strerror}; "
            "fix the disk, then recover from it"
        )


def _absolute(path: str | Path) -> Path:
    """A path that stays right when the current directory, or a link to the journal, changes."""
    try:
        if b"\0" in os.fsencode(path):
            raise ValueError("NUL")
        return journal_itself(checked_path("path", path)).absolute()
    except OSError as error:
        raise JournalError(f"cannot open {path}: the current directory was removed; name an absolute path") from error
    except (TypeError, ValueError):
        raise UsageError(f"{shown(path)} cannot name a journal; pass the path of a file") from None


def _check_options(sync: SyncPolicy, interval_ns: int, segment_bytes: int | None) -> None:
    if not isinstance(sync, SyncPolicy):
        raise UsageError(f"sync: {shown(sync)} is not a SyncPolicy")
    _check_option("interval_ns", interval_ns, INTERVALS_NS)
    if segment_bytes is not None:
        _check_option("segment_bytes", segment_bytes, SEGMENT_BYTES)


def _check_option(name: str, value: object, allowed: range) -> None:
    if type(value) is not int or value not in allowed:
        raise UsageError(f"{name}: {shown(value)} is outside {allowed.start}..{allowed.stop - 1}")


def recovered(file: JournalFile, engine: Engine) -> tuple[Recovery, _core.JournalPosition]:
    """Bring an empty engine to the journal's end, from its snapshot if that is valid. Returns how, and the end.

    Raises `JournalDamagedError`.
    """
    snapshot_fault = damage = None
    begin = None
    try:
        begin = restore_snapshot(file, engine)
    except SnapshotError as error:
        snapshot_fault = str(error)
    if begin is not None:
        damage = file.damage_before(begin)
    elif not file.whole:
        raise JournalDamagedError(missing_snapshot(file, snapshot_fault))
    else:
        begin = file.beginning
    stop = file.replay(engine, begin)
    torn = stop.fault is Fault.TORN
    return (
        Recovery(
            commands=stop.place.sequence,
            replayed=stop.place.sequence - begin.sequence,
            snapshot_fault=snapshot_fault,
            torn_bytes=file.torn_bytes(stop),
            torn=file.explain(stop) if torn else None,
            damage=damage,
        ),
        stop.place,
    )
