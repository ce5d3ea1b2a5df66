"""A process of its own for foreign engines: what they do to it, they do not do to the tests."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

from lowlat.errors import LowlatError
from tests.foreign import run
from tests.waiting import PATIENCE_S

T = TypeVar("T")


@dataclass(frozen=True)
class EngineProcess:
    """`tests/foreign/run.py`, asked as often as it lives."""

    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    answers: IO[bytes]
    out: IO[bytes]
    err: IO[bytes]

    def ask(self, function: Callable[[Any], T], argument: object) -> T:
        """What a function of `run.py` returns there. Raises its `LowlatError`, `EOFError` if the process ends."""
        pickle.dump((function, argument), self.requests)
        self.requests.flush()
        answer: T = pickle.load(self.answers)
        if isinstance(answer, LowlatError):
            raise answer
        return answer

    def end(self) -> tuple[int, str, str]:
        """Let it end; its code, and what came out of it."""
        with suppress(BrokenPipeError):  # it has ended before it read all
            self.requests.close()
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return code, _text(self.out), _text(self.err)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@contextmanager
def engine_process() -> Iterator[EngineProcess]:
    """One that ends with the block."""
    read, write = os.pipe()
    with TemporaryFile() as out, TemporaryFile() as err, os.fdopen(read, "rb") as answers:
        command = [sys.executable, "-P", run.__file__, str(write)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err, pass_fds=[write])
        os.close(write)
        assert process.stdin is not None
        started = EngineProcess(process, process.stdin, answers, out, err)
        try:
            yield started
        finally:
            started.end()
