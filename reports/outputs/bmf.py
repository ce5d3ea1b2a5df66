"""Bencher Metric Format, https://bencher.dev/docs/reference/bencher-metric-format: the input of `bencher run --adapter
json`.

Each percentile of a series is a separate benchmark with the measure `latency` (nanoseconds), bounded by the minimum and
maximum of the runs. The throughput of a report is a benchmark with the measure `throughput` (per second). Both measures
are built into Bencher, which knows their units and directions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from lowlat.reports.model.report import Report
from lowlat.reports.outputs.points import name_of, rate_of, throughputs, valid

PERCENTS: Final = ("50", "99", "99.9")


def of_reports(reports: Sequence[Report]) -> str:
    """One object for all reports. Raises `NotValidError`."""
    benchmarks = {name: measures for report in valid(reports) for name, measures in _benchmarks(report)}
    return json.dumps(benchmarks, indent=2, allow_nan=False) + "\n"


def _benchmarks(report: Report) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    for series in report.summary:
        for percent in PERCENTS:
            if percentile := series.percentiles.get(percent):
                metric: dict[str, float] = {"value": percentile.value}
                if spread := series.spread.get(percent):
                    # The percentile of the sum may be outside the range of the runs; the bounds include it anyway.
                    metric["lower_value"] = min(spread.min, percentile.value)
                    metric["upper_value"] = max(spread.max, percentile.value)
                yield f"{name_of(report)}/{series.op}/{series.measure}/p{percent}", {"latency": metric}
    if passes := throughputs(report):
        rates = [each.commands_per_s for each in passes]
        rate = rate_of(passes)
        metric = {"value": rate, "lower_value": min(rate, *rates), "upper_value": max(rate, *rates)}
        yield f"{name_of(report)}/throughput", {"throughput": metric}
