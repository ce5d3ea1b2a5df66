"""A process of its own for foreign engines: what they do to it, they do not do to the tests."""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

from lowlat.errors import LowlatError
from tests.waiting import PATIENCE_S
from tests.warm_start import Started, Zygote

T = TypeVar("T")


@dataclass
class EngineProcess:
    """`tests/foreign/run.py`, asked as often as it lives."""

    process: Started
    ours: socket.socket
    stream: IO[bytes]
    out: IO[bytes]
    err: IO[bytes]
    code: int | None = None

    def ask(self, function: Callable[[Any], T], argument: object) -> T:
        """What a function of `run.py` returns there. Raises its `LowlatError`, `EOFError` if the process ends."""
        pickle.dump((function, argument), self.stream)
        self.stream.flush()
        answer: T = pickle.load(self.stream)
        if isinstance(answer, LowlatError):
            raise answer
        return answer

    def end(self) -> tuple[int, str, str]:
        """Let it end; its code, and what came out of it."""
        if self.code is None:
            self.ours.shutdown(socket.SHUT_WR)
            try:
                self.code = self.process.wait(PATIENCE_S)
            except TimeoutError:
                os.kill(self.process.pid, signal.SIGKILL)
                raise
        return self.code, _text(self.out), _text(self.err)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@cache
def _zygote() -> Zygote:
    zygote = Zygote(os.environ, Path(__file__).with_name("warm.py"))
    atexit.register(zygote.close)
    return zygote


@contextmanager
def engine_process() -> Iterator[EngineProcess]:
    """One that ends with the block."""
    ours, theirs = socket.socketpair()
    with TemporaryFile() as out, TemporaryFile() as err, ours, ours.makefile("rwb") as stream:
        with theirs:
            streams = [each.fileno() for each in (theirs, out, err)]
            process = _zygote().start([], folder=Path.cwd(), environment=os.environ, streams=streams)
        started = EngineProcess(process, ours, stream, out, err)
        try:
            yield started
        finally:
            started.end()
