"""The fuzzers of `make fuzz` for parsers find nothing in half a second of random changes, and each finds a planted
fault: an error that is not lowlat's own, or a wrong result. Atheris, where installed, guides the same targets by
coverage.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lowlat.errors import FormatError
from tests.fuzz.parsers.fuzz import LONGEST
from tests.fuzz.parsers.target import Target
from tests.fuzz.parsers.targets import TARGETS

FUZZ = Path(__file__).parent / "parsers/fuzz.py"


def fuzz(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", str(FUZZ), *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_small_and_read(name: str, tmp_path: Path) -> None:
    seeds = TARGETS[name].seeds()
    assert seeds and max(map(len, seeds)) < LONGEST and sum(map(len, seeds)) < 100_000
    assert all(TARGETS[name].attempt(seed, tmp_path) for seed in seeds)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found(name: str, tmp_path: Path) -> None:
    """In hundreds of inputs; a planted fault takes at most 26, for three seeds each."""
    run = fuzz(tmp_path, name, "0.5", "--plain", "1")
    assert run.returncode == 0, run.stderr[-4_000:]
    assert run.stdout.startswith(f"{name}: ") and not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", TARGETS)
def test_a_planted_fault_is_found_and_its_input_kept(name: str, tmp_path: Path) -> None:
    run = fuzz(tmp_path, name, "60", "--plain", "1", "--planted")
    assert run.returncode not in (0, 2), run.stdout
    kept = f"crash-{name}"
    again = fuzz(tmp_path, name, "0", "--planted", "--kept", kept)
    assert again.returncode not in (0, 2)
    assert fuzz(tmp_path, name, "0", "--kept", kept).returncode == 0


def test_every_kind_of_failure_is_one(tmp_path: Path) -> None:
    """An error without a message, one that is not lowlat's, and a result that contradicts itself."""

    def silent(_data: bytes, _folder: Path) -> None:
        raise FormatError("")

    def untyped(_data: bytes, _folder: Path) -> None:
        raise KeyError("row")

    def wrong(_data: bytes, _folder: Path) -> None:
        assert os.sep == "", "it reads back"

    for read, what in ((silent, AssertionError), (untyped, KeyError), (wrong, AssertionError)):
        with pytest.raises(what):
            Target("broken", read, lambda: [b""], lambda: None, ()).attempt(b"", tmp_path)
