"""Which worker gets which task: those that join get some, those that are lost none, and each thread one at a time."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import distributed
import pytest
from distributed.client import ClosedClientError

from lowlat.fleet import cluster as module
from lowlat.fleet.cluster import ConnectedCluster
from lowlat.fleet.task import Task
from lowlat.fleet.worker_facts import RefusedWorker

MIB = 1 << 20


class Future:
    """Of a call on a worker."""

    def __init__(self, call: bytes, address: str) -> None:
        self.call, self.address, self.status = call, address, "pending"
        self.value: Any = None
        self.ended: list[Callable[[Future], None]] = []

    def add_done_callback(self, ended: Callable[[Future], None]) -> None:
        self.ended.append(ended)
        if self.status != "pending":
            ended(self)

    def cancelled(self) -> bool:
        return self.status == "cancelled"

    def result(self, timeout: float) -> Any:
        assert timeout > 0
        return self.value

    exception = result

    def release(self) -> None:
        """It is not needed any more."""

    def end(self, status: str, value: Any = None) -> None:
        self.status, self.value = status, value
        for each in self.ended:
            each(self)


class Scheduler:
    """A client of one whose workers run what they are told to, and say at once what they are."""

    def __init__(self, **threads: int) -> None:
        self.threads = threads
        self.memory_bytes = dict.fromkeys(threads, 8 * MIB)
        self.futures: list[Future] = []
        self.lost = False
        self.lost_as: Exception = OSError("closed")

    def nthreads(self) -> dict[str, int]:
        if self.lost:
            raise self.lost_as
        return dict(self.threads)

    def join(self, address: str, threads: int, memory_bytes: int = 8 * MIB) -> None:
        self.threads[address], self.memory_bytes[address] = threads, memory_bytes

    def submit(self, function: Callable[..., Any], call: bytes, *, workers: list[str], **_options: Any) -> Future:
        if self.lost:
            raise ClosedClientError
        assert function is pickle.loads, "a scheduler may have no other function"
        (address,) = workers
        future = Future(call, address)
        self.futures.append(future)
        if b"own_facts" in call:
            self.end(future)
        return future

    def cancel(self, futures: list[Future], *, force: bool) -> None:
        assert force
        for each in futures:
            each.end("cancelled")

    def end(self, future: Future) -> None:
        """It has run."""
        memory = SimpleNamespace(memory_limit=self.memory_bytes[future.address])
        state = SimpleNamespace(nthreads=self.threads[future.address])
        worker = SimpleNamespace(address=future.address, memory_manager=memory, state=state)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(distributed, "get_worker", lambda: worker)
            future.end("finished", pickle.loads(future.call))

    @property
    def running(self) -> list[Future]:
        return [each for each in self.futures if each.status == "pending"]

    @property
    def busy(self) -> list[str]:
        """The worker of each call that runs."""
        return sorted(each.address for each in self.running)


@pytest.fixture(autouse=True)
def always_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PRESENCE_S", 0.0)
    monkeypatch.setattr(module, "POLL_S", 0.001)


def cluster_of(scheduler: Scheduler) -> ConnectedCluster:
    found = ConnectedCluster(scheduler)  # type: ignore[arg-type]
    found.meet_all()
    return found


def submitted(cluster: ConnectedCluster, count: int) -> list[Task]:
    return [cluster.submit(pow, 2, number, key=str(number)) for number in range(count)]


def test_each_thread_has_one_task_and_gets_the_next_one_when_it_has_ended() -> None:
    scheduler = Scheduler(a=2, b=1)
    cluster = cluster_of(scheduler)
    assert (cluster.threads, cluster.memory_bytes) == (3, 4 * MIB)
    tasks = submitted(cluster, 5)
    assert scheduler.busy == ["a", "a", "b"]
    finished = cluster.finished(tasks, lambda: None)
    scheduler.end(next(each for each in scheduler.running if each.address == "b"))
    assert next(finished).worker == "b"
    assert scheduler.busy == ["a", "a", "b"]
    found = {each.task.key: each.value for each in cluster.finished(tasks[:2] + tasks[3:], lambda: end_one(scheduler))}
    assert found == {"0": 1, "1": 2, "3": 8, "4": 16}


def end_one(scheduler: Scheduler) -> None:
    """That runs on a worker which is there."""
    for future in [each for each in scheduler.running if each.address in scheduler.threads][:1]:
        scheduler.end(future)


def test_a_worker_that_joins_gets_tasks_that_wait() -> None:
    scheduler = Scheduler(a=1)
    cluster = cluster_of(scheduler)
    tasks = submitted(cluster, 4)

    def join() -> None:
        scheduler.join("b", 2, 16 * MIB)
        if scheduler.busy == ["a", "b", "b"]:
            for future in scheduler.running[1:]:
                scheduler.end(future)
        elif "b" in cluster._present:
            end_one(scheduler)

    found = [each.worker for each in cluster.finished(tasks, join)]
    assert sorted(map(str, found)) in (["a", "a", "b", "b"], ["a", "b", "b", "b"])
    assert (cluster.threads, [each.address for each in cluster.workers]) == (3, ["a", "b"])


def test_a_worker_that_joins_with_less_memory_is_named_and_gets_nothing() -> None:
    scheduler = Scheduler(a=1)
    named: list[RefusedWorker] = []
    cluster = cluster_of(scheduler)
    cluster.name_refused = named.append

    def join() -> None:
        scheduler.join("b", 1, 4 * MIB)
        if named:
            end_one(scheduler)

    assert {each.worker for each in cluster.finished(submitted(cluster, 3), join)} == {"a"}
    assert [each.why for each in named] == ["it joined with 4.00 MiB for a task, and others have 8.00 MiB"]
    assert cluster.refused == tuple(named)


def test_what_ran_on_a_lost_worker_is_an_outcome_and_what_waited_is_not() -> None:
    scheduler = Scheduler(a=1, b=1)
    cluster = cluster_of(scheduler)
    finished = cluster.finished(submitted(cluster, 4), lambda: None)
    doomed = next(each for each in scheduler.running if each.address == "a")
    del scheduler.threads["a"]
    lost = next(finished)
    assert (lost.unanswered, str(lost.error)) == (True, "its worker a was lost")
    assert doomed.status == "cancelled"
    assert scheduler.busy == ["b"]


def test_without_a_worker_tasks_wait_for_one_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = Scheduler(a=1)
    cluster = cluster_of(scheduler)
    tasks = submitted(cluster, 2)
    finished = cluster.finished(tasks, lambda: end_one(scheduler))
    del scheduler.threads["a"]
    assert next(finished).unanswered
    scheduler.join("b", 1)
    assert next(finished).worker == "b"

    del scheduler.threads["b"]
    late = submitted(cluster, 2)
    monkeypatch.setattr(module, "DESERTED_S", 0.0)
    reasons = {str(each.error) for each in cluster.finished(late, lambda: None)}
    assert reasons == {"its worker b was lost", "no worker is left that could run it"}


def test_a_task_is_not_sent_where_it_failed_unless_no_other_is_there() -> None:
    scheduler = Scheduler(a=1, b=1)
    cluster = cluster_of(scheduler)
    cluster.submit(pow, 2, 3, key="first", avoiding=("a",))
    waiting = cluster.submit(pow, 2, 4, key="second", avoiding=("a",))
    assert (scheduler.busy, waiting.worker) == (["b"], None)
    anywhere = cluster.submit(pow, 2, 5, key="third", avoiding=("a", "b"))
    assert (scheduler.busy, anywhere.worker) == (["a", "b"], "a")


def test_beside_a_pinned_task_there_is_no_other_until_it_has_ended() -> None:
    scheduler = Scheduler(one=1, two=1)
    cluster = cluster_of(scheduler)
    pinned = cluster.submit(pow, 2, 3, host=cluster.hosts[0], key="pinned")
    others = submitted(cluster, 2)
    assert scheduler.busy == ["one", "two"]
    scheduler.end(next(each for each in scheduler.running if each.address == pinned.pinned))
    finished = cluster.finished([pinned, *others], lambda: None)
    assert next(finished).task is pinned
    assert scheduler.busy == ["one", "two"]


def test_canceled_tasks_that_wait_are_outcomes_and_free_no_thread() -> None:
    scheduler = Scheduler(a=1)
    cluster = cluster_of(scheduler)
    tasks = submitted(cluster, 3)
    cluster.cancel(tasks[1:])
    assert scheduler.busy == ["a"]
    found = {each.task.key: each.unanswered for each in cluster.finished(tasks, lambda: end_one(scheduler))}
    assert found == {"0": False, "1": True, "2": True}
    assert cluster.submit(pow, 2, 3, key="next").worker == "a"


@pytest.mark.parametrize("lost_as", [OSError("closed"), ClosedClientError(), AttributeError("ncores")])
def test_a_lost_scheduler_answers_all(lost_as: Exception) -> None:
    scheduler = Scheduler(a=1)
    scheduler.lost_as = lost_as
    cluster = cluster_of(scheduler)
    tasks = submitted(cluster, 2)
    scheduler.lost = True
    late = cluster.submit(pow, 2, 3, key="late")
    found = list(cluster.finished([*tasks, late], lambda: None))
    assert [each.unanswered for each in found] == [True] * 3
    assert all("the scheduler was lost" in str(each.error) for each in found)
