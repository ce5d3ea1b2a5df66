"""Reports as a clock with longer steps would have measured them, for gates on hosts whose clock is coarser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run, Series
from lowlat.reports.model.series import histogram_of, series_of, summarize


def read_coarsely(report: Report, step_ns: int) -> Report:
    """The latencies in steps of `step_ns`: one between two steps is read as either, in proportion, since the phase of
    the clock is random. Everything else stays.
    """
    runs = tuple(_run(run, step_ns) for run in report.runs)
    clock = replace(report.clock, step_ns=float(step_ns))
    return replace(report, clock=clock, runs=runs, summary=summarize(runs))


def _run(run: Run, step_ns: int) -> Run:
    series = tuple(_series(each, step_ns) for each in run.series)
    return replace(run, series=series, quiet=tuple(_series(each, step_ns) for each in run.quiet))


def _series(series: Series, step_ns: int) -> Series:
    histogram = histogram_of(series)
    at = histogram.recorded
    steps = (buckets.lowest_values(at) + buckets.highest_values(at)) / 2 / step_ns
    below = np.floor(steps).astype(np.int64)
    later = np.rint(histogram.counts[at] * (steps - below)).astype(np.uint64)
    counts = np.zeros(buckets.COUNTS_LENGTH, dtype=np.uint64)
    for value_ns, number in (
        *zip(below * step_ns, histogram.counts[at] - later, strict=True),
        *zip((below + 1) * step_ns, later, strict=True),
    ):
        counts[buckets.index_of(int(value_ns))] += number
    return series_of(series.op, series.measure, Histogram.from_buckets(counts))
