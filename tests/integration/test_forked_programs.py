"""A program of ours that a command starts to measure finds in a fork of the command what it would find if it were
started, and ends as it would end: the two are compared.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import clean_environment

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "shows": """
import gc, json, os, pathlib, signal, sys
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(json.dumps({
    "environment": dict(os.environ), "folder": os.getcwd(), "arguments": sys.argv[2:], "name": __name__,
    "leads": [os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid()],
    "status": {name: status[name].strip() for name in ("SigIgn", "SigBlk", "SigCgt", "Umask", "Threads")},
    "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))[:-1], "passes": os.get_inheritable(int(sys.argv[1])),
    "read": sys.stdin.read(), "passed": os.read(int(sys.argv[1]), 9).decode(), "collects": gc.isenabled(),
    "interrupts": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
}))
sys.stderr.write("said")
sys.exit(7)
""",
    "returns": "print('before')",
    "exits_with_words": "import sys; sys.exit('words')",
    "raises": "raise OSError('words')",
    "has_a_defect": "{}['defect']",
    "refuses": "from lowlat.errors import UsageError\nraise UsageError('words')",
    "is_interrupted": "raise KeyboardInterrupt",
    "crashes": "import os; os.abort()",
    "registers": "import atexit; atexit.register(print, 'at its end'); print('before', end=' ')",
}
LOADED = "import sys; print('loaded_by_the_parent' in sys.modules)"
DRIVER = f"""
import atexit, json, os, signal, subprocess, sys
sys.path.append({str(ROOT)!r})
from lowlat.child_process import own_environment, python_running
from tests.zygote import fork_our_programs

sys.modules["loaded_by_the_parent"] = sys
atexit.register(print, "", end="")
sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # as that of a command in a fork
sys.stdout.write("not yet written by the parent\\n")
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGHUP, signal.SIG_IGN)

def ended(name, **variables):
    read, write = os.pipe()
    os.write(write, b"passed")
    done = subprocess.run(
        [*python_running(name), str(read), "a b"], input="read", capture_output=True, text=True, cwd="/",
        env=own_environment() | {{"SHOWN": "1"}} | variables, pass_fds=[read], start_new_session=True,
    )
    os.close(read)
    os.close(write)
    return done.returncode, done.stdout, done.stderr.splitlines()[-1:]

started = {{name: ended(name) for name in sys.argv[1:]}}
fork_our_programs()
forked = {{name: ended(name) for name in sys.argv[1:]}}
print(json.dumps([started, forked, ended("loaded", PYTHONHASHSEED="7")]))
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """How each program ended and what it wrote: started, forked, and where a start decides."""
    folder = tmp_path_factory.mktemp("programs")
    for name, code in (PROGRAMS | {"loaded": LOADED}).items():
        (folder / f"{name}.py").write_text(code)
    environment = clean_environment() | {"PYTHONPATH": str(folder)}
    driver = [sys.executable, "-P", "-c", DRIVER, *PROGRAMS, "loaded"]
    done = subprocess.run(driver, env=environment, capture_output=True, text=True, check=True)
    found: list[Any] = json.loads(done.stdout.splitlines()[1])
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_fork_is_as_a_start(name: str, compared: list[Any]) -> None:
    started, forked, _ = compared
    assert forked[name] == started[name]


def test_it_is_a_fork_unless_a_start_decides(compared: list[Any]) -> None:
    started, forked, decided = compared
    assert [each[1] for each in (started["loaded"], forked["loaded"], decided)] == ["False\n", "True\n", "False\n"]
    assert [started[name][0] for name in ("shows", "returns", "crashes")] == [7, 0, -signal.SIGABRT]
