"""The committed type stubs, which mypy and editors use, match what the native modules offer."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("package", ["engine", "probes", "reports"])
def test_committed_stub_is_the_generated_one(package, tmp_path):
    generated = tmp_path / "_core.pyi"
    command = [
        sys.executable,
        "-P",
        "-m",
        "nanobind.stubgen",
        "-q",
        "-m",
        f"lowlat.{package}._core",
        "-o",
        str(generated),
    ]
    subprocess.run(command, check=True, cwd=tmp_path)  # nanobind puts the current folder on the path
    assert (ROOT / package / "_core.pyi").read_text() == generated.read_text(), "run `make stubs`"
