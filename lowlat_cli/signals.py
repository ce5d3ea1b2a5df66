"""Ctrl-C, SIGTERM and SIGHUP (closed terminal): the first stops and reports the finished part, the second quits."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader
from types import FrameType
from typing import TYPE_CHECKING, Final

from lowlat.errors import ExitCode

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_EXIT_CODES: Final = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.HUNG_UP,
}
DELIVERY_S: Final = 1.0
"""How long a signal waits for the result that is being written: stdout may be a pipe that nobody reads."""
_AGAIN_S: Final = 0.01
_NATIVE_LOADS: Final = tuple(
    load.__code__ for load in (ExtensionFileLoader.create_module, ExtensionFileLoader.exec_module)
)


class _Interruption:
    """A signal handler that counts. SIGALRM comes after a signal that was not heard, and is not counted."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.count = 0
        self.exit_code = ExitCode.INTERRUPTED
        self.delivering = False
        self.delivered = False  # whether a signal came while the result was written
        self.over = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if number != signal.SIGALRM:
            self.count += 1
            self.exit_code = _EXIT_CODES[signal.Signals(number)]
        if self.over or self.count > 2:
            os._exit(self.exit_code)
        if _loads_native_module(frame):
            self.again_in(_AGAIN_S)
            return
        if self.count == 2:
            # Handlers that turn KeyboardInterrupt into a partial report do not catch this, but cleanup still runs: it
            # ends child processes and removes partial files.
            raise SystemExit(self.exit_code)
        if self.delivering and not self.delivered:
            self.delivered = True
            self.again_in(DELIVERY_S)
            return
        raise KeyboardInterrupt(self.exit_code)

    def again_in(self, seconds: float) -> None:
        signal.signal(signal.SIGALRM, self)
        signal.setitimer(signal.ITIMER_REAL, seconds)


_interruption = _Interruption()


def _loads_native_module(frame: FrameType | None) -> bool:
    """Whether a native module is being initialized, where an exception ends the process or is lost."""
    while frame is not None and frame.f_code not in _NATIVE_LOADS:
        frame = frame.f_back
    return frame is not None


def handle_interruptions() -> None:
    """Turn the first SIGINT, SIGTERM or SIGHUP into KeyboardInterrupt, the second into SystemExit; the third kills it.

    In effect until the process ends. Signals that the caller ignores (`nohup`, `&` in a script) stay ignored.
    """
    _interruption.begin()
    for number in _EXIT_CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interruption)
    if not isinstance(sys.unraisablehook, _LostInterruption):
        sys.unraisablehook = _LostInterruption(sys.unraisablehook)


class _LostInterruption:
    """A signal may come in a destructor or another place whose exceptions are lost: then it comes again."""

    def __init__(self, others: Callable[[UnraisableHookArgs], object]) -> None:
        self._others = others

    def __call__(self, lost: UnraisableHookArgs) -> None:
        if _interruption.count and issubclass(lost.exc_type, (KeyboardInterrupt, SystemExit)):
            _interruption.again_in(_AGAIN_S)
        else:
            self._others(lost)


@contextmanager
def delivering() -> Iterator[None]:
    """In this block, which writes the result, the first signal waits for its end, a second at most.

    What was measured is then there, whole; `exit_code_of_delivery` says that there was a signal.
    """
    _interruption.delivering = True
    try:
        yield
    finally:
        _interruption.delivering = False
        if _interruption.delivered:
            signal.setitimer(signal.ITIMER_REAL, 0)


def exit_code_of_delivery(code: int) -> int:
    """The exit code of a verb that has ended with `code`: of the signal, if one came while its result was written."""
    return _interruption.exit_code if _interruption.delivered else code


def end_at_once() -> None:
    """From here on a signal ends the process: it has nothing left to report or to clean up."""
    _interruption.over = True


def was_interrupted() -> bool:
    """Whether a signal came."""
    return _interruption.count > 0


def interrupted_exit_code() -> ExitCode:
    """The exit code after an interruption: 128 + the number of the signal that came last."""
    return _interruption.exit_code
