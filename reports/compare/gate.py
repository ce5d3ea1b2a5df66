"""Gates: rules such as `p99=10%`, and the verdict on one metric of two sets of runs.

A regression must pass three tests at once: beyond the threshold, significant in the rank test, and above the clock's
resolution. On shared machines, either of the first two alone reports a false regression in a tenth or more of A/A
comparisons; see `tests/unit/reports/compare/test_error_rates.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Final

from lowlat import units
from lowlat.errors import UsageError
from lowlat.reports.compare.rank_test import SIGNIFICANT, RatioEstimate, p_value, ratio_estimate
from lowlat.reports.model.comparison import Compared, Gate, Metric, Values, Verdict
from lowlat.reports.model.series import PERCENTS

RUNS_MIN: Final = 4
"""Runs a side below which nothing is concluded: of three and three, even the most extreme ranks have p = 0.1."""
SIGNIFICANCE_MAX: Final = 0.5
THRESHOLD_PERCENT: Final = 10.0
EVERY: Final = "*"
"""In place of an operation: each of them."""
WHOLE: Final = "all"

_LATENCIES: Final = (*(f"p{percent}" for percent in PERCENTS), "max")
NAMES: Final = (*_LATENCIES, "throughput", "wall")
_FORM: Final = re.compile(r"(?P<path>[^=]+)=(?P<number>[0-9]{1,4}(?:\.[0-9]{1,3})?)%")
_EXAMPLES: Final = "write p99=10%, p99:response:cancel=25%, p99:service:*=15% or throughput=5%"


@dataclass(frozen=True, slots=True)
class Rule:
    """How much worse a metric may become. `measure`: None for the main one."""

    name: str
    measure: str | None
    op: str | None
    percent: float

    def __str__(self) -> str:
        named = "" if self.op in (None, WHOLE) and self.measure is None else f":{self.measure or ''}"
        op = f":{self.op}" if named and self.op != WHOLE else ""
        return f"{self.name}{named}{op}={self.percent:g}%"

    def covers(self, metric: Metric, main: str | None) -> bool:
        """Whether the rule applies to this metric; `main` is the main measure."""
        if self.name != metric.name or self.op is None:
            return self.name == metric.name
        return (self.measure or main) == metric.measure and self.op in (EVERY, metric.op)


def parse_rule(text: str) -> Rule:
    """The rule `METRIC[:MEASURE[:OP]]=N%`. Raises `UsageError`.

    METRIC is one of `NAMES`; MEASURE and OP are those of a report, by default the main measure and `all`; OP `*` is
    every operation.
    """
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise UsageError(f"{text!r} is not a valid gate; {_EXAMPLES}")
    name, _, rest = form["path"].partition(":")
    if name not in NAMES:
        raise UsageError(f"{text!r} gates {name!r}, but gates apply to {', '.join(NAMES)}")
    percent = float(Fraction(form["number"]))
    if name not in _LATENCIES:
        if rest or ":" in form["path"]:
            raise UsageError(f"{text!r}: {name} has no measures or operations; write {name}={percent:g}%")
        if name == "throughput" and percent >= 100:
            raise UsageError(f"{text!r}: throughput cannot fall by more than 100%")
        return Rule(name, None, None, percent)
    stage = "stage:" if rest.startswith("stage:") else ""
    measure, _, op = rest.removeprefix(stage).partition(":")
    if form["path"].endswith(":") or (stage and not measure):
        raise UsageError(f"{text!r} has nothing after a colon; {_EXAMPLES}")
    return Rule(name, stage + measure or None, op or WHOLE, percent)


def check_rules(rules: Sequence[Rule], metrics: Collection[Metric], main: str | None) -> None:
    """Raise `UsageError` for a rule that matches no metric, and for two rules that match the same one."""
    for rule in rules:
        if not any(rule.covers(metric, main) for metric in metrics):
            there = dict.fromkeys(f"{each.measure}:{each.op}" if each.measure else each.name for each in metrics)
            raise UsageError(f"gate {rule} matches nothing that both sides have; available: {', '.join(there)}")
    for metric in metrics:
        covering = [rule for rule in rules if rule.covers(metric, main)]
        named = [rule for rule in covering if rule.op != EVERY]
        for alike in (named, [rule for rule in covering if rule.op == EVERY]):
            if len(alike) > 1:
                raise UsageError(f"gates {alike[0]} and {alike[1]} both apply to {metric}; remove one of them")


def default_rules(metrics: Collection[Metric]) -> tuple[Rule, ...]:
    """The default gates: p50 and p99 of all operations, or the elapsed time of commands."""
    names = ("wall",) if any(metric.name == "wall" for metric in metrics) else ("p50", "p99")
    return tuple(Rule(name, None, None if name == "wall" else WHOLE, THRESHOLD_PERCENT) for name in names)


def rule_of(metric: Metric, rules: Iterable[Rule], main: str | None) -> Rule | None:
    """The rule that covers a metric; one that names its operation takes precedence over one for every operation."""
    covering = [rule for rule in rules if rule.covers(metric, main)]
    return min(covering, key=lambda rule: rule.op == EVERY, default=None)


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
    floor: float,
    gates: bool,
    significance: float = SIGNIFICANT,
) -> Compared:
    """The verdict on a metric from its per-run values, at least one a side; `floor` is in the metric's unit."""
    estimate, p = ratio_estimate(base, head, significance), p_value(base, head)
    sides = _values(base), _values(head)
    scale = _Scale(metric.higher_is_better, threshold_percent / 100, floor)
    verdict, reason = _verdict(scale, *sides, estimate, significant=p < significance)
    ends = estimate.interval
    return Compared(
        name=metric.name,
        measure=metric.measure,
        op=metric.op,
        unit="1/s" if metric.higher_is_better else "ns",
        better="higher" if metric.higher_is_better else "lower",
        base=sides[0],
        head=sides[1],
        ratio=round(estimate.ratio, 6) if math.isfinite(estimate.ratio) else None,
        interval=(round(ends[0], 6), round(ends[1], 6)) if ends and math.isfinite(ends[1]) else None,
        p=p,
        threshold_percent=threshold_percent,
        floor=floor,
        gates=gates,
        verdict=verdict,
        reason=reason,
    )


