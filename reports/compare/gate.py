"""Gates: rules such as `p99=10%`, the default ones, and what the verdicts on single metrics mean for the whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from lowlat import units
from lowlat.errors import UsageError
from lowlat.reports.model.comparison import Compared, Gate, Metric
from lowlat.reports.model.results import HARDWARE_COUNTERS
from lowlat.reports.model.series import PERCENTS

THRESHOLD_PERCENT: Final = 10.0
CPU_THRESHOLD_PERCENT: Final = 10.0
EVERY: Final = "*"
"""In place of an operation: each of them."""
WHOLE: Final = "all"

LATENCIES: Final = (*(f"p{percent}" for percent in PERCENTS), "max", "mean")
"""Metrics of a measure and an operation."""
NAMES: Final = (*LATENCIES, "throughput", "cpu", "wall", *HARDWARE_COUNTERS)
_FORM: Final = re.compile(r"(?P<path>[^=]+)=(?P<number>[0-9]{1,4}(?:\.[0-9]{1,3})?)%")
_EXAMPLES: Final = (
    "write p99=10%, p99:response:cancel=25%, p99:service:*=15%, mean=5%, cpu=5%, throughput=5% or instructions=1%"
)


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
        return f"{self.name}{named}{op}={units.percent(self.percent)}"

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
        raise UsageError(f"{text!r} is not a valid gate: N is a finite number from 0 to 9999.999; {_EXAMPLES}")
    name, _, rest = form["path"].partition(":")
    if name not in NAMES:
        raise UsageError(f"{text!r} gates {name!r}, but gates apply to {', '.join(NAMES)}")
    percent = float(Fraction(form["number"]))
    if name not in LATENCIES:
        if rest or ":" in form["path"]:
            raise UsageError(f"{text!r}: {name} has no measures or operations; write {name}={units.percent(percent)}")
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
    """The default gates: p50 and p99 of all operations, and CPU time where it was measured; or the elapsed time of
    commands.
    """
    names = {metric.name for metric in metrics}
    if "wall" in names:
        return (Rule("wall", None, None, THRESHOLD_PERCENT),)
    latencies = tuple(Rule(name, None, WHOLE, THRESHOLD_PERCENT) for name in ("p50", "p99"))
    return (*latencies, Rule("cpu", None, None, CPU_THRESHOLD_PERCENT)) if "cpu" in names else latencies


def rule_of(metric: Metric, rules: Iterable[Rule], main: str | None) -> Rule | None:
    """The rule that covers a metric; one that names its operation takes precedence over one for every operation."""
    covering = [rule for rule in rules if rule.covers(metric, main)]
    return min(covering, key=lambda rule: rule.op == EVERY, default=None)


def threshold_of(rule: Rule | None) -> float:
    """The regression, percent, that a metric's rule accepts; one without a rule is judged all the same."""
    return rule.percent if rule else THRESHOLD_PERCENT


def gate_of(metrics: Iterable[Compared], rules: Iterable[Rule]) -> Gate:
    """The verdict on all gated metrics."""
    return Gate.over(metrics, tuple(map(str, rules)))
