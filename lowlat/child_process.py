"""Python child processes: runs of `lowlat bench`, and the programs that measure them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

_RUN: Final = """
import runpy, sys
home, module = sys.argv[1:3]
sys.path.insert(0, home)
import lowlat
sys.path.remove(home)
del sys.argv[1:3]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def python_running(module: str) -> tuple[str, ...]:
    """The command that runs a module of this installation as a program; arguments may follow.

    Uses `-P` and imports `lowlat` from this installation first: the current folder, or one on PYTHONPATH, may
    contain the user's own `lowlat` or `engine`.
    """
    return (sys.executable, "-P", "-c", _RUN, str(Path(__file__).parent.parent), module)
