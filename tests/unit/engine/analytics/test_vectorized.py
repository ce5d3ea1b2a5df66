"""The compiler confirms that the loops of `vwap.cpp` are vectorized."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
SOURCE = ROOT / "engine/native/analytics/vwap.cpp"
COMPILER = shutil.which(os.environ.get("CXX", "c++"))


def test_the_compiler_vectorizes_the_marked_loops(tmp_path: Path) -> None:
    if COMPILER is None or b"Free Software" not in subprocess.check_output([COMPILER, "--version"]):
        pytest.skip("not available here, because only GCC's -fopt-info-vec is understood and there is no GCC")
    lines = SOURCE.read_text().splitlines()
    marked = {number for number, line in enumerate(lines, start=1) if "// vectorized" in line}
    assert len(marked) == 3
    command = [COMPILER, "-std=c++20", "-O3", f"-I{ROOT}", "-fopt-info-vec-optimized", "-c", str(SOURCE)]
    told = subprocess.run([*command, "-o", str(tmp_path / "vwap.o")], capture_output=True, text=True, check=True)
    found = re.findall(r"vwap\.cpp:(\d+):\d+: optimized: loop vectorized", told.stderr)
    assert marked <= {int(line) for line in found}, told.stderr
