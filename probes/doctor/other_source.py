"""py-cpuinfo as one more source about the processor: it may disagree with the kernel.

It takes a second or more, runs machine code of its own, and starts programs. So it runs in a process beside the second
in which counters are compared, and has until the end of the examination to answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any, Final

from lowlat.probes.reading import Reading, known, unknown

PATIENCE_S: Final = 2.4
"""From its start. A quiet host takes about half as long."""
_SOURCE: Final = "py-cpuinfo"


class CpuinfoProcess:
    """A running py-cpuinfo."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-P", "-m", "cpuinfo", "--json")) -> None:
        self._end_s = time.monotonic() + PATIENCE_S
        self._why = "it cannot be started"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                process_group=0,  # with the programs that it starts
            )
        except OSError as error:
            self._why = f"it cannot be started: {error.strerror or error}"

    def answer(self) -> Reading[dict[str, Any]]:
        """What it printed; unknown if it failed or is not done in time. Its process has ended then."""
        if self._process is None:
            return unknown(_SOURCE, self._why)
        try:
            printed, _ = self._process.communicate(timeout=max(0.0, self._end_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.stop()
            return unknown(_SOURCE, f"it was not done within {PATIENCE_S:g} s")
        try:
            found = json.loads(printed)
        except (ValueError, RecursionError):
            found = None
        if self._process.returncode or not isinstance(found, dict):
            return unknown(_SOURCE, f"it failed with exit code {self._process.returncode}")
        return known(found, _SOURCE)

    def stop(self) -> None:
        """End its process, and the programs that it started, unless it has answered."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its number is not given to another before it is waited for
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()  # not read to its end: whatever left the group may hold it open
