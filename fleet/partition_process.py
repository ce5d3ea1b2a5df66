"""Replays one partition in a process of its own, so that its memory is its own and its end ends nothing else."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import subprocess
import time
from collections.abc import Callable
from subprocess import Popen
from typing import Final

import msgspec

from lowlat.child_process import end_child, python_running
from lowlat.errors import NotValidError
from lowlat.fleet.partition_job import IDLE_S, PartitionAnswer, PartitionFailure, PartitionJob, ReplayPlan, why_ended
from lowlat.fleet.partitions import ReplayPartition
from lowlat.fleet.worker_environment import environment_of_host

_POLL_MS: Final = 500
_PIECE_BYTES: Final = 1 << 16
_USED_WITHIN_S: Final = IDLE_S / 2
"""A starter that waited longer might end just now; another is started instead."""
_IDLE: Final[list[tuple[float, Popen[bytes]]]] = []
"""Since when they have had nothing to do. A process has as many as it replayed partitions at once."""


def replay_partition(
    partition: ReplayPartition,
    plan: ReplayPlan,
    memory_bytes: int | None,
    canceled: Callable[[], bool] = lambda: False,
) -> PartitionAnswer:
    """Replay a partition and wait for it. Once `canceled` says so, its process is ended.

    Raises `NotValidError` with what its process said last, or how it ended.
    """
    line = msgspec.json.encode(PartitionJob(partition, plan, memory_bytes)) + b"\n"
    starter = _idle_starter() or _new_starter()
    try:
        answer = _answer_of(starter, line, canceled)
    except BaseException:
        _end(starter)
        raise
    _IDLE.append((time.monotonic(), starter))
    if isinstance(answer, PartitionFailure):
        raise NotValidError(answer.why)
    return answer


def _idle_starter() -> Popen[bytes] | None:
    """One that has nothing to do; None if there is none."""
    with contextlib.suppress(IndexError):
        while True:
            since, starter = _IDLE.pop()
            if starter.poll() is None and time.monotonic() - since < _USED_WITHIN_S:
                return starter
            _end(starter)
    return None


def _new_starter() -> Popen[bytes]:
    return subprocess.Popen(
        python_running("lowlat.fleet.partition_starter"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment_of_host(),
        start_new_session=True,  # Ctrl-C reaches only the process that waits here, which ends this one
    )


def _end(starter: Popen[bytes]) -> None:
    """End it, and the process of a partition with it."""
    with contextlib.suppress(BrokenPipeError), starter:  # it may not have read its job
        end_child(starter)


@atexit.register
def _end_idle() -> None:
    while (starter := _idle_starter()) is not None:
        _end(starter)


def _answer_of(starter: Popen[bytes], job: bytes, canceled: Callable[[], bool]) -> PartitionAnswer | PartitionFailure:
    assert starter.stdin is not None and starter.stdout is not None, "it has pipes"
    try:
        starter.stdin.write(job)
        starter.stdin.flush()
    except BrokenPipeError:
        raise _ended(starter) from None
    events = select.poll()
    events.register(starter.stdout, select.POLLIN)
    answer = bytearray()
    while not answer.endswith(b"\n"):
        if not events.poll(_POLL_MS):
            if canceled():
                raise NotValidError("it was canceled")
            continue
        piece = os.read(starter.stdout.fileno(), _PIECE_BYTES)
        if not piece:
            raise _ended(starter)
        answer += piece
    return msgspec.json.decode(answer, type=PartitionAnswer | PartitionFailure)


def _ended(starter: Popen[bytes]) -> NotValidError:
    """Why it ended before it answered."""
    assert starter.stderr is not None, "it has pipes"
    return NotValidError(why_ended(starter.wait(), starter.stderr.read()))
