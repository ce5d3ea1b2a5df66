"""The workers of a cluster: how many calls they take, and what becomes of what fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Any

import pytest

from lowlat.errors import InputError, RunFailedError
from lowlat.fleet.attempts import answers
from lowlat.fleet.on_cluster import ClusterWorkers
from lowlat.fleet.task import Task, TaskOutcome

GIB = 1 << 30


def missing(path: str) -> None:
    raise InputError(f"{path}: no such file")


def defective() -> None:
    raise AttributeError("no such name")


class Cluster:
    """Workers with three threads; calls are made when their outcome is asked for."""

    threads, memory_bytes = 3, GIB

    def __init__(self, raises: Exception | None = None) -> None:
        self.raises = raises
        self.canceled: list[str] = []
        self.avoided: list[Collection[str]] = []

    def submit(self, function: Callable[..., Any], *arguments: Any, key: str, avoiding: Collection[str]) -> Task:
        self.avoided.append(tuple(avoiding))
        return Task(key, partial(function, *arguments), None, None)

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
    assert (found.count, found.memory_bytes) == (3, GIB)


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


def test_only_later_calls_are_canceled() -> None:
    cluster = Cluster()
    taking = workers(cluster)
    outcomes = taking.outcomes(int, dict.fromkeys((1, 2, 3), ("1",)), {}, lambda: None)
    next(outcomes)
    taking.cancel(above=2)
    assert cluster.canceled == ["3"]
