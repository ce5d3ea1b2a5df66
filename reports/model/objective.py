"""Latency objectives of a sweep: the percentiles of response time that a sustainable rate keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Final

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Positive
from lowlat.errors import FormatError, UsageError
from lowlat.reports.histogram import hdr_codec
from lowlat.reports.histogram.histogram import FEW_BEYOND
from lowlat.reports.model.lateness import is_late
from lowlat.reports.model.results import Run, Series
from lowlat.reports.model.series import PERCENTS
from lowlat.reports.model.spoiled import own_ns, series_named, spoiled_ns

DEFAULT_PERCENTILE: Final = "99"
SERVICE_TIMES: Final = 1_000
DEFAULT_RULE: Final = (
    f"p{DEFAULT_PERCENTILE} at most {SERVICE_TIMES:,} times the median service time of the best run at the lowest "
    "rate, rounded to 1, 2 or 5 times a power of ten"
)
"""A queue of about 1,000 commands, in round numbers, so that it is the same when measured again. The limit is far above
timer interrupts and the wake-up of a cold cache, which last microseconds, and far below the queue of a rate that the
engine cannot keep, which grows to milliseconds within a run. The curve is steep there, so the answer hardly depends on
the factor or on noise. A desk has its own limit: it passes `--objective`."""
EXCESS_MAX: Final = math.log(4)
"""Beyond a factor of 4, a run only votes for or against its rate: how long a stalled run was stalled says nothing about
the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A limit on one percentile of the response times of all operations."""

    percentile: Annotated[str, Meta(description="Percentile that is limited, e.g. 99.9")]
    limit_ns: Annotated[Positive, Meta(description="Its largest allowed value, nanoseconds")]

    def __str__(self) -> str:
        return f"p{self.percentile} ≤ {units.time(self.limit_ns)}"


def check_objectives(objectives: Sequence[Objective]) -> None:
    """Raise `FormatError` for a percentile that is unknown or named twice, or limits that contradict each other."""
    if not objectives:
        raise FormatError("a sweep has at least one objective")
    for each in objectives:
        if each.percentile not in PERCENTS:
            known = ", ".join(f"p{percent}" for percent in PERCENTS)
            raise FormatError(f"p{each.percentile} is not a percentile of a report; use one of {known}")
    ordered = sorted(objectives, key=lambda each: float(each.percentile))
    for one, above in pairwise(ordered):
        if one.percentile == above.percentile:
            raise FormatError(f"p{one.percentile} has two objectives; keep one")
        if one.limit_ns > above.limit_ns:
            raise FormatError(
                f"the objectives {one} and {above} contradict each other: p{one.percentile} is never above "
                f"p{above.percentile}, so its limit would never decide; lower it or remove it"
            )


def check_samples(objectives: Sequence[Objective], commands: int) -> None:
    """Raise `UsageError` for runs too short for a significant percentile; no objectives stand for the default."""
    percent, needed = _highest(objectives), commands_needed(objectives)
    if commands < needed:
        raise UsageError(
            f"--commands {commands} is too few for an objective on p{percent}: fewer than {FEW_BEYOND} samples would "
            f"be beyond it; use at least {needed:,}"
        )


def commands_needed(objectives: Sequence[Objective]) -> int:
    """The fewest commands of a run whose percentiles are significant; no objectives stand for the default."""
    percent = _highest(objectives)
    return math.ceil(FEW_BEYOND * 100 / (100 - float(percent)) - 1e-6)


def _highest(objectives: Sequence[Objective]) -> str:
    return max((each.percentile for each in objectives), key=float, default=DEFAULT_PERCENTILE)


def default_objectives(lowest: Sequence[Run]) -> tuple[Objective, ...]:
    """The objectives of `DEFAULT_RULE`, from the runs at the lowest rate.

    Raises `FormatError` for runs without service times.
    """
    service_ns = min(_value_ns(run, "service", "50") for run in lowest)
    return (Objective(percentile=DEFAULT_PERCENTILE, limit_ns=_round_number(SERVICE_TIMES * service_ns)),)


def _round_number(value: float) -> int:
    """The nearest of 1, 2, 5, 10, 20 ... by ratio."""
    steps: list[int] = [factor * 10**power for power in range(13) for factor in (1, 2, 5)]
    return min(steps, key=lambda step: abs(math.log(max(value, 1) / step)))


def excess(run: Run, rate: float, objectives: Sequence[Objective]) -> float:
    """How far a run at `rate` is above its objectives: the logarithm of the largest ratio of percentile to limit, at
    most `EXCESS_MAX` to either side, and `EXCESS_MAX` for a run that did not keep up. At most 0: it meets them.

    Raises `FormatError` for a run without response times.
    """
    if not kept_up(run, rate):
        return EXCESS_MAX
    worst = max(math.log(max(_value_ns(run, "response", each.percentile), 1) / each.limit_ns) for each in objectives)
    return max(-EXCESS_MAX, min(EXCESS_MAX, worst))


def is_undecided(run: Run, rate: float, objectives: Sequence[Objective], least_ns: float) -> bool:
    """Whether a run exceeds its objectives, but might have met them without what other programs spoiled.

    They make runs worse and none better, so a run that meets its objectives does, whatever happened to it. One that
    exceeds them does so for certain if its last command is later than what was spoiled, or if a percentile of its
    samples is above the limit even when the spoiled share of them are its worst. `least_ns`: as for `spoiled_ns`.
    Raises what `excess` raises.
    """
    if excess(run, rate, objectives) <= 0:
        return False
    spoiled = spoiled_ns(run, least_ns)
    if not kept_up(run, rate) and (run.late_ns or 0) > spoiled:
        return False
    series, kept = response_of(run), 1 - spoiled / max(own_ns(run), 1)
    assert series is not None, "excess has read it"
    return all(
        _at(series.hdr, series.min, series.max, float(each.percentile) * kept) <= each.limit_ns for each in objectives
    )


@lru_cache(maxsize=4096)
def _at(hdr: str, least: int, most: int, percent: float) -> int:
    return hdr_codec.decode(hdr, (least, most)).percentile(percent).value_ns


def decided_excesses(
    runs_at: Mapping[float, Sequence[Run]], objectives: Sequence[Objective]
) -> dict[float, list[float]]:
    """For each rate, the lowest first, the excesses of the runs that say something about it."""
    found, least_ns = {}, math.inf
    for rate, runs in sorted(runs_at.items()):
        least_ns = min([least_ns, *(series.mean for run in runs if (series := series_named(run, "service")))])
        kept = [run for run in runs if not is_undecided(run, rate, objectives, least_ns)]
        found[rate] = [excess(run, rate, objectives) for run in kept]
    return found


def kept_up(run: Run, rate: float) -> bool:
    """Whether a run reached its rate."""
    commands = run.throughput.commands if run.throughput else 0
    return run.late_ns is not None and commands > 0 and not is_late(run.late_ns, commands, rate)


def response_of(run: Run) -> Series | None:
    """The response times of all operations in a run."""
    return series_named(run, "response")


def _value_ns(run: Run, measure: str, percent: str) -> int:
    series = series_named(run, measure)
    if series is None or percent not in series.percentiles:
        raise FormatError(f"run {run.number} of a sweep has no p{percent} of {measure} time over all operations")
    return series.percentiles[percent].value
