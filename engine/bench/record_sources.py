"""Where the latencies of another program come from: what a command prints, a named pipe, the standard input, a file.

Each is an iterator over blocks of bytes. What ends the reading early also ends the command.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from lowlat import inputs
from lowlat.child_process import ending
from lowlat.engine.bench.subprocess_run import ComparedCommand, end, interruptions_after, started
from lowlat.errors import ExitCode, RunFailedError

BLOCK_BYTES: Final = 1 << 20
LOOK_S: Final = 0.1
"""How often to look whether the command has ended, or the time is up."""


@dataclass(frozen=True, slots=True)
class Source:
    """A command, a named pipe, or files, one for each run; without any of them, the standard input."""

    command: tuple[str, ...] = ()
    pipe: Path | None = None
    files: tuple[Path, ...] = ()
    runs: int = 1
    """Of a command or a pipe."""
    limit_s: float | None = None
    """How long a run of them may take."""

    @property
    def kind(self) -> Literal["command", "pipe", "stdin", "file"]:
        """Which of them."""
        return "file" if self.files else "pipe" if self.pipe else "command" if self.command else "stdin"

    def streams(self) -> Sequence[Stream]:
        """One for each run."""
        if self.files:
            return [Stream(str(path), partial(file_blocks, path), path) for path in self.files]
        if self.pipe is not None:
            stream = Stream(str(self.pipe), partial(pipe_blocks, self.pipe, self.limit_s))
        elif self.command:
            name = shlex.join(self.command)
            stream = Stream(name, partial(command_blocks, self.command, name, self.limit_s))
        else:
            stream = Stream("standard input", partial(stdin_blocks, self.limit_s))
        return [stream] * self.runs


@dataclass(frozen=True, slots=True)
class Stream:
    """What one run is read from. `name`: in messages; `file`: if it is one."""

    name: str
    blocks: Callable[[], Generator[bytes, None, None]]
    file: Path | None = None


class Deadline:
    """A point in time after which a run is given up; none without a limit."""

    def __init__(self, what: str, limit_s: float | None) -> None:
        self._what, self._limit_s = what, limit_s
        self._end = None if limit_s is None else time.monotonic() + limit_s

    def check(self) -> None:
        """Raise `RunFailedError` when it has passed."""
        if self._end is not None and time.monotonic() > self._end:
            raise RunFailedError(
                f"{self._what} has not ended within {self._limit_s:g} s (--timeout), so no report is written",
                ExitCode.NOT_VALID,
            )


def command_blocks(words: tuple[str, ...], name: str, limit_s: float | None) -> Generator[bytes, None, None]:
    """What a command prints. Its stderr is ours, its standard input empty.

    Processes that it leaves behind are not waited for. Raises `CommandStartError`, and `RunFailedError` if it fails or
    does not end in time.
    """
    process: subprocess.Popen[bytes] | None = None
    deadline = Deadline(name, limit_s)
    try:
        with interruptions_after():
            process = started(ComparedCommand("the command", name, words), subprocess.PIPE, None)
        assert process.stdout is not None, "it is a pipe"
        descriptor = process.stdout.fileno()
        with contextlib.suppress(OSError):  # more than an unprivileged process may have
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, BLOCK_BYTES)
        yield from _blocks(descriptor, deadline, lambda: process.poll() is not None)
        returned = _wait(process, deadline)
    except BaseException:
        if process is not None:
            end(process)
        raise
    finally:
        if process is not None and process.stdout is not None:
            process.stdout.close()
    if returned != 0:
        raise RunFailedError(f"{name} {ending(returned)}, so no report is written", ExitCode.NOT_VALID)


def pipe_blocks(path: Path, limit_s: float | None) -> Generator[bytes, None, None]:
    """What the next program writes into a named pipe, until it closes it. Raises `InputError`, `RunFailedError`."""
    descriptor = inputs.open_pipe(path)
    try:
        yield from _blocks(descriptor, Deadline(f"the writer of {path}", limit_s), _never)
    finally:
        os.close(descriptor)


def stdin_blocks(limit_s: float | None) -> Generator[bytes, None, None]:
    """The standard input."""
    yield from _blocks(sys.stdin.fileno(), Deadline("the standard input", limit_s), _never)


def file_blocks(path: Path) -> Generator[bytes, None, None]:
    """A regular file. Raises `InputError`."""
    with inputs.opened(path) as stream:
        yield from iter(lambda: stream.read(BLOCK_BYTES), b"")


def _never() -> bool:
    return False


def _blocks(descriptor: int, deadline: Deadline, ended: Callable[[], bool]) -> Generator[bytes, None, None]:
    """Blocks until the end of the stream, or until its writer has `ended` and nothing is left."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        last = ended()
        ready = poll.poll(0 if last else LOOK_S * 1e3)
        deadline.check()
        if ready:
            block = os.read(descriptor, BLOCK_BYTES)
            if not block:
                return
            yield block
        elif last:
            return


def _wait(process: subprocess.Popen[bytes], deadline: Deadline) -> int:
    """Wait for the end of a command that has closed its output."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK_S)
        deadline.check()
