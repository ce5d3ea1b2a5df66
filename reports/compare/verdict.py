"""The verdict on one metric of two sets of runs.

A regression must be beyond the threshold and significant in the rank test. On shared machines, either of them alone
reports a false regression in a tenth or more of A/A comparisons; see `tests/unit/reports/compare/test_error_rates.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.errors import NotValidError, UsageError
from lowlat.reports.compare.rank_test import SIGNIFICANT, RatioEstimate, can_pair, p_value, ratio_estimate
from lowlat.reports.model.comparison import Compared, Metric, Values, Verdict

RUNS_MIN: Final = 4
"""Runs a side below which nothing is concluded: of three and three, even the most extreme ranks have p = 0.1."""
SIGNIFICANCE_MAX: Final = 0.5
RUNS_TO_DECIDE_MAX: Final = 1_000
"""Above it, no number of runs is proposed."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """How finely the values of a metric are known, nanoseconds."""

    floor_ns: float = 0.0
    """Medians no further apart than this may differ by chance of the clock alone. 0 for interpolated percentiles."""
    step_ns: float | None = None
    """The step that percentiles were interpolated over; None for figures as the reports show them."""


def check_significance(significance: float) -> None:
    """Raise `UsageError` unless the level is above 0 and at most 0.5."""
    if not 0 < significance <= SIGNIFICANCE_MAX:
        raise UsageError(f"significance {significance} is not above 0 and at most {SIGNIFICANCE_MAX}; write 0.05")


def judge(
    metric: Metric,
    base: Sequence[float],
    head: Sequence[float],
    *,
    threshold_percent: float,
    gates: bool,
    resolution: Resolution = Resolution(),
    significance: float = SIGNIFICANT,
    paired: bool = False,
) -> Compared:
    """The verdict on a metric from its per-run values, at least one a side.

    `paired`: the sides were interleaved, and have a value for each pair, in the same order. Pairs too few to be
    significant are compared as if they were none: runs exchanged over all pairs have more ways.

    Raises `NotValidError` for a value that is negative or not finite.
    """
    _check_values(metric, (*base, *head))
    more = metric.higher_is_better
    paired = paired and can_pair(len(base), significance)
    estimate = ratio_estimate(base, head, significance, higher_is_better=more, paired=paired)
    p = p_value(base, head, higher_is_better=more, paired=paired)
    sides = Values.of(base), Values.of(head)
    scale = _Scale(more, threshold_percent / 100, resolution.floor_ns)
    found = _verdict(scale, *sides, estimate, significant=p < significance)
    ends = estimate.interval
    return Compared(
        name=metric.name,
        measure=metric.measure,
        op=metric.op,
        unit=metric.unit_of_values,
        better="higher" if more else "lower",
        estimator="plain" if resolution.step_ns is None else "interpolated",
        step=resolution.step_ns,
        base=sides[0],
        head=sides[1],
        ratio=round(estimate.ratio, 6) if math.isfinite(estimate.ratio) else None,
        interval=(round(ends[0], 6), round(ends[1], 6)) if ends and math.isfinite(ends[1]) else None,
        p=p,
        test="within pairs" if paired else "over all runs",
        threshold_percent=threshold_percent,
        floor=resolution.floor_ns,
        gates=gates,
        verdict=found.verdict,
        reason=found.reason,
        runs_to_decide=found.runs_to_decide,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """What counts as worse and as better."""

    higher_is_better: bool
    threshold: float
    floor: float

    @property
    def limit(self) -> float:
        """The ratio beyond which it is worse."""
        return 1 - self.threshold if self.higher_is_better else 1 + self.threshold

    def worse(self, ratio: float) -> bool:
        return ratio < self.limit if self.higher_is_better else ratio > self.limit

    def better(self, ratio: float) -> bool:
        return ratio > 1 + self.threshold if self.higher_is_better else ratio < 1 - self.threshold


@dataclass(frozen=True, slots=True)
class _Found:
    verdict: Verdict
    reason: str = ""
    runs_to_decide: int | None = None


def _verdict(scale: _Scale, base: Values, head: Values, estimate: RatioEstimate, *, significant: bool) -> _Found:
    if min(base.runs, head.runs) < RUNS_MIN:
        return _Found("inconclusive", f"fewer than {RUNS_MIN} runs per side")
    if estimate.interval is None:
        return _Found("inconclusive", "too few runs for a difference of this significance")
    step = units.time(scale.floor)
    worse, better = scale.worse(estimate.ratio), scale.better(estimate.ratio)
    if significant and (worse or better):
        if abs(head.median - base.median) > scale.floor:
            return _Found("regressed" if worse else "improved")
        if worse:
            return _Found("inconclusive", f"the difference is within the clock's resolution of {step}")
    worst = estimate.interval[0 if scale.higher_is_better else 1]
    if not scale.worse(worst):
        return _Found("unchanged")
    reach = abs(worst - 1) * base.median if math.isfinite(worst) else head.median
    if reach <= scale.floor:
        return _Found("unchanged", f"within the clock's resolution of {step}")
    runs = _runs_to_decide(scale, base, head, estimate)
    return _Found("inconclusive", f"the ratio could be as bad as {worst:.3g}; {_proposal(runs)}", runs)


def _runs_to_decide(scale: _Scale, base: Values, head: Values, estimate: RatioEstimate) -> int | None:
    """The runs a side for an interval narrow enough, if ratio and spread stay: below the limit as a whole, or above 1.

    An interval's width falls with the square root of the runs. None without an interval, and above 1,000.
    """
    if estimate.interval is None or not all(0 < end < math.inf for end in (estimate.ratio, *estimate.interval)):
        return None
    sign = -1 if scale.higher_is_better else 1
    ratio, limit = sign * math.log(estimate.ratio), sign * math.log(scale.limit) if scale.limit > 0 else math.inf
    low, high = sorted(sign * math.log(end) for end in estimate.interval)
    has, may = (ratio - low, ratio) if ratio > limit else (high - ratio, limit - ratio)
    runs = 2 / (1 / base.runs + 1 / head.runs)
    if may <= 0 or has > may * math.sqrt(RUNS_TO_DECIDE_MAX / runs):
        return None
    return max(math.ceil(runs * (has / may) ** 2), math.floor(runs) + 1)


def _proposal(runs: int | None) -> str:
    if runs is None:
        return f"more than {RUNS_TO_DECIDE_MAX:,} runs a side would decide, or a quieter host"
    return f"about {runs} runs a side would decide"


def _check_values(metric: Metric, values: Sequence[float]) -> None:
    for value in values:
        if not (math.isfinite(value) and value >= 0):
            raise NotValidError(f"{metric}: a run has the value {value}, which is no measurement; measure it again")
