"""A gate on a fleet: how much worse than the fleet's median a host may be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.errors import UsageError
from lowlat.reports.model.fleet import FleetGate, FleetMetric

_FORM: Final = re.compile(r"(?P<name>[^=]{1,60})=(?P<percent>[0-9]{1,4}(?:\.[0-9]{1,3})?)%", re.ASCII)


@dataclass(frozen=True, slots=True)
class FleetRule:
    """The limit of one metric, percent above the median; of throughput, below it."""

    name: str
    percent: float

    def __str__(self) -> str:
        return f"{self.name}={units.percent(self.percent)}"


def parse_fleet_rule(text: str) -> FleetRule:
    """The rule `METRIC=N%`. Raises `UsageError`."""
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise UsageError(f"{text!r} is not a valid gate of a fleet; write METRIC=N%, such as p99=10%")
    return FleetRule(form["name"].strip(), float(form["percent"]))


def gate_of(metrics: Sequence[FleetMetric], rules: Sequence[FleetRule]) -> FleetGate:
    """The verdict on all rules. Raises `UsageError` for one whose metric no host has."""
    failed: list[str] = []
    for rule in rules:
        metric = next((each for each in metrics if each.name == rule.name), None)
        if metric is None:
            there = ", ".join(each.name for each in metrics) or "none"
            raise UsageError(f"gate {rule} matches no metric of the fleet; available: {there}")
        failed += [
            f"{value.host}: {metric.name} is {value.ratio:.3g} times the median"
            for value in metric.values
            if value.ratio is not None and beyond(value.ratio, rule, metric)
        ]
    return FleetGate(verdict="failed" if failed else "passed", rules=tuple(map(str, rules)), failed=tuple(failed))


def beyond(ratio: float, rule: FleetRule, metric: FleetMetric) -> bool:
    """Whether a ratio to the median is worse than the rule allows."""
    limit = rule.percent / 100
    return ratio < 1 - limit if metric.higher_is_better else ratio > 1 + limit
