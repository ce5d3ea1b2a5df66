"""Percentile spectra: latency over the number of nines, the data of every chart of a report.

The nines of a percentile are -log10(1 - percent / 100): 1 at p90, 2 at p99, 3 at p99.9. The tail, which a linear axis
compresses into its last hundredth, gets as much room as the bulk.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lowlat.errors import naming
from lowlat.reports.compare.compare import Samples, Sides
from lowlat.reports.histogram.histogram import FEW_BEYOND, merge
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import PERCENTS, histogram_of, series_of
from lowlat.reports.model.sweep import Sweep, response
from lowlat.units import rate

STEPS_PER_NINE: Final = 20
_TIME_UNITS: Final = ("ns", "µs", "ms", "s")
_DECADE_MAX: Final = 12  # 2^42 ns, the highest value of a histogram, is below 10^13


@dataclass(frozen=True, slots=True)
class Point:
    """A percentile of a spectrum: `percent` as text, e.g. 99.9, and its value in nanoseconds."""

    percent: str
    nines: float
    value_ns: int


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One line of a chart, from the minimum to the maximum."""

    name: str
    points: tuple[Point, ...]
    """In rising order. The last one is the maximum: it stands where one sample is left, log10 of the count."""
    firm_nines: float
    """Up to here a percentile has `FEW_BEYOND` samples beyond it; what follows is not significant."""


def spectrum(name: str, series: Series) -> Spectrum:
    """The spectrum of a series: its own percentiles, and `STEPS_PER_NINE` between two nines from its histogram.

    Raises `FormatError` when the series' histogram is damaged.
    """
    histogram = histogram_of(series)
    end = math.log10(histogram.total)
    known = {percent: nines(percent) for percent in PERCENTS if percent in series.percentiles and nines(percent) < end}
    steps = (index / STEPS_PER_NINE for index in range(math.ceil(end * STEPS_PER_NINE)))
    between = {f"{100 * (1 - 10**-x):.10g}": x for x in steps if all(abs(x - at) > 1e-6 for at in known.values())}
    values = zip(between.items(), histogram.percentiles(list(between)), strict=True)
    points = [Point(percent, at, series.percentiles[percent].value) for percent, at in known.items()]
    points += [Point(percent, at, found.value_ns) for (percent, at), found in values]
    points.sort(key=lambda point: point.nines)
    return Spectrum(name, (*points, Point("100", end, histogram.max_ns)), math.log10(histogram.total / FEW_BEYOND))


def nines(percent: str) -> float:
    """The number of nines of a percentile, e.g. 3 for 99.9; infinite for 100."""
    left = 1 - float(percent) / 100
    return -math.log10(left) if left > 0 else math.inf


def by_operation(report: Report) -> list[Spectrum]:
    """The spectrum of each operation, for the first measure of the report."""
    first = [series for series in report.summary if series.measure == report.summary[0].measure]
    return [spectrum(series.op, series) for series in first]


def by_measure(report: Report) -> list[Spectrum]:
    """The spectrum of all operations for each measure, if there are several."""
    of_all = [series for series in report.summary if series.op == "all"]
    return [spectrum(series.measure.removeprefix("stage:"), series) for series in of_all] if len(of_all) > 1 else []


def by_rate(sweep: Sweep) -> list[Spectrum]:
    """The spectrum of the response times at each rate of a sweep."""
    shown = ((point.load.target_rate, response(point)) for point in sweep.points)
    return [spectrum(rate(target), series) for target, series in shown if series and target is not None]


def by_side(sides: Sides) -> list[Spectrum]:
    """The spectra of base and head, each with all its runs added, of the latencies that gate by default.

    Raises `InputError`, naming the side, if one of its histograms is damaged.
    """
    series = sides.main_series()
    if series is None:
        return []
    return [_of_samples(name, side, *series) for name, side in (("base", sides.base), ("head", sides.head))]


def _of_samples(name: str, side: Samples, op: str, measure: str) -> Spectrum:
    parts = (
        series
        for report in side.reports
        for run in report.runs
        for series in run.series
        if (series.op, series.measure) == (op, measure)
    )
    with naming(side.label):
        return spectrum(name, series_of(op, measure, merge(map(histogram_of, parts))))


def nine_ticks(most: float) -> Iterator[tuple[float, str]]:
    """Positions and labels along an axis of nines up to `most`: p50, p90, p99, p99.9 and so on."""
    for percent in ("50", "90", "99", *(f"99.{'9' * count}" for count in range(1, _DECADE_MAX))):
        if nines(percent) <= most:
            yield nines(percent), f"p{percent}"


def decades(least_ns: float, most_ns: float) -> Iterator[tuple[float, str]]:
    """Exponents and labels of the powers of ten nanoseconds from just below `least_ns` to just above `most_ns`."""
    first = math.floor(math.log10(max(least_ns, 1)))
    last = max(math.ceil(math.log10(max(most_ns, 1))), first + 1)
    for exponent in range(first, last + 1):
        thousand = min(exponent // 3, len(_TIME_UNITS) - 1)
        yield exponent, f"{10 ** (exponent - 3 * thousand):,} {_TIME_UNITS[thousand]}"
