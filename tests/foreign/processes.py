"""The engines of the tests that run as processes, as `--engine` names them.

`simple_book.py` is right. `broken` ones are `simple_book.py` with one fault of matching; `bad` ones break the protocol.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from tests.foreign import libraries

FOLDER = Path(__file__).parent

BROKEN = {
    "last-in-first-out": ("maker = queues[prices[0]][0]", "maker = queues[prices[0]][-1]"),
    "fok-trades-in-part": ("time_in_force == FOK and not", "False and not"),
    "taker-sets-the-price": ('"price": maker.price', '"price": taker.price'),
    "reduced-loses-its-place": (
        "order.remaining -= quantity\n        if not order.remaining:\n            self._take_out(order)",
        "order.remaining -= quantity\n        self._take_out(order)\n        if order.remaining:\n"
        "            self._add(order)",
    ),
    "keeps-what-it-had": ('books[:] = [Book(message["orders"])]', 'books += [Book(message["orders"])]'),
}
"""Faults of matching: what `simple_book.py` says, and what the broken one says instead."""


def simple_book() -> str:
    """A right engine."""
    return _running(FOLDER / "simple_book.py")


def ours() -> str:
    """Our own engine, of every capability."""
    return f"ndjson:{shlex.join([sys.executable, '-P', str(FOLDER / 'own_process.py')])}"


def broken(fault: str, folder: Path) -> str:
    """`simple_book.py` with one of `BROKEN`, written to the folder."""
    right, wrong = BROKEN[fault]
    text = (FOLDER / "simple_book.py").read_text(encoding="utf-8")
    assert text.count(right) == 1, f"{fault}: simple_book.py says {right!r} {text.count(right)} times"
    source = folder / f"{fault}.py"
    source.write_text(text.replace(right, wrong), encoding="utf-8")
    return _running(source)


def ring_book(fault: str = "") -> str:
    """`ring_book.cpp`, a right engine behind rings, or with one thing spoiled."""
    return f"ring:{shlex.join([str(libraries.ring_book()), *([fault] if fault else [])])}"


def bad(fault: str) -> str:
    """One of the faults in `bad_process.py`."""
    return f"{_running(FOLDER / 'bad_process.py')} {fault}"


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits only for its parent to take note."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def _running(script: Path) -> str:
    """Without the modules of other packages, which would take longer to look for than a test takes."""
    return f"ndjson:{shlex.join([sys.executable, '-ES', str(script)])}"
