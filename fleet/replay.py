"""Replays recordings by partition: on this host one after the other, or on the workers of a cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from lowlat import units
from lowlat.errors import InputError
from lowlat.fleet.attempts import Answered, Workers, answers
from lowlat.fleet.partition_job import PartitionAnswer, ReplayPlan
from lowlat.fleet.partition_process import replay_partition
from lowlat.fleet.partitions import ReplayPartition, check_memory, partitions_of
from lowlat.fleet.replayed import ReplaysSoFar
from lowlat.fleet.survey import ReplayedPart, SurveyedFile, survey
from lowlat.reports.model.replays import Division, FailedPartition, Replays

Progress = Callable[[str, float], None]


def replay_by_partition(
    files: Sequence[str],
    plan: ReplayPlan,
    by: Division,
    workers: Workers,
    command: tuple[str, ...],
    tell: Callable[[str], None],
    progress: Progress,
    turn: AbstractContextManager[None] = nullcontext(),  # noqa: B008 (it holds nothing)
) -> Replays:
    """Replay the recordings of these paths. `tell` takes what is to be known before the long work begins. `turn` is
    entered once they have been read, and held while they are measured.

    A partition that fails is named in the document, and the others go on. After Ctrl-C the document holds what is
    there, marked. Raises `InputError` if no file can be read, `UsageError` if a worker has too little memory for a
    partition, and `KeyboardInterrupt` before the first partition is replayed.
    """
    so_far = ReplaysSoFar(plan, by, command)
    planned, need_bytes, interrupted = None, 0, False
    try:
        surveyed = _surveyed(files, plan.part, workers, so_far, progress)
        partitions = partitions_of(surveyed, by, plan.part.symbols)
        planned = len(partitions)
        need_bytes = _told_memory(partitions, plan, workers, tell)
        with turn:
            _replayed(partitions, plan, workers, so_far, progress)
    except KeyboardInterrupt:
        workers.cancel()
        if not so_far.results:
            raise
        interrupted = True
    return so_far.document(planned, workers.count, need_bytes, interrupted=interrupted)


def _surveyed(
    files: Sequence[str], part: ReplayedPart, workers: Workers, so_far: ReplaysSoFar, progress: Progress
) -> list[SurveyedFile]:
    """The files that can be read, in their order."""
    found: dict[int, SurveyedFile] = {}
    calls = {number: (path, part) for number, path in enumerate(files)}
    unread: dict[int, FailedPartition] = {}

    def waiting() -> None:
        done = len(found) + len(unread)
        progress(f"reading {done + 1:,} of {units.counted(len(files), 'file')}", 0.1 * done / len(files))

    for answer in answers(workers, survey, calls, waiting):
        if answer.error is None:
            found[answer.number] = answer.value
        else:
            unread[answer.number] = _failed(files[answer.number], part.symbols, answer, workers)
    so_far.failed += [unread[number] for number in sorted(unread)]
    if not found:
        raise InputError("; ".join(each.error for each in so_far.failed[:3]))
    return [found[number] for number in sorted(found)]


def _told_memory(
    partitions: Sequence[ReplayPartition], plan: ReplayPlan, workers: Workers, tell: Callable[[str], None]
) -> int:
    if not partitions:
        raise InputError("no event in any of the files; nothing to replay")
    need = check_memory(partitions, plan.mode, workers.memory_bytes, "a worker")
    limit = "" if workers.memory_bytes is None else f", of {units.size(workers.memory_bytes)} each"
    tell(
        f"{units.counted(len(partitions), 'partition')}, {units.counted(workers.count, 'worker')}{limit}: at most "
        f"{units.size(need)} of memory for one"
    )
    return need


def _replayed(
    partitions: Sequence[ReplayPartition],
    plan: ReplayPlan,
    workers: Workers,
    so_far: ReplaysSoFar,
    progress: Progress,
) -> None:
    calls = {each.number: (each, plan, workers.memory_bytes, workers.canceled) for each in partitions}
    unread, failures = len(so_far.failed), dict[int, FailedPartition]()

    def waiting() -> None:
        done = len(so_far.results)
        wrong = unread + len(failures)
        failed = f", {wrong:,} failed" if wrong else ""
        of = units.counted(len(partitions), "partition")
        progress(f"{done:,} of {of} replayed{failed}", 0.1 + 0.9 * (done + len(failures)) / len(partitions))

    try:
        for answer in answers(workers, replay_partition, calls, waiting):
            if answer.error is None:
                value: PartitionAnswer = answer.value
                so_far.add(value, dataclasses.replace(value.run, attempts=answer.attempts))
            else:
                partition = partitions[answer.number - 1]
                failures[answer.number] = _failed(partition.file.path, partition.symbols, answer, workers)
    finally:  # on Ctrl-C too
        so_far.failed += [failures[number] for number in sorted(failures)]


def _failed(path: str, symbols: tuple[str, ...], answer: Answered, workers: Workers) -> FailedPartition:
    where = "" if answer.worker is None else f" (on {workers.name_of(answer.worker)})"
    return FailedPartition(file=path, symbols=symbols, attempts=answer.attempts, error=f"{answer.error}{where}")
