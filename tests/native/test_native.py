"""Builds the C++ tests beside this file, and runs each as a separate test."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build/native-tests"
NAMES = [
    name
    for source in sorted(Path(__file__).parent.glob("test_*.cpp"))
    for name in re.findall(r'^const Register \w+\(\s*"([^"]+)"', source.read_text(encoding="utf-8"), re.MULTILINE)
]


def tool(name: str) -> str:
    """The build tool of this environment, or of the system."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"not available here: {name}; pip install {name}")
    return found


@cache
def program() -> Path:
    """The test program, compiled like the release."""
    cmake = tool("cmake")
    options = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", f"-DPython_EXECUTABLE={sys.executable}"]
    for step in (
        [cmake, "-S", ROOT, "-B", BUILD, *options, "-DLOWLAT_TESTS=ON"],
        [cmake, "--build", BUILD, "--target", "lowlat_native_tests"],
    ):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return BUILD / "lowlat_native_tests"


def test_every_test_is_known_here() -> None:
    listed = subprocess.run([program(), "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert sorted(listed) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_native(name: str) -> None:
    run = subprocess.run([program(), name], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
