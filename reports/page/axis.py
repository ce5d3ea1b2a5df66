"""The axes of a chart: where a value is between the ends, and the ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.reports.histogram.percentile_curve import decades

Ticks = tuple[tuple[float, str], ...]
"""Values along an axis, each with its label."""

_TICKS_MAX: Final = 9
_DIGITS: Final = ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5), (1, 2, 5), (1,))
"""Ticks of a decade, closest first; those of which `_TICKS_MAX` are enough are used."""
_DECADES: Final = 100.0
"""Ratio of the latencies of a chart from which its axis has a tick for each power of ten."""
_SPAN_MIN: Final = 1.25
"""A chart shows at least this factor up and down: noise of a few percent must not fill it."""
_FEW_STEPS: Final = 4.0
"""Ratio of the ends of an axis from which its ticks are digits times powers of ten, not equal steps."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis, from its first end (left or bottom) to its last; `first` may be the larger one."""

    first: float
    last: float
    ticks: Ticks
    title: str = ""
    log: bool = False

    def at(self, value: float) -> float:
        """The position of a value, percent of the axis from its first end; below 0 or above 100 outside."""
        first, last, found = (math.log(each) if self.log else each for each in (self.first, self.last, value))
        return 100 * (found - first) / (last - first)


def latency_axis(values_ns: Sequence[float]) -> Axis:
    """A logarithmic axis of nanoseconds: ticks at powers of ten, or closer ones where the values span few."""
    least, most = max(min(values_ns), 1), max(*values_ns, 1)  # a logarithmic axis has no 0
    if most / least < _DECADES:
        middle = math.sqrt(least * most)
        return log_axis((min(least, middle / _SPAN_MIN), max(most, middle * _SPAN_MIN)), "", units.time)
    ticks = tuple((10.0**exponent, label) for exponent, label in decades(least, most))
    return Axis(ticks[0][0], ticks[-1][0], ticks, log=True)


def log_axis(ends: tuple[float, float], title: str, label: Callable[[float], str]) -> Axis:
    """A logarithmic axis, a little longer than from end to end, with ticks at round values."""
    room = max(math.log(ends[1] / ends[0]) * 0.04, 0.005)
    first, last = ends[0] * math.exp(-room), ends[1] * math.exp(room)
    digits = last / first >= _FEW_STEPS
    ticks = _digit_ticks(first, last) if digits else _step_ticks(first, last)
    return Axis(first, last, tuple((at, label(at)) for at in ticks), title, log=True)


def linear_axis(ends: tuple[float, float], title: str) -> Axis:
    """A linear axis, a little longer than from end to end, with ticks at round values."""
    room = (ends[1] - ends[0]) * 0.02
    ticks = tuple((at, f"{at:.6g}") for at in _step_ticks(*ends))
    return Axis(ends[0] - room, ends[1] + room, ticks, title)


def _digit_ticks(first: float, last: float) -> list[float]:
    """Digits times each power of ten between the ends."""
    for digits in _DIGITS:
        ticks = [digit * 10.0**exponent for exponent in _exponents(first, last) for digit in digits]
        found = [at for at in ticks if first <= at <= last]
        if len(found) <= _TICKS_MAX:
            break
    return found


def _exponents(first: float, last: float) -> range:
    return range(math.floor(math.log10(first)), math.ceil(math.log10(last)) + 1)


def _step_ticks(first: float, last: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between the ends, at most `_TICKS_MAX`."""
    step = next(step for step in _steps(last - first) if (last - first) / step < _TICKS_MAX)
    return [index * step for index in range(math.ceil(first / step), math.floor(last / step) + 1)]


def _steps(span: float) -> Iterator[float]:
    for exponent in _exponents(span / 100, span):
        for digit in (1, 2, 5):
            yield digit * 10.0**exponent
