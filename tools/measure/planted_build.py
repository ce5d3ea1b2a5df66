"""Builds lowlat with a spin before each command (LOWLAT_PLANTED_SPIN), in a virtual environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNITS = "LOWLAT_PLANTED_SPIN_UNITS"
EVERY = "LOWLAT_PLANTED_SPIN_EVERY"
"""The environment variables that a run reads: iterations of the spin, and every how many commands it runs."""


def planted_python(folder: Path) -> Path:
    """The interpreter of an environment in `folder` whose lowlat is this tree's, with the spin; built if need be.

    Everything else is taken from the environment that runs this.
    """
    venv.create(folder)
    python = folder / "bin/python"
    site = folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    # A line with a path, unlike a site directory, leaves the hook of an editable install there alone.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(
        [
            *[sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-build-isolation"],
            *["--no-deps", "--upgrade", f"--target={site}", "-Ccmake.define.LOWLAT_PLANTED_SPIN=ON", str(ROOT)],
        ],
        check=True,
        # The build's own tools, cmake and ninja, are beside the interpreter.
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )
    return python
