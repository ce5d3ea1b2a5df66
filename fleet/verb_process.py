"""The program of a measurement on a host of a fleet: a verb of lowlat that is asked to end when its worker dies."""

from __future__ import annotations

import signal
import sys

from lowlat.probes.cpu.threads import end_with_parent

if __name__ == "__main__":
    # A worker may have signals blocked that this process must hear.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    end_with_parent(int(sys.argv[1]), signal.SIGTERM)
    del sys.argv[1]
    import runpy

    runpy.run_module("lowlat_cli", run_name="__main__", alter_sys=True)
