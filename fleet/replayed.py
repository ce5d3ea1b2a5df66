"""Adds up what partitions gave, in whatever order they end: the result is the same for any number of workers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lowlat import units
from lowlat.engine.bench import report_context
from lowlat.fleet.partition_job import PartitionAnswer, ReplayPlan
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.model.replays import (
    Division,
    FailedPartition,
    PartitionResult,
    PartitionRun,
    Replays,
    ReplaysMeasured,
    ReplaysResult,
    summed,
)
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import histogram_of, series_of


@dataclass(eq=False, slots=True)
class ReplaysSoFar:
    """The answers that are there. Histograms are added as they come, so that memory does not grow with them."""

    plan: ReplayPlan
    by: Division
    command: tuple[str, ...]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    results: dict[int, PartitionResult] = field(default_factory=dict)
    failed: list[FailedPartition] = field(default_factory=list)
    _runs: dict[int, PartitionRun] = field(default_factory=dict)
    _sums: dict[tuple[str, str], Histogram] = field(default_factory=dict)

    def add(self, answer: PartitionAnswer, run: PartitionRun) -> None:
        """Take a partition's answer; `run`: how it came to be, with its attempts."""
        self.results[answer.result.number] = answer.result
        self._runs[run.number] = run
        for series in answer.series:
            name, more = (series.op, series.measure), histogram_of(series)
            self._sums[name] = merge([self._sums[name], more]) if name in self._sums else more

    def document(self, planned: int | None, workers: int, need_bytes: int, *, interrupted: bool) -> Replays:
        """All together. `planned`: how many partitions there are; None: it was interrupted before that was known."""
        reasons = tuple(self._reasons(planned, interrupted=interrupted))
        results = [self.results[number] for number in sorted(self.results)]
        whole = planned is not None and len(results) == planned and not self.failed
        return Replays(
            status="interrupted" if interrupted else "invalid" if reasons else "ok",
            status_reasons=reasons,
            tool=report_context.tool(),
            command=self.command,
            started=self.started.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            result=ReplaysResult(
                mode=self.plan.mode,
                engine=self.plan.engine if self.plan.mode == "match" else "book builder",
                by=self.by,
                digest=combined_digest(results) if whole else None,
                counts=summed(each.counts for each in results),
                fills=dict(sorted(summed(each.fills for each in results).items(), key=lambda item: int(item[0]))),
                partitions=tuple(results),
            ),
            measured=ReplaysMeasured(
                workers=workers,
                wall_s=round((datetime.now(UTC) - self.started).total_seconds(), 3),
                memory_need_bytes=need_bytes,
                series=tuple(self._series()),
                partitions=tuple(self._runs[number] for number in sorted(self._runs)),
            ),
            failed=tuple(self.failed),
        )

    def _reasons(self, planned: int | None, *, interrupted: bool) -> Iterable[str]:
        if interrupted:
            yield f"stopped after {len(self.results):,} of {units.counted(planned or 0, 'partition')}"
        for failed in self.failed:
            name = " ".join([failed.file, *failed.symbols])
            yield failed.error if failed.error.startswith(failed.file) else f"{name}: {failed.error}"
        for number, run in sorted(self._runs.items()):
            result = self.results[number]
            yield from (f"{' '.join([result.file, *result.symbols])}: {why}" for why in run.status_reasons)

    def _series(self) -> Iterable[Series]:
        """That of all operations last, as in a report."""
        for op, measure in sorted(self._sums, key=lambda name: (name[0] == "all", name)):
            yield series_of(op, measure, self._sums[op, measure])


def combined_digest(results: Sequence[PartitionResult]) -> str:
    """SHA-256 over a line for each partition, in their order: the file's SHA-256, its symbols, its digest."""
    digest = hashlib.sha256()
    for each in results:
        digest.update(f"{each.file_sha256} {','.join(each.symbols)} {each.digest}\n".encode())
    return f"sha256:{digest.hexdigest()}"
