"""Python child processes: runs of `lowlat bench`, and the programs that measure them."""

from __future__ import annotations

import contextlib
import mmap
import os
import resource
import select
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from lowlat.errors import ExitCode, LowlatError, UsageError
from lowlat.refusals import refusal

if TYPE_CHECKING:
    from subprocess import Popen

_RUN: Final = """
import sys
home, module = sys.argv[1:3]
sys.path.insert(0, home)
import lowlat
sys.path.remove(home)
from lowlat.child_process import run_program
del sys.argv[1:3]
run_program(module)
"""
_BLAS_THREADS: Final = "OPENBLAS_NUM_THREADS"
_GRACE_S: Final = 3.0
NUMPY_BYTES: Final = 96 << 20
"""Address space that loading numpy takes: 84 MB, of which OpenBLAS has half."""


def python_running(module: str) -> tuple[str, ...]:
    """The command that runs a module of this installation as a program; arguments may follow.

    Uses `-P` and imports `lowlat` from this installation first: the current folder, or one on PYTHONPATH, may
    contain the user's own `lowlat` or `engine`.
    """
    return (sys.executable, "-P", "-c", _RUN, str(Path(__file__).parent.parent), module)


def ends_within(child: int, limit_s: float) -> bool:
    """Whether a child process ends in that time. It is not reaped."""
    descriptor = os.pidfd_open(child)
    try:
        poll = select.poll()  # select() takes no descriptor above 1,023
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(1000 * limit_s))
    finally:
        os.close(descriptor)


def run_program(module: str) -> None:
    """Run a module as the program of this process. What ends it is one line on stderr, and an `ExitCode`."""
    with failures_told():
        import runpy

        prepare_for_numpy()
        runpy.run_module(module, run_name="__main__", alter_sys=True)


@contextlib.contextmanager
def failures_told() -> Iterator[None]:
    """A `with` block that is all this process does: what it raises is one line on stderr, and an `ExitCode`."""
    try:
        yield
    except LowlatError as error:
        _end(str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001 (the process ends with it)
        if (refused := refusal(error)) is None:
            import traceback

            traceback.print_exc()
            sys.exit(ExitCode.INTERNAL)
        _end(refused, ExitCode.USAGE)


def _end(line: str, code: ExitCode) -> None:
    sys.stderr.write(f"{line}\n")
    sys.exit(code)


@contextlib.contextmanager
def apart_from_stdout() -> Iterator[BinaryIO]:
    """What stdout was, for our own output. What other code prints meanwhile, as a library does, goes nowhere."""
    own = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    with os.fdopen(own, "wb") as out:
        yield out


def prepare_for_numpy() -> None:
    """Let numpy, when it is loaded later, start no threads, and check that there is memory for it.

    OpenBLAS, which comes with numpy, would start a thread for each CPU. They would add noise, and where
    the system gives no threads, OpenBLAS sends its own process SIGINT. Without memory it ends the process with 1.

    For our own programs only: one that imports `lowlat` may multiply matrices. `os.environ` stays as the user set it,
    for the commands of others. Raises `UsageError`.
    """
    os.putenv(_BLAS_THREADS, "1")
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    if limits == [resource.RLIM_INFINITY] * 2:
        return
    try:
        mmap.mmap(-1, NUMPY_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError as error:
        least = min(limit for limit in limits if limit != resource.RLIM_INFINITY)
        raise UsageError(
            f"the limit of {least / 1e6:,.0f} MB leaves no memory for numpy; raise it (ulimit -v, ulimit -d)"
        ) from error


def own_environment(without: Collection[str] = ()) -> dict[str, str]:
    """The environment of our own child processes, which have one thread too; the variables of `without` left out."""
    return {**{name: value for name, value in os.environ.items() if name not in without}, _BLAS_THREADS: "1"}


def end_child(process: Popen[Any]) -> None:
    """Ask it to end, so that it can end what it started itself; kill it after a moment."""
    from subprocess import TimeoutExpired

    try:
        process.terminate()
        process.wait(_GRACE_S)
    except TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()  # on Ctrl-C, Popen's own `with` would not wait


def ending(returned: int) -> str:
    """How a child process ended, from its return code: `was killed by SIGSEGV` or `exited with code 2`."""
    if returned >= 0:
        return f"exited with code {returned}"
    try:
        return f"was killed by {signal.Signals(-returned).name}"
    except ValueError:  # real-time signals have no name
        return f"was killed by signal {-returned}"
