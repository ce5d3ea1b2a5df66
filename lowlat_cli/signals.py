"""Ctrl-C, SIGTERM and a closed terminal (SIGHUP): the first stops and reports what was measured, the second quits."""

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
            # Passes whoever turns a KeyboardInterrupt into a partial report, but not those who clean up:
            # child processes end, half-written files vanish.
            raise SystemExit(ExitCode.INTERRUPTED)
        os._exit(ExitCode.INTERRUPTED)


def handle_interruptions() -> None:
    """Turn the first SIGINT, SIGTERM or SIGHUP into KeyboardInterrupt, the second into SystemExit; the third ends it.

    Holds until the process ends. A signal that the caller has had ignored (`nohup`, `&` in a script) stays ignored.
    """
    handler = _Interruption()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
