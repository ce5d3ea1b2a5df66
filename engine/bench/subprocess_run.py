"""Any command, run to its end: its elapsed time, or the report that it prints."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import IO, Final

from lowlat.engine.bench.protocol import INTERRUPTIONS
from lowlat.errors import ExitCode, LowlatError, UsageError
from lowlat.reports.errors import InputError
from lowlat.reports.io.loader import FILE_BYTES_MAX, report_of
from lowlat.reports.model.report import Report

GRACE_S: Final = 5.0
"""How long a command may take to end once it is told to."""
_LAST_WORDS: Final = 4096


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    `name`: of the side. `text`: the command as the user wrote it. `ours`: a verb of lowlat, whose exit codes mean what
    ours do.
    """

    name: str
    text: str
    words: tuple[str, ...]
    ours: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


class CommandStartError(UsageError):
    """A command that there is not, or that cannot be started."""


class CommandFailedError(LowlatError):
    """A command that ended with another code than 0. The exit code is its own if it is one of ours."""

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def wall_ns_of(command: Command) -> int:
    """Elapsed time from before its start until it is known to have ended, nanoseconds; its output is dropped.

    Raises `CommandStartError`, `CommandFailedError`.
    """
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a device, not a path)
        return _run(command, nowhere)


def report_from(command: Command) -> Report:
    """The `lowlat.report/1` that it prints. Raises as `wall_ns_of`, and `InputError` for anything else."""
    with tempfile.TemporaryFile() as printed:
        _run(command, printed)
        printed.seek(0)
        data = printed.read(FILE_BYTES_MAX + 1)
    source = f"what {command.name} printed"
    if len(data) > FILE_BYTES_MAX:
        raise InputError(f"{source} is larger than any report")
    if not data.strip():
        raise InputError(f"{command} printed nothing, but has to print a report; or take --metric wall")
    return report_of(data, source)


def _run(command: Command, stdout: IO[bytes]) -> int:
    with tempfile.TemporaryFile() as stderr:
        process = None
        begin = time.perf_counter_ns()
        try:
            with _interruptions_after():
                process = _started(command, stdout, stderr)
            returned = process.wait()
            elapsed_ns = time.perf_counter_ns() - begin
        except BaseException:
            if process is not None:
                _end(process)
            raise
        if returned != 0:
            raise _failure(command, returned, _last_line(stderr))
    return elapsed_ns


def _started(command: Command, stdout: IO[bytes], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the command
        )
    except OSError as error:
        raise CommandStartError(f"{command} cannot be started: {command.words[0]!r}: {error.strerror}") from error


@contextlib.contextmanager
def _interruptions_after() -> Iterator[None]:
    """Keep interruptions until the block is over: in the midst of a start they would leave the command running.

    They are not blocked, since the command would inherit that. For the main thread only, which has the handlers.
    """
    kept: list[int] = []

    def keep(number: int, _frame: FrameType | None) -> None:
        kept.append(number)

    handlers = {number: signal.getsignal(number) for number in INTERRUPTIONS}
    replaced = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in replaced:
        signal.signal(number, keep)
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)
        for late in kept:
            signal.raise_signal(late)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it has started in its session: asked first, since it may have to clean up."""
    try:
        _signal(process, signal.SIGTERM)
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal all that is left of the command's process group; macOS says EPERM where only ended ones are."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _failure(command: Command, returned: int, last_line: str) -> CommandFailedError:
    ours = command.ours and returned in {code.value for code in ExitCode}
    how = f"was killed by signal {-returned}" if returned < 0 else f"ended with {returned}"
    what = last_line.removeprefix("lowlat: ").removeprefix("error: ") if command.ours else last_line
    return CommandFailedError(
        f"{command} {how}: {what or 'it said nothing'}",
        ExitCode(returned) if ours else ExitCode.NOT_VALID,
    )


def _last_line(stream: IO[bytes]) -> str:
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - _LAST_WORDS))
    lines = stream.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
