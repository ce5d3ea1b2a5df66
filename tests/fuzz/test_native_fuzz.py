"""The native fuzzers of `make fuzz` find nothing in engine, snapshots, journals and ITCH files, and do find planted
faults. Each runs for ten seconds here, with any compiler, since libFuzzer needs clang.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.built import built, tool

ROOT = Path(__file__).parents[2]
CORPUS = sorted((ROOT / "tests/fuzz/corpus").iterdir())


def programs() -> Path:
    """The folder of the fuzzers with a main() of their own, invariants on."""
    return built("fuzz-plain", f"-DCMAKE_CXX_COMPILER={tool('g++')}", "-DLOWLAT_FUZZ=ON")


def fuzz(folder: Path, name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [programs() / f"fuzz_{name}", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_corpus_is_there_and_small() -> None:
    assert CORPUS
    assert sum(file.stat().st_size for file in CORPUS) < 50_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["commands", "snapshot", "journal", "itch"])
def test_nothing_is_found(name: str, tmp_path: Path) -> None:
    run = fuzz(tmp_path, name, "10", "1", *CORPUS)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout.split()[0]) > len(CORPUS)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fault", "what"),
    [
        ("commands", "last-in-first-out", "fuzz: the engines differ\n"),
        ("commands", "refill-keeps-place", "fuzz: the engines differ\n"),
        ("commands", "event-lost", "fuzz: what was accepted and has not ended is in the book\n"),
        ("snapshot", "unchecked", ""),  # whatever comes first: memory, an invariant, other bytes
        ("snapshot", "clock-left-out", "fuzz: a byte of the state does not count\n"),
        ("journal", "past-the-end", "fuzz: reading left the file\n"),
        ("journal", "sum-not-checked", "fuzz: a block is not as it was written\n"),
        ("itch", "byte-lost", "fuzz: pieces give other events than the whole\n"),
        ("itch", "event-lost", "fuzz: a message is neither an event nor left out\n"),
    ],
)
def test_what_is_broken_is_found_and_its_input_kept(tmp_path: Path, name: str, fault: str, what: str) -> None:
    run = fuzz(tmp_path, name, "30", fault)
    assert run.returncode < 0
    assert run.stderr.startswith(what)
    kept = tmp_path / f"crash-{name}"
    assert fuzz(tmp_path, name, "0", fault, kept).returncode < 0
    assert fuzz(tmp_path, name, "0", "1", kept).returncode == 0
