"""A process that answers lines with lines: started, asked, and ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import FrameType
from typing import IO, Final, NoReturn, Self

from lowlat import units
from lowlat.child_process import ending, ends_within
from lowlat.engine.external.naming import EngineCommand
from lowlat.errors import ExitCode, NotValidError, UsageError
from lowlat.limits import ENGINE_LINE_BYTES_MAX
from lowlat.probes.cpu.threads import end_with_parent
from lowlat.text import cut, printable

GRACE_S: Final = 1.0
"""How long a process may take to end once its input has."""
_CHUNK: Final = 1 << 18
_LAST_WORDS_BYTES: Final = 4096
_SHOWN_MAX: Final = 200
"""Characters of what a process wrote."""

Where = Callable[[int], str]
"""What a process was asked for, given how many answers have come."""


class EngineProcess:
    """A running engine. Leave its block to end it, and the processes that it started.

    `stall_limit_s`: how long it may take for the next answer.
    """

    def __init__(self, command: EngineCommand, stall_limit_s: float, cpus: Collection[int] = ()) -> None:
        """`cpus`: where it may run; anywhere without any.

        Raises `UsageError` if it cannot be started.
        """
        self.command = command
        self.stall_limit_s = stall_limit_s
        self._process = _started(command, cpus)
        assert self._process.stdin and self._process.stdout and self._process.stderr, "all are pipes"
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._end = os.pidfd_open(self._process.pid)
        self._lines: list[bytes] = []
        self._partial = bytearray()
        self._over = False
        self._errors = _LastWords(self._process.stderr)
        try:
            self._errors.start()
        except RuntimeError:  # no thread is to be had
            self._over = True
            self._kill()
            raise

    @property
    def over(self) -> bool:
        """Whether it has been ended."""
        return self._over

    @property
    def unread(self) -> list[bytes]:
        """Lines that it wrote and nobody has asked for yet."""
        return self._lines

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def exchange(self, request: bytes, answers: int, where: Where) -> list[bytes]:
        """Write the request, and return as many lines as it answers. Raises `NotValidError`.

        Writes and reads as either goes on, so that neither side waits for the other for ever.
        """
        left = memoryview(request)
        deadline = time.monotonic() + self.stall_limit_s
        while len(self._lines) < answers:
            before = len(left), len(self._lines)
            left = self._written(left)
            if not self._read_some():
                self._fail_ended(where)
            if (len(left), len(self._lines)) != before:
                deadline = time.monotonic() + self.stall_limit_s
            elif time.monotonic() >= deadline or not self._wait(deadline, where, writes=bool(left)):
                self.fail_as(f"hangs: no answer for {self.stall_limit_s:g} s", where)
            if len(self._partial) > ENGINE_LINE_BYTES_MAX:
                self.fail(f"writes a line of more than {units.whole_size(ENGINE_LINE_BYTES_MAX)}", where)
        lines, self._lines = self._lines[:answers], self._lines[answers:]
        return lines

    def fail(self, what: str, where: Where) -> NoReturn:
        """End it, and raise `NotValidError`: the program, what it did, and where."""
        text = f"{self.command} {what} {where(len(self._lines))}{self._errors.shown()}"
        self.close()
        raise NotValidError(text)

    def fail_as(self, what: str, where: Where) -> NoReturn:
        """As `fail`, but of a process that has ended: how it did."""
        if self._ended_within(0) is not None:
            self._fail_ended(where)
        self.fail(what, where)

    def _written(self, left: memoryview) -> memoryview:
        """What is left of the request once the pipe is full."""
        try:
            return left[os.write(self._in, left) :] if left else left
        except BlockingIOError:
            return left
        except BrokenPipeError:  # what it wrote before it ended says why
            return left[:0]

    def _read_some(self) -> bool:
        """Take what it wrote; False at the end of its output."""
        try:
            chunk = os.read(self._out, _CHUNK)
        except BlockingIOError:
            return True
        first, *others = chunk.split(b"\n")
        self._partial += first
        if others:
            self._lines += [bytes(self._partial), *others[:-1]]
            self._partial = bytearray(others[-1])
        return bool(chunk)

    def _wait(self, deadline: float, where: Where, *, writes: bool) -> bool:
        """Wait until it writes, or reads; False if it does neither until the deadline. Fails if it has ended: a process
        that it started may still hold its output.
        """
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        poll.register(self._end, select.POLLIN)
        if writes:
            poll.register(self._in, select.POLLOUT)
        ready = [descriptor for descriptor, _ in poll.poll(max(0.0, 1000 * (deadline - time.monotonic())))]
        if self._end in ready and self._out not in ready:
            self._fail_ended(where)
        return bool(ready)

    def _fail_ended(self, where: Where) -> NoReturn:
        code = self._ended_within(GRACE_S)
        self._errors.join(0 if code is None else GRACE_S)
        half = " in the middle of a line" if self._partial else ""
        self.fail(f"closed its output{half}" if code is None else f"{ending(code)}{half}", where)

    def _ended_within(self, limit_s: float) -> int | None:
        """Its return code; None if it still runs. It is not reaped, so that its group keeps its number."""
        if not ends_within(self.pid, limit_s):
            return None
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        assert found is not None, "it has ended"
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def close(self) -> None:
        """End its input, wait a moment for its end, and kill what is left of it and of the processes it started."""
        if self._over:
            return
        self._over = True
        assert self._process.stdin and self._process.stdout, "all are pipes"
        try:
            self._process.stdin.close()
            self._process.stdout.close()
            self._ended_within(GRACE_S)
        finally:
            self._kill()
            self._errors.join(GRACE_S)

    def _kill(self) -> None:
        """Kill it and its group, which has its number until it is reaped."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _LastWords(threading.Thread):
    """Reads what a process prints to stderr, so that it never waits for that, and keeps the end of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream, self._kept = stream, b""

    def run(self) -> None:
        with self._stream:
            while chunk := os.read(self._stream.fileno(), _LAST_WORDS_BYTES):
                self._kept = (self._kept + chunk)[-_LAST_WORDS_BYTES:]

    def shown(self) -> str:
        """Its last line, for a message; empty if there is none."""
        lines = self._kept.decode(errors="replace").strip().splitlines()
        return f"; the end of its stderr: {shown(lines[-1])}" if lines else ""


def shown(text: str) -> str:
    """What a process wrote, as a part of a message."""
    return cut(printable(text), _SHOWN_MAX)


def _started(command: EngineCommand, cpus: Collection[int]) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C reaches only lowlat, which then ends it."""
    parent = os.getpid()

    def prepare() -> None:
        end_with_parent(parent)
        if cpus:
            os.sched_setaffinity(0, cpus)

    try:
        return subprocess.Popen(
            command.words,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 (the threads of an engine before it have ended)
        )
    except FileNotFoundError as error:
        text = f"{command} cannot be started: there is no such program, or its interpreter is missing"
        raise UsageError(f"{text}; check its name, and the first line of a script") from error
    except OSError as error:
        if isinstance(error, PermissionError):
            is_folder = Path(command.words[0]).is_dir()
            hint = "; it is a directory" if is_folder else "; make it executable (chmod +x)"
        else:
            hint = ""
        raise UsageError(f"{command} cannot be started: {error.strerror}{hint}") from error


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM leaves the block as an exception, so that a process which was started in it is ended too."""

    def leave(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(ExitCode.TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
