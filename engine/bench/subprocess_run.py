"""Runs any command to its end: returns its elapsed time, or the report that it prints."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO, Final

from lowlat import units
from lowlat.child_process import ending
from lowlat.engine.bench.protocol import INTERRUPTIONS
from lowlat.errors import CommandStartError, ExitCode, InputError, RunFailedError
from lowlat.limits import REPORT_BYTES_MAX
from lowlat.reports.io.loader import report_of
from lowlat.reports.model.report import Report

GRACE_S: Final = 5.0
"""How long a command may take to end after SIGTERM."""
LOOK_S: Final = 0.1
"""How often the size of its output is looked at."""
_LAST_WORDS: Final = 4096


@dataclass(frozen=True, slots=True)
class ComparedCommand:
    """What to run.

    `name`: of the side. `text`: the command as the user wrote it. `ours`: whether it is a lowlat subcommand, with our
    exit codes.
    """

    name: str
    text: str
    words: tuple[str, ...]
    ours: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


def wall_ns_of(command: ComparedCommand) -> int:
    """Elapsed nanoseconds from before its start until its end is known; its output is discarded.

    Raises `CommandStartError`, `RunFailedError`.
    """
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a device, not a path)
        return _run(command, nowhere)


def report_from(command: ComparedCommand) -> Report:
    """The `lowlat.report/1` that it prints. Raises what `wall_ns_of` does, and `InputError` for any other output."""
    source = f"the output of {command.name}"
    with tempfile.TemporaryFile() as printed:
        _run(command, printed, REPORT_BYTES_MAX)
        printed.seek(0)
        data = printed.read(REPORT_BYTES_MAX + 1)
    if not data.strip():
        raise InputError(f"{command} printed nothing; it must print a report, or use --metric wall")
    return report_of(data, source)


def _run(command: ComparedCommand, stdout: IO[bytes], most: int | None = None) -> int:
    """Run it to its end; with `most`, at most to so many bytes on stdout or stderr. Returns elapsed nanoseconds."""
    with tempfile.TemporaryFile() as stderr:
        process = None
        begin = time.perf_counter_ns()
        try:
            with interruptions_after():
                process = started(command, stdout, stderr)
            returned = process.wait() if most is None else _wait(command, process, (stdout, stderr), most)
            elapsed_ns = time.perf_counter_ns() - begin
        except BaseException:
            if process is not None:
                end(process)
            raise
        if returned != 0:
            raise _failure(command, returned, _last_line(stderr))
    return elapsed_ns


def _wait(command: ComparedCommand, process: subprocess.Popen[bytes], outputs: Sequence[IO[bytes]], most: int) -> int:
    """Wait for its end. Raises `InputError` when an output has more than `most` bytes."""
    returned = None
    while returned is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            returned = process.wait(LOOK_S)
        if any(os.fstat(output.fileno()).st_size > most for output in outputs):
            raise InputError(f"the output of {command.name} is too large for a report: over {units.whole_size(most)}")
    return returned


def started(command: ComparedCommand, stdout: IO[bytes] | int, stderr: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """Start it in a session of its own; without `stderr`, it writes to ours. Call it in `interruptions_after`, and
    `end` what is started. Raises `CommandStartError`.
    """
    try:
        return subprocess.Popen(
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=os.environ,  # as the user set it; see `lowlat.child_process`
            start_new_session=True,  # Ctrl-C reaches only this process, which then ends the command
        )
    except OSError as error:
        raise CommandStartError(f"{command} cannot be started: {command.words[0]!r}: {error.strerror}") from error


@contextlib.contextmanager
def interruptions_after() -> Iterator[None]:
    """Defer interruptions until the end of the block: during a start they would leave the command running.

    They are not blocked, because the command would inherit the mask. Main thread only: it has the handlers.
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


def end(process: subprocess.Popen[bytes]) -> None:
    """End the command and the processes of its session: first ask, so that it can clean up, then kill."""
    try:
        _signal(process, signal.SIGTERM)
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal what remains of the command's process group; macOS returns EPERM if all its processes have ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _failure(command: ComparedCommand, returned: int, last_line: str) -> RunFailedError:
    what = last_line.removeprefix("lowlat: ").removeprefix("error: ") if command.ours else last_line
    passed_on = {ExitCode.USAGE.value, ExitCode.INTERNAL.value} if command.ours else set[int]()
    return RunFailedError(
        f"{command} {ending(returned)}: {what or '(no output on stderr)'}",
        ExitCode(returned) if returned in passed_on else ExitCode.NOT_VALID,
    )


def _last_line(stream: IO[bytes]) -> str:
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - _LAST_WORDS))
    lines = stream.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
