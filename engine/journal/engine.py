"""`JournaledEngine`: the native engine with a journal, from which it can be recovered after a crash.

    with JournaledEngine.create(Path("day.journal"), symbols=2) as engine:
        engine.process(commands)  # written to the journal, and synced according to the policy, before execution

    engine = JournaledEngine.recover(Path("day.journal"))
    engine.recovery.commands, engine.recovery.torn_bytes

`docs/journal.md` specifies the format and the guarantees of each policy.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from lowlat.engine import _core
from lowlat.engine.journal.errors import JournalError, JournalWriteError, SnapshotError
from lowlat.engine.journal.file import JournalFile, create_journal, open_to_append
from lowlat.engine.journal.records import Fault, SyncPolicy
from lowlat.engine.journal.snapshot import Saved, restore_snapshot, write_snapshot
from lowlat.engine.matching.aligned import aligned_copy
from lowlat.engine.matching.config import ORDERS, EngineConfig
from lowlat.engine.matching.instrument import Instrument, instruments
from lowlat.engine.matching.interface import checked_commands
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, Commands, Events, PoolPolicy
from lowlat.errors import UsageError

INTERVAL_NS: Final = 10_000_000
"""Default time between two `fdatasync` calls of `SyncPolicy.INTERVAL`."""
INTERVALS_NS: Final = range(1_000, 3_600_000_000_001)
"""Its allowed range."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How an engine was recovered.

    `commands`: in the journal. `replayed`: those replayed after the snapshot. `snapshot_fault`: why an existing
    snapshot was not used. `torn_bytes`: size of the remains of a write interrupted by a crash, cut off; `torn` says
    where. `damage`: what is wrong with the journal before the snapshot, which replaces that part.
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
    recovery: Recovery | None
    """None for a new engine."""
    journal: _core.JournalWriter

    def __init__(self, *_arguments: object, **_settings: object) -> None:
        raise UsageError("create an engine with a journal by JournaledEngine.create() or recover()")

    @classmethod
    def create(
        cls,
        path: Path,
        symbols: int | Sequence[Instrument] = 1,
        *,
        orders: int = ORDERS,
        trades: int = 100_000,
        when_orders_dry: PoolPolicy = PoolPolicy.REFUSE,
        when_trades_dry: PoolPolicy = PoolPolicy.RECYCLE,
        sync: SyncPolicy = SyncPolicy.BATCH,
        interval_ns: int = INTERVAL_NS,
    ) -> Self:
        """Create an engine with empty books and a new journal. `interval_ns`: of `SyncPolicy.INTERVAL`, 1 us to 1 h.

        Raises what `Engine` does, `JournalExistsError` if a nonempty file exists, `JournalError` if the file cannot be
        created.
        """
        settings = EngineConfig(instruments(symbols), orders, trades, when_orders_dry, when_trades_dry)
        return cls.journaling(path, settings, sync=sync, interval_ns=interval_ns)

    @classmethod
    def journaling(
        cls, path: Path, settings: EngineConfig, *, sync: SyncPolicy = SyncPolicy.BATCH, interval_ns: int = INTERVAL_NS
    ) -> Self:
        """The same, from settings."""
        _check_sync(sync, interval_ns)
        engine = cls.of(settings)
        engine.recovery = None
        descriptor, head, place = create_journal(path, settings)
        engine._journal_to(path, descriptor, head.identity, place, sync, interval_ns)
        return engine

    @classmethod
    def recover(cls, path: Path, *, sync: SyncPolicy = SyncPolicy.BATCH, interval_ns: int = INTERVAL_NS) -> Self:
        """Recover the engine as of the end of its journal, ready to continue. Cuts off a torn tail; see `recovery`.

        Raises `NoJournalError`, `JournalDamagedError`, `JournalError`, `JournalHeldError`; `MemoryError` if there is
        not enough memory for the size to which its pools had grown.
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
            os.fsync(descriptor)  # data that was read may not be on the disk yet; recovery acknowledges it
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
        """See `MatchingEngine.process`. Raises `JournalWriteError`; then no command was executed.

        A batch that is in the journal is executed to its end, whatever signals come; if a handler raises, so does
        `process`, and `take_interrupted` gives the events. Memory for them is reserved before anything is written.
        Where that was not enough (see `Engine`), the `MemoryError` comes when all commands are in the journal and some
        were executed: then `can_go_on` is false.
        """
        ready = checked_commands(commands)
        if ready.ctypes.data % 8:
            ready = aligned_copy(ready)
        self._check_open()
        try:
            # Always without the GIL: it waits for the disk.
            return self.matcher.process(ready, True, self.journal).view(EVENT)
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
        return write_snapshot(self.path, self._identity, state, place)

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
        return JournalWriteError(
            f"the end of {self.path} on disk is unknown: {error.filename} failed: {error.strerror}; "
            "fix the disk, then recover from it"
        )


def _check_sync(sync: SyncPolicy, interval_ns: int) -> None:
    if not isinstance(sync, SyncPolicy):
        raise UsageError(f"sync: {sync!r} is not a SyncPolicy")
    if type(interval_ns) is not int or interval_ns not in INTERVALS_NS:
        raise UsageError(f"interval_ns: {interval_ns!r} is outside {INTERVALS_NS.start}..{INTERVALS_NS.stop - 1}")


def recovered(file: JournalFile, engine: Engine) -> tuple[Recovery, _core.JournalPosition]:
    """Bring an empty engine to the journal's end, from its snapshot if that is valid. Returns how, and the end.

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
