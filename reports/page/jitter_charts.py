"""The charts of jitter: when each CPU's longest gaps were, and the percentiles of each CPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from lowlat import units
from lowlat.reports.histogram.percentile_curve import spectrum
from lowlat.reports.model.jitter import UNEXPLAINED, CpuJitter, Jitter, LongGap
from lowlat.reports.page.axis import Axis, latency_axis, linear_axis
from lowlat.reports.page.chart import Chart, ChartPoint, ChartSeries, label
from lowlat.reports.page.charts import spectra
from lowlat.reports.terminal.jitter_lines import worst_first

TIMELINES_MAX: Final = 16
"""CPUs with a chart of their own: those that lost the most."""
_CURVES_MAX: Final = 8
_CAUSES_MAX: Final = 7
"""Causes with a color of their own; the page has one more, for all others."""
_OTHERS: Final = "other causes"


def of_cpus(found: Jitter) -> dict[str, Chart | None]:
    """A timeline for each CPU with gaps, `cpu-3` for CPU 3, and `by-cpu`, the percentiles of each."""
    worst = worst_first(found.cpus)
    curves = [spectrum(f"CPU {cpu.cpu}", cpu.series) for cpu in worst if cpu.series][:_CURVES_MAX]
    colors = _colors(found)
    seconds = linear_axis((0.0, _end_s(found)), "seconds since the start")
    timelines = {f"cpu-{cpu.cpu}": _timeline(cpu, seconds, colors) for cpu in worst[:TIMELINES_MAX] if cpu.longest}
    return {**timelines, "by-cpu": spectra(curves) if curves else None}


def _end_s(found: Jitter) -> float:
    """Where the axis of time ends: a gap that began in time may end late."""
    return max([found.duration_s, *((gap.at_ns + gap.length_ns) / 1e9 for cpu in found.cpus for gap in cpu.longest)])


def _colors(found: Jitter) -> dict[str, int]:
    """A color for each cause that took the most time on all CPUs, the same in every chart."""
    lost: Counter[str] = Counter()
    for cpu in found.cpus:
        for cause in cpu.causes:
            lost[cause.cause] += cause.lost_ns
    return {cause: color for color, (cause, _) in enumerate(lost.most_common(_CAUSES_MAX))}


def _timeline(cpu: CpuJitter, seconds: Axis, colors: dict[str, int]) -> Chart:
    """A point for each gap that the document holds, in the color of its cause."""
    by_cause: dict[str, list[LongGap]] = {cause: [] for cause in (*colors, _OTHERS)}
    for gap in cpu.longest:
        by_cause[gap.cause if gap.cause in colors else _OTHERS].append(gap)
    return Chart(
        x=seconds,
        y=latency_axis([gap.length_ns for gap in cpu.longest]),
        series=tuple(
            ChartSeries(cause, colors.get(cause, _CAUSES_MAX), _points(gaps), line=False)
            for cause, gaps in by_cause.items()
            if gaps
        ),
    )


def _points(gaps: Sequence[LongGap]) -> tuple[ChartPoint, ...]:
    """Open circles where no counter of the kernel moved."""
    return tuple(
        ChartPoint(
            gap.at_ns / 1e9,
            max(gap.length_ns, 1),
            f"at {gap.at_ns / 1e9:.6f} s",
            ", ".join([units.time(gap.length_ns), label(", ".join(gap.moved) or "no counter moved")]),
            "open" if gap.cause.startswith(UNEXPLAINED) else "circle",
        )
        for gap in sorted(gaps, key=lambda gap: gap.at_ns)
    )
