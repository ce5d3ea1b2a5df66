"""Wheels of these sources, built by pip as a release is."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def wheel_of(sources: Path, folder: Path, environment: dict[str, str] | None = None) -> Path:
    """The wheel of a copy of the sources, in `folder`. What it compiles stays where an editable installation leaves it:
    the next one, also of another process, which is waited for, compiles what has changed since either.
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # of cmake and ninja
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOWLAT_")}
    pip = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "-q", "wheel", ".", "--no-deps"]
    command = [*pip, "--no-build-isolation", "-w", folder, "-C", "build-dir=build/{wheel_tag}-{build_type}"]
    (sources / "build").mkdir(exist_ok=True)
    with (sources / "build/.wheel-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        variables = kept | {"PATH": path} | (environment or {})
        done = subprocess.run(command, cwd=sources, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel
