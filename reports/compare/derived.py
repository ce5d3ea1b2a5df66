"""Figures of a document that follow from others in it, derived again when it is read.

What nothing in a comparison can contradict is listed in `tests/unit/reports/compare/test_comparison_leaves.py`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Final, TypeVar

from lowlat.errors import NotValidError, UsageError
from lowlat.reports.compare.compare import SHOWN, STEP_OF, floor_ns, is_percentile, main_measure, too_coarse
from lowlat.reports.compare.derived_looks import check_interleaving, check_looks
from lowlat.reports.compare.derived_sides import are_measured, check_sides
from lowlat.reports.compare.gate import LATENCIES, NAMES, Rule, check_rules, parse_rule, rule_of, threshold_of
from lowlat.reports.compare.verdict import Resolution, judge
from lowlat.reports.io.contradictions import expect, require
from lowlat.reports.model import comparison as model
from lowlat.reports.model.comparison import Compared, Comparison, Metric

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

_OF_EVERY_SERIES: Final = frozenset(SHOWN) & frozenset(LATENCIES)


def check_derived(place: str, told: T, derived: T, source: str) -> None:
    """Raise `NotValidError`, naming the field, if a figure is not that of `source`, such as "its report gives"."""
    for field in fields(derived):
        one, other = getattr(told, field.name), getattr(derived, field.name)
        if not _same(one, other):
            raise NotValidError(f"{place}: {field.name} is {one}, but {source} {other}; discard the document")


def check_comparison(comparison: Comparison) -> None:
    """Raise `NotValidError`, naming the field, if a comparison contradicts itself.

    Judges every metric again, as long as that took first.
    """
    model.check(comparison)
    check_sides(comparison)
    check_interleaving(comparison)
    _check_names(comparison.metrics)
    _check_rules(comparison)
    for told in comparison.metrics:
        check_derived(_place(told), told, _judged_again(comparison, told), "its values give")
    _check_clock(comparison)
    if are_measured(comparison):
        _check_latencies(comparison.metrics)
    check_looks(comparison)


def _check_names(metrics: Sequence[Compared]) -> None:
    for metric, times in Counter((told.name, told.measure, told.op) for told in metrics).items():
        require(times == 1, "metrics", " ".join(map(str, metric)), "it is there twice")
    for told in metrics:
        require(told.name in NAMES, f"{_place(told)}: name", told.name, f"the names are {', '.join(NAMES)}")
        latency = told.name in LATENCIES
        for field, value in (("measure", told.measure), ("op", told.op)):
            require((value is not None) == latency, f"{_place(told)}: {field}", value, "latencies have one, others not")


def _check_rules(comparison: Comparison) -> None:
    """What gates, and at which threshold, is what the rules say; the metrics without one are those always shown."""
    rules, main = [_rule(text) for text in comparison.gate.rules], main_measure(comparison.metrics)
    try:
        check_rules(rules, comparison.metrics, main)
    except UsageError as error:
        raise NotValidError(f"gate.rules: {error}; discard the document") from error
    for told in comparison.metrics:
        rule, place = rule_of(told, rules, main), _place(told)
        expect(f"{place}: gates", told.gates, rule is not None, "gate.rules say")
        expect(f"{place}: threshold_percent", told.threshold_percent, threshold_of(rule), "gate.rules give")
        require(rule is not None or told.name in SHOWN, f"{place}: name", told.name, "no rule of the gate asks for it")


def _rule(text: str) -> Rule:
    try:
        rule = parse_rule(text)
    except UsageError as error:
        raise NotValidError(f"gate.rules: {error}; discard the document") from error
    expect("gate.rules", text, str(rule), "that rule is written")
    return rule


def _check_latencies(metrics: Sequence[Compared]) -> None:
    """Of each operation and measure there are the same percentiles, none above the maximum of its run."""
    series: dict[tuple[str | None, str | None], dict[str, Compared]] = {}
    for told in metrics:
        if told.measure is not None:
            series.setdefault((told.measure, told.op), {})[told.name] = told
    for name, of_series in series.items():
        lacking = ", ".join(sorted(_OF_EVERY_SERIES - of_series.keys()))
        require(not lacking, f"metrics ({' '.join(map(str, name))})", ", ".join(of_series), f"it lacks {lacking}")
        greatest = of_series["max"]
        for told in of_series.values():
            interpolated = told.step is not None
            require(interpolated == is_percentile(told), f"{_place(told)}: step", told.step, "percentiles have one")
            for side in ("base", "head"):
                values, most = getattr(told, side).values, getattr(greatest, side).values
                expect(f"{_place(told)}: {side}.runs", len(values), len(most), f"{greatest} has")
                for value, limit in zip(values, most, strict=True):
                    require(value <= limit, f"{_place(told)}: {side}.values", value, f"{greatest} is {limit}")


def _check_clock(comparison: Comparison) -> None:
    """One step, of the coarsest clock, is the floor of all figures that were not interpolated over at least as much."""
    steps = [side.clock.step_ns or 0.0 for side in (comparison.base, comparison.head) if side.clock]
    clock_ns = max([*steps, *(told.floor for told in comparison.metrics)])
    for told in comparison.metrics:
        place = _place(told)
        floor = floor_ns(told, clock_ns) if told.step is None else 0.0
        expect(f"{place}: floor", told.floor, floor, "the step of the clock is")
        require(told.step is None or told.step >= clock_ns, f"{place}: step", told.step, f"the clock's is {clock_ns}")
    warned = tuple(warning for warning in comparison.warnings if warning.startswith(STEP_OF))
    expect("warnings", warned, tuple(too_coarse(comparison.metrics, clock_ns)), "medians below the clock's step give")


def _judged_again(comparison: Comparison, told: Compared) -> Compared:
    base, head = told.base.values, told.head.values
    most = max(comparison.base.runs, comparison.head.runs)
    return judge(
        Metric(name=told.name, measure=told.measure, op=told.op),
        base,
        head,
        threshold_percent=told.threshold_percent,
        gates=told.gates,
        resolution=Resolution(floor_ns=told.floor, step_ns=told.step),
        significance=comparison.significance,
        paired=comparison.interleaving is not None and len(base) == len(head) == most,
    )


def _place(told: Compared) -> str:
    return f"metrics ({told})"


def _same(one: object, other: object) -> bool:
    """Equal, but for what another processor's arithmetic may change."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other
