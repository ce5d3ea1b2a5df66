"""What outputs for other tools' records have in common: which reports may go there, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence

from lowlat.errors import NotValidError
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Throughput


class NotForRecordsError(NotValidError):
    """Figures that must not be believed, hence must not enter a record that later ones are held against."""


def valid(reports: Sequence[Report]) -> list[Report]:
    """Those that are valid: of a sweep, the rates that were kept up.

    Raises `NotForRecordsError` when none is.
    """
    found = [report for report in reports if report.status != "invalid"]
    if not found:
        reasons = "; ".join(reason for report in reports for reason in report.status_reasons) or "no reason given"
        raise NotForRecordsError(
            f"the run is not valid, its figures must not enter a record: {reasons}; csv and json hold them, marked"
        )
    return found


def name_of(report: Report) -> str:
    """The profile and, where commands came at a rate, that rate: `steady`, `steady@500000/s`."""
    rate = report.load.target_rate
    return report.workload.profile if rate is None else f"{report.workload.profile}@{rate:.0f}/s"


def throughputs(report: Report) -> list[Throughput]:
    """The pass of each run that counts for its throughput, where there is one."""
    return [run.throughput for run in report.runs if run.throughput is not None]


def rate_of(passes: Sequence[Throughput]) -> float:
    """Commands per second over all passes, of which there is one at least."""
    return sum(each.commands for each in passes) * 1e9 / sum(each.wall_ns for each in passes)
