"""What the tests build with CMake, once for all processes of a run."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def tool(name: str) -> str:
    """The build tool of this environment, or of the system."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"not available here: {name}; pip install {name}")
    return found


@cache
def built(folder: str, *options: str, target: str = "all") -> Path:
    """The folder below build/ with what these options make; another process that builds it is waited for."""
    build = ROOT / "build" / folder
    build.mkdir(parents=True, exist_ok=True)
    configure = [tool("cmake"), "-S", ROOT, "-B", build, "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"]
    with (build / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for step in ([*configure, *options], [tool("cmake"), "--build", build, "--target", target]):
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    return build
