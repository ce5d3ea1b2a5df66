"""Tasks on the workers of a Dask cluster, whose outcomes come one by one: one that fails does not stop the others.

A pinned task runs on a host, and no second one of this client there at the same time. Worker resources of Dask would do
the same, but have to be declared when a worker is started, so that clusters that exist could not be used; a second
client is kept out by the host's lock.
"""

from __future__ import annotations

import contextlib
import queue
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lowlat.errors import ExitCode, LowlatError, RunFailedError, UsageError
from lowlat.fleet.connection import connected_client, first_line
from lowlat.fleet.place import ClusterPlace
from lowlat.fleet.worker_facts import RefusedWorker, WorkerFacts, WorkerHost, facts_of, hosts_of, own_facts
from lowlat.refusals import refusal

if TYPE_CHECKING:
    from distributed import Client, Future

ANSWER_S: Final = 30.0
"""How long a worker may take to say what it is."""
POLL_S: Final = 0.1
PRESENCE_S: Final = 2.0
"""How often the scheduler is asked which workers it still has."""
GATHER_S: Final = 60.0
"""How long a result that is there may take to arrive."""


@dataclass(eq=False, slots=True)
class Task:
    """One call on a worker. `worker` is the address that it is pinned to, if any."""

    key: str
    call: Callable[[], Any]
    worker: str | None
    timeout_s: float | None
    future: Future[Any] | None = None
    """None until it is sent: a pinned task waits for the one before it on its host."""
    sent_at: float = 0.0
    avoiding: Collection[str] = ()
    """Addresses of workers where it failed before; one of them takes it if no other is left."""
    among: Sequence[str] = ()
    """Addresses of the workers of which one takes it, once it is sent."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """How a task ended: its value, or why it has none. `worker` is the address of the one it ran on, if known."""

    task: Task
    value: Any
    error: Exception | None
    """What its function raised. If `unanswered`, a `RunFailedError`."""
    worker: str | None
    unanswered: bool = False
    """Whether its function neither returned nor raised: its worker was lost, its time was up, or it was canceled."""


@dataclass(eq=False, slots=True)
class ConnectedCluster:
    """The workers of a cluster, and tasks on them. Not for several threads."""

    client: Client
    workers: tuple[WorkerFacts, ...]
    refused: tuple[RefusedWorker, ...]
    _ended: queue.SimpleQueue[Task] = field(default_factory=queue.SimpleQueue)
    _queued: dict[str, deque[Task]] = field(default_factory=dict)
    """By address of a worker: the task that runs there, then those that wait for it."""

    @property
    def hosts(self) -> tuple[WorkerHost, ...]:
        """The workers by host."""
        return hosts_of(self.workers)

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
        `canceled`.
        """
        address = None if host is None else host.address
        task = Task(key, partial(_answer, function, *arguments), address, timeout_s, avoiding=avoiding)
        self.enter(task)
        return task

    def enter(self, task: Task) -> None:
        """Send a task, or let it wait for those before it on its worker."""
        if task.worker is not None:
            row = self._queued.setdefault(task.worker, deque())
            row.append(task)
            if len(row) > 1:
                return
        self._send(task)

    def _send(self, task: Task) -> None:
        task.among = self._among(task)
        # Dask puts results in place of arguments that are equal to a key; no argument is equal to this one.
        unique = f"lowlat-{uuid.uuid4().hex}"
        task.sent_at = time.monotonic()
        try:
            task.future = self.client.submit(task.call, key=unique, workers=task.among, pure=False, retries=0)
        except _closed() as error:
            raise RunFailedError("the scheduler was lost", ExitCode.NOT_VALID) from error
        task.future.add_done_callback(lambda _: self._ended.put(task))

    def _among(self, task: Task) -> list[str]:
        """Where a task may run."""
        if task.worker is not None:
            return [task.worker]
        known = [worker.address for worker in self.workers]
        if not task.avoiding:
            return known
        try:
            present = self.client.nthreads()
        except (OSError, TimeoutError, RuntimeError):  # the scheduler is lost, which the outcome will say
            return known
        return [each for each in known if each in present and each not in task.avoiding] or known

    def finished(self, tasks: Iterable[Task], waiting: Callable[[], None]) -> Iterator[TaskOutcome]:
        """The outcomes of the tasks as they come. Calls `waiting` every `POLL_S` in between."""
        open_tasks = dict.fromkeys(tasks)
        asked_at = time.monotonic()
        while open_tasks:
            try:
                task = self._ended.get(timeout=POLL_S)
            except queue.Empty:
                waiting()
            else:
                if task in open_tasks:
                    del open_tasks[task]
                    yield self._outcome(task)
            if time.monotonic() - asked_at >= PRESENCE_S:
                gone = self._given_up(open_tasks)
                asked_at = time.monotonic()
                for task, why in gone.items():
                    del open_tasks[task]
                    self.cancel([task])
                    yield _unanswered(task, why)

    def cancel(self, tasks: Iterable[Task]) -> None:
        """Stop what is not finished. A function that runs sees it by `canceled` on its worker."""
        sent = []
        for task in tasks:
            if task.future is not None:
                sent.append(task.future)
            self._leave(task)
        if sent:
            with contextlib.suppress(OSError, TimeoutError, RuntimeError, _closed()):  # nobody is there to be told
                self.client.cancel(sent, force=True)

    def _outcome(self, task: Task) -> TaskOutcome:
        assert task.future is not None, "it ended, so it was sent"
        self._leave(task)
        future, task.future = task.future, None
        finished = future.status == "finished"
        try:
            if future.cancelled():
                return _unanswered(task, "it was canceled, or the scheduler was lost")
            arrived = future.result(timeout=GATHER_S) if finished else future.exception(timeout=GATHER_S)
        except Exception as error:  # noqa: BLE001 (what a worker sends may raise anything when it is loaded)
            return _unanswered(task, f"its result did not arrive: {first_line(_named(error))}")
        finally:
            future.release()
        if not finished:
            return _failed(task, arrived)
        worker, value = arrived
        return TaskOutcome(task, value, None, worker)

    def _leave(self, task: Task) -> None:
        """Take a task out of the row of its host, and send the next one if it was the first."""
        row = self._queued.get(task.worker or "")
        if row is None or task not in row:
            return
        first = row[0] is task
        row.remove(task)
        if first and row:
            self._send(row[0])

    def _given_up(self, open_tasks: Iterable[Task]) -> dict[Task, str]:
        """Tasks whose worker is gone, or whose time is up: Dask would wait for both."""
        try:
            present = self.client.nthreads()
        except (OSError, TimeoutError, RuntimeError):
            return dict.fromkeys(open_tasks, "the scheduler was lost")
        now, found = time.monotonic(), {}
        for task in open_tasks:
            if task.worker is not None and task.worker not in present:
                found[task] = f"its worker {task.worker} was lost"
            elif task.future is None:
                continue  # it waits for those before it
            elif present.keys().isdisjoint(task.among):
                found[task] = "no worker is left that could run it"
            elif task.timeout_s is not None and now - task.sent_at > task.timeout_s:
                found[task] = f"it did not answer within {task.timeout_s:g} s"
        return found


