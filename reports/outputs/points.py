"""Shared by the outputs for benchmark trackers: which reports are included, and their names."""

from __future__ import annotations

from collections.abc import Sequence

from lowlat.errors import NotValidError
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Throughput, typical_ns


def valid(reports: Sequence[Report]) -> list[Report]:
    """The valid reports; for a sweep, the rates that were reached.

    Raises `NotValidError` if none is valid.
    """
    found = [report for report in reports if report.status != "invalid"]
    if not found:
        reasons = "; ".join(reason for report in reports for reason in report.status_reasons) or "no reason given"
        raise NotValidError(
            f"the run is invalid and must not be recorded: {reasons}; csv and json keep its figures, marked as invalid"
        )
    return found


def name_of(report: Report) -> str:
    """The profile, with the rate of an open loop: `steady`, `steady@500000/s`."""
    rate = report.load.target_rate
    return report.workload.profile if rate is None else f"{report.workload.profile}@{rate:.0f}/s"


def throughputs(report: Report) -> list[Throughput]:
    """The pass of each run that counts for its throughput, if there is one."""
    return [run.throughput for run in report.runs if run.throughput is not None]


def rate_of(passes: Sequence[Throughput]) -> float:
    """Commands per second of the median pass, at least one."""
    typical = typical_ns(passes)
    return 1e9 / typical if typical else 0.0
