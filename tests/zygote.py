"""A process that has loaded every module of `lowlat`, and forks for each command: a fraction of the time of a start.

A command runs in a new process with its own arguments, folder, environment, CPUs, streams and signal handlers. What it
does not do is start: tests about that run the installed script (the fixtures `cold`, `patched` and `start`), as
the documentation's commands do, in which every verb occurs.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import selectors
import signal
import socket
import struct
import sys
import threading
from typing import Any, Final, NoReturn, TextIO

Asked = dict[str, Any]
ANSWER: Final = struct.Struct("=idq")
"""A process's id or wait status, then its CPU time in seconds and its largest memory in KiB."""


def load_modules() -> None:
    """Import what a command may import."""
    import lowlat
    import lowlat_cli

    for package in (lowlat, lowlat_cli):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in ("rich.table", "rich.progress", "rich.tree", "traceback", "runpy", "jinja2"):
        importlib.import_module(name)
    from lowlat_cli.main import main

    sys.argv = ["lowlat", "profile", "list"]  # loads what the parser loads late
    with contextlib.redirect_stdout(io.StringIO()):
        main()
    gc.freeze()  # a fork's first collection would otherwise copy all of this


def serve(control: socket.socket) -> Asked | None:
    """Fork for each request until the other end closes. Returns None then; in a fork, what it was asked to run.

    A request is a byte with five descriptors: stdin, stdout, stderr, a pipe for the process's id and later its wait
    status, and a file with the JSON of `Asked`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal goes to the tests
    answers: dict[int, tuple[int, int]] = {}  # a process's pidfd: its id, and where to write its status
    with selectors.DefaultSelector() as events:
        events.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in events.select():
                if key.fd in answers:
                    events.unregister(key.fd)
                    _answer_status(key.fd, *answers.pop(key.fd))
                    continue
                message, descriptors, _, _ = socket.recv_fds(control, 1, 5)
                if not message:
                    return None
                if (child := os.fork()) == 0:
                    control.detach()
                    events.close()
                    return _enter(descriptors)
                *others, answer = descriptors
                for descriptor in others:
                    os.close(descriptor)
                _answer(answer, child)
                ended = os.pidfd_open(child)
                answers[ended] = child, answer
                events.register(ended, selectors.EVENT_READ)


def _answer_status(ended: int, child: int, answer: int) -> None:
    _, status, used = os.wait4(child, 0)
    _answer(answer, status, used.ru_utime + used.ru_stime, used.ru_maxrss)
    os.close(ended)
    os.close(answer)


def _answer(answer: int, value: int, cpu_s: float = 0.0, peak_kb: int = 0) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it
        os.write(answer, ANSWER.pack(value, cpu_s, peak_kb))


def _enter(descriptors: list[int]) -> Asked:
    """Make this process, a fork, one that has just been started; return what it was asked to run."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    *streams, request, _ = descriptors
    with open(request, "rb", closefd=False) as file:
        file.seek(0)
        asked: Asked = json.load(file)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    os.closerange(3, 1 << 16)
    os.chdir(asked["folder"])
    os.sched_setaffinity(0, asked["cpus"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.stdin = sys.__stdin__ = _stream(0, sys.stdin)
    sys.stdout = sys.__stdout__ = _stream(1, sys.stdout)
    sys.stderr = sys.__stderr__ = _stream(2, sys.stderr)
    sys.argv = ["lowlat", *asked["arguments"]]
    return asked


def _stream(descriptor: int, like: TextIO) -> TextIO:
    """A stream such as the interpreter opens when it starts."""
    assert isinstance(like, io.TextIOWrapper)
    mode, size = ("wb", 0 if like.write_through else -1) if descriptor else ("rb", -1)
    binary = open(descriptor, mode, size, closefd=False)  # noqa: SIM115 (open until the end)
    lines = descriptor == 2 or binary.isatty()
    return io.TextIOWrapper(binary, like.encoding, like.errors, None, lines, like.write_through)


def end(code: int) -> NoReturn:
    """End this process, a fork, as the interpreter does, but leave its modules to the system: to take them apart, most
    of their memory would be copied first, which takes 20 times as long as a small command.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if not stream.closed:
                stream.flush()
        except OSError:
            code = 120
    os._exit(code)


if __name__ == "__main__":
    control = socket.socket(fileno=int(sys.argv[1]))
    load_modules()
    from lowlat_cli.main import main

    if serve(control) is not None:
        end(main())
