"""What a worker does for a fleet: run a verb once in a fresh process, alone on its host, and give back what it printed.

A worker looks several times a second whether its task was canceled, or its client has gone. The process then ends, as
it does when the worker dies.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, TypeAlias

from lowlat import units
from lowlat.child_process import ending, python_running
from lowlat.engine.bench.subprocess_run import end
from lowlat.errors import UsageError
from lowlat.fleet.host_facts import differing_facts
from lowlat.fleet.task import canceled
from lowlat.fleet.worker_environment import environment_of_host
from lowlat.host_lock import measuring_alone
from lowlat.limits import REPORT_BYTES_MAX
from lowlat.refusals import refusal

LOOK_S: Final = 0.1
LOCK_LOOK_S: Final = 1.0
_LAST_WORDS: Final = 4096
_SETTING: Final = "LOWLAT_"

Ending: TypeAlias = Literal["ended", "busy", "timed out", "canceled", "not started"]


@dataclass(frozen=True, slots=True)
class HostTask:
    """What to run: a verb of lowlat with its options, and within which time."""

    verb: str
    options: tuple[str, ...]
    time_limit_s: float
    wait_s: float = 0.0
    """For another measurement on the host to end."""
    locked: bool = True
    """Whether the host's lock is held meanwhile."""


class _Ended(Exception):  # noqa: N818 (an ending, not an error)
    def __init__(self, how: Ending, why: str) -> None:
        super().__init__(why)
        self.how = how


def run_on_host(task: HostTask) -> dict[str, Any]:
    """Runs on a worker. Plain data: `ending`, `why`, `exit_code`, `printed` (bytes), `started` (UTC), `elapsed_s`,
    `facts` by name.
    """
    found: dict[str, Any] = {
        "ending": "ended",
        "why": "",
        "exit_code": None,
        "printed": b"",
        "facts": differing_facts(),
    }
    began = time.monotonic()
    try:
        with _lock(task):
            found["started"] = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            began = time.monotonic()
            found["exit_code"], found["printed"], found["why"] = _run(task)
    except _Ended as ended:
        found["ending"], found["why"] = ended.how, str(ended)
    except OSError as error:
        found["ending"], found["why"] = "not started", refusal(error) or str(error)
    found["elapsed_s"] = time.monotonic() - began
    return found


@contextmanager
def _lock(task: HostTask) -> Iterator[None]:
    """Hold the host's lock, which the verb's own process then goes without. Raises `_Ended` if another one keeps it."""
    if not task.locked:
        yield
        return
    deadline = time.monotonic() + task.wait_s
    while True:
        lock = measuring_alone(f"lowlat fleet {task.verb}", 0.0, lambda _: None)
        try:
            lock.__enter__()
            break
        except UsageError as error:
            if time.monotonic() >= deadline:
                raise _Ended("busy", str(error).partition("; ")[0]) from error
        if canceled():
            raise _Ended("canceled", "it waited for another measurement")
        time.sleep(LOCK_LOOK_S)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def _run(task: HostTask) -> tuple[int, bytes, str]:
    """The exit code, stdout, and the last line of stderr. Raises `_Ended`, `OSError`.

    The process's folder is in that of the worker, with which it goes if the worker is killed.
    """
    from distributed import get_worker

    with (
        tempfile.TemporaryDirectory(prefix="lowlat-", dir=get_worker().local_directory) as folder,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        process = _started(task, Path(folder), stdout, stderr)
        try:
            code = _wait(process, task.time_limit_s, (stdout, stderr))
        except BaseException:
            end(process)
            raise
        stdout.seek(0)
        why = _last_line(stderr)
        return code, stdout.read(), why or ("" if code == 0 else f"it {ending(code)}")


def _started(task: HostTask, folder: Path, stdout: IO[bytes], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    """The verb's process, in an empty folder and without settings of this host: the options are the whole plan. The
    lock is the worker's to hold.
    """
    environment = {name: value for name, value in environment_of_host().items() if not name.startswith(_SETTING)}
    environment[f"{_SETTING}NO_LOCK"] = "1"
    return subprocess.Popen(
        [*python_running("lowlat.fleet.verb_process"), str(os.getpid()), task.verb, *task.options, "--json"],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )


def _wait(process: subprocess.Popen[bytes], time_limit_s: float, outputs: tuple[IO[bytes], ...]) -> int:
    deadline = time.monotonic() + time_limit_s
    while True:
        try:
            return process.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            pass
        if canceled():
            raise _Ended("canceled", "it was canceled while it ran")
        if time.monotonic() >= deadline:
            raise _Ended("timed out", f"it had not ended after {time_limit_s:g} s")
        if any(os.fstat(output.fileno()).st_size > REPORT_BYTES_MAX for output in outputs):
            raise _Ended("ended", f"it printed over {units.whole_size(REPORT_BYTES_MAX)}")


def _last_line(stream: IO[bytes]) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _LAST_WORDS))
    lines = stream.read().decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("lowlat: ").removeprefix("error: ") if lines else ""
