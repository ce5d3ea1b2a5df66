"""The program of a measurement on a host of a fleet: a verb of lowlat that ends when its worker does."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""From linux/prctl.h."""


def end_with(parent: int) -> None:
    """Have this process asked to end when its parent dies, and do so now if it is dead already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    # A worker may have signals blocked that this process must hear.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    end_with(int(sys.argv[1]))
    del sys.argv[1]
    import runpy

    runpy.run_module("lowlat_cli", run_name="__main__", alter_sys=True)
