"""The fuzzer of `make fuzz` finds nothing in the engine, and does find planted faults. It runs for ten seconds here,
with any compiler, since libFuzzer needs clang.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.built import built, tool

ROOT = Path(__file__).parents[2]
CORPUS = sorted((ROOT / "tests/fuzz/corpus").iterdir())


def program() -> Path:
    """The fuzzer with its own main(), invariants on."""
    return built("fuzz-plain", f"-DCMAKE_CXX_COMPILER={tool('g++')}", "-DLOWLAT_FUZZ=ON") / "fuzz_commands"


def fuzz(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program(), *words], cwd=folder, capture_output=True, text=True, check=False)


def test_the_corpus_is_there_and_small() -> None:
    assert CORPUS
    assert sum(file.stat().st_size for file in CORPUS) < 50_000


@pytest.mark.slow
def test_nothing_is_found_in_the_engine(tmp_path: Path) -> None:
    run = fuzz(tmp_path, "10", "1", *CORPUS)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout.split()[0]) > len(CORPUS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("last-in-first-out", "the engines differ"),
        ("refill-keeps-place", "the engines differ"),
        ("event-lost", "what was accepted and has not ended is in the book"),
    ],
)
def test_what_is_broken_is_found_and_its_input_kept(tmp_path: Path, fault: str, what: str) -> None:
    run = fuzz(tmp_path, "30", fault)
    assert run.returncode < 0
    assert run.stderr.startswith(f"fuzz: {what}\n")
    kept = tmp_path / "crash-commands"
    assert fuzz(tmp_path, "0", fault, kept).returncode < 0
    assert fuzz(tmp_path, "0", "1", kept).returncode == 0
