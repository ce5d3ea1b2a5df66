"""What a journal costs: the same commands in the same batches, without one and with one of each policy, in turn."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lowlat.engine import _core
from lowlat.engine.bench.protocol import JournalCost, JournaledPasses, JournalJob
from lowlat.engine.journal.engine import INTERVAL_NS
from lowlat.engine.journal.errors import JournalError, JournalExistsError, JournalWriteError
from lowlat.engine.journal.file import create_journal
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands
from lowlat.probes.clock.scale import TickScale
from lowlat.reports.histogram.histogram import Histogram

ROUNDS: Final = 3
"""Passes of each policy that never waits for the disk."""
BATCH_LIMIT_S: Final = 1.0
"""How long the pass that waits for it may take: its cost is that of the disk, and shows soon."""
WHOLE: Final = "whole"
"""Name in the job's folder of the journal that is left there."""

_NEVER_TICKS: Final = 2**63


@contextlib.contextmanager
def new_journal(path: Path) -> Iterator[Path]:
    """A folder beside `path`, for runs to leave a journal in; on a good end that becomes `path`, where nothing may be.

    Raises `JournalExistsError`, `JournalError`.
    """
    if os.path.lexists(path):
        raise JournalExistsError(f"{path} exists; remove it, or name another file")
    try:
        folder = tempfile.TemporaryDirectory(prefix=".lowlat-", dir=path.absolute().parent)
    except OSError as error:
        raise JournalError(f"cannot make a journal beside {path}: {error.strerror}; name another place") from error
    with folder as made:
        yield Path(made)
        _put(Path(made) / WHOLE, path)


def _put(made: Path, path: Path) -> None:
    """Give a file its name, unless something else has it by now."""
    try:
        try:
            os.link(made, path)
        except PermissionError:  # a file system without links
            if os.path.lexists(path):
                raise FileExistsError from None
            made.rename(path)
    except FileExistsError as error:
        raise JournalExistsError(f"{path} was made by somebody else meanwhile, and left alone; name another") from error
    except OSError as error:
        raise JournalError(f"cannot make {path}: {error.strerror}; name another file") from error


def journal_cost(
    job: JournalJob, engine: Engine, seeding: Commands, measured: Commands, scale: TickScale
) -> JournalCost:
    """Run the flow in batches under each policy, and leave a journal of all of it, seeding too, in the job's folder.

    Raises `JournalError`, for want of room most likely.
    """
    passes = _Passes(job, engine, seeding, measured, scale)
    without, none, interval = _Policy("off"), _Policy("none"), _Policy("interval")
    for _ in range(ROUNDS):
        passes.run(without, None)
        passes.run(interval, SyncPolicy.INTERVAL)
        passes.run(none, SyncPolicy.NONE, keep=True)
    batch = _Policy("batch")
    passes.run(batch, SyncPolicy.BATCH, limit_s=BATCH_LIMIT_S)
    return JournalCost(
        batch=job.batch,
        size_bytes=(Path(job.folder) / WHOLE).stat().st_size,
        policies=[policy.outcome() for policy in (without, none, interval, batch)],
    )


class _Policy:
    def __init__(self, name: str) -> None:
        self.name = name
        self.commands = 0
        self.wall_ns: list[int] = []
        self.syncs: list[Histogram] = []

    def outcome(self) -> JournaledPasses:
        from lowlat.reports.histogram.histogram import merge

        syncs = merge(self.syncs) if self.syncs else None
        counted = syncs is not None and syncs.total > 0
        return JournaledPasses(
            policy=self.name,  # type: ignore[arg-type]
            commands=self.commands,
            wall_ns=self.wall_ns,
            syncs=syncs.total if syncs is not None else 0,
            sync_p50_ns=syncs.percentile(50).value_ns if syncs is not None and counted else None,
            sync_p99_ns=syncs.percentile(99).value_ns if syncs is not None and counted else None,
        )


class _Passes:
    def __init__(
        self, job: JournalJob, engine: Engine, seeding: Commands, measured: Commands, scale: TickScale
    ) -> None:
        self.folder = Path(job.folder)
        self.batch = job.batch
        self.engine = engine
        self.seeding, self.measured = seeding, measured
        self.scale = scale

    def run(
        self, policy: _Policy, sync: SyncPolicy | None, *, keep: bool = False, limit_s: float | None = None
    ) -> None:
        """One pass over the measured commands, behind the seeding ones."""
        self.engine.reset()
        with self._journal(sync, keep=keep) as journal:
            self._batches(self.seeding, max(len(self.seeding), 1), journal, _NEVER_TICKS)
            limit_ticks = _NEVER_TICKS if limit_s is None else round(limit_s * 1e18 / self.scale.to_ns(10**9))
            done = self._batches(self.measured, self.batch, journal, limit_ticks)
        policy.commands = done.commands
        policy.wall_ns.append(max(self.scale.to_ns(done.ticks), 1))
        if journal is not None:
            policy.syncs.append(Histogram.from_native(journal.syncs))

    def _batches(
        self, commands: Commands, batch: int, journal: _core.JournalWriter | None, limit_ticks: int
    ) -> _core.Pass:
        try:
            return _core.run_batches(self.engine.matcher, commands, batch, journal, limit_ticks)
        except OSError as error:
            raise JournalWriteError(
                f"the journal could not be written: {error.filename} failed: {error.strerror}; "
                "free some room, name another --journal, or measure fewer --commands"
            ) from error

    @contextlib.contextmanager
    def _journal(self, sync: SyncPolicy | None, *, keep: bool) -> Iterator[_core.JournalWriter | None]:
        """A new one; kept, or gone after the pass."""
        if sync is None:
            yield None
            return
        path = self.folder / "pass"
        descriptor, _, place = create_journal(path, self.engine.settings)
        journal = _core.JournalWriter(descriptor, place, sync, INTERVAL_NS)
        try:
            yield journal
        finally:
            _core.close_journal(self.engine.matcher, journal)
        if keep:
            path.replace(self.folder / WHOLE)
        else:
            path.unlink()
