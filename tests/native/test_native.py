"""Builds the C++ tests beside this file, and runs each as a separate test.

They are compiled at -Og, which takes less CPU time; a slow test runs them all with the flags of the release.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.built import built

NAMES = [
    name
    for source in sorted(Path(__file__).parent.glob("test_*.cpp"))
    for name in re.findall(r'^const Register \w+\(\s*"([^"]+)"', source.read_text(encoding="utf-8"), re.MULTILINE)
]


QUICKLY = ("-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-Og -DNDEBUG")


def program(folder: str = "native-tests", *kind: str) -> Path:
    """The test program; without a `kind` of build, compiled like the release."""
    options = (f"-DPython_EXECUTABLE={sys.executable}", "-DLOWLAT_TESTS=ON", *kind)
    return built(folder, *options, target="lowlat_native_tests") / "lowlat_native_tests"


def test_every_test_is_known_here() -> None:
    listed = subprocess.run(
        [program("native-tests-quick", *QUICKLY), "--list"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert sorted(listed) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_native(name: str) -> None:
    run = subprocess.run([program("native-tests-quick", *QUICKLY), name], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_all_compiled_like_the_release() -> None:
    run = subprocess.run([program()], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("passed: ") == len(NAMES)
