"""Waiting for what must happen, on a machine that may be slow or busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 600.0
"""A guard against a hang, not an expectation: nothing here takes as long while the machine makes any progress."""


def wait_until(happened: Callable[[], object], what: str | Callable[[], str]) -> None:
    """Return once it has happened; fail, saying what never did, when patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"never happened: {what if isinstance(what, str) else what()}"
        time.sleep(0.002)


def ran_ns(pid: int) -> int:
    """The CPU time of a process's main thread so far, in nanoseconds, as the scheduler counts it."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
