"""The workers of a cluster: how many calls they take, with how much memory, and what becomes of a lost scheduler."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from lowlat.errors import ExitCode, RunFailedError
from lowlat.fleet.attempts import answers
from lowlat.fleet.cluster import Task, TaskOutcome
from lowlat.fleet.on_cluster import ClusterWorkers
from lowlat.fleet.worker_facts import WorkerFacts

GIB = 1 << 30


class Cluster:
    """Workers a, with two threads, and b, with one; calls are made when their outcome is asked for."""

    def __init__(self, submitted_max: int = 100) -> None:
        self.client = SimpleNamespace(nthreads=lambda: {"a": 2, "b": 1})
        self.workers = tuple(WorkerFacts(name, "host", "boot", 4, GIB, {}) for name in ("a", "b"))
        self.submitted_max = submitted_max
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
            yield TaskOutcome(task, task.call(), None, "a")

    def cancel(self, tasks: Iterable[Task]) -> None:
        self.canceled += [task.key for task in tasks]


def workers(cluster: Cluster) -> ClusterWorkers:
    return ClusterWorkers(cluster)  # type: ignore[arg-type]


def test_as_many_calls_as_threads_and_memory_for_each() -> None:
    found = workers(Cluster())
    assert (found.count, found.memory_bytes) == (3, GIB // 2)


def test_a_call_that_raises_avoids_the_worker_that_it_failed_on() -> None:
    cluster = Cluster()
    (found,) = answers(workers(cluster), int, {7: ("x",)}, lambda: None)
    assert (found.number, found.attempts, type(found.error), found.worker) == (7, 3, ValueError, "a")
    assert cluster.avoided == [(), ("a",), ("a", "a")]


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
