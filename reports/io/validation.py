"""Checks that a report is consistent: the figures of each series match its histogram.

A document can satisfy its schema and still be wrong, because of a damaged blob or an edited figure. Checks: every
histogram can be decoded; count, minimum, maximum and percentiles match it; the summary has exactly the samples of the
runs; every run has a valid start time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np

from lowlat.errors import FormatError
from lowlat.reports.histogram.histogram import TOTAL_END, Histogram, merge
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run, Series
from lowlat.reports.model.series import histogram_of
from lowlat.reports.model.timestamps import started_at

SERIES_MAX: Final = 20_000
"""Series of a report, over all its runs: what 1,000 runs of a pipeline have, twice."""
NAMES_MAX: Final = 256
"""Different series of a report. Each is a histogram of 272 KiB in memory once reports are merged."""

Name: TypeAlias = tuple[str, str]
"""Operation and measure."""

_PERCENT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,9})?")


def check(report: Report) -> None:
    """Raise `FormatError`, naming the place, if a report is inconsistent."""
    for _ in checked_sums(report):
        pass


def checked_sums(report: Report) -> Iterator[tuple[Name, Histogram]]:
    """Each series of a report over all its runs, checked; keeps only one histogram in memory at a time.

    Raises `FormatError` if the report is inconsistent, or has more series than the limits above.
    """
    for index, run in enumerate(report.runs):
        started_at(run)
        _check_quiet(index, run)
    parts = _parts(report)
    summary = {(series.op, series.measure): series for series in report.summary}
    if summary.keys() != parts.keys() or len(summary) != len(report.summary):
        raise FormatError("summary: its series are not those of the runs")
    for name, placed in parts.items():
        if sum(series.count for _, series in placed) >= TOTAL_END:
            raise FormatError(f"{placed[0][0]}: the runs have 2**63 samples or more")
        whole = merge(_checked(place, series) for place, series in placed)
        told = _checked(f"summary ({', '.join(name)})", summary[name])
        if not np.array_equal(told.counts, whole.counts) or told.bounds_ns != whole.bounds_ns:
            raise FormatError(f"summary ({', '.join(name)}): it does not hold the samples of the runs")
        yield name, whole


def _check_quiet(index: int, run: Run) -> None:
    """The quieter passes of a run are some of its passes."""
    counts = {(series.op, series.measure): series.count for series in run.series}
    for position, series in enumerate(run.quiet):
        place = f"runs[{index}].quiet[{position}] ({series.op}, {series.measure})"
        _checked(place, series)
        if series.count > counts.get((series.op, series.measure), 0):
            raise FormatError(f"{place}: it has {series.count} samples, more than the run")


def _parts(report: Report) -> dict[Name, list[tuple[str, Series]]]:
    """The series of the runs by name, each with its path in the document."""
    parts: dict[Name, list[tuple[str, Series]]] = {}
    for index, run in enumerate(report.runs):
        names = [(series.op, series.measure) for series in run.series]
        if len(set(names)) < len(names):
            raise FormatError(f"runs[{index}]: two series have the same operation and measure")
        for position, series in enumerate(run.series):
            place = f"runs[{index}].series[{position}] ({series.op}, {series.measure})"
            parts.setdefault((series.op, series.measure), []).append((place, series))
    total = sum(len(run.series) for run in report.runs)
    if total > SERIES_MAX or len(parts) > NAMES_MAX:
        raise FormatError(f"{total:,} series of {len(parts):,} names; at most {SERIES_MAX:,} of {NAMES_MAX} are read")
    return parts


def _checked(place: str, series: Series) -> Histogram:
    try:
        histogram = histogram_of(series)
    except FormatError as error:
        raise FormatError(f"{place}: {error}") from error
    if histogram.total != series.count:
        raise FormatError(f"{place}: count is {series.count}, its histogram holds {histogram.total}")
    for percent in series.percentiles:
        if not _PERCENT.fullmatch(percent) or float(percent) > 100:
            raise FormatError(f"{place}: {percent[:20]!r} is not a percentile")
    for held in histogram.percentiles(list(series.percentiles)):
        told = series.percentiles[held.percent]
        if (told.value, told.beyond) != (held.value_ns, held.beyond):
            raise FormatError(
                f"{place}: p{held.percent} is {told.value} ns with {told.beyond} samples beyond, its histogram says "
                f"{held.value_ns} ns with {held.beyond}"
            )
    return histogram
