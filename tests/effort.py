"""The cost of work in units of other work on the same machine, so that a slow or busy machine changes nothing."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def effort(work: Callable[[], object], yardstick: Callable[[], object], repeats: int = 5) -> float:
    """CPU time of `work`, children included, over that of `yardstick`: minima of interleaved repeats."""
    pairs = [(cpu_s(work), cpu_s(yardstick)) for _ in range(repeats)]
    own, unit = (min(column) for column in zip(*pairs, strict=True))
    return own / unit


def cpu_s(work: Callable[[], object]) -> float:
    """CPU time of a call in seconds, including that of the processes it starts and waits for."""
    before = _used_s()
    work()
    return _used_s() - before


def _used_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def start_interpreter(program: str = "pass") -> None:
    """Run a Python program in a new process."""
    subprocess.run([sys.executable, "-P", "-c", program], check=True)


def read_files(folder: Path) -> None:
    """Read every file under a folder once."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            path.read_bytes()
