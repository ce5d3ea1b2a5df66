"""Runs two commands interleaved, in random order, and compares them.

Machines drift by more than the differences of interest: if all runs of one side come first, the sides differ by when
they ran. In pairs of random order, drift affects both sides equally.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

from lowlat.engine.bench.subprocess_run import ComparedCommand, report_from, wall_ns_of
from lowlat.errors import naming
from lowlat.reports.compare.compare import WALL, Samples, Sides, compare_interleaved, samples_of_each
from lowlat.reports.compare.compatibility import check_same_work, check_valid
from lowlat.reports.compare.gate import Rule
from lowlat.reports.compare.interleaving import SideName, order_of
from lowlat.reports.compare.rank_test import SIGNIFICANT
from lowlat.reports.compare.sequential import looks, looks_after
from lowlat.reports.io.validation import check
from lowlat.reports.model.comparison import Comparison, Interleaving
from lowlat.reports.model.report import Report
from lowlat.reports.model.sequential_test import Look, SequentialTest

Taken = TypeVar("Taken")
Progress: TypeAlias = Callable[[str, float], None]
"""Called with the next step and the fraction done, 0 to 1; never while a command runs."""


@dataclass(frozen=True, slots=True)
class AbPlan:
    """What to compare.

    `pairs`: runs per side; at most, if `until_decided`. `seed`: of the order. `wall`: elapsed times instead of reports.
    """

    base: ComparedCommand
    head: ComparedCommand
    pairs: int
    seed: int
    wall: bool = False
    until_decided: bool = False
    rules: tuple[Rule, ...] = ()
    command: tuple[str, ...] = ()


def compare_commands(plan: AbPlan, progress: Progress = lambda _text, _share: None) -> tuple[Comparison, Sides]:
    """Run both commands `plan.pairs` times, or until every gated metric is decided, and compare them. Returns the
    comparison and its inputs.

    Ctrl-C after the first pair returns the results so far.

    Raises `KeyboardInterrupt` before that; `CommandStartError`, `RunFailedError`;
    `UsageError` for a gate on a metric that is not measured; for reports `InputError`, and
    `NotValidError` if one is invalid or of a different workload than its side's.
    """
    if plan.wall:
        return _Pairs(plan, lambda command, _before: wall_ns_of(command), _timed, progress).compared()
    return _Pairs(plan, _checked_report, _reported, progress).compared()


class _Pairs(Generic[Taken]):
    """Results of `take`, which gets the side's earlier results, compared as `samples`. Only complete pairs count."""

    def __init__(
        self,
        plan: AbPlan,
        take: Callable[[ComparedCommand, Sequence[Taken]], Taken],
        samples: Callable[[ComparedCommand, Sequence[Taken]], Samples],
        progress: Progress,
    ) -> None:
        self.plan, self.take, self.samples, self.progress = plan, take, samples, progress
        self.both = (plan.base, plan.head)
        self.order = Interleaving(seed=plan.seed, pairs=plan.pairs, first=order_of(plan.pairs, plan.seed))
        self.planned_looks = looks(plan.pairs) if plan.until_decided else (plan.pairs,)
        self.looks: tuple[Look, ...] = ()
        self.taken: tuple[list[Taken], list[Taken]] = ([], [])
        self.begin = time.monotonic()

    def compared(self) -> tuple[Comparison, Sides]:
        found: tuple[Comparison, Sides] | None = None
        try:
            for pair, first in enumerate(self.order.first, 1):
                self._run(pair, first)
                if pair == 1:
                    self._so_far(1, self.order)  # raises early for a gate on a metric that is not measured
                if pair in self.planned_looks:
                    found = self._look(pair)
                    if not found[0].gate.inconclusive:
                        break
        except KeyboardInterrupt:
            if not all(self.taken):
                raise
            found = None
        self.progress("done", 1.0)
        return found or self._look(min(map(len, self.taken)), interrupted=True)

    def _run(self, pair: int, first: SideName) -> None:
        for side in (0, 1) if first == "base" else (1, 0):
            done = len(self.taken[0]) + len(self.taken[1])
            self.progress(self._next(pair, self.both[side], done), done / (2 * self.plan.pairs))
            self.taken[side].append(self.take(self.both[side], self.taken[side]))

    def _next(self, pair: int, command: ComparedCommand, done: int) -> str:
        """What runs next, the state of the last look, and how long all pairs take at this speed."""
        most = "at most " if self.plan.until_decided else ""
        left_s = (time.monotonic() - self.begin) * (2 * self.plan.pairs / done - 1) if done else None
        undecided = [f"undecided after {look.pairs}: {', '.join(look.undecided)}" for look in self.looks[-1:]]
        left = [] if left_s is None else [f"{most}{_duration(left_s)} left"]
        return ", ".join([f"pair {pair} of {most}{self.plan.pairs}", command.name, *undecided, *left])

    def _look(self, pairs: int, *, interrupted: bool = False) -> tuple[Comparison, Sides]:
        """The verdict on so many pairs; at a look, its share of the error rate is spent."""
        whole = not interrupted or pairs == self.plan.pairs
        order = replace(self.order, pairs=pairs, first=self.order.first[:pairs]) if whole else self.order
        if not self.plan.until_decided:
            return self._so_far(pairs, order)
        before = tuple(look for look in self.looks if look.pairs < pairs)
        look = looks_after([*(look.pairs for look in before), pairs], self.plan.pairs)[-1]
        comparison, sides = self._so_far(pairs, order, look.significance)
        undecided = comparison.gate.inconclusive
        self.looks = (*before, replace(look, undecided=undecided))
        test = SequentialTest(
            pairs_max=self.plan.pairs,
            significance=SIGNIFICANT,
            looks=self.looks,
            ended="interrupted" if not whole else "not decided" if undecided else "decided",
        )
        return replace(comparison, interleaving=replace(order, sequential=test)), sides

    def _so_far(self, pairs: int, order: Interleaving, significance: float = SIGNIFICANT) -> tuple[Comparison, Sides]:
        base, head = (self.samples(command, side[:pairs]) for command, side in zip(self.both, self.taken, strict=True))
        compared = compare_interleaved(base, head, self.plan.rules, self.plan.command, order, significance=significance)
        return compared, Sides(base, head)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


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
