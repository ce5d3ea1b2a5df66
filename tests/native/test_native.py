"""Builds the C++ tests beside this file, and runs each as a separate test."""

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


def program() -> Path:
    """The test program, compiled like the release."""
    options = (f"-DPython_EXECUTABLE={sys.executable}", "-DLOWLAT_TESTS=ON")
    return built("native-tests", *options, target="lowlat_native_tests") / "lowlat_native_tests"


def test_every_test_is_known_here() -> None:
    listed = subprocess.run([program(), "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert sorted(listed) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_native(name: str) -> None:
    run = subprocess.run([program(), name], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
