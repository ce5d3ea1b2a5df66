"""The fuzzers of `make fuzz` for parsers find nothing in a quarter of a second of random changes, and each finds a
planted fault: an error that is not lowlat's own, or a wrong result. Atheris, where installed, guides the same targets
by coverage.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from lowlat.errors import FormatError
from tests.fuzz.parsers.fuzz import LONGEST, freed
from tests.fuzz.parsers.target import Target
from tests.fuzz.parsers.targets import TARGETS
from tests.warm_start import Zygote

Fuzz = Callable[..., subprocess.CompletedProcess[str]]

PARSERS = Path(__file__).parent / "parsers"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    zygote = Zygote(os.environ, PARSERS / "warm.py")
    yield zygote
    zygote.close()


@pytest.fixture
def fuzz(zygote: Zygote, tmp_path: Path) -> Fuzz:
    """Run `fuzz.py` with these arguments, in a fork."""
    return partial(zygote.run, folder=tmp_path, environment=os.environ)


def test_it_is_a_program_too(tmp_path: Path) -> None:
    """As `make fuzz` runs it."""
    command = [sys.executable, "-P", str(PARSERS / "fuzz.py"), "report", "0.01", "--plain"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "") and run.stdout.startswith("report: ")


def test_atheris_compares_everything_but_arrays() -> None:
    """It keeps each array that a comparison returns, which ended a fuzzer of histograms by its limit of memory."""
    traced: list[object] = []
    compared = freed(lambda left, right, *_: traced.append((left, right)))
    orders = [compared(2, np.array([1, 2, 3]), kind, 0, True) for kind in range(6)]
    assert np.array(orders).astype(int).tolist() == [
        [0, 0, 1],
        [0, 1, 1],
        [0, 1, 0],
        [1, 0, 1],
        [1, 0, 0],
        [1, 1, 0],
    ]
    assert compared(1, "2", 3, 0, False) is None and traced == [(1, "2")]


def test_every_target_is_listed_on_its_own_line(fuzz: Fuzz) -> None:
    """`make fuzz` runs what each line names."""
    assert fuzz(("--list",)).stdout.splitlines() == list(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_small_and_read(name: str, tmp_path: Path) -> None:
    seeds = TARGETS[name].seeds()
    assert seeds and max(map(len, seeds)) < LONGEST and sum(map(len, seeds)) < 100_000
    assert all(TARGETS[name].attempt(seed, tmp_path) for seed in seeds)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found(fuzz: Fuzz, name: str, tmp_path: Path) -> None:
    """In hundreds of inputs; a planted fault takes at most 26, for three seeds each."""
    run = fuzz((name, "0.25", "--plain"))
    kept = tmp_path / f"crash-{name}"
    assert run.returncode == 0, (run.stderr[-4_000:], kept.read_bytes() if kept.exists() else None)
    assert run.stdout.startswith(f"{name}: ") and not list(tmp_path.iterdir())


QUICK = {"report", "journal", "itch", "parquet"}
"""Planted faults of these are found in `make test` too."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in TARGETS]
)
def test_a_planted_fault_is_found_and_its_input_kept(fuzz: Fuzz, name: str) -> None:
    run = fuzz((name, "60", "--plain", "--planted"))
    assert run.returncode not in (0, 2), run.stdout
    kept = f"crash-{name}"
    again = fuzz((name, "0", "--planted", "--kept", kept))
    assert again.returncode not in (0, 2)
    assert fuzz((name, "0", "--kept", kept)).returncode == 0


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
