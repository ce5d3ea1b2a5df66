"""Python processes of our own: runs of `lowlat bench`, and what measures one of them."""

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

    `-P`, and `lowlat` looked up where ours lies before anything else is imported: the current folder, or one on
    PYTHONPATH, may hold a `lowlat` or an `engine` of the user's own.
    """
    return (sys.executable, "-P", "-c", _RUN, str(Path(__file__).parent.parent), module)
