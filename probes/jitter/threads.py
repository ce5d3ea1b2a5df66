"""Runs a native loop on a thread for each CPU, all at once, until they end or Ctrl-C stops them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from lowlat.probes import _core
from lowlat.probes.cpu.affinity import affinity_of, allowed_cpus, pin
from lowlat.probes.errors import AffinityError

_LOOK_S: Final = 0.5
"""How often the waiting thread wakes up, which it does on a watched CPU if all are watched."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Watching:
    """How long the loops run, their real-time priority, and who is told meanwhile how much is done."""

    duration_s: float
    fifo: int | None
    waiting: Callable[[float], None]


@dataclass(slots=True)
class _Outcome(Generic[Found]):
    found: list[tuple[int, Found]] = field(default_factory=list)
    refused: bool = False
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released once by each thread. A join that Ctrl-C interrupts takes its thread for ended in Python 3.11."""


def on_each_cpu(
    cpus: Sequence[int], loop: Callable[[int, _core.StopFlag], Found], watching: Watching
) -> tuple[list[tuple[int, Found]], bool]:
    """What `loop(cpu, stop)` returned for each CPU, and whether Ctrl-C stopped it.

    The waiting thread moves to a CPU that is not watched, if there is one. Raises `AffinityError` if the kernel refuses
    the priority.
    """
    stop = _core.StopFlag()
    outcome = _Outcome[Found]()

    def run(cpu: int) -> None:
        try:
            if watching.fifo is not None:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(watching.fifo))
            outcome.found.append((cpu, loop(cpu, stop)))
        except PermissionError:
            outcome.refused = True
            stop.set()
        finally:
            outcome.ended.release()

    threads = [threading.Thread(target=run, args=(cpu,), name=f"lowlat-jitter-{cpu}", daemon=True) for cpu in cpus]
    before = affinity_of()
    others = tuple(cpu for cpu in allowed_cpus() if cpu not in cpus)
    try:
        for thread in threads:
            thread.start()
        if others:
            pin(others)
        stopped = _wait(len(threads), outcome.ended, watching)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        os.sched_setaffinity(0, before)
    if outcome.refused:
        raise AffinityError(
            f"the kernel refuses real-time priority {watching.fifo}: run as root, with CAP_SYS_NICE, or raise "
            "RLIMIT_RTPRIO (ulimit -r); or leave out --fifo"
        )
    return sorted(outcome.found, key=lambda pair: pair[0]), stopped


def _wait(threads: int, ended: threading.Semaphore, watching: Watching) -> bool:
    """Wait until all threads have ended; True if Ctrl-C came first."""
    began = time.monotonic()
    try:
        while threads:
            if ended.acquire(timeout=_LOOK_S):
                threads -= 1
            watching.waiting(min((time.monotonic() - began) / watching.duration_s, 1.0))
    except KeyboardInterrupt:
        return True
    return False
