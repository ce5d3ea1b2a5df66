"""OpenMetrics text 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/: histograms for Prometheus.

Times are seconds. Bucket bounds are the same for every series and report, so that they can be added: 4 per doubling,
15 ns to 60 s. Each bound is the last nanosecond before a bucket of the histogram begins, so the counts are exact. Since
the bounds are coarse, the report's own percentiles are included as gauges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.hlog_reader import RecordedLog
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import histogram_of
from lowlat.reports.outputs.points import rate_of, throughputs, valid
from lowlat.text import printable_lines

BOUNDS_NS: Final = tuple(quarter * 2**power - 1 for power in range(2, 34) for quarter in (4, 5, 6, 7))
"""Largest value of each bucket."""

_INFO: Final = "What was measured, with which build, on which host; always 1."
"""A gauge and no OpenMetrics `info`, a type that promtool, Pushgateway and node_exporter refuse."""


@dataclass(frozen=True, slots=True)
class _Family:
    """A metric with its samples: name, type, unit, help, lines."""

    name: str
    kind: str
    unit: str
    about: str
    samples: Sequence[str]


def of_reports(reports: Sequence[Report]) -> str:
    """Histograms, percentiles, throughput and what was measured, of each report. Raises `NotValidError`."""
    labeled = [(_labels(report), report) for report in valid(reports)]
    series = [(labels, each) for labels, report in labeled for each in report.summary]
    rates = [
        _sample("lowlat_throughput_commands_per_second", labels, rate_of(passes))
        for labels, report in labeled
        if (passes := throughputs(report))
    ]
    facts = [_sample("lowlat_report_info", labels | _facts(report), 1) for labels, report in labeled]
    families = [
        *_latencies(series),
        _Family("lowlat_throughput_commands_per_second", "gauge", "", "Commands executed per second.", rates),
        _Family("lowlat_report_info", "gauge", "", _INFO, facts),
    ]
    return _text(families)


def of_log(log: RecordedLog) -> str:
    """Histograms and percentiles of each series."""
    return _text(_latencies([({}, each.series) for each in log.series]))


def _latencies(series: Iterable[tuple[Mapping[str, str], Series]]) -> list[_Family]:
    named = [({**labels, "op": each.op, "measure": each.measure}, each) for labels, each in series]
    return [
        _Family(
            "lowlat_latency_seconds",
            "histogram",
            "seconds",
            "Latency by operation; each includes one clock read.",
            [line for labels, each in named for line in _histogram(labels, each)],
        ),
        _Family(
            "lowlat_latency_percentile_seconds",
            "gauge",
            "seconds",
            "Percentile of the latency, within 0.1%.",
            [
                _sample("lowlat_latency_percentile_seconds", labels | {"percentile": percent}, percentile.value / 1e9)
                for labels, each in named
                for percent, percentile in each.percentiles.items()
            ],
        ),
    ]


def _histogram(labels: Mapping[str, str], series: Series) -> Iterator[str]:
    histogram = histogram_of(series)
    ends = [buckets.index_of(bound) + 1 for bound in BOUNDS_NS]
    running = np.cumsum(histogram.counts, dtype=np.uint64)
    for bound, end in zip(BOUNDS_NS, ends, strict=True):
        yield _sample("lowlat_latency_seconds_bucket", {**labels, "le": repr(bound / 1e9)}, int(running[end - 1]))
    yield _sample("lowlat_latency_seconds_bucket", {**labels, "le": "+Inf"}, histogram.total)
    yield _sample("lowlat_latency_seconds_count", labels, histogram.total)
    yield _sample("lowlat_latency_seconds_sum", labels, series.mean * histogram.total / 1e9)


def _labels(report: Report) -> dict[str, str]:
    rate = report.load.target_rate
    return {"profile": report.workload.profile} | ({} if rate is None else {"target_rate": f"{rate:.0f}"})


def _facts(report: Report) -> dict[str, str]:
    known = {
        "version": report.tool.version,
        "git": report.tool.git,
        "workload": report.workload.hash,
        "seed": report.workload.seed,
        "cpu": report.host.cpu,
        "kernel": report.host.kernel,
    }
    return {name: str(value) for name, value in known.items() if value is not None}


def _text(families: Iterable[_Family]) -> str:
    lines = []
    for family in families:
        if family.samples:
            lines.append(f"# TYPE {family.name} {family.kind}")
            lines += [f"# UNIT {family.name} {family.unit}"] if family.unit else []
            lines += [f"# HELP {family.name} {family.about}", *family.samples]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    listed = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{listed}}} {value!r}"


def _escaped(text: str) -> str:
    return printable_lines(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
