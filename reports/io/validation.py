"""Checks that a report is consistent: the figures of each series match its histogram.

A document can satisfy its schema and still be wrong, because of a damaged blob or an edited figure. Checks: every
histogram can be decoded; every figure of a series follows from it; the summary has exactly the samples of the runs, and
the series over all operations those of the single ones; every run has a valid start time. `contradictions` checks what
is not a latency.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from lowlat import units
from lowlat.errors import FormatError, InputError, NotValidError
from lowlat.limits import SERIES_MAX, SERIES_NAMES_MAX
from lowlat.reports.histogram.histogram import TOTAL_END, Histogram, merge
from lowlat.reports.io.contradictions import check_parts, expect, require
from lowlat.reports.io.jitter_contradictions import check_cpu, check_kind
from lowlat.reports.model.bands import bands
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run, Series
from lowlat.reports.model.series import figures_of, histogram_of, spread_of
from lowlat.reports.model.timestamps import started_at

Name: TypeAlias = tuple[str, str]
"""Operation and measure."""

WHOLE: Final = "all"
_LAST_DIGIT: Final = 1.5e-3
_PERCENT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,9})?")


def check(report: Report) -> None:
    """Raise `NotValidError`, naming the place, if a report contradicts itself, and `FormatError` if its series cannot
    be read.
    """
    require(bool(report.runs), "runs", "empty", "a report has one at least")
    for _ in checked_sums(report):
        pass
    _check_whole(report.runs)
    check_parts(report)
    if report.jitter is not None:
        _check_jitter(report.jitter)


def check_distinct(named: Sequence[tuple[str, Report]]) -> None:
    """Raise `InputError` if two reports, each with its name for messages, hold the same run: it would count twice."""
    holders: dict[tuple[str, ...], str] = {}
    for name, report in named:
        for run in report.runs:
            content = (run.started, *(series.hdr for series in run.series))
            if holder := holders.get(content):
                where = f"{name} and {holder} hold" if holder != name else f"{name} holds twice"
                raise InputError(
                    f"{where} the same run, started {run.started}: it would count twice; remove one of them"
                )
            holders[content] = name


def checked_sums(report: Report) -> Iterator[tuple[Name, Histogram]]:
    """Each series of a report over all its runs, checked; keeps only one histogram in memory at a time.

    Raises `NotValidError` if their figures are wrong, `FormatError` if the report has too many series.
    """
    for index, run in enumerate(report.runs):
        started_at(run)
        _check_quiet(index, run)
    parts = _parts(report)
    summary = {(series.op, series.measure): series for series in report.summary}
    if summary.keys() != parts.keys() or len(summary) != len(report.summary):
        raise NotValidError("summary: its series are not those of the runs")
    for name, placed in parts.items():
        if sum(series.count for _, series in placed) >= TOTAL_END:
            raise NotValidError(f"{placed[0][0]}: the runs have 2**63 samples or more")
        whole, place = merge(_checked(place, series) for place, series in placed), f"summary ({', '.join(name)})"
        told = _checked(place, summary[name])
        if not np.array_equal(told.counts, whole.counts) or told.bounds_ns != whole.bounds_ns:
            raise NotValidError(f"{place}: it does not hold the samples of the runs")
        spread = spread_of([series for _, series in placed])
        _same_figures(place, summary[name], {"spread": spread, "bands": bands(whole)})
        yield name, whole


def _check_jitter(found: Jitter) -> None:
    check_kind(found)
    for at, cpu in enumerate(found.cpus):
        place = f"jitter.cpus[{at}]"
        gaps = _checked(f"{place}.series", cpu.series).total if cpu.series else 0
        check_cpu(place, cpu, gaps)


def _check_quiet(index: int, run: Run) -> None:
    """The quieter passes of a run are some of its passes."""
    counts = {(series.op, series.measure): series.count for series in run.series}
    for position, series in enumerate(run.quiet):
        place = f"runs[{index}].quiet[{position}] ({series.op}, {series.measure})"
        _checked(place, series)
        if series.count > counts.get((series.op, series.measure), 0):
            raise FormatError(f"{place}: it has {units.counted(series.count, 'sample')}, more than the run")


def _parts(report: Report) -> dict[Name, list[tuple[str, Series]]]:
    """The series of the runs by name, each with its path in the document."""
    parts: dict[Name, list[tuple[str, Series]]] = {}
    for index, run in enumerate(report.runs):
        names = [(series.op, series.measure) for series in run.series]
        if len(set(names)) < len(names):
            raise NotValidError(f"runs[{index}]: two series have the same operation and measure")
        for position, series in enumerate(run.series):
            place = f"runs[{index}].series[{position}] ({series.op}, {series.measure})"
            parts.setdefault((series.op, series.measure), []).append((place, series))
    total = sum(len(run.series) for run in report.runs)
    if total > SERIES_MAX or len(parts) > SERIES_NAMES_MAX:
        raise FormatError(
            f"{total:,} series of {len(parts):,} names; at most {SERIES_MAX:,} of {SERIES_NAMES_MAX} are read"
        )
    return parts


def _checked(place: str, series: Series) -> Histogram:
    """The histogram of a series, whose other figures follow from it."""
    for percent in series.percentiles:
        if not _PERCENT.fullmatch(percent) or float(percent) > 100:
            raise FormatError(f"{place}: {percent[:20]!r} is not a percentile")
    try:
        histogram = histogram_of(series)
    except FormatError as error:
        raise NotValidError(f"{place}: {error}") from error
    expect(f"{place}: count", series.count, histogram.total, "its histogram holds")
    _same_figures(place, series, figures_of(histogram))
    return histogram


def _same_figures(place: str, told: Series, derived: Mapping[str, Any]) -> None:
    for name, figure in derived.items():
        _same(f"{place}: {name}", getattr(told, name), figure)


def _same(place: str, told: object, derived: object) -> None:
    """Compare leaf by leaf; rounded figures may differ in their last digit between processors."""
    if told == derived and not isinstance(told, dict):  # whose order counts
        return
    if isinstance(told, dict) and isinstance(derived, dict):
        expect(place, [*told], [*derived], "its histogram has")
        for name in told:
            _same(f"{place} ({name})", told[name], derived[name])
    elif isinstance(told, tuple) and isinstance(derived, tuple):
        expect(f"{place}: number", len(told), len(derived), "its histogram has")
        for index, (one, other) in enumerate(zip(told, derived, strict=True)):
            _same(f"{place}[{index}]", one, other)
    elif is_dataclass(told) and is_dataclass(derived):
        for field in fields(told):
            _same(f"{place}.{field.name}", getattr(told, field.name), getattr(derived, field.name))
    elif not _is_rounded(place, told, derived):
        expect(place, told, derived, "its histogram says")


def _is_rounded(place: str, told: object, derived: object) -> bool:
    """Whether a time in ns differs by no more than its last digit. Shares have all of theirs."""
    if not (isinstance(told, float) and isinstance(derived, float)) or place.endswith(".share"):
        return False
    return abs(told - derived) <= _LAST_DIGIT


def _check_whole(runs: Sequence[Run]) -> None:
    """Raise `NotValidError` unless the series over all operations hold the samples of each operation's."""
    for index, run in enumerate(runs):
        for measure in dict.fromkeys(series.measure for series in run.series):
            parts = [series for series in run.series if series.measure == measure and series.op != WHOLE]
            whole = next((each for each in run.series if (each.op, each.measure) == (WHOLE, measure)), None)
            if whole is None or not parts:
                continue
            summed, told = merge(map(histogram_of, parts)), histogram_of(whole)
            if not np.array_equal(summed.counts, told.counts) or summed.bounds_ns != told.bounds_ns:
                raise NotValidError(
                    f"runs[{index}].series ({WHOLE}, {measure}): it does not hold the samples of the single operations"
                )
