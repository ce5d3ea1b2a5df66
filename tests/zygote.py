"""A process that has loaded every module of `lowlat`, and forks for each command: a fraction of the time of a start.

A command runs in a new process with its own arguments, folder, environment, CPUs, streams and signal handlers. So do
the processes that it starts to run a module of ours, such as a run of a benchmark: they are forks of the command. What
none of them does is start: tests about that run the installed script (the fixtures `cold`, `patched` and `start`), as
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
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn, TextIO

Asked = dict[str, Any]
ANSWER: Final = struct.Struct("=idq")
"""A process's id or wait status, then its CPU time in seconds and its largest memory in KiB."""
READ_AT_START: Final = ("PYTHON", "LD_", "GLIBC_", "MALLOC_", "OPENBLAS_", "OMP_", "LC_", "LANG")
"""Beginnings of the names of variables that the loader, the interpreter or numpy reads when it starts."""
_ONE_THREAD: Final = {b"OPENBLAS_NUM_THREADS": b"1"}
_AS_THE_PARENT: Final = (-1, None, None, None, -1, None)
"""What `subprocess` asks for without a process group, other users and groups, a umask, and code to run in the child."""


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
    _open_streams()
    sys.argv = ["lowlat", *asked["arguments"]]
    return asked


def _open_streams() -> None:
    sys.stdin = sys.__stdin__ = _stream(0, sys.stdin)
    sys.stdout = sys.__stdout__ = _stream(1, sys.stdout)
    sys.stderr = sys.__stderr__ = _stream(2, sys.stderr)


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


def fork_our_programs() -> None:
    """Let `subprocess` fork this process where a module of ours is to run as a program, instead of a new start."""
    from lowlat.child_process import python_running

    started = subprocess._fork_exec  # type: ignore[attr-defined]
    ours = python_running("")[:-1]

    def fork_exec(args: Sequence[str], *rest: Any) -> int:
        _, close_fds, kept, cwd, environment, *descriptors = rest[:13]
        plain = close_fds and rest[15:21] == _AS_THE_PARENT and tuple(args[: len(ours)]) == ours
        if not plain or threading.active_count() > 1 or _differs_at_start(environment):
            return int(started(args, *rest))
        if (child := os.fork()) == 0:
            _become(args[len(ours) :], kept, cwd, environment, descriptors, new_session=rest[14])
        return child

    subprocess._fork_exec = fork_exec  # type: ignore[attr-defined]


def _differs_at_start(environment: Iterable[bytes] | None) -> bool:
    """Whether another environment than ours is to decide what is decided at a start. Ours is of one thread already."""
    given = os.environb.items() if environment is None else (each.split(b"=", 1) for each in environment)
    names = tuple(map(str.encode, READ_AT_START))
    here, there = (
        {name: value for name, value in each if name.startswith(names)} for each in (os.environb.items(), given)
    )
    return {**here, **_ONE_THREAD} != {**there, **_ONE_THREAD}


def _become(
    arguments: Sequence[str],
    kept: Iterable[int],
    cwd: str | None,
    environment: Sequence[bytes] | None,
    descriptors: Sequence[int],
    *,
    new_session: bool,
) -> NoReturn:
    """Make this process, a fork, one that has just been started to run a module of ours, and run it."""
    code = 1
    _kept = sys.stdout, sys.stderr  # if they were deleted, this process would write what its parent has yet to write
    try:
        atexit._clear()  # what its parent does when it ends
        _handle_signals_as_started()
        if new_session:
            os.setsid()
        _take_descriptors(kept, descriptors)
        os.chdir(cwd or ".")
        if environment is not None:
            os.environb.clear()
            os.environb.update(dict(each.split(b"=", 1) for each in environment))
        gc.enable()
        gc.freeze()
        code = _program(*arguments)
    finally:
        end(code)


def _handle_signals_as_started() -> None:
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _take_descriptors(kept: Iterable[int], descriptors: Sequence[int]) -> None:
    """Its streams, those it was passed, and no others. `descriptors`: both ends of the pipes of its streams, then those
    of the pipe on which the parent waits until this one has started.
    """
    stdin, _, _, stdout, _, stderr, _, started = descriptors
    for number, descriptor in enumerate((stdin, stdout, stderr)):
        if descriptor not in (-1, number):
            os.dup2(descriptor, number)
    passed = sorted({*kept} - {started})
    for low, high in zip([2, *passed], [*passed, 1 << 16], strict=True):
        os.closerange(low + 1, high)
    for descriptor in passed:
        os.set_inheritable(descriptor, True)
    _open_streams()


def _program(module: str, *arguments: str) -> int:
    """Run a module as the program of this process. Returns the exit code that the interpreter would end with."""
    from lowlat.child_process import run_program

    sys.modules.pop(module, None)  # it is executed, not imported
    sys.argv = ["-c", *arguments]
    try:
        run_program(module)
    except SystemExit as ended:
        if isinstance(ended.code, int | None):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return 1
    except BaseException as error:  # noqa: BLE001 (whatever it is, it ends the process)
        traceback.print_exc()
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        return 1
    return 0


if __name__ == "__main__":
    control = socket.socket(fileno=int(sys.argv[1]))
    load_modules()
    fork_our_programs()
    from lowlat_cli.main import main

    if serve(control) is not None:
        end(main())
