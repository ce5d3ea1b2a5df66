"""What holds for all memory of a process, tried in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.probes.host.host_tree import LIVE
from lowlat.probes.memory.process_memory import forbid_huge_pages, huge_pages_of_process


def holds_in_a_child(check: Callable[[], bool]) -> bool:
    """Whether it returns true there. Skips what is not permitted here."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if check() else 1)
        except OSError:
            os._exit(2)
        finally:
            os._exit(3)  # else the child would go on with the tests
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 2:
        pytest.skip("this process has no right to it")
    return code == 0


def status(field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


LOCKS = """
from lowlat.probes.memory.process_memory import lock_all_memory

def locked():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmLck:"))
    return int(line.split()[1])

before = locked()
try:
    lock_all_memory()
except OSError:
    raise SystemExit(2)
raise SystemExit(0 if before == 0 < locked() else 1)
"""


def test_all_memory_is_locked() -> None:
    """In a small process: a fork of this one would first have to copy all that it shares with it."""
    code = subprocess.run([sys.executable, "-P", "-c", LOCKS], check=False).returncode
    if code == 2:
        pytest.skip("this process has no right to it")
    assert code == 0


def test_a_process_without_huge_pages_says_so() -> None:
    def check() -> bool:
        forbid_huge_pages()
        return status("THP_enabled") == 0

    if not re.search("^THP_enabled:\t1", Path("/proc/self/status").read_text(), re.MULTILINE):
        pytest.skip("not available here, because the kernel has no transparent huge pages")
    assert holds_in_a_child(check)


def test_huge_pages_of_this_process() -> None:
    found = huge_pages_of_process(LIVE)
    assert (found.value is None) == (not Path("/proc/self/smaps_rollup").exists())
    assert (found.value or 0) % (2 << 20) == 0
