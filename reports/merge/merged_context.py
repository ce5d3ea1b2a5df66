"""Merges the facts of several reports: counts are added, measured properties become their median or worst value, and
other facts that differ become "not available".

Every function takes the facts of each report, earliest first. `absent` records why a field became None, by the field's
path in the document.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from lowlat.reports.model.context import Build, Clock, Host, Load, Recording, Tool
from lowlat.reports.model.over_runs import steal_percent
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Baselines, HotPath, Verification

_ADDED: Final = (
    "allocations",
    "page_faults",
    "involuntary_switches",
    "pool_refusals",
    "pool_growths",
    "trades_recycled",
)
_Facts = TypeVar("_Facts", Host, HotPath)


def load(reports: Sequence[Report], missed: Sequence[str]) -> Load:
    """The sum of the commands; the rate is over the total time. `missed` replaces the value of each report."""
    loads = [report.load for report in reports]
    # The seconds of each: commands sent divided by its rate.
    rated = [(each.sent, each.achieved_rate) for each in loads if each.achieved_rate]
    return dataclasses.replace(
        loads[0],
        achieved_rate=sum(sent for sent, _ in rated) / sum(sent / rate for sent, rate in rated)
        if len(rated) == len(loads) and any(sent for sent, _ in rated)
        else None,
        sent=sum(each.sent for each in loads),
        acked=sum(each.acked for each in loads),
        rejected=sum(each.rejected for each in loads),
        out_of_range=sum(each.out_of_range for each in loads),
        updates=_sum(each.updates for each in loads),
        loop_ceiling=min((each.loop_ceiling for each in loads if each.loop_ceiling is not None), default=None),
        missed=tuple(missed),
    )


def host(reports: Sequence[Report], absent: dict[str, str]) -> Host:
    """Steal is over the passes of all runs; the load average is that of the first report."""
    hosts = [report.host for report in reports]
    return dataclasses.replace(
        _agreed("host", hosts, absent, but=("steal_percent", "load_average")),
        steal_percent=steal_percent([run for report in reports for run in report.runs]),
        load_average=hosts[0].load_average,
    )


def clock(reports: Sequence[Report]) -> Clock:
    """The median calibration, with the largest uncertainty."""
    clocks = [report.clock for report in reports]
    uncertainties = [each.uncertainty_ppm for each in clocks]
    return Clock(
        source=_joined(each.source for each in clocks),
        frequency_hz=_median(each.frequency_hz for each in clocks),
        uncertainty_ppm=None if None in uncertainties else max(each for each in uncertainties if each is not None),
        read_cost_ns=_median(each.read_cost_ns for each in clocks),
        step_ns=_median(each.step_ns for each in clocks),
        frequency_source=_only([each.frequency_source for each in clocks]),
        invariant=_only([each.invariant for each in clocks]),
        declared_hz=_median(each.declared_hz for each in clocks),
    )


def tool(reports: Sequence[Report], absent: dict[str, str]) -> Tool:
    """The measuring program; values that differ are joined by slashes."""
    tools = [report.tool for report in reports]
    revisions = [each.git for each in tools]
    if len(set(revisions)) > 1:
        absent["tool.git"] = differ(revisions)
    return Tool(
        version=_joined(each.version for each in tools),
        git=_only(revisions),
        build=Build(
            compiler=_joined(each.build.compiler for each in tools),
            flags=_joined(each.build.flags for each in tools),
            isa=_joined(each.build.isa for each in tools),
        ),
    )


def hot_path(reports: Sequence[Report], absent: dict[str, str]) -> HotPath:
    """The sum of the system's counts; each memory figure is the maximum over the reports."""
    paths = [report.hot_path for report in reports]
    memory = {name: max(each.memory.get(name, 0) for each in paths) for each in paths for name in each.memory}
    added: dict[str, Any] = {name: _sum(getattr(each, name) for each in paths) for name in _ADDED}
    pages: Counter[str] = Counter()
    for each in paths:
        pages.update(each.numa_pages or {})
    return dataclasses.replace(
        _agreed("hot_path", paths, absent, but=(*_ADDED, "memory", "numa_pages")),
        **added,
        memory=memory,
        numa_pages=None if any(each.numa_pages is None for each in paths) else dict(sorted(pages.items())),
    )


def baselines(reports: Sequence[Report]) -> Baselines | None:
    """The median of each figure; None if a report has none."""
    each = [report.baselines for report in reports if report.baselines is not None]
    if len(each) < len(reports):
        return None
    return Baselines(
        loop_ns=_median(one.loop_ns for one in each),
        clock_ns=_median(one.clock_ns for one in each),
        reference_ns=_median(one.reference_ns for one in each),
        reference_commands=min(one.reference_commands for one in each),
    )


def verification(reports: Sequence[Report]) -> Verification | None:
    """The checks that every report has, with the worst results; None if one has no verification."""
    each = [report.verification for report in reports if report.verification is not None]
    if len(each) < len(reports):
        return None
    verdicts = [one.equal for one in each]
    worst = min(each, key=lambda one: (one.matched or 0, one.quotes_matched or 0))
    return dataclasses.replace(
        worst,
        digest=_joined(one.digest for one in each),
        reference_commands=min(one.reference_commands for one in each),
        reference_stretches=min(one.reference_stretches for one in each),
        equal=False if False in verdicts else None if None in verdicts else True,
    )


def recording(reports: Sequence[Report]) -> Recording | None:
    """That of the first report, with the files and the ignored lines of all."""
    each = [report.recording for report in reports if report.recording is not None]
    if not each:
        return None
    return dataclasses.replace(
        each[0],
        files=tuple(file for one in each for file in one.files if one.source == each[0].source),
        other_lines=sum(one.other_lines for one in each),
    )


def differ(values: Iterable[Any]) -> str:
    """The reason why a field has no single value."""
    told = dict.fromkeys("none" if value is None else str(value) for value in values)
    return f"not available here, because the merged reports differ: {'; '.join(told)}"


def _agreed(path: str, facts: Sequence[_Facts], absent: dict[str, str], but: Sequence[str]) -> _Facts:
    """The fields that all reports share; others become None, except those in `but`, which the first report sets."""
    differing: dict[str, Any] = {}
    for field in dataclasses.fields(facts[0]):
        values = [getattr(each, field.name) for each in facts]
        if field.name not in but and any(value != values[0] for value in values):
            differing[field.name] = None
            absent[f"{path}.{field.name}"] = differ(values)
    return dataclasses.replace(facts[0], **differing)


def _only(values: Sequence[Any]) -> Any:
    """The common value; None if they differ."""
    return values[0] if all(value == values[0] for value in values) else None


def _joined(texts: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(texts))


def _sum(values: Iterable[int | None]) -> int | None:
    listed = list(values)
    return None if None in listed else sum(value for value in listed if value is not None)


def _median(values: Iterable[float | None]) -> float | None:
    listed = list(values)
    return None if None in listed else statistics.median(value for value in listed if value is not None)
