"""The levels of memory in a ladder: where the latency stays, where it rises, and which reported cache ends there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise
from math import log2
from statistics import median
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Amount, Positive
from lowlat.reports.model.memory_ladder import LadderPoint, ReportedCache

RISE_MIN: Final = 1.7
"""A knee is where twice the memory takes at least so much longer."""
VALLEY_MAX: Final = 0.5
"""Between two knees, the logarithm of the rise has to fall to this part of the lower one's."""
KNEE_RISE: Final = 1.3
"""A cache ends where a load takes so much longer than in the flattest octave."""
AS_REPORTED: Final = (0.7, 1.5)
"""Knee over reported size. Ladders have four sizes in an octave, and code and stack use a cache too."""
_OCTAVE: Final = 4
"""Points to the size that is twice as large."""

Verdict = Literal["as reported", "differs", "no knee", "beyond the limit", "not reported", "memory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLevel:
    """A cache, or the memory behind all caches. Its figures are of the octave in which the ladder is flattest."""

    name: Annotated[str | None, Meta(description="e.g. L2, or memory; null for a cache that is not reported")]
    verdict: Annotated[
        Verdict,
        Meta(description="as reported: the knee is at 0.7 to 1.5 times the reported size; no knee: there is no rise"),
    ]
    reported_bytes: Annotated[Positive | None, Meta(description="Its size as reported, bytes")]
    knee_bytes: Annotated[Positive | None, Meta(description="Largest size before the latency rises, bytes")]
    flat_from_bytes: Annotated[Positive | None, Meta(description="Smallest size of the flattest octave, bytes")]
    flat_to_bytes: Annotated[Positive | None, Meta(description="Largest size of the flattest octave, bytes")]
    min_ns: Annotated[Amount | None, Meta(description="Median over its sizes of the fastest sample, nanoseconds")]
    median_ns: Annotated[Amount | None, Meta(description="Median over its sizes of the median sample, nanoseconds")]


@dataclass(frozen=True, slots=True)
class _Flat:
    """The flattest octave between two knees, or before the first, or after the last."""

    points: tuple[LadderPoint, ...]
    end_bytes: int
    """The largest size before the rise that follows, or of the ladder."""
    rise: float
    """Of that rise, the logarithm over its steepest octave."""


def levels_of(points: Sequence[LadderPoint], caches: Sequence[ReportedCache]) -> tuple[MeasuredLevel, ...]:
    """The levels of a ladder with its reported caches, nearest first."""
    if not points:
        return ()
    *closed, last = _flats(points)
    matched = _matched(closed, caches)
    limit = points[-1].size_bytes
    levels = [
        _cache(closed[matched[cache]], cache) if cache in matched else _without_knee(cache, limit) for cache in caches
    ]
    levels += [_level(flat, None, "not reported") for at, flat in enumerate(closed) if at not in matched.values()]
    beyond = next((at for at, each in enumerate(levels) if each.verdict == "beyond the limit"), None)
    if beyond is None:
        levels.append(_level(last, None, "memory"))
    else:
        levels[beyond] = _level(last, caches[beyond], "beyond the limit")
    return tuple(sorted(levels, key=_order))


def _order(level: MeasuredLevel) -> tuple[bool, int]:
    return level.verdict == "memory", level.flat_from_bytes or level.reported_bytes or 0


def _flats(points: Sequence[LadderPoint]) -> list[_Flat]:
    """Between the knees. Other programs only add to a latency, so that what a larger size takes is a bound of it."""
    bounds = list(accumulate(reversed([point.min_ns for point in points]), min))[::-1]
    # Not up to the last point, which no larger size bounds.
    rises = [_rise(points, bounds, at) for at in range(len(points) - _OCTAVE - 1)]
    peaks = _peaks(rises)
    found = []
    for before, peak in pairwise([-1, *peaks, len(rises)]):
        between = range(before + 1, peak)
        flattest = min(between, key=rises.__getitem__) if between else min(peak, len(points) - 1)
        octave = tuple(points[flattest : flattest + _OCTAVE + 1]) if between else (points[flattest],)
        bound = KNEE_RISE * median(point.min_ns for point in octave)
        inside = range(flattest, min(peak + _OCTAVE, len(points)))
        end = max((at for at in inside if bounds[at] <= bound), default=flattest)
        at_end = peak == len(rises)
        found.append(_Flat(octave, points[end].size_bytes, 0.0 if at_end else rises[peak]))
    return found


def _rise(points: Sequence[LadderPoint], bounds: Sequence[float], at: int) -> float:
    """The logarithm of the rise in the octave that begins at a point."""
    octaves = log2(points[at + _OCTAVE].size_bytes / points[at].size_bytes)
    return log2(bounds[at + _OCTAVE] / bounds[at]) / octaves


def _peaks(rises: Sequence[float]) -> list[int]:
    """Where the rise is steepest: each peak is divided from the steeper ones by a valley."""
    found: list[int] = []
    for at in sorted(range(len(rises)), key=lambda at: -rises[at]):
        if rises[at] < log2(RISE_MIN):
            break
        valleys = (min(rises[min(at, peak) : max(at, peak) + 1]) for peak in found)
        if all(valley <= VALLEY_MAX * rises[at] for valley in valleys):
            found.append(at)
    return sorted(found)


def _matched(closed: Sequence[_Flat], caches: Sequence[ReportedCache]) -> dict[ReportedCache, int]:
    """The place of each cache: of too many knees the steepest count, of too many caches those of the nearest sizes."""
    steepest = sorted(range(len(closed)), key=lambda at: -closed[at].rise)[: len(caches)]
    chosen = sorted(steepest)
    nearest = min(
        combinations(caches, len(chosen)),
        key=lambda some: sum(
            abs(log2(closed[at].end_bytes / cache.size_bytes)) for at, cache in zip(chosen, some, strict=True)
        ),
    )
    return dict(zip(nearest, chosen, strict=True))


def _cache(flat: _Flat, cache: ReportedCache) -> MeasuredLevel:
    low, high = AS_REPORTED
    agrees = low <= flat.end_bytes / cache.size_bytes <= high
    return _level(flat, cache, "as reported" if agrees else "differs")


def _without_knee(cache: ReportedCache, limit: int) -> MeasuredLevel:
    return MeasuredLevel(
        name=cache.name,
        verdict="beyond the limit" if cache.size_bytes >= limit else "no knee",
        reported_bytes=cache.size_bytes,
        knee_bytes=None,
        flat_from_bytes=None,
        flat_to_bytes=None,
        min_ns=None,
        median_ns=None,
    )


def _level(flat: _Flat, cache: ReportedCache | None, verdict: Verdict) -> MeasuredLevel:
    name = verdict if verdict == "memory" else None
    return MeasuredLevel(
        name=name if cache is None else cache.name,
        verdict=verdict,
        reported_bytes=None if cache is None else cache.size_bytes,
        knee_bytes=None if verdict in ("memory", "beyond the limit") else flat.end_bytes,
        flat_from_bytes=flat.points[0].size_bytes,
        flat_to_bytes=flat.points[-1].size_bytes,
        min_ns=median(point.min_ns for point in flat.points),
        median_ns=median(point.median_ns for point in flat.points),
    )
