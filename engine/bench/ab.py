"""Runs two commands interleaved, in random order, and compares them.

Machines drift by more than the differences of interest: if all runs of one side come first, the sides differ by when
they ran. In pairs of random order, drift affects both sides equally.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from lowlat.engine.bench.subprocess_run import ComparedCommand, report_from, wall_ns_of
from lowlat.errors import naming
from lowlat.reports.compare.compare import WALL, Samples, Sides, compare_interleaved, samples_of_each
from lowlat.reports.compare.compatibility import check_same_work, check_valid
from lowlat.reports.compare.gate import Rule
from lowlat.reports.io.validation import check
from lowlat.reports.model.comparison import Comparison, Interleaving
from lowlat.reports.model.report import Report

Taken = TypeVar("Taken")
SideName: TypeAlias = Literal["base", "head"]
Progress: TypeAlias = Callable[[str, float], None]
"""Called with the next step and the fraction done, 0 to 1; never while a command runs."""


@dataclass(frozen=True, slots=True)
class AbPlan:
    """What to compare. `pairs`: runs per side. `seed`: of the order. `wall`: elapsed times instead of reports."""

    base: ComparedCommand
    head: ComparedCommand
    pairs: int
    seed: int
    wall: bool = False
    rules: tuple[Rule, ...] = ()
    command: tuple[str, ...] = ()


def compare_commands(plan: AbPlan, progress: Progress = lambda _text, _share: None) -> tuple[Comparison, Sides]:
    """Run both commands `plan.pairs` times and compare them. Returns the comparison and its inputs.

    Ctrl-C after the first pair returns the results so far.

    Raises `KeyboardInterrupt` before that; `CommandStartError`, `RunFailedError`;
    `UsageError` for a gate on a metric that is not measured; for reports `InputError`, and
    `NotValidError` if one is invalid or of a different workload than its side's.
    """
    if plan.wall:
        return _compared(plan, lambda command, _before: wall_ns_of(command), _timed, progress)
    return _compared(plan, _checked_report, _reported, progress)


def order_of(pairs: int, seed: int) -> tuple[SideName, ...]:
    """The side that runs first in each pair: each side in half of the pairs, shuffled."""
    first: list[SideName] = [("base", "head")[pair % 2] for pair in range(pairs)]
    random.Random(seed).shuffle(first)
    return tuple(first)


def _compared(
    plan: AbPlan,
    take: Callable[[ComparedCommand, Sequence[Taken]], Taken],
    samples: Callable[[ComparedCommand, Sequence[Taken]], Samples],
    progress: Progress,
) -> tuple[Comparison, Sides]:
    """Compare the results of `take`, which gets the side's earlier results. Only complete pairs count."""
    order = Interleaving(seed=plan.seed, pairs=plan.pairs, first=order_of(plan.pairs, plan.seed))
    both = (plan.base, plan.head)
    taken: tuple[list[Taken], list[Taken]] = ([], [])

    def so_far() -> tuple[Comparison, Sides]:
        whole = min(map(len, taken))
        base, head = (samples(command, side[:whole]) for command, side in zip(both, taken, strict=True))
        return compare_interleaved(base, head, plan.rules, plan.command, order), Sides(base, head)

    begin = time.monotonic()
    try:
        for pair, first in enumerate(order.first):
            for side in (0, 1) if first == "base" else (1, 0):
                done = len(taken[0]) + len(taken[1])
                share = done / (2 * plan.pairs)
                left = _left((time.monotonic() - begin) * (1 / share - 1)) if done else ""
                progress(f"pair {pair + 1} of {plan.pairs}, {both[side].name}{left}", share)
                taken[side].append(take(both[side], taken[side]))
            if pair == 0:
                so_far()  # raises early for a gate on a metric that is not measured
    except KeyboardInterrupt:
        if not (taken[0] and taken[1]):
            raise
    progress("done", 1.0)
    return so_far()


def _left(seconds: float) -> str:
    return f", {seconds:.0f} s left" if seconds < 100 else f", {seconds / 60:.0f} min left"


def _checked_report(command: ComparedCommand, before: Sequence[Report]) -> Report:
    report = report_from(command)
    with naming(f"the output of {command.name}"):
        check(report)  # at once, so that an unreadable histogram does not waste the following runs
    check_valid([report], command.name)
    check_same_work([*before[:1], report])
    return report


def _timed(command: ComparedCommand, times_ns: Sequence[int]) -> Samples:
    return Samples(str(command), command.words, tuple({WALL: each} for each in times_ns))


def _reported(command: ComparedCommand, reports: Sequence[Report]) -> Samples:
    return samples_of_each(reports, str(command), command.words)