@contextmanager
def connected(place: ClusterPlace) -> Iterator[ConnectedCluster]:
    """The cluster, for a `with` block: its client is closed on any exit, and a cluster that was started for it ends.

    Raises `UsageError` if Dask is not installed, the cluster cannot be reached, or no worker of it may take part.
    """
    with connected_client(place) as (client, unreached):
        workers, refused = _asked(client)
        refused = (*unreached, *refused)
        if not workers:
            names = [f"{each.host_name} ({each.why})" for each in refused]
            raise UsageError(
                f"no worker of {place} can take part: {'; '.join(names[:3])}"
                if refused
                else f"{place} has no workers; start some: dask worker {place.scheduler or ''}".rstrip()
            )
        yield ConnectedCluster(client, workers, refused)


def _closed() -> type[Exception]:
    """What Dask raises once the connection to the scheduler is lost."""
    from distributed.client import ClosedClientError

    found: type[Exception] = ClosedClientError
    return found


def canceled() -> bool:
    """Whether the task that this thread of a worker runs has been canceled, or its client has gone: it should end."""
    from distributed import get_worker

    worker = get_worker()
    state = worker.state.tasks.get(worker.get_current_task())
    return state is None or state.state != "executing"


def _asked(client: Client) -> tuple[tuple[WorkerFacts, ...], tuple[RefusedWorker, ...]]:
    """Ask each worker what it is."""
    asking = ConnectedCluster(client, (), ())
    asked_at = time.time()
    tasks = [Task(address, partial(_answer, own_facts), address, ANSWER_S) for address in sorted(client.nthreads())]
    for task in tasks:
        asking.enter(task)
    told = [_told(outcome, asked_at) for outcome in asking.finished(tasks, lambda: None)]
    facts = tuple(each for each in told if isinstance(each, WorkerFacts))
    return facts, tuple(each for each in told if isinstance(each, RefusedWorker))


def _told(outcome: TaskOutcome, asked_at: float) -> WorkerFacts | RefusedWorker:
    address = outcome.task.key
    if outcome.error is None:
        return facts_of(address, outcome.value, asked_at, time.time())
    if isinstance(outcome.error, ImportError):
        return RefusedWorker(address, address, f"it has no such lowlat ({outcome.error}): install the same on both")
    return RefusedWorker(address, address, first_line(in_words(outcome.error)))


def _answer(function: Callable[..., Any], *arguments: Any) -> tuple[str, Any]:
    """Runs on a worker: the address of the worker, and the value."""
    from distributed import get_worker

    return get_worker().address, function(*arguments)


def _failed(task: Task, error: BaseException) -> TaskOutcome:
    """The outcome of a task that ended without a result: what its function raised, or in our words what Dask says."""
    from distributed import CancelledError, KilledWorker

    if isinstance(error, KilledWorker):
        return _unanswered(task, f"its worker {error.last_worker.address} was lost")
    if isinstance(error, CancelledError) or not isinstance(error, Exception):
        return _unanswered(task, first_line(_named(error)))
    return TaskOutcome(task, None, error, task.worker)


def _unanswered(task: Task, why: str) -> TaskOutcome:
    return TaskOutcome(task, None, RunFailedError(why, ExitCode.NOT_VALID), task.worker, unanswered=True)


def in_words(error: BaseException) -> str:
    """What an error says. The class of a defect comes first: it does not read as the failure of a worker."""
    if isinstance(error, LowlatError):
        return str(error)
    return refusal(error) or _named(error)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")
