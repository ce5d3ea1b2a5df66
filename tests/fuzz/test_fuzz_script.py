"""`make fuzz` runs every fuzzer to its end, and prints of each that fails the command that gives it its input again."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROKEN = b"\0\xff broken\n" * 3
FUZZER = """\
#!/bin/sh
# Stands for Python: two fuzzers, of which one ends with an input that it has kept, which it also refuses alone.
case "$*" in
    -c*) ;;
    *--list) printf 'sound\\nbroken\\nlater\\n' ;;
    *" broken "*--kept*) cmp -s "$KEPT" "${8}" && echo "the same input" >&2; exit 1 ;;
    *" broken "*) cp "$KEPT" crash-broken; exit 1 ;;
    *) echo "$3 ran by $5 $6" >&2 ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what the script looks for."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text(FUZZER)
    (tmp_path / "bin/python").chmod(0o755)
    (tmp_path / "kept").write_bytes(BROKEN)
    return tmp_path


def fuzz(clone: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", ROOT / "tools/ci/fuzz.sh", "bin", "1", "anyhow"]
    given = os.environ | {"FUZZ_ONLY": "parser .*", "KEPT": str(clone / "kept")} | variables
    return subprocess.run(command, cwd=clone, env=given, capture_output=True, text=True, check=False)


def test_a_failure_is_told_with_the_command_that_repeats_it(clone: Path) -> None:
    run = fuzz(clone)
    assert run.returncode != 0 and "sound ran" in run.stderr and "later ran" in run.stderr
    assert "parser broken failed, by the input in build/fuzzed/parser/crash-broken" in run.stderr
    (line,) = (line for line in run.stderr.splitlines() if "run it again" in line)
    make, fuzz_word, *variables = shlex.split(line.partition("again: ")[2])
    assert (make, fuzz_word) == ("make", "fuzz") and "FUZZ=anyhow" in variables
    given = dict(variable.split("=", 1) for variable in variables)
    assert given["FUZZ_ONLY"] == "parser broken"
    (clone / "build/fuzzed/parser/crash-broken").unlink()
    again = fuzz(clone, **given)
    assert again.returncode != 0 and "the same input" in again.stderr and "sound ran" not in again.stderr


def test_a_seed_chooses_the_inputs(clone: Path) -> None:
    assert "sound ran by --seed 7\n" in fuzz(clone, FUZZ_ONLY="parser sound", FUZZ_SEED="7").stderr
    others = {fuzz(clone, FUZZ_ONLY="parser sound").stderr for _ in range(9)}
    assert len(others) > 1 and all("sound ran by --seed " in other for other in others)


def test_one_fuzzer_can_be_named(clone: Path) -> None:
    run = fuzz(clone, FUZZ_ONLY="parser sound")
    assert (run.returncode, "later ran" in run.stderr) == (0, False) and run.stderr.endswith("passed: parser sound\n")
    assert "there is no fuzzer 'parser missing'" in fuzz(clone, FUZZ_ONLY="parser missing").stderr
