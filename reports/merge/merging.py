"""Merges several reports of the same work: keeps every run and adds histograms, as if one report had recorded all.

A differing fact that can be neither added nor replaced by a median (a kernel, a placement) becomes "not available" in
the merged report, with the reason.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from lowlat import units
from lowlat.errors import FormatError, InputError, NotValidError, naming
from lowlat.limits import SERIES_NAMES_MAX
from lowlat.reports.compare.compatibility import differences
from lowlat.reports.histogram.histogram import TOTAL_END, Histogram, merge
from lowlat.reports.io.selection import whole
from lowlat.reports.io.validation import Name, check_distinct, checked_sums
from lowlat.reports.merge import merged_context
from lowlat.reports.model import budget
from lowlat.reports.model.report import BudgetStage, Report
from lowlat.reports.model.results import Run, Series, SummarySeries
from lowlat.reports.model.series import summary_of
from lowlat.reports.model.timestamps import started_at


def merge_reports(named: Sequence[tuple[str, Report]], command: Sequence[str]) -> Report:
    """Merge reports, each with its name for messages; `command` is the merging command line.

    Runs are ordered by their start and renumbered. The status is the worst of all.

    Raises `NotValidError`, naming the differences, unless all measured the same work; `InputError`, naming the report,
    for a duplicate run or an inconsistent report.
    """
    _check_comparable(named)
    sums = _sums(named)
    ordered = sorted(named, key=_first_start)
    reports = [report for _, report in ordered]
    runs = _runs(ordered)
    absent = {path: why for report in reports for path, why in report.not_available.items()}
    summary = _summary(runs, sums)
    status, reasons = _status(ordered)
    rows = _budget(reports, summary)
    kept = _kept(reports, absent)  # before the others, which also add to `absent`
    return dataclasses.replace(
        reports[0],
        status=status,
        status_reasons=tuple(reasons),
        tool=merged_context.tool(reports, absent),
        command=tuple(command),
        workload=dataclasses.replace(reports[0].workload, notes=_notes(reports)),
        load=merged_context.load(reports, [f"{name}: {why}" for name, report in ordered for why in report.load.missed]),
        host=merged_context.host(reports, absent),
        clock=merged_context.clock(reports),
        runs=runs,
        summary=summary,
        budget=rows,
        budget_class=budget.budget_class(rows),
        hot_path=merged_context.hot_path(reports, absent),
        verification=merged_context.verification(reports),
        gate=None,
        not_available=absent,
        baselines=merged_context.baselines(reports),
        journal=None,
        jitter=None,
        recording=merged_context.recording(reports),
        **kept,
    )


def _kept(reports: Sequence[Report], absent: dict[str, str]) -> dict[str, Any]:
    """Topology and placement if they are equal in all reports; otherwise, as for journals, the reason in `absent`."""
    kept = {}
    for name in ("topology", "placement"):
        first, *others = (getattr(report, name) for report in reports)
        same = all(other == first for other in others)
        kept[name] = first if same else None
        if not same:
            absent[name] = "not available here, because the merged reports differ"
    for name in ("journal", "jitter"):
        if any(getattr(report, name) for report in reports):
            absent[name] = "not available here, because each of the merged reports has its own"
    return kept


def _check_comparable(named: Sequence[tuple[str, Report]]) -> None:
    first_name, first = named[0]
    for name, report in named[1:]:
        if different := list(differences([first, report])):
            raise NotValidError(f"{name} cannot be merged with {first_name}: they differ in {'; '.join(different)}")
    check_distinct(named)


def _sums(named: Sequence[tuple[str, Report]]) -> dict[Name, Histogram]:
    """Each series over all runs of all reports; also checks the reports."""
    sums: dict[Name, Histogram] = {}
    for name, report in named:
        with naming(name):
            for key, histogram in checked_sums(report):
                sums[key] = merge([sums[key], histogram]) if key in sums else histogram
                if sums[key].total >= TOTAL_END:
                    raise FormatError(f"{', '.join(key)}: with the reports before it, 2**63 samples or more")
        if len(sums) > SERIES_NAMES_MAX:
            raise InputError(f"{name}: with it there are more than {SERIES_NAMES_MAX} different series")
    return sums


def _first_start(named: tuple[str, Report]) -> datetime:
    return min((started_at(run) for run in named[1].runs), default=datetime.max.replace(tzinfo=UTC))


def _runs(ordered: Sequence[tuple[str, Report]]) -> tuple[Run, ...]:
    runs = sorted((run for _, report in ordered for run in report.runs), key=started_at)
    return tuple(dataclasses.replace(run, number=number) for number, run in enumerate(runs, 1))


def _summary(runs: Iterable[Run], sums: Mapping[Name, Histogram]) -> tuple[SummarySeries, ...]:
    parts: dict[Name, list[Series]] = {}
    for run in runs:
        for series in run.series:
            parts.setdefault((series.op, series.measure), []).append(series)
    return tuple(summary_of(*name, listed, sums[name]) for name, listed in parts.items())


def _status(ordered: Sequence[tuple[str, Report]]) -> tuple[Literal["ok", "interrupted", "invalid"], list[str]]:
    reasons = [f"{name}: {why}" for name, report in ordered for why in report.status_reasons]
    statuses = {report.status for _, report in ordered}
    digests = {report.verification.digest for _, report in ordered if report.verification is not None}
    # The order of concurrent senders varies from run to run: only they may produce different events.
    if len(digests) > 1 and (ordered[0][1].load.producers or 1) == 1:
        reasons.append(f"runs over the same commands gave {len(digests)} different event streams")
        return "invalid", reasons
    return "invalid" if "invalid" in statuses else "interrupted" if "interrupted" in statuses else "ok", reasons


def _notes(reports: Sequence[Report]) -> tuple[str, ...]:
    notes = dict.fromkeys(note for report in reports for note in report.workload.notes)
    commands = dict.fromkeys(shlex.join(report.command) for report in reports)
    return (*notes, f"merged from {units.plural(len(reports), 'report')}, of: {'; '.join(commands)}")


def _budget(reports: Sequence[Report], summary: Sequence[SummarySeries]) -> tuple[BudgetStage, ...]:
    """A stage that is the p99 of the runs comes from the summed histogram; for others, the largest value is used."""
    if not any(report.budget for report in reports):  # recordings
        return ()
    measured = {}
    for name in budget.REFERENCE_NS:
        if rows := [row for report in reports for row in report.budget if row.stage == name]:
            largest = max(rows, key=lambda row: -1 if row.measured_ns is None else row.measured_ns)
            measured[name] = budget.Measured(largest.measured_ns, largest.basis, largest.parts)
    series = whole(summary)
    if series is not None and all(_is_p99(report) for report in reports):
        p99_ns = series.percentiles["99"].value
        measured["application"] = dataclasses.replace(measured["application"], value_ns=p99_ns)
    return budget.budget(measured)


def _is_p99(report: Report) -> bool:
    """Whether the application stage is the p99 of all operations over the runs."""
    series = whole(report.summary)
    stage = next((row for row in report.budget if row.stage == "application"), None)
    p99 = series.percentiles.get("99") if series else None
    return stage is not None and p99 is not None and stage.measured_ns == p99.value
