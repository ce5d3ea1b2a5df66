"""The workers of a cluster: how many calls they take, with how much memory, and what becomes of a lost scheduler."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from lowlat.errors import ExitCode, InputError, RunFailedError
from lowlat.fleet.attempts import answers
from lowlat.fleet.cluster import Task, TaskOutcome
from lowlat.fleet.on_cluster import ClusterWorkers
from lowlat.fleet.worker_facts import WorkerFacts

GIB = 1 << 30


def missing(path: str) -> None:
    raise InputError(f"{path}: no such file")


def defective() -> None:
    raise AttributeError("no such name")


class Cluster:
    """Workers a, with two threads, and b, with one; calls are made when their outcome is asked for."""

    def __init__(self, submitted_max: int = 100, raises: Exception | None = None) -> None:
        self.client = SimpleNamespace(nthreads=lambda: {"a": 2, "b": 1})
        self.workers = tuple(WorkerFacts(name, "host", "boot", 4, GIB, {}) for name in ("a", "b"))
        self.submitted_max = submitted_max
        self.raises = raises
        self.canceled: list[str] = []
        self.avoided: list[Collection[str]] = []

    def submit(self, function: Callable[..., Any], *arguments: Any, key: str, avoiding: Collection[str]) -> Task:
        self.avoided.append(tuple(avoiding))
        if len(self.avoided) > self.submitted_max:
            raise RunFailedError("the scheduler was lost", ExitCode.NOT_VALID)
        return Task(key, lambda: function(*arguments), None, None)

    def finished(self, tasks: Iterable[Task], waiting: Callable[[], None]) -> Iterator[TaskOutcome]:
        waiting()
        for task in tasks:
            value = None if self.raises else task.call()
            yield TaskOutcome(task, value, self.raises, "a")

    def cancel(self, tasks: Iterable[Task]) -> None:
        self.canceled += [task.key for task in tasks]


def workers(cluster: Cluster) -> ClusterWorkers:
    return ClusterWorkers(cluster)  # type: ignore[arg-type]


def test_as_many_calls_as_threads_and_memory_for_each() -> None:
    found = workers(Cluster())
    assert (found.count, found.memory_bytes) == (3, GIB // 2)


def test_a_call_that_raises_avoids_the_worker_that_it_failed_on() -> None:
    cluster = Cluster()
    (found,) = answers(workers(cluster), missing, {7: ("day.csv",)}, lambda: None)
    assert (found.number, found.attempts, str(found.error), found.worker) == (7, 3, "day.csv: no such file", "a")
    assert cluster.avoided == [(), ("a",), ("a", "a")]


def test_a_defect_is_raised_with_the_traceback_of_its_worker() -> None:
    """It is the same on every worker, and does not read as the failure of one."""
    cluster = Cluster()
    with pytest.raises(AttributeError) as raised:
        list(answers(workers(cluster), defective, {7: ()}, lambda: None))
    assert "in defective" in "".join(raised.value.__notes__)
    assert cluster.avoided == [()]


def test_what_dask_raises_is_tried_again_and_named() -> None:
    (found,) = answers(workers(Cluster(raises=RuntimeError("no graph"))), int, {7: ("1",)}, lambda: None)
    assert (found.attempts, type(found.error), str(found.error)) == (3, RunFailedError, "RuntimeError: no graph")


def test_what_no_scheduler_takes_is_answered() -> None:
    found = list(answers(workers(Cluster(submitted_max=1)), int, {1: ("1",), 2: ("2",)}, lambda: None))
    assert [(each.number, each.value, str(each.error)) for each in found] == [
        (1, 1, "None"),
        (2, None, "the scheduler was lost"),
    ]


def test_only_later_calls_are_canceled() -> None:
    cluster = Cluster()
    taking = workers(cluster)
    outcomes = taking.outcomes(int, dict.fromkeys((1, 2, 3), ("1",)), {}, lambda: None)
    next(outcomes)
    taking.cancel(above=2)
    assert cluster.canceled == ["3"]
