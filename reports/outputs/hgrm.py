"""The percentile distribution of a series, `.hgrm`, the format of HdrHistogram for Java and its plotters.

           Value     Percentile TotalCount 1/(1-Percentile)

          40.000 0.500000000000         10           2.00
          ...
    #[Mean    =       44.100, StdDeviation   =        9.300]
    #[Max     =       90.000, Total count    =           17]
    #[Buckets =           33, SubBuckets     =         2048]

Values are nanoseconds. Percentiles rise in five steps for each half of the remaining distance to 100%
(`percentileTicksPerHalfDistance`). No value exceeds the exact maximum, which histograms of other programs do not store.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from lowlat.errors import UsageError
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.histogram.hlog_reader import RecordedLog
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import histogram_of

TICKS: Final = 5
"""Steps for each half of the distance to 100%."""

_SUB_BUCKETS: Final = 2_048
_BUCKETS: Final = buckets.COUNTS_LENGTH // (_SUB_BUCKETS // 2) - 1


def of_report(report: Report) -> str:
    """The distribution of the first measure over all operations and runs. Raises `UsageError`."""
    return _of_one(report.summary)


def of_log(log: RecordedLog) -> str:
    """The distribution of the log's one series. Raises `UsageError` when it has several."""
    return _of_one([each.series for each in log.series])


def of_jitter(found: Jitter) -> str:
    """The distribution over all CPUs. Raises `NotValidError` without a gap or a wake-up."""
    return distribution(merge(histogram_of(cpu.series) for cpu in found.cpus if cpu.series))


def distribution(histogram: Histogram) -> str:
    """The whole text. Raises `NotValidError` without samples."""
    rows = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
    for level, value_ns, count in steps(histogram):
        last = "" if level == 1 else f" {_decimal(1 / (1 - level), 2):>14}"
        rows.append(f"{value_ns:12.3f} {_decimal(level, 12)} {count:10d}{last}")
    rows += [
        f"#[Mean    = {histogram.mean_ns:12.3f}, StdDeviation   = {histogram.stddev_ns:12.3f}]",
        f"#[Max     = {histogram.max_ns:12.3f}, Total count    = {histogram.total:12d}]",
        f"#[Buckets = {_BUCKETS:12d}, SubBuckets     = {_SUB_BUCKETS:12d}]",
    ]
    return "\n".join(rows) + "\n"


def steps(histogram: Histogram) -> Iterator[tuple[Fraction, int, int]]:
    """Level (0 to 1), value in nanoseconds, and samples up to that value; the last level is 1."""
    values = buckets.highest_values(histogram.recorded).clip(max=histogram.max_ns).tolist()
    counts = histogram.counts[histogram.recorded].cumsum().tolist()
    level, bucket = Fraction(0), 0
    while True:
        rank = max(1, math.ceil(level * histogram.total))
        while counts[bucket] < rank:
            bucket += 1
        yield level, values[bucket], counts[bucket]
        if counts[bucket] == histogram.total:
            break
        halvings = math.floor(math.log2(1 / (1 - level))) + 1
        level += Fraction(1, TICKS * 2**halvings)
    yield Fraction(1), values[-1], histogram.total


def _decimal(value: Fraction, digits: int) -> str:
    """The value with `digits` decimals, half rounded up, as in Java and JavaScript."""
    scaled = math.floor(value * 10**digits + Fraction(1, 2))
    return f"{scaled // 10**digits}.{scaled % 10**digits:0{digits}}"


def _of_one(series: Sequence[Series]) -> str:
    """The distribution of the first series over all operations, or of the only series."""
    every = [each for each in series if each.op == "all"]
    if not every and len(series) != 1:
        there = ", ".join(f"{each.measure}/{each.op}" for each in series) or "none"
        raise UsageError(f"hgrm holds one series; choose one with --series: {there}")
    return distribution(histogram_of((every or list(series))[0]))
