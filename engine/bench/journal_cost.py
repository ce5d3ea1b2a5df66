"""The cost of a journal: the same commands in the same batches, without a journal and with each policy, interleaved."""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from lowlat.engine import _core
from lowlat.engine.bench.protocol import JournalJob
from lowlat.engine.journal.creation import create_journal
from lowlat.engine.journal.engine import INTERVAL_NS
from lowlat.engine.journal.errors import JournalError, JournalExistsError, JournalWriteError
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands
from lowlat.files import flush_folder
from lowlat.probes.clock.scale import TickScale
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.model.results import Journal, JournalPolicy

ROUNDS: Final = 3
"""Passes per policy that does not wait for the disk."""
BATCH_LIMIT_S: Final = 1.0
"""Time limit of a pass that waits for the disk: the disk dominates its cost, so a short pass suffices."""
WHOLE: Final = "whole"
"""Name of the journal that is left in the job's folder."""

_NEVER_TICKS: Final = 2**63


@contextlib.contextmanager
def new_journal(path: Path) -> Iterator[Path]:
    """A folder next to `path` for the runs' journal. On success the journal becomes `path`, which must not exist yet.

    Raises `JournalExistsError`, `JournalError`.
    """
    if os.path.lexists(path):
        raise JournalExistsError(f"{path} exists; remove it, or name another file")
    try:
        folder = tempfile.TemporaryDirectory(prefix=".lowlat-", dir=path.absolute().parent)
    except OSError as error:
        raise JournalError(f"cannot create a journal next to {path}: {error.strerror}; name another place") from error
    with folder as made:
        yield Path(made)
        _put(Path(made) / WHOLE, path)


def _put(made: Path, path: Path) -> None:
    """Move a file to its final name, unless that exists by now."""
    try:
        try:
            os.link(made, path)
        except PermissionError:  # a file system without hard links
            if os.path.lexists(path):
                raise FileExistsError from None
            made.rename(path)
        flush_folder(path.absolute().parent)
    except FileExistsError as error:
        raise JournalExistsError(
            f"{path} was created by another process meanwhile and left untouched; name another file"
        ) from error
    except OSError as error:
        raise JournalError(f"cannot create {path}: {error.strerror}; name another file") from error


def journal_cost(job: JournalJob, engine: Engine, seeding: Commands, measured: Commands, scale: TickScale) -> Journal:
    """Run the flow in batches under each policy. Leaves a journal of the whole flow, including the seeding commands, in
    the job's folder.

    Raises `JournalError`, most likely because the disk is full.
    """
    passes = _Passes(job, engine, seeding, measured, scale)
    off, none, interval, batch = _Policy("off"), _Policy("none"), _Policy("interval"), _Policy("batch")
    for _ in range(ROUNDS):
        passes.run(off, None)
        passes.run(interval, SyncPolicy.INTERVAL)
        passes.run(none, SyncPolicy.NONE, keep=True)
    passes.run(batch, SyncPolicy.BATCH, limit_s=BATCH_LIMIT_S)
    kept = Path(job.folder) / WHOLE
    return Journal(
        file=str(kept),
        size_bytes=kept.stat().st_size,
        batch=job.batch,
        policies=(off.cost(None), *(policy.cost(off) for policy in (none, interval, batch))),
    )


class _Policy:
    def __init__(self, name: Literal["off", "none", "interval", "batch"]) -> None:
        self.name = name
        self.commands = 0
        self.wall_ns: list[int] = []
        self.syncs: list[Histogram] = []

    @property
    def ns_per_command(self) -> float:
        return statistics.median(self.wall_ns) / max(self.commands, 1)

    def cost(self, off: _Policy | None) -> JournalPolicy:
        """Its cost, and the overhead compared with no journal."""
        syncs = merge(self.syncs)
        return JournalPolicy(
            policy=self.name,
            commands=self.commands,
            ns_per_command=self.ns_per_command,
            more_ns_per_command=None if off is None else self.ns_per_command - off.ns_per_command,
            syncs=syncs.total,
            sync_p50_ns=syncs.percentile(50).value_ns if syncs.total else None,
            sync_p99_ns=syncs.percentile(99).value_ns if syncs.total else None,
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
        """One pass over the measured commands, after the seeding ones."""
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
                "free some space, name another --journal, or measure fewer --commands"
            ) from error

    @contextlib.contextmanager
    def _journal(self, sync: SyncPolicy | None, *, keep: bool) -> Iterator[_core.JournalWriter | None]:
        """A new journal; removed after the pass unless kept."""
        if sync is None:
            yield None
            return
        path = self.folder / "pass"
        descriptor, _, place = create_journal(path, self.engine.settings)
        journal = _core.JournalWriter(descriptor, os.fsencode(path.absolute()), place, sync, INTERVAL_NS)
        try:
            yield journal
        finally:
            _core.close_journal(self.engine.matcher, journal)
        if keep:
            path.replace(self.folder / WHOLE)
        else:
            path.unlink()
