"""Reports with other runs that do not contradict themselves, such as ones with every latency multiplied exactly: a
regression of known size, made from real figures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from lowlat.os_noise import is_noisy, reasons_of
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.model.budget import REFERENCE_NS, Measured, budget, budget_class
from lowlat.reports.model.over_runs import achieved_rate, added, application_ns, passes_of, steal_percent
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import GarbageCollection, OsNoise, Run, Series, Throughput
from lowlat.reports.model.series import histogram_of, series_of, summarize


def with_runs(report: Report, runs: Sequence[Run], day: int = 1) -> Report:
    """The report with these runs, each an hour after the one before, and everything that follows from them."""
    numbered = tuple(
        dataclasses.replace(run, number=index + 1, started=f"2026-11-{day:02}T{index:02}:00:00.000000Z")
        for index, run in enumerate(runs)
    )
    noise, summary = [run.os_noise for run in numbered], summarize(numbered)
    share = Fraction(len(numbered), len(report.runs))
    load = dataclasses.replace(
        report.load,
        sent=int(report.load.sent * share),
        acked=int(report.load.acked * share),
        rejected=int(report.load.rejected * share),
        achieved_rate=achieved_rate(numbered, report.load.target_rate),
    )
    stages = {row.stage: Measured(row.measured_ns, row.basis, row.parts) for row in report.budget}
    p99 = application_ns(load.model, load.target_rate, summary)
    stages["application"] = dataclasses.replace(stages["application"], value_ns=p99)
    rows = budget({name: stages[name] for name in REFERENCE_NS})
    return dataclasses.replace(
        report,
        runs=numbered,
        summary=summary,
        load=load,
        budget=rows,
        budget_class=budget_class(rows),
        host=dataclasses.replace(report.host, steal_percent=steal_percent(numbered)),
        hot_path=dataclasses.replace(
            report.hot_path,
            page_faults=added(value for each in noise for value in (each.minor_faults, each.major_faults)),
            involuntary_switches=added(each.involuntary_switches for each in noise),
        ),
    )


def scaled(report: Report, factor: Fraction) -> Report:
    """The same runs with each sample multiplied and truncated to whole nanoseconds; passes are longer by the same
    factor.
    """
    return with_runs(report, [_scaled_run(run, factor) for run in report.runs])


def _scaled_run(run: Run, factor: Fraction) -> Run:
    slower = dataclasses.replace(
        run,
        duration_s=run.duration_s * max(float(factor), 1.0),
        series=_scaled_measures(run.series, factor),
        quiet=_scaled_measures(run.quiet, factor),
        least_cpu_ns=None if run.least_cpu_ns is None else int(run.least_cpu_ns * factor),
        throughput=_scaled_pass(run.throughput, factor),
        one_at_a_time=_scaled_pass(run.one_at_a_time, factor),
        timed=_scaled_pass(run.timed, factor),
        garbage_collection=_scaled_pauses(run.garbage_collection, factor),
    )
    return dataclasses.replace(slower, os_noise=_noise(slower, factor))


def _scaled_pauses(pauses: GarbageCollection | None, factor: Fraction) -> GarbageCollection | None:
    """They are part of the passes, so they are as much longer or shorter."""
    if pauses is None:
        return None
    return dataclasses.replace(
        pauses, pause_ns=int(pauses.pause_ns * factor), longest_ns=int(pauses.longest_ns * factor)
    )


def _noise(run: Run, factor: Fraction) -> OsNoise:
    """The noise of a scaled run: times are as much longer, at least as long as those of the passes that it shows."""
    passes, noise = passes_of(run), run.os_noise
    wall_ns = sum(done.wall_ns for done in passes)
    off_ns = sum(max(0, done.wall_ns - (done.cpu_ns or done.wall_ns)) for done in passes)
    if run.passes > 1:
        wall_ns = max(wall_ns, int(noise.wall_ns * factor))
        off_ns = max(off_ns, int((noise.off_cpu_ns or 0) * factor))
    gap_ns = None if noise.largest_gap_ns is None else int(noise.largest_gap_ns * factor) + 1
    made = dataclasses.replace(
        noise, wall_ns=wall_ns, off_cpu_ns=None if noise.off_cpu_ns is None else off_ns, largest_gap_ns=gap_ns
    )
    counts = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
    counts["steal_ms"] = None if made.steal_ns is None else made.steal_ns // 1_000_000
    return dataclasses.replace(made, reasons=reasons_of(counts, wall_ns), noisy=is_noisy(counts, wall_ns))


def _scaled_measures(series: Sequence[Series], factor: Fraction) -> tuple[Series, ...]:
    """All operations together have the samples of the single ones, if they had before."""
    made = []
    for each in series:
        parts = [part for part in series if part.op != "all" and part.measure == each.measure]
        if each.op == "all" and parts and _same(merge(map(histogram_of, parts)), histogram_of(each)):
            scaled_parts = [histogram_of(_scaled_series(part, factor)) for part in parts]
            made.append(series_of("all", each.measure, merge(scaled_parts)))
        else:
            made.append(_scaled_series(each, factor))
    return tuple(made)


def _same(one: Histogram, other: Histogram) -> bool:
    return np.array_equal(one.counts, other.counts)


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
