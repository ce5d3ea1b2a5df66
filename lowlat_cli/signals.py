"""Ctrl-C, SIGTERM and SIGHUP (closed terminal): the first stops and reports the finished part, the second quits."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Final, NoReturn

from lowlat.errors import ExitCode

_EXIT_CODES: Final = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.HUNG_UP,
}


class _Interruption:
    """A signal handler that counts."""

    def __init__(self) -> None:
        self.count = 0
        self.exit_code = ExitCode.INTERRUPTED

    def __call__(self, number: int, _frame: FrameType | None) -> NoReturn:
        self.count += 1
        self.exit_code = _EXIT_CODES[signal.Signals(number)]
        if self.count == 1:
            raise KeyboardInterrupt
        if self.count == 2:
            # Handlers that turn KeyboardInterrupt into a partial report do not catch this, but cleanup still runs: it
            # ends child processes and removes partial files.
            raise SystemExit(self.exit_code)
        os._exit(self.exit_code)


_interruption = _Interruption()


def handle_interruptions() -> None:
    """Turn the first SIGINT, SIGTERM or SIGHUP into KeyboardInterrupt, the second into SystemExit; the third kills it.

    In effect until the process ends. Signals that the caller ignores (`nohup`, `&` in a script) stay ignored.
    """
    for number in _EXIT_CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interruption)


def interrupted_exit_code() -> ExitCode:
    """The exit code after an interruption: 128 + the number of the signal that came last."""
    return _interruption.exit_code
