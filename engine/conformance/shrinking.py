"""The shortest command list that still shows a fault: delta debugging (Zeller and Hildebrandt, 2002).

Each candidate is tried in a process of its own, forked for it, so that one that crashes or hangs is an answer too.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import pairwise
from typing import Final

import numpy as np

from lowlat.child_process import ends_within
from lowlat.engine import _core
from lowlat.engine.matching.records import Commands

CANDIDATE_LIMIT_S: Final = 5.0
"""How long a candidate may take: it then hangs."""
BUDGET_S: Final = 30.0
"""How long shrinking takes at most; the list is then as short as it got."""


class CandidateEnd(Enum):
    """How a candidate ended. The values are exit codes of its process that an engine is not likely to give."""

    EQUAL = 64
    DIFFERENT = 65
    ENDED = 66
    """Its process crashed or was ended: the library crashes, hangs or breaks the rules of the interface."""


def tried(differs: Callable[[], bool]) -> CandidateEnd:
    """How `differs` ends in a forked child, which prints nothing."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            _core.say_of_libraries_to(nowhere)
            code = CandidateEnd.DIFFERENT.value if differs() else CandidateEnd.EQUAL.value
        finally:
            os._exit(code)
    try:
        if not ends_within(child, CANDIDATE_LIMIT_S):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    code = os.waitstatus_to_exitcode(status)
    return (
        CandidateEnd(code) if code in (CandidateEnd.EQUAL.value, CandidateEnd.DIFFERENT.value) else CandidateEnd.ENDED
    )


def shrunk(commands: Commands, shows: Callable[[Commands], bool]) -> Commands:
    """A part of `commands` that `shows` what they show, none of whose commands can be left out; then with smaller
    numbers. Ends early when the time is up.
    """
    deadline = time.monotonic() + BUDGET_S
    parts = 2
    while len(commands) > 1 and time.monotonic() < deadline:
        smaller = next((each for each in _without_a_part(commands, parts, deadline) if shows(each)), None)
        if smaller is not None:
            commands, parts = smaller, max(parts - 1, 2)
        elif parts >= len(commands):
            break
        else:
            parts = min(2 * parts, len(commands))
    for plainer in _plainer(commands, deadline):
        candidate = plainer(commands)
        if not np.array_equal(candidate, commands) and shows(candidate):
            commands = candidate
    return commands


def _without_a_part(commands: Commands, parts: int, deadline: float) -> Iterator[Commands]:
    """The commands without one of so many parts: the last one first, since a fault needs what comes before it."""
    cuts = [len(commands) * index // parts for index in range(parts + 1)]
    for start, end in reversed([*pairwise(cuts)]):
        if time.monotonic() > deadline:
            return
        kept = np.ones(len(commands), dtype=bool)
        kept[start:end] = False
        yield commands[kept]


def _plainer(commands: Commands, deadline: float) -> Iterator[Callable[[Commands], Commands]]:
    """Ways to write them with smaller numbers."""
    yield _renumbered
    yield _moved_to_100
    for at in range(len(commands)):
        for name, value in (("quantity", 1), ("participant_id", 0), ("self_trade", 0), ("flags", 0)):
            known = name in (commands.dtype.names or ()) and commands[name][at] > value
            if known and time.monotonic() < deadline:
                yield lambda all_, at=at, name=name, value=value: _set(all_, at, name, value)  # type: ignore[misc]


def _renumbered(commands: Commands) -> Commands:
    """Ids 1, 2, ... in the order of their first use."""
    ids = list(dict.fromkeys(commands["order_id"].tolist()))
    plain = commands.copy()
    plain["order_id"] = [ids.index(each) + 1 for each in commands["order_id"].tolist()]
    return plain


def _moved_to_100(commands: Commands) -> Commands:
    """The first price that is stated becomes 100, the others keep their distance."""
    plain = commands.copy()
    stated = commands["price"] != 0
    if stated.any():
        first = int(commands["price"][stated][0])
        moved = [int(price) - first + 100 for price in commands["price"][stated].tolist()]
        if all(abs(price) < 1 << 62 for price in moved):
            plain["price"][stated] = moved
    return plain


def _set(commands: Commands, at: int, name: str, value: int) -> Commands:
    plain = commands.copy()
    plain[name][at] = value
    return plain
