"""Entries for github-action-benchmark, `[{name, unit, value, range, extra}]`.

A file of that action has one direction: latencies are for its tool `customSmallerIsBetter`, throughput for
`customBiggerIsBetter`, hence two outputs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lowlat import units
from lowlat.errors import UsageError
from lowlat.reports.model.report import Report
from lowlat.reports.outputs.points import name_of, rate_of, valid
from lowlat.reports.outputs.points import throughputs as passes_of

PERCENTS: Final = ("50", "99", "99.9")


def latencies(reports: Sequence[Report]) -> str:
    """Percentiles of every operation and measure, nanoseconds. Raises `NotValidError`."""
    return _text([entry for report in valid(reports) for entry in _latencies(report)])


def throughputs(reports: Sequence[Report]) -> str:
    """Commands per second of every report. Raises `NotValidError`; `UsageError` when none was timed."""
    entries = [entry for report in valid(reports) for entry in _throughput(report)]
    if not entries:
        raise UsageError("the report has no throughput: no run was timed")
    return _text(entries)


def _latencies(report: Report) -> Iterator[dict[str, Any]]:
    for series in report.summary:
        for percent in PERCENTS:
            if percentile := series.percentiles.get(percent):
                spread = series.spread.get(percent)
                yield {
                    "name": f"{name_of(report)} {series.op} {series.measure} p{percent}",
                    "unit": series.unit,
                    "value": percentile.value,
                    **({"range": f"{spread.min}-{spread.max}"} if spread else {}),
                    "extra": _extra(report, f"{units.counted(series.count, 'sample')}, {percentile.beyond} beyond"),
                }


def _throughput(report: Report) -> Iterator[dict[str, Any]]:
    if passes := passes_of(report):
        rates = [each.commands_per_s for each in passes]
        yield {
            "name": f"{name_of(report)} throughput",
            "unit": "commands/s",
            "value": round(rate_of(passes), 1),
            "range": f"{min(rates):.1f}-{max(rates):.1f}",
            "extra": _extra(report, f"{units.counted(sum(each.commands for each in passes), 'command')}"),
        }


def _extra(report: Report, what: str) -> str:
    """The text that its chart shows on hover."""
    host = report.host.cpu or "processor unknown"
    return f"{what}, {units.plural(len(report.runs), 'run')}, {host}, git {report.tool.git or 'unknown'}"


def _text(entries: list[dict[str, Any]]) -> str:
    return json.dumps(entries, indent=2, allow_nan=False) + "\n"
