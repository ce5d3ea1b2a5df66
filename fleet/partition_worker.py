"""Replays one partition, in a process of its own."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from lowlat.engine.bench.rebuild import Rebuilding, memory_max_bytes
from lowlat.engine.bench.replay import replay
from lowlat.engine.bench.run import RunPlan
from lowlat.engine.feed.book_builder import ORDERS
from lowlat.engine.flow.recording import RecordedFlow
from lowlat.engine.matching.records import PoolPolicy
from lowlat.errors import NotValidError
from lowlat.fleet.cpu_claim import claimed_cpu
from lowlat.fleet.identity import check_identity, unchanged
from lowlat.fleet.partition_job import PartitionAnswer, PartitionJob, ReplayPlan
from lowlat.fleet.worker_facts import host_name
from lowlat.reports.model.rebuild import Rebuild
from lowlat.reports.model.replays import PartitionResult, PartitionRun
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Series

DIFFERENCES_MAX: Final = 10
"""Of a partition; `lowlat replay FILE -v` lists all."""


_SHARED: Final = "its runs shared a CPU, because other partitions had all others; use no more workers than CPUs"


def replayed(job: PartitionJob) -> PartitionAnswer:
    """Replay the partition of this process, whose memory is limited from here on. Raises what replaying it raises."""
    begun = time.monotonic()
    if job.memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (job.memory_bytes, job.memory_bytes))
    if job.plan.library is not None:
        check_identity(job.plan.library)
    with unchanged(job.partition.file):
        return _matched(job, begun) if job.plan.mode == "match" else _rebuilt(job, begun)


def _matched(job: PartitionJob, begun: float) -> PartitionAnswer:
    partition, plan = job.partition, job.plan
    path = Path(partition.file.path)
    reader = plan.part.reader(path)
    recorded = reader.flow(path, None, plan.part.read_options(partition.symbols))
    assert isinstance(recorded, RecordedFlow), "its reader has `open`"
    if plan.part.begin_ns is not None:
        recorded = recorded.measured_from(plan.part.begin_ns)
    with claimed_cpu() as cpu:
        report = replay(recorded, _run_plan(plan, cpu), None, lambda _text, _share: None)
    verified = report.verification
    if verified is None:
        raise NotValidError("the runs verified nothing")
    counts = {
        "commands": len(recorded.commands),
        "seeded": recorded.seeded,
        "events": verified.events or 0,
        "bursts": verified.bursts or 0,
        "bursts matched": verified.matched or 0,
        "commands of the reference engine": verified.reference_commands,
    }
    result = _result(job, verified.digest, counts, _fills(recorded), verified.mismatches)
    run = _run(job, cpu, begun, report, report.summary)
    if cpu is None:
        run = replace(run, status_reasons=(*run.status_reasons, _SHARED))
    return PartitionAnswer(result, run, _plain(report.summary))


def _run_plan(plan: ReplayPlan, cpu: int | None) -> RunPlan:
    policy = None if plan.grow is None else PoolPolicy.GROW if plan.grow else PoolPolicy.REJECT
    return RunPlan(
        engine=plan.engine,
        runs=plan.runs,
        cpus=None if cpu is None else (cpu,),
        orders=plan.orders,
        trades=plan.trades,
        on_exhaustion=policy,
        kernel_path=False,  # no part of the answer, and it would send messages to another partition's CPU
    )


def _fills(recorded: RecordedFlow) -> dict[str, int]:
    """Aggressive orders by how many resting orders they hit."""
    numbers, counts = np.unique(np.diff(recorded.bursts.first_fill), return_counts=True)
    return {str(number): count for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)}


def _rebuilt(job: PartitionJob, begun: float) -> PartitionAnswer:
    partition, part = job.partition, job.plan.part
    path = Path(partition.file.path)
    stream = part.reader(path).events(path, part.read_options(partition.symbols))
    # Room for no more orders than there are events: address space counts against the memory limit.
    found = Rebuilding(stream, None, lambda _text, _share: None, orders=min(ORDERS, max(1, partition.events))).run()
    counts = {
        "events": found.events,
        **found.actions,
        **_named("left out", found.left_out),
        **_named("fault", found.faults),
        **_named("contradiction", found.contradictions),
        "orders at the end": found.live_orders,
    }
    result = _result(job, found.books, counts, {}, ())
    return PartitionAnswer(result, _run(job, None, begun, found, found.latencies), found.latencies)


def _named(what: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {f"{what}: {kind}": count for kind, count in counts.items()}


def _result(
    job: PartitionJob, digest: str, counts: dict[str, int], fills: dict[str, int], differences: tuple[str, ...]
) -> PartitionResult:
    partition = job.partition
    return PartitionResult(
        number=partition.number,
        file=partition.file.path,
        file_bytes=partition.file.bytes,
        file_sha256=partition.file.sha256,
        format=partition.format,
        symbols=partition.symbols,
        digest=digest,
        counts=counts,
        fills=fills,
        differences=differences[:DIFFERENCES_MAX],
    )


def _run(
    job: PartitionJob, cpu: int | None, begun: float, document: Report | Rebuild, series: Sequence[Series]
) -> PartitionRun:
    total = next((each for each in series if each.op == "all"), None)
    return PartitionRun(
        number=job.partition.number,
        host=host_name(),
        cpu=cpu,
        attempts=1,
        wall_s=round(time.monotonic() - begun, 3),
        memory_max_bytes=memory_max_bytes() + 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        p50_ns=total.percentiles["50"].value if total else None,
        p99_ns=total.percentiles["99"].value if total else None,
        status_reasons=document.status_reasons,
    )


def _plain(summary: Sequence[Series]) -> tuple[Series, ...]:
    """Without what only several runs have."""
    names = Series.__dataclass_fields__
    return tuple(Series(**{name: getattr(series, name) for name in names}) for series in summary)
