"""Programs of our own: one thread, errors as one line, how they ended in words."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from lowlat.child_process import ending, ends_within, own_environment, python_running
from lowlat.errors import ExitCode
from tests.waiting import PATIENCE_S

THREADS = "import os, numpy; numpy.ones((64, 64)) @ numpy.ones((64, 64)); print(len(os.listdir('/proc/self/task')))"


def printed(code: str, env: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc here")
def test_numpy_starts_no_thread_in_a_program_of_ours() -> None:
    env = dict(os.environ) | {"OPENBLAS_NUM_THREADS": "2"}
    ours = "from lowlat.child_process import prepare_for_numpy; prepare_for_numpy()\n"
    assert printed(ours + THREADS, env) == "1\n"
    assert printed(ours + "import os; print(os.environ['OPENBLAS_NUM_THREADS'])", env) == "2\n"
    assert own_environment()["OPENBLAS_NUM_THREADS"] == "1"


def test_a_program_that_imports_lowlat_keeps_its_threads() -> None:
    env = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    code = "import os, lowlat.engine, lowlat.engine.bench.run; print(os.popen('echo $OPENBLAS_NUM_THREADS').read())"
    assert printed(code, env).strip() == ""


@pytest.mark.parametrize(
    ("code", "line", "exit_code"),
    [
        ("raise OSError(28, 'No space left on device', 'x')", "x: No space left on device; free some space", 2),
        ("raise MemoryError", "not enough memory; use fewer commands or smaller pools", ExitCode.USAGE),
        ("from lowlat.errors import NotValidError; raise NotValidError('no')", "no", ExitCode.NOT_VALID),
        ("import no_such_module", "a module cannot be loaded: No module named 'no_such_module'", ExitCode.USAGE),
        ("{}['broken']", "KeyError: 'broken'", ExitCode.INTERNAL),
    ],
)
def test_what_ends_a_program_is_its_last_line(tmp_path: Path, code: str, line: str, exit_code: int) -> None:
    (tmp_path / "program.py").write_text(code)
    env = own_environment() | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(python_running("program"), env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert done.stderr.splitlines()[-1].startswith(line)
    assert ("Traceback" in done.stderr) is (exit_code == ExitCode.INTERNAL)


def test_an_ending_names_the_signal() -> None:
    assert [ending(code) for code in (0, 3, -11, -9)] == [
        "exited with code 0",
        "exited with code 3",
        "was killed by SIGSEGV",
        "was killed by SIGKILL",
    ]
    assert ending(-40) == "was killed by signal 40"


def test_the_end_of_a_child_is_seen_with_more_descriptors_than_select_takes() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 1_100
    if hard < needed:
        pytest.skip(f"not available here: {needed} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    with ExitStack() as held, subprocess.Popen(["sleep", "1h"]) as child:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1_024):
            held.enter_context(Path(os.devnull).open())
        assert not ends_within(child.pid, 0)
        child.kill()
        assert ends_within(child.pid, PATIENCE_S)
