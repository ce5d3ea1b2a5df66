"""Instructions of a call of `Engine` from Python, counted by callgrind, the interpreter's own included.

The count does not depend on the machine's load. It differs between versions of Python and numpy by some percent, so
each call has a bound a quarter above its count with Python 3.11 and numpy 2.4; a figure above its bound fails.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Side

CALLS, SEED, FIRST_ID = 500, 1, 10**6
MOST: Final = {
    "process, 1 command": 5_000,
    "process, 64 commands": 27_000,
    "submit": 18_000,
    "cancel": 13_200,
}
"""The bounds."""


def calls() -> dict[str, Callable[[int], object]]:
    """Each call by its name, with its ordinal."""
    flow = synthetic_flow(load_profile("steady"), 70 * CALLS, SEED)
    engine = Engine(orders=flow.orders)
    ones = [flow.commands[at : at + 1] for at in range(CALLS)]
    batches = [flow.commands[at : at + 64] for at in range(CALLS, len(flow.commands) - 64, 64)]
    return {
        "process, 1 command": lambda at: engine.process(ones[at]),
        "process, 64 commands": lambda at: engine.process(batches[at]),
        "submit": lambda at: engine.submit(FIRST_ID + at, Side.BUY, 5, 1),
        "cancel": lambda at: engine.cancel(FIRST_ID + at),
    }


def counted(work: Callable[[], None]) -> None:
    """Do it within a call of libffi, which is where callgrind counts: C's bsearch calls back once."""
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    called = compare(lambda _key, _element: work() or 0)
    element = ctypes.create_string_buffer(1)
    ctypes.CDLL(None).bsearch(element, element, ctypes.c_size_t(1), ctypes.c_size_t(1), called)


def repeat(call: Callable[[int], object]) -> None:
    """All calls of a kind."""
    for at in range(CALLS):
        call(at)


def run_counted() -> None:
    """What runs under callgrind: an empty call, then each of the others."""
    for call in (lambda _at: None, *calls().values()):
        counted(lambda call=call: repeat(call))


def count() -> dict[str, float]:
    """Instructions of each call beyond those of an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *["valgrind", "--tool=callgrind", "--collect-atstart=no"],
                *["--toggle-collect=ffi_call", "--dump-after=ffi_call", f"--callgrind-out-file={folder}/part"],
                *[sys.executable, "-P", __file__, "--counted"],
            ],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": "0"},
            check=False,
        )
        parts = [Path(folder, f"part.{at}") for at in range(1, len(MOST) + 2)]
        if done.returncode or not all(part.exists() for part in parts):
            sys.exit(f"callgrind counted no calls:\n{done.stderr}")
        totals = [int(re.search(r"^totals: (\d+)", part.read_text(), re.MULTILINE)[1]) for part in parts]  # type: ignore[index]
    empty, *others = totals
    return {name: (total - empty) / CALLS for name, total in zip(MOST, others, strict=True)}


def main() -> int:
    """Count and compare; return the exit code."""
    if "--counted" in sys.argv:
        run_counted()
        return 0
    if shutil.which("valgrind") is None:
        sys.exit("no valgrind found. Install it: apt install valgrind")
    worse = 0
    print(f"instructions per call from Python, {CALLS} calls each")
    for name, now in count().items():
        failed = now > MOST[name]
        worse += failed
        print(f"  {name:44} {now:8,.0f}   at most {MOST[name]:8,}{'  WORSE' if failed else ''}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
