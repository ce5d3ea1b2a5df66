"""What a worker says of itself, and which workers may take part: those of this lowlat, numpy and Python."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from lowlat import units
from lowlat.text import printable

HOST_CHARS_MAX: Final = 253
BOOT_ID: Final = "proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """A worker that takes part. `memory_limit_bytes` is None where its memory is not limited."""

    address: str
    host_name: str
    boot_id: str
    cpus: int
    memory_limit_bytes: int | None
    versions: Mapping[str, str]
    """Of lowlat with its commit, numpy and Python."""
    clock_ahead_s: float = 0.0
    """By how many seconds at least its clock is ahead of the client's, negative if behind; 0 if no difference is seen.
    The time that its answer took hides smaller ones."""
    threads: int = 1

    @property
    def task_bytes(self) -> int | None:
        """What one of as many tasks as it has threads may take."""
        return None if self.memory_limit_bytes is None else self.memory_limit_bytes // self.threads


@dataclass(frozen=True, slots=True)
class WorkerHost:
    """A host, and its workers by address. Two hosts of one name differ in their boot id."""

    name: str
    boot_id: str
    workers: tuple[WorkerFacts, ...]

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from all others: its own name, without a number, and its boot id."""
        return self.workers[0].host_name, self.boot_id

    @property
    def address(self) -> str:
        """The worker that runs what is to run on this host."""
        return self.workers[0].address


@dataclass(frozen=True, slots=True)
class RefusedWorker:
    """A worker that takes no part, and why. `host_name`: what else it is called by if it did not tell its name."""

    address: str
    host_name: str
    why: str
    reached: bool = True
    """Whether it is one at all: SSH may have started none on its host."""


def host_name() -> str:
    """The name of this host."""
    return socket.gethostname()


@cache
def versions() -> dict[str, str]:
    """What a worker must have in common with the client: versions of lowlat with its commit, of numpy, of Python."""
    from importlib.metadata import version

    from lowlat.engine import _core

    commit = _core.build_facts()["git"]
    ours = version("lowlat")
    return {
        "lowlat": f"{ours} ({commit})" if commit else ours,
        "numpy": version("numpy"),
        "Python": platform.python_version(),
    }


def own_facts() -> dict[str, Any]:
    """Runs on a worker: the facts that only it knows, as plain data, which any other version can read."""
    import time

    from distributed import get_worker

    from lowlat.probes.host.host_tree import LIVE

    return {
        "host_name": host_name(),
        "boot_id": (LIVE.text(BOOT_ID) or "").strip(),
        "cpus": len(os.sched_getaffinity(0)),
        "threads": get_worker().state.nthreads,
        "memory_limit_bytes": get_worker().memory_manager.memory_limit,
        "versions": versions(),
        "time": time.time(),
    }


def facts_of(address: str, told: Mapping[str, Any], asked_at: float, answered_at: float) -> WorkerFacts | RefusedWorker:
    """The worker that told this of itself, unless its versions differ from ours. Times are seconds since 1970."""
    ours, theirs = versions(), told.get("versions")
    name = printable(str(told.get("host_name")))[:HOST_CHARS_MAX]
    if theirs != ours:
        return RefusedWorker(address, name, _difference(ours, theirs if isinstance(theirs, Mapping) else {}))
    return WorkerFacts(
        address=address,
        host_name=name,
        boot_id=told["boot_id"],
        cpus=told["cpus"],
        memory_limit_bytes=told["memory_limit_bytes"],
        versions=ours,
        clock_ahead_s=_beyond(told["time"], asked_at, answered_at),
        threads=told["threads"],
    )


def too_small(worker: WorkerFacts, least_bytes: int) -> RefusedWorker | None:
    """A worker that joins later, if tasks may take more memory there than it has for one."""
    if worker.task_bytes is None or worker.task_bytes >= least_bytes:
        return None
    why = f"it joined with {units.size(worker.task_bytes)} for a task, and others have {units.size(least_bytes)}"
    return RefusedWorker(worker.address, worker.host_name, why)


def _beyond(time: float, first: float, last: float) -> float:
    """How far a time is outside of an interval."""
    return time - max(first, min(time, last))


def _difference(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    other = [f"{name} {theirs.get(name, 'of an unknown version')}" for name in ours if theirs.get(name) != ours[name]]
    here = [f"{name} {ours[name]}" for name in ours if theirs.get(name) != ours[name]]
    return f"it has {', '.join(other)}; here is {', '.join(here)}: install the same on both"


def hosts_of(workers: Iterable[WorkerFacts]) -> tuple[WorkerHost, ...]:
    """The hosts of workers, by name. A name that several hosts have gets a number, as in `node#2`, in their order of
    boot id.
    """
    found: dict[tuple[str, str], list[WorkerFacts]] = {}
    for worker in sorted(workers, key=lambda each: each.address):
        found.setdefault((worker.host_name, worker.boot_id), []).append(worker)
    hosts: list[WorkerHost] = []
    namesakes: dict[str, int] = {}
    for (name, boot_id), own in sorted(found.items()):
        number = namesakes[name] = namesakes.get(name, 0) + 1
        hosts.append(WorkerHost(name if number == 1 else f"{name}#{number}", boot_id, tuple(own)))
    return tuple(hosts)
