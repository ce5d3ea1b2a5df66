"""What the sides of a comparison say of themselves must go together, and whatever differs must be warned of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from lowlat import units
from lowlat.reports.compare.compare import OTHER_WORK
from lowlat.reports.compare.compatibility import (
    OTHER_ENVIRONMENT,
    FactThatDiffers,
    check_same_events_of_sides,
    differences_kept,
    surroundings,
)
from lowlat.reports.io.contradictions import expect, require
from lowlat.reports.model.clock_faults import clock_fault
from lowlat.reports.model.comparison import ComparedSide, Comparison
from lowlat.reports.model.recording import RECORDED

_OF_A_REPORT: Final = ("tool", "workload", "load", "host", "clock")
_ONE_SIDED: Final = ("only base has ", "only head has ")


def are_measured(comparison: Comparison) -> bool:
    """Whether both sides are of reports, and not timed from outside."""
    return comparison.base.load is not None and comparison.head.load is not None


def check_sides(comparison: Comparison) -> None:
    """Raise `NotValidError`, naming the field, if the sides contradict themselves, each other, metrics or warnings."""
    for name, side in (("base", comparison.base), ("head", comparison.head)):
        _check_side(name, side)
        _check_report(name, side)
        _check_runs(name, side, [getattr(metric, name).runs for metric in comparison.metrics])
    if are_measured(comparison):
        check_same_events_of_sides(comparison.base, comparison.head)
        _check_differences(comparison)
    for line in comparison.not_compared:  # names may hold commas: nobody can tell them apart again
        require(line.startswith(_ONE_SIDED), "not_compared", line, "a line says what only base or head has")


def _check_side(name: str, side: ComparedSide) -> None:
    measured = side.load is not None
    for part in _OF_A_REPORT:
        there = getattr(side, part) is not None
        require(there == measured, f"{name}.{part}", there, f"{', '.join(_OF_A_REPORT)} go together")
    own = side.load is not None and side.load.model != RECORDED
    require((side.engine is not None) == own, f"{name}.engine", side.engine, "it goes with a load of lowlat's own")
    require(measured or side.digest is None, f"{name}.digest", side.digest, "there is no report")
    require(measured or not side.noisy_runs, f"{name}.noisy_runs", side.noisy_runs, "there is no report")
    require(
        side.noisy_runs <= side.runs, f"{name}.noisy_runs", side.noisy_runs, f"it has {units.plural(side.runs, 'run')}"
    )


def _check_report(name: str, side: ComparedSide) -> None:
    """What the parts of a valid report hold together, so far as they are here."""
    work, load = side.workload, side.load
    if work is None or load is None or load.model == RECORDED:
        return
    expect(f"{name}.workload.commands", work.commands, sum(work.mix.values()), "mix adds up to")
    expect(f"{name}.load.sent", load.sent, load.acked + load.rejected, "acked and rejected add up to")
    require(not load.out_of_range, f"{name}.load.out_of_range", load.out_of_range, "an invalid report does not compare")
    require(not load.missed, f"{name}.load.missed", load.missed, "an invalid report does not compare")
    fault = side.clock and clock_fault(side.clock)
    require(not fault, f"{name}.clock.frequency_hz", side.clock and side.clock.frequency_hz, str(fault))


def _check_runs(name: str, side: ComparedSide, of_metrics: Sequence[int]) -> None:
    """Each run has the latencies of all operations, or an elapsed time. Of a recording, each may have others."""
    if side.load is not None and side.load.model == RECORDED:
        require(side.runs >= max(of_metrics), f"{name}.runs", side.runs, f"a metric has {max(of_metrics)}")
    else:
        expect(f"{name}.runs", side.runs, max(of_metrics), "metrics have at most")


def _check_differences(comparison: Comparison) -> None:
    sides = comparison.base, comparison.head
    work = tuple(differences_kept(sides))
    if comparison.interleaving is None:
        require(not work, "base and head", "of different work", f"they differ in {'; '.join(map(str, work))}")
    _check_warned(comparison, OTHER_WORK, work)
    _check_warned(comparison, OTHER_ENVIRONMENT, surroundings(sides))


def _check_warned(comparison: Comparison, begin: str, differences: Iterable[FactThatDiffers]) -> None:
    """A warning names each. It may name more: other reports of a side, which a comparison does not keep, may differ."""
    warned = next((warning for warning in comparison.warnings if warning.startswith(begin)), "")
    for difference in differences:
        told = all(part in warned for part in (f"{difference.fact} (", *difference.values))
        require(told, "warnings", comparison.warnings, f"base and head differ in {difference}")
