"""Starts `lowlat` commands in forks of a process that has loaded its modules, and waits for them."""

from __future__ import annotations

import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.waiting import PATIENCE_S
from tests.zygote import ANSWER, READ_AT_START

SERVER: Final = Path(__file__).with_name("zygote.py")


def decided_at_start(variables: Mapping[str, str]) -> bool:
    """Whether the loader, the interpreter or numpy reads any of these variables when it starts."""
    return any(name.startswith(READ_AT_START) for name in variables)


@dataclass(slots=True)
class Started:
    """A command that runs or has run. `answer`: where the zygote tells how it ended. `cpu_s`, `peak_kb`: the CPU time
    and memory of an ended one, the latter with the zygote's modules.
    """

    pid: int
    answer: int
    cpu_s: float = 0.0
    peak_kb: int = 0

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Its return code, as of `subprocess.Popen`. Raises `TimeoutError`; it runs on then."""
        if not select.select([self.answer], [], [], timeout)[0]:
            raise TimeoutError
        status, self.cpu_s, self.peak_kb = _answer(self.answer)
        os.close(self.answer)
        return os.waitstatus_to_exitcode(status)


def _answer(descriptor: int) -> tuple[int, float, int]:
    answer = os.read(descriptor, ANSWER.size)
    assert answer, "the zygote has ended"
    value, cpu_s, peak_kb = ANSWER.unpack(answer)
    return value, cpu_s, peak_kb


class Zygote:
    """The process that forks. It starts in the environment given, which decides what is decided at a start."""

    def __init__(self, environment: Mapping[str, str], server: Path = SERVER) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", str(server), str(theirs.fileno())],
                # It loads numpy before `lowlat` can keep it from starting threads.
                env={**environment, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def close(self) -> None:
        """End it; commands that still run do not end with it."""
        self._control.close()
        self.process.wait()

    def start(
        self,
        arguments: Sequence[object],
        *,
        folder: Path,
        environment: Mapping[str, str],
        streams: Sequence[int],
        **rest: str,
    ) -> Started:
        """Start a command with these descriptors as its stdin, stdout and stderr."""
        asked = {"arguments": [str(each) for each in arguments], "folder": str(folder), "environment": {**environment}}
        read, write = os.pipe()
        with open(os.memfd_create("asked"), "wb") as request, open(write, "wb"):  # noqa: PTH123 (descriptors)
            cpus = sorted(os.sched_getaffinity(0))
            request.write(json.dumps({**asked, "cpus": cpus, **rest}).encode())
            request.flush()
            socket.send_fds(self._control, [b"."], [*streams, request.fileno(), write])
        return Started(_answer(read)[0], read)

    def run(
        self, arguments: Sequence[object], *, folder: Path, environment: Mapping[str, str], **given: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end. `given`: files or descriptors for its streams by name, such as stdin; without one,
        it reads from /dev/null and writes to a pipe, whose text is returned.
        """
        null = os.open(os.devnull, os.O_RDONLY)
        pipes = {name: os.pipe() for name in ("stdout", "stderr") if name not in given}
        ends = {"stdin": null} | {name: write for name, (_, write) in pipes.items()}
        streams = ends | {name: _number(stream) for name, stream in given.items()}
        try:
            order = [streams[name] for name in ("stdin", "stdout", "stderr")]
            started = self.start(arguments, folder=folder, environment=environment, streams=order)
        finally:
            for descriptor in ends.values():
                os.close(descriptor)
        try:
            texts = {name: _text(data) for name, data in _read({name: read for name, (read, _) in pipes.items()})}
            code = started.wait()
        except TimeoutError:
            os.kill(started.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(["lowlat", *arguments], code, texts.get("stdout"), texts.get("stderr"))


def _number(stream: Any) -> int:
    return stream if isinstance(stream, int) else int(stream.fileno())


def _text(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")  # as subprocess


def _read(pipes: Mapping[str, int]) -> Iterable[tuple[str, bytes]]:
    """Everything from pipes until nobody has their other ends. Raises `TimeoutError`."""
    parts: dict[str, list[bytes]] = {name: [] for name in pipes}
    with selectors.DefaultSelector() as events:
        for name, pipe in pipes.items():
            events.register(pipe, selectors.EVENT_READ, name)
        while events.get_map():
            ready = events.select(PATIENCE_S)
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if part := os.read(key.fd, 1 << 16):
                    parts[key.data].append(part)
                else:
                    events.unregister(key.fd)
                    os.close(key.fd)
    return [(name, b"".join(each)) for name, each in parts.items()]
