"""The process that makes the runs, from the side that asks it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator

import msgspec

from lowlat.child_process import end_child, ending, own_environment, python_running
from lowlat.engine.ablation.protocol import AblationJob, VariantAnswer, VariantJob
from lowlat.engine.bench.protocol import INTERRUPTIONS
from lowlat.errors import ExitCode, RunFailedError
from lowlat.refusals import refusal


class VariantProcess:
    """Answers one job after another. Meanwhile this process only waits, to leave the CPUs to the measured one."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def run(self, job: VariantJob) -> VariantAnswer:
        """Make a run. Raises `RunFailedError` if there is no answer."""
        self.send(job)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._failure()
        return msgspec.json.decode(line, type=VariantAnswer)

    def send(self, told: msgspec.Struct) -> None:
        """Write a line. Raises `RunFailedError` if nobody reads it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(told) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._failure() from error

    def _failure(self) -> RunFailedError:
        assert self._process.stderr is not None
        lines = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        returned = self._process.wait()
        if returned == ExitCode.USAGE and lines:
            return RunFailedError(lines[-1], ExitCode.USAGE)
        said = lines[-1] if lines else "(no output on stderr)"
        code = ExitCode.INTERNAL if returned == ExitCode.INTERNAL else ExitCode.NOT_VALID
        return RunFailedError(f"the process that makes the runs {ending(returned)}: {said}", code)


@contextlib.contextmanager
def variant_process(job: AblationJob) -> Iterator[VariantProcess]:
    """Start it, and end it with the block. Raises `RunFailedError`."""
    # Signals are blocked until we hold the process handle: an interruption inside Popen would leave it running.
    signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
    try:
        with _started(job.commands_fd) as process:
            try:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)
                made = VariantProcess(process)
                made.send(job)
                yield made
            finally:
                end_child(process)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)


def _started(commands_fd: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            # In a new session, so that Ctrl-C reaches only this process, which then decides.
            python_running("lowlat.engine.ablation.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(commands_fd,),
            env=own_environment(),
            start_new_session=True,
        )
    except (OSError, MemoryError) as error:
        what = f"the process that makes the runs cannot be started: {refusal(error)}"
        raise RunFailedError(what, ExitCode.USAGE) from error
