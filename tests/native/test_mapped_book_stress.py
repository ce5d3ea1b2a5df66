"""The sequence lock between two threads at full speed, plain and under the thread sanitizer.

The same check must reject a writer that does not change the sequence and a reader that does not check it.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPILER = shutil.which("c++")
SANITIZERS = {"plain": [], "thread sanitizer": ["-fsanitize=thread", "-g"]}

pytestmark = [pytest.mark.slow, pytest.mark.skipif(COMPILER is None, reason="no C++ compiler here")]


@pytest.fixture(scope="module", params=SANITIZERS)
def stress(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("stress") / "stress"
    source = ROOT / "tools/measure/native/mapped_book_stress.cpp"
    flags = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{ROOT}", *SANITIZERS[request.param]]
    built = subprocess.run(
        [str(COMPILER), *flags, str(source), "-o", str(program)], capture_output=True, text=True, check=False
    )
    if built.returncode != 0 and "tsan" in built.stderr:
        pytest.skip(f"no thread sanitizer here: {built.stderr.strip().splitlines()[-1]}")
    assert built.returncode == 0, built.stderr
    return program


@cache
def fixed_addresses() -> list[str]:
    """The thread sanitizer of older compilers fails with the address space randomization of newer kernels."""
    setarch = shutil.which("setarch")
    works = setarch is not None and subprocess.run([setarch, "-R", "true"], check=False).returncode == 0
    return [str(setarch), "-R"] if works else []


def books(program: Path, kind: str) -> tuple[int, int]:
    """The number of books read in half a second, or until enough were seen, and how many were torn or crossed."""
    done = subprocess.run([*fixed_addresses(), str(program), "0.5", kind], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    read, wrong = done.stdout.split()
    return int(read), int(wrong)


def test_no_book_is_torn(stress: Path) -> None:
    read, wrong = books(stress, "sound")
    assert read >= 1000
    assert wrong == 0


@pytest.mark.parametrize("kind", ["writer-without-sequence", "reader-without-check"])
def test_without_the_lock_torn_books_are_seen(stress: Path, kind: str) -> None:
    read, wrong = books(stress, kind)
    assert 0 < wrong <= read
