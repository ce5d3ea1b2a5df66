"""Go's benchmark format, https://go.dev/design/14313-benchmark-format, the input of benchstat.

Each run has a line for each series, so that benchstat can use the runs for its statistics, and one for its throughput:

    BenchmarkLatency/profile=steady/measure=service/op=cancel 66000 60 p50-ns 180 p99-ns
    BenchmarkThroughput/profile=steady 200000 22.4 ns/op

The first number is the number of samples. To compare two reports, write a file for each: `benchstat base.txt head.txt`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run
from lowlat.reports.outputs.points import valid
from lowlat.text import printable

PERCENTS: Final = ("50", "90", "99", "99.9", "99.99")

_NO_NAME: Final = re.compile(r"[^\w.:@+-]+")
_LIKE_PROCESSORS: Final = re.compile(r"-([0-9]+)$")


def of_reports(reports: Sequence[Report]) -> str:
    """The lines of all reports, each after the keys of its context. Raises `NotValidError`."""
    metadata = [f"Unit p{percent}-ns better=lower" for percent in PERCENTS]
    return "\n".join([*metadata, *(line for report in valid(reports) for line in _lines(report))]) + "\n"


def _lines(report: Report) -> Iterator[str]:
    about = {
        "pkg": "lowlat",
        "cpu": report.host.cpu,
        "git": report.tool.git,
        "workload": report.workload.hash,
        "seed": report.workload.seed,
    }
    # Keys are lower case without spaces; a key without a value resets what an earlier report set.
    yield from (
        f"{key}: {'' if value is None else printable(' '.join(str(value).split()))}".rstrip()
        for key, value in about.items()
    )
    work = f"profile={_part(report.workload.profile)}"
    if report.load.target_rate is not None:
        work += f"/rate={report.load.target_rate:.0f}"
    for run in report.runs:
        yield from _of_run(run, work)


def _of_run(run: Run, work: str) -> Iterator[str]:
    for series in run.series:
        figures = [
            f"{percentile.value} p{percent}-ns"
            for percent in PERCENTS
            if (percentile := series.percentiles.get(percent)) is not None
        ]
        name = f"BenchmarkLatency/{work}/measure={_part(series.measure)}/op={_part(series.op)}"
        yield " ".join([name, str(series.count), *figures])
    if run.throughput is not None and run.throughput.ns_per_command is not None:
        yield f"BenchmarkThroughput/{work} {run.throughput.commands} {run.throughput.ns_per_command:.6g} ns/op"


def _part(text: str) -> str:
    """A name without separators, and without a final `-8`, which would mean a number of processors."""
    return _LIKE_PROCESSORS.sub(r"_\1", _NO_NAME.sub("_", text)) or "_"
