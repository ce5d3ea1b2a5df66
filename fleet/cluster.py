"""Tasks on the workers of a Dask cluster, whose outcomes come one by one: one that fails does not stop the others.

A worker gets a task for each of its threads. The others wait here, so that workers that join later get some of them.

A pinned task runs on a host, and no other one of this client on its worker at the same time. Worker resources of Dask
would do the same, but have to be declared when a worker is started, so that clusters that exist could not be used; a
second client is kept out by the host's lock.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lowlat.errors import UsageError
from lowlat.fleet import task as tasks_of
from lowlat.fleet.connection import connected_client, first_line
from lowlat.fleet.place import ClusterPlace
from lowlat.fleet.task import Task, TaskOutcome, in_words, unanswered
from lowlat.fleet.worker_facts import (
    RefusedWorker,
    WorkerFacts,
    WorkerHost,
    facts_of,
    hosts_of,
    own_facts,
    too_small,
)

if TYPE_CHECKING:
    from distributed import Client

ANSWER_S: Final = 30.0
"""How long a worker may take to say what it is."""
POLL_S: Final = 0.1
PRESENCE_S: Final = 2.0
"""How often the scheduler is asked which workers it has."""
DESERTED_S: Final = 30.0
"""How long tasks wait for a worker once none is left: one that a nanny watches is started again."""
GATHER_S: Final = 60.0
"""How long a result that is there may take to arrive."""
_NAMED_MAX: Final = 3
_GONE: Final = "it was canceled, or the scheduler was lost"


@dataclass(eq=False, slots=True)
class ConnectedCluster:
    """The workers of a cluster, and tasks on them. Not for several threads."""

    client: Client
    name_refused: Callable[[RefusedWorker], None] = lambda _worker: None
    """Takes each worker that joins and takes no part."""
    workers: tuple[WorkerFacts, ...] = ()
    """Those that take part, in the order in which they answered; also those that were lost."""
    refused: tuple[RefusedWorker, ...] = ()
    threads: int = 0
    """How many tasks run at a time, or ran when there were most workers."""
    _met: set[str] = field(default_factory=set)
    """Addresses of workers that were asked what they are."""
    _asking: dict[Task, float] = field(default_factory=dict)
    """Those that have not answered, and when they were asked, in seconds since 1970."""
    _least_bytes: int | None = None
    """What a worker that joins later has to have for a task."""
    _ended: queue.SimpleQueue[Task] = field(default_factory=queue.SimpleQueue)
    _queued: dict[str, deque[Task]] = field(default_factory=dict)
    """By address of a worker: the pinned task that runs there, then those that wait for it."""
    _waiting: deque[Task] = field(default_factory=deque)
    """Tasks for any worker that have none yet."""
    _free: deque[str] = field(default_factory=deque)
    """For each thread without a task for any worker, the address of its worker."""
    _doubtful: list[str] = field(default_factory=list)
    """The same of workers that may be lost."""
    _present: set[str] = field(default_factory=set)
    """Addresses of the workers that take part and were there when the scheduler was last asked."""
    _present_threads: int = 0
    _present_at: float = 0.0

    @property
    def hosts(self) -> tuple[WorkerHost, ...]:
        """The workers by host."""
        return hosts_of(self.workers)

    @property
    def memory_bytes(self) -> int | None:
        """What a task may take on any worker; None: no limit is known."""
        return min((each.task_bytes for each in self.workers if each.task_bytes is not None), default=None)

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        host: WorkerHost | None = None,
        key: str,
        timeout_s: float | None = None,
        avoiding: Collection[str] = (),
    ) -> Task:
        """Have `function(*arguments)` called on a host, or on any worker that takes part.

        `timeout_s` counts from when it is sent. Where it is pinned, what it starts there is its own to end; see
        `lowlat.fleet.task.canceled`.
        """
        pinned = None if host is None else host.address
        task = Task(key, partial(tasks_of.answer, function, *arguments), pinned, timeout_s, avoiding)
        self._enter(task)
        return task

    def _enter(self, task: Task) -> None:
        if task.pinned is None:
            self._waiting.append(task)
            self._send_waiting()
            return
        row = self._queued.setdefault(task.pinned, deque())
        row.append(task)
        if len(row) == 1:
            self._send(task, task.pinned)

    def _send_waiting(self) -> None:
        """Give each free thread the first task that has not failed on its worker, if there are other workers. Beside a
        pinned task there is none, so that it does not share its fate.
        """
        unwanted: list[str] = []
        while self._free and self._waiting:
            address = self._free.popleft()
            wanted = (
                each for each in self._waiting if address not in each.avoiding or self._present <= {*each.avoiding}
            )
            if self._queued.get(address) or (task := next(wanted, None)) is None:
                unwanted.append(address)
                continue
            self._waiting.remove(task)
            self._send(task, address)
        self._free.extend(unwanted)

    def _send(self, task: Task, address: str) -> None:
        task.worker, task.sent_at = address, time.monotonic()
        unique, call = f"lowlat-{uuid.uuid4().hex}", tasks_of.pickled(task.call)
        try:
            task.future = self.client.submit(pickle.loads, call, key=unique, workers=[address], pure=False, retries=0)
        except _scheduler_lost():
            self._ended.put(task)
        else:
            task.future.add_done_callback(lambda _: self._ended.put(task))

    def finished(self, tasks: Iterable[Task], waiting: Callable[[], None]) -> Iterator[TaskOutcome]:
        """The outcomes of the tasks as they come. Calls `waiting` every `POLL_S` in between."""
        open_tasks = dict.fromkeys(tasks)
        looked_at = called_at = self._present_at = time.monotonic()
        while open_tasks:
            outcomes: list[TaskOutcome] = []
            with contextlib.suppress(queue.Empty):
                task = self._ended.get(timeout=POLL_S)
                if task in open_tasks or task in self._asking:
                    outcomes.append(self._outcome(task))
            if time.monotonic() - called_at >= POLL_S:  # also where tasks end more often
                waiting()
                called_at = time.monotonic()
            if time.monotonic() - looked_at >= PRESENCE_S:
                gone = self._looked_after([*open_tasks, *self._asking.keys() - open_tasks.keys()])
                looked_at = time.monotonic()
                for task, why in gone.items():
                    self.cancel([task])
                    outcomes.append(unanswered(task, why))
            for outcome in outcomes:
                open_tasks.pop(outcome.task, None)
                if outcome.task in self._asking:
                    self._meet(outcome)
                else:
                    yield outcome

    def cancel(self, tasks: Iterable[Task]) -> None:
        """Stop what is not finished. A function that runs sees it by `lowlat.fleet.task.canceled` on its worker."""
        stopped = dict.fromkeys(tasks)
        sent = [task.future for task in stopped if task.future is not None]
        self._waiting = deque(task for task in self._waiting if task not in stopped)
        for task in sorted(stopped, key=lambda each: each.worker is not None):  # else one that waits would be sent
            if task.future is None:
                self._ended.put(task)
            self._leave(task)
        if sent:
            with contextlib.suppress(*_scheduler_lost()):  # nobody is there to be told
                self.client.cancel(sent, force=True)

    def _outcome(self, task: Task) -> TaskOutcome:
        future, task.future = task.future, None
        if future is None:  # it was not sent
            self._leave(task, lost=True)
            return unanswered(task, _GONE)
        finished = future.status == "finished"
        try:
            if future.cancelled():
                found = unanswered(task, _GONE)
            elif finished:
                worker, value = future.result(timeout=GATHER_S)
                found = TaskOutcome(task, value, None, worker)
            else:
                found = tasks_of.failed(task, future.exception(timeout=GATHER_S))
        except Exception as error:  # noqa: BLE001 (what a worker sends may raise anything when it is loaded)
            found = unanswered(task, f"its result did not arrive: {first_line(tasks_of.named(error))}")
        finally:
            future.release()
        self._leave(task, lost=found.unanswered)
        return found

    def _leave(self, task: Task, *, lost: bool = False) -> None:
        """A task has ended: its worker gets the next one, unless it may be `lost` itself."""
        if task.pinned is not None:
            row = self._queued.get(task.pinned, deque())
            first = bool(row) and row[0] is task
            with contextlib.suppress(ValueError):  # it left before
                row.remove(task)
            if first and row:
                self._send(row[0], task.pinned)
            self._send_waiting()
        elif task.worker is not None:
            (self._doubtful if lost or task.worker not in self._present else self._free).append(task.worker)
            task.worker = None
            self._send_waiting()

    def _looked_after(self, open_tasks: Iterable[Task]) -> dict[Task, str]:
        """Ask workers that have joined what they are, and find tasks whose worker is gone, or whose time is up, and
        why: Dask would wait for both.
        """
        try:
            there = self.client.nthreads().keys()
        except _scheduler_lost():
            return dict.fromkeys(open_tasks, "the scheduler was lost")
        now = time.monotonic()
        self._ask(there - self._met)
        present = [worker for worker in self.workers if worker.address in there]
        self._present = {worker.address for worker in present}
        self._present_threads = sum(worker.threads for worker in present)
        self._present_at = now if self._present else self._present_at
        self._free = deque(each for each in (*self._free, *self._doubtful) if each in there)
        self._doubtful.clear()
        self._send_waiting()
        return {task: why for task in open_tasks if (why := self._why_gone(task, there, now))}

    def _why_gone(self, task: Task, there: Collection[str], now: float) -> str:
        """Empty if it is not."""
        where = task.pinned or task.worker
        if where is not None and where not in there:
            return f"its worker {where} was lost"
        if task.worker is None:  # it waits
            deserted = where is None and now - self._present_at > DESERTED_S
            return "no worker is left that could run it" if deserted else ""
        late = task.timeout_s is not None and now - task.sent_at > task.timeout_s
        return f"it did not answer within {task.timeout_s:g} s" if late else ""

    def meet_all(self) -> None:
        """Ask each worker that is there what it is, and wait for the answers."""
        for _ in self.finished(self._ask(self.client.nthreads().keys()), lambda: None):
            raise AssertionError("only answers, which are taken")
        self._least_bytes = self.memory_bytes

    def _ask(self, addresses: Collection[str]) -> list[Task]:
        asked = [Task(each, partial(tasks_of.answer, own_facts), each, ANSWER_S) for each in sorted(addresses)]
        for task in asked:
            self._met.add(task.key)
            self._asking[task] = time.time()
            self._enter(task)
        return asked

    def _meet(self, outcome: TaskOutcome) -> None:
        """A worker has answered, or has not: it takes part, or is named."""
        told = _told(outcome, self._asking.pop(outcome.task))
        if isinstance(told, WorkerFacts) and self._least_bytes is not None:
            told = too_small(told, self._least_bytes) or told
        if isinstance(told, RefusedWorker):
            self.refused = (*self.refused, told)
            self.name_refused(told)
            return
        self.workers = (*self.workers, told)
        self._present.add(told.address)
        self._present_threads += told.threads
        self.threads = max(self.threads, self._present_threads)
        self._free.extend([told.address] * told.threads)
        self._send_waiting()


@contextmanager
def connected(
    place: ClusterPlace, name_refused: Callable[[RefusedWorker], None] = lambda _worker: None
) -> Iterator[ConnectedCluster]:
    """The cluster, for a `with` block: its client is closed on any exit, and a cluster that was started for it ends.

    `name_refused` takes each worker that takes no part, also one that joins later. Raises `UsageError` if Dask is not
    installed, the cluster cannot be reached, or no worker of it may take part.
    """
    with connected_client(place) as (client, unreached):
        cluster = ConnectedCluster(client, refused=unreached)
        cluster.meet_all()
        if not cluster.workers:
            names = [f"{each.host_name} ({each.why})" for each in cluster.refused]
            more = [f"and {len(names) - _NAMED_MAX:,} more"] if len(names) > _NAMED_MAX else []
            raise UsageError(
                f"no worker of {place} can take part: {'; '.join([*names[:_NAMED_MAX], *more])}"
                if names
                else f"{place} has no workers; start some: dask worker {place.scheduler or ''}".rstrip()
            )
        for refused in cluster.refused:
            name_refused(refused)
        cluster.name_refused = name_refused
        yield cluster


def _scheduler_lost() -> tuple[type[Exception], ...]:
    """What Dask raises once the connection to the scheduler is lost; an `AttributeError` if the client has closed."""
    from distributed.client import ClosedClientError

    return (OSError, TimeoutError, RuntimeError, AttributeError, ClosedClientError)


def _told(outcome: TaskOutcome, asked_at: float) -> WorkerFacts | RefusedWorker:
    address = outcome.task.key
    if outcome.error is None:
        return facts_of(address, outcome.value, asked_at, time.time())
    if isinstance(outcome.error, ImportError):
        return RefusedWorker(address, address, f"it has no such lowlat ({outcome.error}): install the same on both")
    return RefusedWorker(address, address, first_line(in_words(outcome.error)))
