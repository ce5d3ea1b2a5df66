"""One call on a worker of a cluster: how it is sent, and how it ended, in our words."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from lowlat.errors import ExitCode, LowlatError, RunFailedError
from lowlat.fleet.connection import first_line
from lowlat.refusals import refusal

if TYPE_CHECKING:
    from distributed import Future


@dataclass(eq=False, slots=True)
class Task:
    """One call on a worker. `pinned`: the address of the only one that it may run on, if any."""

    key: str
    call: partial[Any]
    pinned: str | None
    timeout_s: float | None
    avoiding: Collection[str] = ()
    """Addresses of workers where it failed before; one of them takes it if no other is left."""
    worker: str | None = None
    """The address that it was sent to; None while it waits for a worker, or for those before it on its host."""
    future: Future[Any] | None = None
    sent_at: float = 0.0


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


class _Call:
    """Its pickle calls the function where it is loaded."""

    def __init__(self, call: partial[Any]) -> None:
        self._call = call

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call.func, self._call.args


def pickled(call: partial[Any]) -> bytes:
    """A call, which `pickle.loads` makes. A scheduler unpickles what it is sent, and may have neither lowlat nor numpy:
    it gets bytes, and a function of the standard library.
    """
    from distributed.protocol.pickle import dumps

    data: bytes = dumps(_Call(call))
    return data


def answer(function: Callable[..., Any], *arguments: Any) -> tuple[str, Any]:
    """Runs on a worker: the address of the worker, and the value."""
    from distributed import get_worker

    return get_worker().address, function(*arguments)


def canceled() -> bool:
    """Whether the task that this thread of a worker runs has been canceled, or its client has gone: it should end."""
    from distributed import get_worker

    worker = get_worker()
    state = worker.state.tasks.get(worker.get_current_task())
    return state is None or state.state != "executing"


def failed(task: Task, error: BaseException) -> TaskOutcome:
    """The outcome of a task that ended without a result: what its function raised, or in our words what Dask says."""
    from distributed import CancelledError, KilledWorker

    if isinstance(error, KilledWorker):
        return unanswered(task, f"its worker {error.last_worker.address} was lost")
    if isinstance(error, CancelledError) or not isinstance(error, Exception):
        return unanswered(task, first_line(named(error)))
    return TaskOutcome(task, None, error, task.worker)


def unanswered(task: Task, why: str) -> TaskOutcome:
    """The outcome of a task whose function neither returned nor raised."""
    return TaskOutcome(task, None, RunFailedError(why, ExitCode.NOT_VALID), task.worker, unanswered=True)


def in_words(error: BaseException) -> str:
    """What an error says. The class of a defect comes first: it does not read as the failure of a worker."""
    if isinstance(error, LowlatError):
        return str(error)
    return refusal(error) or named(error)


def named(error: BaseException) -> str:
    """An error with its class."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")
