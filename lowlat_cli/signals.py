"""Ctrl-C, SIGTERM and SIGHUP (closed terminal): the first stops and reports the finished part, the second quits."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

from lowlat.errors import ExitCode


class _Interruption:
    """A signal handler that counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _number: int, _frame: FrameType | None) -> NoReturn:
        self.count += 1
        if self.count == 1:
            raise KeyboardInterrupt
        if self.count == 2:
            # Handlers that turn KeyboardInterrupt into a partial report do not catch this, but cleanup still runs: it
            # ends child processes and removes partial files.
            raise SystemExit(ExitCode.INTERRUPTED)
        os._exit(ExitCode.INTERRUPTED)


def handle_interruptions() -> None:
    """Turn the first SIGINT, SIGTERM or SIGHUP into KeyboardInterrupt, the second into SystemExit; the third kills it.

    In effect until the process ends. Signals that the caller ignores (`nohup`, `&` in a script) stay ignored.
    """
    handler = _Interruption()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
