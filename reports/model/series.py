"""Converts between histograms and the series of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from lowlat.reports.histogram import hdr_codec
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.model.bands import bands
from lowlat.reports.model.results import PercentileValue, Run, Series, Spread, SummarySeries

PERCENTS: Final = ("50", "90", "95", "99", "99.9", "99.99", "99.999")
"""Percentiles that every series carries."""


def series_of(op: str, measure: str, histogram: Histogram) -> Series:
    """The series of one operation. Raises `NotValidError` without samples: callers omit such a series."""
    return Series(op=op, measure=measure, **figures_of(histogram), hdr=hdr_codec.encode(histogram))


def histogram_of(series: Series) -> Histogram:
    """The complete histogram of a series. Raises `FormatError` if its parts contradict each other."""
    return hdr_codec.decode(series.hdr, (series.min, series.max))


def summarize(runs: Iterable[Run]) -> tuple[SummarySeries, ...]:
    """Every operation over all runs, in order of first appearance: percentiles of the added histograms."""
    by_name: dict[tuple[str, str], list[Series]] = {}
    for run in runs:
        for series in run.series:
            by_name.setdefault((series.op, series.measure), []).append(series)
    return tuple(
        summary_of(op, measure, parts, merge(histogram_of(part) for part in parts))
        for (op, measure), parts in by_name.items()
    )


def whole(summary: Sequence[SummarySeries]) -> SummarySeries | None:
    """The first series over all operations, else the first series; None if there are none."""
    return next((series for series in summary if series.op == "all"), next(iter(summary), None))


def summary_of(op: str, measure: str, parts: Sequence[Series], merged: Histogram) -> SummarySeries:
    """One operation over all runs; `merged` contains all samples."""
    hdr = hdr_codec.encode(merged)
    spread, ranges = spread_of(parts), bands(merged)
    return SummarySeries(op=op, measure=measure, **figures_of(merged), hdr=hdr, spread=spread, bands=ranges)


def spread_of(parts: Sequence[Series]) -> dict[str, Spread]:
    """By percent, the smallest and the largest value of single runs."""
    return {
        percent: Spread(
            min=min(part.percentiles[percent].value for part in parts),
            max=max(part.percentiles[percent].value for part in parts),
        )
        for percent in PERCENTS
        if all(percent in part.percentiles for part in parts)
    }


def figures_of(histogram: Histogram) -> dict[str, Any]:
    """The fields of a series that come from its histogram, but for its encoded form."""
    percentiles = zip(PERCENTS, histogram.percentiles(PERCENTS), strict=True)
    return {
        "unit": "ns",
        "count": histogram.total,
        "min": histogram.min_ns,
        "max": histogram.max_ns,
        "mean": round(histogram.mean_ns, 3),
        "stddev": round(histogram.stddev_ns, 3),
        "percentiles": {name: PercentileValue(value=p.value_ns, beyond=p.beyond) for name, p in percentiles},
    }
