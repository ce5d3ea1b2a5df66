"""Two threads exchange sets of histograms at full speed, plain and under the thread sanitizer.

The same check must reject a recorder that does not wait until a set is returned, and the sanitizer must reject one that
hands sets over without memory ordering.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPILER = shutil.which("c++")
RACE_FOUND = 66

pytestmark = [pytest.mark.slow, pytest.mark.skipif(COMPILER is None, reason="no C++ compiler here")]


@cache
def built(folder: Path, *sanitizer: str) -> Path:
    program = folder / "_".join(["stress", *sanitizer])
    flags = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{ROOT}", *sanitizer]
    source = ROOT / "tools/measure/native/interval_stress.cpp"
    done = subprocess.run(
        [str(COMPILER), *flags, str(source), "-o", str(program)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0 and "tsan" in done.stderr:
        pytest.skip(f"no thread sanitizer here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return program


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stress")


@cache
def fixed_addresses() -> list[str]:
    """The thread sanitizer of older compilers fails with the address space randomization of newer kernels."""
    setarch = shutil.which("setarch")
    works = setarch is not None and subprocess.run([setarch, "-R", "true"], check=False).returncode == 0
    return [str(setarch), "-R"] if works else []


def stress(program: Path, records: int, interval_ticks: int, kind: str) -> subprocess.CompletedProcess[str]:
    """Record at least this many, and continue until 100 intervals were taken or one was wrong."""
    return subprocess.run(
        [*fixed_addresses(), str(program), str(records), str(interval_ticks), kind],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TSAN_OPTIONS": f"halt_on_error=1:exitcode={RACE_FOUND}"},
    )


@pytest.mark.parametrize("sanitizer", [(), ("-fsanitize=thread",)], ids=["plain", "thread sanitizer"])
def test_every_interval_is_exact(folder: Path, sanitizer: tuple[str, ...]) -> None:
    done = stress(built(folder, *sanitizer), 200_000, 500, "sound")
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) >= 100


def test_a_set_used_before_it_is_back_is_seen(folder: Path) -> None:
    # An interval shorter than a look at it: the recorder gets round to the set that the reader still has.
    assert stress(built(folder), 1_000_000, 10, "unasked").returncode == 1


def test_the_thread_sanitizer_sees_what_is_not_ordered(folder: Path) -> None:
    assert stress(built(folder, "-fsanitize=thread"), 200_000, 500, "relaxed").returncode == RACE_FOUND
