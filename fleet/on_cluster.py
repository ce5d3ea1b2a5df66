"""The workers of a cluster, as calls that may fail see them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lowlat.errors import ExitCode, LowlatError, RunFailedError
from lowlat.fleet.attempts import ATTEMPTS_MAX, Answered, FailedCall, answered, attempted
from lowlat.fleet.cluster import ConnectedCluster
from lowlat.fleet.task import Task, canceled, in_words


@dataclass(eq=False, slots=True)
class ClusterWorkers:
    """Calls on the workers of a cluster, as many at once on each as it has threads."""

    connected: ConnectedCluster
    attempts_max: int = ATTEMPTS_MAX
    _open: dict[Task, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many calls run at a time."""
        return self.connected.threads

    @property
    def memory_bytes(self) -> int | None:
        """A worker's memory limit, divided among its threads; the least there is."""
        return self.connected.memory_bytes

    def name_of(self, worker: str) -> str:
        """As `Workers.name_of`: its host, since the address of one that SSH leads to says nothing, and its address."""
        hosts = (each.host_name for each in self.connected.workers if each.address == worker)
        return ", ".join([*hosts, worker])

    @property
    def canceled(self) -> Callable[[], bool]:
        """As `Workers.canceled`, for the thread of a worker that runs the call."""
        return canceled

    def outcomes(
        self,
        function: Callable[..., Any],
        calls: Mapping[int, tuple[Any, ...]],
        avoided: Mapping[int, Sequence[str]],
        waiting: Callable[[], None],
    ) -> Iterator[Answered]:
        """As `Workers.outcomes`. A worker is not avoided if no other is left."""
        tasks: dict[Task, int] = {}
        for number, arguments in calls.items():
            apart = avoided.get(number, ())
            tasks[self.connected.submit(_attempted, function, *arguments, key=str(number), avoiding=apart)] = number
        self._open = dict(tasks)
        for ended in self.connected.finished(tasks, waiting):
            del self._open[ended.task]
            if ended.error is None:
                yield answered(tasks[ended.task], ended.value, ended.worker)
            else:  # of the worker, or of Dask: what the call raised is a value
                yield Answered(tasks[ended.task], 1, None, _of_cluster(ended.error), ended.worker)

    def cancel(self, above: int = -1) -> None:
        """As `Workers.cancel`."""
        self.connected.cancel([task for task, number in self._open.items() if number > above])


def _attempted(function: Callable[..., Any], *arguments: Any) -> Any:
    """Runs on a worker, whose traceback goes along with what is raised."""
    value = attempted(function, *arguments)
    if isinstance(value, FailedCall):
        value.error.add_note("".join(traceback.format_exception(value.error)))
    return value


def _of_cluster(error: Exception) -> LowlatError:
    return error if isinstance(error, LowlatError) else RunFailedError(in_words(error), ExitCode.NOT_VALID)