def gate_of(metrics: Iterable[Compared], rules: Iterable[Rule]) -> Gate:
    """The verdict on all gated metrics."""
    gated = [metric for metric in metrics if metric.gates]
    failed = tuple(str(metric) for metric in gated if metric.verdict == "regressed")
    unclear = tuple(str(metric) for metric in gated if metric.verdict == "inconclusive")
    return Gate(
        verdict="failed" if failed else "inconclusive" if unclear else "passed",
        rules=tuple(map(str, rules)),
        failed=failed,
        inconclusive=unclear,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """What counts as worse and as better."""

    higher_is_better: bool
    threshold: float
    floor: float

    def worse(self, ratio: float) -> bool:
        return ratio < 1 - self.threshold if self.higher_is_better else ratio > 1 + self.threshold

    def better(self, ratio: float) -> bool:
        return ratio > 1 + self.threshold if self.higher_is_better else ratio < 1 - self.threshold


def _verdict(
    scale: _Scale, base: Values, head: Values, estimate: RatioEstimate, *, significant: bool
) -> tuple[Verdict, str]:
    if min(base.runs, head.runs) < RUNS_MIN:
        return "inconclusive", f"fewer than {RUNS_MIN} runs per side"
    told_apart = abs(head.median - base.median) > scale.floor
    if significant and told_apart:
        if scale.worse(estimate.ratio):
            return "regressed", ""
        if scale.better(estimate.ratio):
            return "improved", ""
    if estimate.interval is None:
        return "inconclusive", "too few runs for a difference of this significance"
    worst = estimate.interval[0 if scale.higher_is_better else 1]
    reach = abs(worst - 1) * base.median if math.isfinite(worst) else head.median
    if scale.worse(worst) and reach > scale.floor:
        return "inconclusive", f"the ratio could be as bad as {worst:.3g}; use more or quieter runs"
    if scale.worse(worst):
        return "unchanged", f"within the clock's resolution of {units.time(scale.floor)}"
    return "unchanged", ""


def _values(values: Sequence[float]) -> Values:
    return Values(runs=len(values), median=median(values), min=min(values), max=max(values), values=tuple(values))
