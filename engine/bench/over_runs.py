"""Combines the results of several runs for a report: sums, medians, or the value that all runs agree on."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from lowlat.engine.bench.crosscheck import ReferenceCheck
from lowlat.engine.bench.passes import added
from lowlat.engine.bench.placement import Place
from lowlat.engine.bench.protocol import RunOutcome
from lowlat.reports.model import context, results


def clock_of(outcomes: Sequence[RunOutcome]) -> context.Clock:
    """The median calibration, with the largest uncertainty."""
    clocks = [outcome.clock for outcome in outcomes]
    return replace(
        clocks[0],
        frequency_hz=_median(clock.frequency_hz for clock in clocks),
        uncertainty_ppm=max(_known(clock.uncertainty_ppm for clock in clocks), default=None),
        read_cost_ns=_median((clock.read_cost_ns for clock in clocks), digits=3),
        step_ns=_median((clock.step_ns for clock in clocks), digits=3),
    )


def hot_path_of(outcomes: Sequence[RunOutcome], place: Place) -> results.HotPath:
    """Counters of all runs; the memory of the first; the NUMA node if it is the same for all."""
    paths = [outcome.hot_path for outcome in outcomes]
    nodes = {path.numa_node for path in paths}
    return replace(
        paths[0],
        allocations=added(path.allocations for path in paths),
        page_faults=added(path.page_faults for path in paths),
        involuntary_switches=added(path.involuntary_switches for path in paths),
        numa_node=nodes.pop() if len(nodes) == 1 else None,
        numa_nodes=len(place.nodes.value or ()),
        numa_pages=_pages(paths),
        numa_verified=_verified(outcomes, place),
        pool_refusals=added(path.pool_refusals for path in paths),
        pool_growths=added(path.pool_growths for path in paths),
        trades_recycled=added(path.trades_recycled for path in paths),
    )


def _pages(paths: Sequence[results.HotPath]) -> dict[str, int] | None:
    total: Counter[str] = Counter()
    for path in paths:
        if path.numa_pages is None:
            return None
        total.update(path.numa_pages)
    return {node: total[node] for node in sorted(total, key=int)}


def _verified(outcomes: Sequence[RunOutcome], place: Place) -> bool | None:
    """Whether all pages of each run are on its CPU's NUMA node; None if some are unknown."""
    wanted = [place.memory_node(outcome.cpu).value for outcome in outcomes]
    if None in wanted or any(outcome.hot_path.numa_pages is None for outcome in outcomes):
        return None
    return all(
        set(outcome.hot_path.numa_pages or ()) == {str(node)} and not outcome.pages_astray
        for node, outcome in zip(wanted, outcomes, strict=True)
    )


def baselines_of(outcomes: Sequence[RunOutcome], checked: ReferenceCheck | None) -> results.Baselines:
    """Medians, and the time of the reference engine."""
    reference_ns = checked.reference_ns if checked else None
    return results.Baselines(
        loop_ns=round(statistics.median(outcome.loop_ns for outcome in outcomes), 3),
        clock_ns=statistics.median(outcome.clock_ns for outcome in outcomes),
        reference_ns=None if reference_ns is None else round(reference_ns, 1),
        reference_commands=checked.commands if checked else 0,
    )


def journal_of(outcomes: Sequence[RunOutcome], file: Path | None) -> results.Journal | None:
    """The cost of a journal over all runs; `file`: where the last journal was left."""
    journals = [outcome.journal for outcome in outcomes if outcome.journal is not None]
    if not journals or file is None:
        return None
    by_policy = zip(*(journal.policies for journal in journals), strict=True)
    return replace(journals[-1], file=str(file), policies=tuple(_policy(costs) for costs in by_policy))


def _policy(costs: Sequence[results.JournalPolicy]) -> results.JournalPolicy:
    """The overhead is the median of the runs' overheads, since passes are interleaved within each run."""
    return replace(
        costs[0],
        ns_per_command=round(statistics.median(cost.ns_per_command for cost in costs), 3),
        more_ns_per_command=_median((cost.more_ns_per_command for cost in costs), digits=3),
        syncs=sum(cost.syncs for cost in costs),
        sync_p50_ns=_median_ns(cost.sync_p50_ns for cost in costs),
        sync_p99_ns=_median_ns(cost.sync_p99_ns for cost in costs),
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _median(values: Iterable[float | None], digits: int | None = None) -> float | None:
    """The median of the known values."""
    known = _known(values)
    if not known:
        return None
    middle = statistics.median(known)
    return middle if digits is None else round(middle, digits)


def _median_ns(values: Iterable[int | None]) -> int | None:
    middle = _median(values)
    return None if middle is None else round(middle)
