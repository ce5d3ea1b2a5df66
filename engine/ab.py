"""Two commands run in turn, in random order, and compared.

Machines drift by more than what is to be found: runs that were taken one side after the other differ by when they were
taken. In pairs of random order, what drifts meets both sides alike.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from engine.command_run import Command, report_from, wall_ns_of
from reports.comparable import check_same_work, check_valid
from reports.compare import WALL, Samples, compare_interleaved, samples_of_each
from reports.comparison import Comparison, Interleaving
from reports.gate import Rule
from reports.model import Report

Taken = TypeVar("Taken")
SideName: TypeAlias = Literal["base", "head"]
Progress: TypeAlias = Callable[[str, float], None]
"""Called with what comes next and the share done, 0 to 1; never while a command runs."""


@dataclass(frozen=True, slots=True)
class AbPlan:
    """What to compare. `pairs`: runs of each side. `seed`: of their order. `wall`: elapsed times instead of reports."""

    base: Command
    head: Command
    pairs: int
    seed: int
    wall: bool = False
    rules: tuple[Rule, ...] = ()
    command: tuple[str, ...] = ()


def compare_commands(plan: AbPlan, progress: Progress = lambda _text, _share: None) -> Comparison:
    """Run both commands `plan.pairs` times and compare them; Ctrl-C after the first pair gives what is there.

    Raises `KeyboardInterrupt` before that; `engine.command_run.CommandStartError` and `CommandFailedError`; for
    reports `ReportFormatError`, and `NotComparableError` when one is not valid or not of its side's work.
    """
    order = Interleaving(seed=plan.seed, pairs=plan.pairs, first=order_of(plan.pairs, plan.seed))
    both = (plan.base, plan.head)
    if plan.wall:
        times = _pairs(both, order, lambda command, _before: wall_ns_of(command), progress)
        base, head = (_timed(command, side) for command, side in zip(both, times, strict=True))
    else:
        reports = _pairs(both, order, _checked_report, progress)
        base, head = (_reported(command, side) for command, side in zip(both, reports, strict=True))
    progress("done", 1.0)
    return compare_interleaved(base, head, plan.rules, plan.command, order)


def order_of(pairs: int, seed: int) -> tuple[SideName, ...]:
    """Which side goes first, by pair: each in half of them, shuffled."""
    first: list[SideName] = [("base", "head")[pair % 2] for pair in range(pairs)]
    random.Random(seed).shuffle(first)
    return tuple(first)


def _pairs(
    both: tuple[Command, Command],
    order: Interleaving,
    take: Callable[[Command, Sequence[Taken]], Taken],
    progress: Progress,
) -> tuple[list[Taken], list[Taken]]:
    """What `take` gives of each side; it is given what that side gave before. Only whole pairs count."""
    taken: tuple[list[Taken], list[Taken]] = ([], [])
    begin = time.monotonic()
    runs = 2 * order.pairs
    try:
        for pair, first in enumerate(order.first):
            for side in (0, 1) if first == "base" else (1, 0):
                done = len(taken[0]) + len(taken[1])
                left = _left((time.monotonic() - begin) / done * (runs - done)) if done else ""
                progress(f"pair {pair + 1} of {order.pairs}, {both[side].name}{left}", done / runs)
                taken[side].append(take(both[side], taken[side]))
    except KeyboardInterrupt:
        if not (taken[0] and taken[1]):
            raise
    whole = min(map(len, taken))
    return taken[0][:whole], taken[1][:whole]


def _left(seconds: float) -> str:
    return f", {seconds:.0f} s left" if seconds < 100 else f", {seconds / 60:.0f} min left"


def _checked_report(command: Command, before: Sequence[Report]) -> Report:
    report = report_from(command)
    check_valid([report], command.name)
    check_same_work([*before[:1], report])
    return report


def _timed(command: Command, times_ns: Sequence[int]) -> Samples:
    return Samples(str(command), command.words, tuple({WALL: each} for each in times_ns))


def _reported(command: Command, reports: Sequence[Report]) -> Samples:
    return samples_of_each(reports, str(command), command.words)
