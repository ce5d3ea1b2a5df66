"""`JournaledEngine`: the native engine with a journal, from which it can be made again after any end.

    with JournaledEngine.create(Path("day.journal"), symbols=2) as engine:
        engine.process(commands)  # in the journal, and as the policy says on the disk, before it is executed

    engine = JournaledEngine.recover(Path("day.journal"))
    engine.recovery.commands, engine.recovery.torn_bytes

`docs/journal.md` states the format, and what each policy promises.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from lowlat.engine import _core
from lowlat.engine.journal.errors import JournalError, JournalResetError, JournalWriteError, SnapshotError
from lowlat.engine.journal.file import JournalFile, create_journal, open_to_append
from lowlat.engine.journal.records import Fault, SyncPolicy
from lowlat.engine.journal.snapshot import Saved, restore_snapshot, write_snapshot
from lowlat.engine.matching.aligned import aligned_copy
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument, instruments
from lowlat.engine.matching.interface import checked_commands
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, Commands, Events, PoolPolicy
from lowlat.errors import UsageError

INTERVAL_NS: Final = 10_000_000
"""Between two `fdatasync` of `SyncPolicy.INTERVAL`, unless told otherwise."""
INTERVALS_NS: Final = range(1_000, 3_600_000_000_001)
"""What it may be."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How an engine came back.

    `commands`: in the journal. `replayed`: of these, after the snapshot. `snapshot_fault`: why the snapshot was not
    used, though there is one. `torn_bytes`: what a crash in the midst of a write had left, cut off; `torn` says where.
    `damage`: what is wrong with the journal before the snapshot, which holds all that went before.
    """

    commands: int
    replayed: int
    snapshot_fault: str | None
    torn_bytes: int
    torn: str | None
    damage: str | None = None


class JournaledEngine(Engine):
    """An engine whose every command is in its journal before it is executed. Made by `create` or `recover`.

    After a `JournalWriteError` no command of that batch was executed. If `can_go_on`, the batch was taken back whole,
    and can be given again when there is room; otherwise recover from the journal. Close it, or use it in a `with`
    block. A process that is forked has no part in it.
    """

    path: Path
    recovery: Recovery | None
    """None of a new one."""
    journal: _core.JournalWriter

    def __init__(self, *_arguments: object, **_settings: object) -> None:
        raise UsageError("an engine with a journal is made by JournaledEngine.create, or by recover")

    @classmethod
    def create(
        cls,
        path: Path,
        symbols: int | Sequence[Instrument] = 1,
        *,
        orders: int = 50_000,
        trades: int = 100_000,
        when_orders_dry: PoolPolicy = PoolPolicy.REFUSE,
        when_trades_dry: PoolPolicy = PoolPolicy.RECYCLE,
        sync: SyncPolicy = SyncPolicy.BATCH,
        interval_ns: int = INTERVAL_NS,
    ) -> Self:
        """An engine with empty books, and a new journal. `interval_ns`: of `SyncPolicy.INTERVAL`, 1 us to 1 h.

        Raises what `Engine` does, `JournalExistsError` for a file that is there already and not empty, `JournalError`
        for one that cannot be made.
        """
        settings = EngineConfig(instruments(symbols), orders, trades, when_orders_dry, when_trades_dry)
        return cls.journaling(path, settings, sync=sync, interval_ns=interval_ns)

    @classmethod
    def journaling(
        cls, path: Path, settings: EngineConfig, *, sync: SyncPolicy = SyncPolicy.BATCH, interval_ns: int = INTERVAL_NS
    ) -> Self:
        """The same of settings."""
        _check_sync(sync, interval_ns)
        engine = cls.of(settings)
        engine.recovery = None
        descriptor, head, place = create_journal(path, settings)
        engine._journal_to(path, descriptor, head.identity, place, sync, interval_ns)
        return engine

    @classmethod
    def recover(cls, path: Path, *, sync: SyncPolicy = SyncPolicy.BATCH, interval_ns: int = INTERVAL_NS) -> Self:
        """The engine as it was when its journal ended, ready to go on. A torn tail is cut off; see `recovery`.

        Raises `NoJournalError`, `JournalVersionError`, `JournalDamagedError`, `JournalHeldError`; `MemoryError` where
        there is less memory than its pools had grown to.
        """
        _check_sync(sync, interval_ns)
        descriptor = open_to_append(path)
        try:
            with JournalFile(path) as file:
                engine = cls.of(file.settings)
                engine.recovery, place = recovered(file, engine)
                identity, size = file.head.identity, file.size
            if size > place.end:  # a torn tail, or zeros
                os.ftruncate(descriptor, place.end)
            os.fsync(descriptor)  # what was read need not have reached the disk, and is acknowledged by this
        except BaseException:
            os.close(descriptor)
            raise
        engine._journal_to(path, descriptor, identity, place, sync, interval_ns)
        return engine

    def _journal_to(
        self,
        path: Path,
        descriptor: int,
        identity: str,
        place: _core.JournalPosition,
        sync: SyncPolicy,
        interval_ns: int,
    ) -> None:
        self.path = path
        self._identity = identity
        self._process = os.getpid()
        self.journal = _core.JournalWriter(descriptor, place, sync, interval_ns)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the journal; with a policy other than NONE, once the disk has all of it.

        Raises `JournalWriteError` when it has not, now or before, `EngineBusyError` while another thread is executing.
        """
        try:
            _core.close_journal(self.matcher, self.journal)
        except OSError as error:
            raise self._failure(error) from error

    @property
    def can_go_on(self) -> bool:
        """Whether it takes further commands."""
        return self.journal.open

    def process(self, commands: Commands) -> Events:
        """See `MatchingEngine.process`. Raises `JournalWriteError`; then no command was executed.

        A `MemoryError` may come when all of them are in the journal and some were executed: `can_go_on` tells.
        """
        ready = checked_commands(commands)
        if ready.ctypes.data % 8:
            ready = aligned_copy(ready)
        self._check_open()
        try:
            return self.matcher.process(ready, self.journal).view(EVENT)
        except OSError as error:
            raise self._failure(error) from error

    def drain_trades(self) -> int:
        """See `MatchingEngine.drain_trades`; in the journal too, since a full tape may refuse."""
        self._check_open()
        try:
            return self.matcher.drain_trades(self.journal)
        except OSError as error:
            raise self._failure(error) from error

    def reset(self) -> None:
        """Not of an engine with a journal: raises `JournalResetError`."""
        raise JournalResetError(f"{self.path} says what this engine did; make a new engine with a new journal")

    def snapshot(self) -> Saved:
        """Write the state beside the journal, once the disk has all of that. Raises `SnapshotError`,
        `JournalWriteError`.
        """
        self._check_open()
        try:
            state, place = _core.save_state(self.matcher, self.journal)
        except OSError as error:
            raise self._failure(error) from error
        return write_snapshot(self.path, self._identity, state, place)

    def _check_open(self) -> None:
        if self.journal.closed:
            raise JournalError(f"{self.path} was closed; recover from it to go on")
        if os.getpid() != self._process:
            raise JournalError(f"{self.path} is written by process {self._process}, of which this is a fork")

    def _failure(self, error: OSError) -> JournalWriteError:
        if self.can_go_on:
            return JournalWriteError(
                f"{self.path} took none of the batch: {error.strerror}; free some room and give it again"
            )
        if not self.journal.in_step:
            return JournalWriteError(f"{self.path} has not what this engine has done; close it, and recover")
        return JournalWriteError(
            f"nobody knows what the disk has of the end of {self.path}: {error.filename} failed: {error.strerror}; "
            "mend the disk, then recover from it"
        )


