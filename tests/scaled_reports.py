"""Reports with every latency multiplied exactly: a regression of known size, made from real figures."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np

from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run, Series, Throughput
from lowlat.reports.model.series import histogram_of, series_of, summarize


def scaled(report: Report, factor: Fraction) -> Report:
    """The same runs with each sample multiplied and truncated to whole nanoseconds; passes are longer by the same
    factor.
    """
    runs = tuple(_scaled_run(run, factor) for run in report.runs)
    return dataclasses.replace(report, runs=runs, summary=summarize(runs))


def _scaled_run(run: Run, factor: Fraction) -> Run:
    return dataclasses.replace(
        run,
        series=tuple(_scaled_series(series, factor) for series in run.series),
        quiet=tuple(_scaled_series(series, factor) for series in run.quiet),
        least_cpu_ns=None if run.least_cpu_ns is None else int(run.least_cpu_ns * factor),
        throughput=_scaled_pass(run.throughput, factor),
        one_at_a_time=_scaled_pass(run.one_at_a_time, factor),
        stamped=_scaled_pass(run.stamped, factor),
    )


def _scaled_pass(done: Throughput | None, factor: Fraction) -> Throughput | None:
    cpu_ns = None if done is None or done.cpu_ns is None else int(done.cpu_ns * factor)
    return done and Throughput.of(done.commands, int(done.wall_ns * factor), cpu_ns)


def _scaled_series(series: Series, factor: Fraction) -> Series:
    """Each sample is at the top of its bucket, as for percentiles; minimum and maximum are exact."""
    old = histogram_of(series)
    least, greatest = (int(bound * factor) for bound in (old.min_ns, old.max_ns))
    counts = np.zeros(buckets.COUNTS_LENGTH, dtype=np.uint64)
    for value, count in zip(buckets.highest_values(old.recorded).tolist(), old.counts[old.recorded], strict=True):
        counts[buckets.index_of(min(max(int(value * factor), least), greatest))] += count
    for bound in (least, greatest):
        _move_one(counts, bound)
    return series_of(series.op, series.measure, Histogram.from_counts(counts, least, greatest))


def _move_one(counts: np.ndarray, bound: int) -> None:
    """Ensure that the bound's own bucket holds a sample, taken from the nearest bucket that has one."""
    recorded = np.flatnonzero(counts)
    index = buckets.index_of(bound)
    if index not in recorded:
        counts[recorded[np.abs(recorded - index).argmin()]] -= 1
        counts[index] += 1
