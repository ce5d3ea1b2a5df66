"""The pairs of an interleaved comparison, and the looks of one that ends by itself, derived again when it is read."""

from __future__ import annotations

import math
from typing import Final

from lowlat import units
from lowlat.reports.compare.interleaving import order_of, status_of
from lowlat.reports.compare.rank_test import SIGNIFICANT
from lowlat.reports.compare.sequential import FIRST_LOOK, looks, looks_after
from lowlat.reports.compare.verdict import judge
from lowlat.reports.io.contradictions import expect, require
from lowlat.reports.model.comparison import Compared, Comparison
from lowlat.reports.model.sequential_test import Look, SequentialTest

_TEST: Final = "interleaving.sequential"
_LAST_DIGIT: Final = 1.5e-6
"""Levels are rounded; processors may differ in the last digit."""


def check_interleaving(comparison: Comparison) -> None:
    """Raise `NotValidError`, naming the field, if runs, pairs, their order and the status contradict each other."""
    order, runs = comparison.interleaving, comparison.base.runs
    status, reasons = status_of(order, runs)
    expect("status", comparison.status, status, f"after {units.plural(runs, 'run')} of base it is")
    expect("status_reasons", comparison.status_reasons, reasons, "runs and pairs give")
    test = order and order.sequential
    level = test.looks[-1].significance if test else SIGNIFICANT
    expect("significance", comparison.significance, level, "that of a comparison, or of its last look, is")
    if order is None:
        return
    expect("head.runs", comparison.head.runs, runs, "each pair has a run of both sides, and base.runs is")
    require(runs <= order.pairs, "interleaving.pairs", order.pairs, f"each side has {units.plural(runs, 'run')}")
    expect("interleaving.first", len(order.first), order.pairs, "interleaving.pairs is")
    expect("interleaving.first", order.first, order_of(order.pairs, order.seed), "its seed gives")


def check_looks(comparison: Comparison) -> None:
    """Raise `NotValidError`, naming the field, if the looks are not those that are due, or not what values say."""
    order = comparison.interleaving
    if order is None or order.sequential is None:
        return
    test = order.sequential
    _check_due(test)
    pairs = test.pairs_max if test.ended == "interrupted" else test.looks[-1].pairs
    expect("interleaving.pairs", order.pairs, pairs, f"it ended {test.ended!r}, so there are")
    for index, look in enumerate(test.looks):
        _check_undecided(f"{_TEST}.looks[{index}].undecided", look, comparison)


def _check_due(test: SequentialTest) -> None:
    """The looks are after the pairs that were planned, at the levels that keep the error rate."""
    expect(f"{_TEST}.significance", test.significance, SIGNIFICANT, "the error rate is")
    require(test.pairs_max >= FIRST_LOOK, f"{_TEST}.pairs_max", test.pairs_max, f"the first look is after {FIRST_LOOK}")
    planned, made = looks(test.pairs_max), tuple(look.pairs for look in test.looks)
    last = made[-1]
    due = (*(pairs for pairs in planned if pairs < last), last)
    expect(f"{_TEST}.looks: pairs", made, due, "looks are due after")
    cut = test.ended == "interrupted"
    require(cut or last in planned, f"{_TEST}.looks: pairs", last, f"looks are due after {planned}")
    for index, (told, again) in enumerate(zip(test.looks, looks_after(made, test.pairs_max), strict=True)):
        for field in ("significance", "spent"):
            value, derived = getattr(told, field), getattr(again, field)
            near = math.isclose(value, derived, rel_tol=0, abs_tol=_LAST_DIGIT)
            require(
                near,
                f"{_TEST}.looks[{index}].{field}",
                value,
                f"after {units.counted(told.pairs, 'pair')} it is {derived}",
            )


def _check_undecided(place: str, look: Look, comparison: Comparison) -> None:
    """An earlier look saw the first values of figures that later runs do not change.

    Percentiles may have been interpolated over another step. CPU time gates no longer once a run lacks it.
    """
    gated = {str(metric): metric for metric in comparison.metrics if metric.gates}
    for name in look.undecided:
        dropped = name == "cpu" and all(metric.name != "cpu" for metric in comparison.metrics)
        require(name in gated or dropped, place, name, "it is no gated metric")
    for name, metric in gated.items():
        if (
            metric.estimator == "plain"
            and metric.floor == 0
            and metric.base.runs == metric.head.runs == comparison.base.runs
        ):
            expect(f"{place} ({name})", name in look.undecided, _is_undecided(metric, look), "its values say")


def _is_undecided(metric: Compared, look: Look) -> bool:
    base, head = metric.base.values[: look.pairs], metric.head.values[: look.pairs]
    found = judge(
        metric,
        base,
        head,
        threshold_percent=metric.threshold_percent,
        gates=True,
        significance=look.significance,
        paired=True,
    )
    return found.verdict == "inconclusive"