def _check_sync(sync: SyncPolicy, interval_ns: int) -> None:
    if not isinstance(sync, SyncPolicy):
        raise UsageError(f"sync: {sync!r} is no Sync")
    if type(interval_ns) is not int or interval_ns not in INTERVALS_NS:
        raise UsageError(f"interval_ns: {interval_ns!r} is outside {INTERVALS_NS.start}..{INTERVALS_NS.stop - 1}")


def recovered(file: JournalFile, engine: Engine) -> tuple[Recovery, _core.JournalPosition]:
    """Bring an empty engine to the journal's end, from its snapshot if that can be trusted; how, and the end.

    Raises `JournalDamagedError`.
    """
    snapshot_fault = None
    begin, damage = file.beginning, None
    try:
        begin = restore_snapshot(file, engine) or begin
    except SnapshotError as error:
        snapshot_fault = str(error)
    if begin.end > file.start:
        damage = file.damage_before(begin)
    place, fault = file.replay(engine, begin)
    torn = fault is Fault.TORN
    return (
        Recovery(
            commands=place.sequence,
            replayed=place.sequence - begin.sequence,
            snapshot_fault=snapshot_fault,
            torn_bytes=file.size - place.end if torn else 0,
            torn=file.explain(place, fault) if torn else None,
            damage=damage,
        ),
        place,
    )
