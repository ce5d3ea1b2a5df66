"""Replays one partition in a fresh process, so that its memory is its own and its end ends nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import msgspec

from lowlat.child_process import end_child, ending, python_running
from lowlat.errors import ExitCode, NotValidError
from lowlat.fleet.partition_job import PartitionAnswer, PartitionJob, ReplayPlan
from lowlat.fleet.partitions import ReplayPartition
from lowlat.fleet.worker_environment import environment_of_host

_POLL_S = 0.5


def replay_partition(
    partition: ReplayPartition,
    plan: ReplayPlan,
    memory_bytes: int | None,
    canceled: Callable[[], bool] = lambda: False,
) -> PartitionAnswer:
    """Replay a partition and wait for it. Once `canceled` says so, its process is ended.

    Raises `NotValidError` with what its process said last, or how it ended.
    """
    job = PartitionJob(partition, plan, os.getpid(), memory_bytes)
    with subprocess.Popen(
        python_running("lowlat.fleet.partition_worker"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment_of_host(),
        start_new_session=True,  # Ctrl-C reaches only the process that waits here, which ends this one
    ) as process:
        try:
            out, err = _waited_for(process, msgspec.json.encode(job), canceled)
        except BaseException:
            end_child(process)
            raise
    said = err.decode(errors="replace").strip().splitlines()
    if process.returncode == 0 and out:
        return msgspec.json.decode(out, type=PartitionAnswer)
    defect = "internal error: " if process.returncode == ExitCode.INTERNAL else ""
    raise NotValidError(f"{defect}{said[-1]}" if said else f"its process {ending(process.returncode)}")


def _waited_for(process: subprocess.Popen[bytes], job: bytes, canceled: Callable[[], bool]) -> tuple[bytes, bytes]:
    given: bytes | None = job
    while True:
        try:
            return process.communicate(given, timeout=_POLL_S)
        except subprocess.TimeoutExpired:
            given = None  # communicate() keeps what it was given
            if canceled():
                raise NotValidError("it was canceled") from None
