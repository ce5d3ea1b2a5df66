"""Figures of a document that follow from others in it, derived again when it is read."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from lowlat.errors import FormatError
from lowlat.reports.compare.verdict import Resolution, judge
from lowlat.reports.model import comparison as model
from lowlat.reports.model.comparison import Compared, Comparison, Metric

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)


def check_derived(place: str, told: T, derived: T, source: str) -> None:
    """Raise `FormatError`, naming the field, if a figure is not the one that is derived; of `source`, "its report"."""
    for field in fields(derived):
        one, other = getattr(told, field.name), getattr(derived, field.name)
        if not _same(one, other):
            raise FormatError(f"{place}: {field.name} is {one}, but {source} {other}")


def check_comparison(comparison: Comparison) -> None:
    """Raise `FormatError` if a comparison contradicts itself. Judges every metric again, as long as that took first."""
    model.check(comparison)
    for told in comparison.metrics:
        check_derived(f"metrics ({told})", told, _judged_again(comparison, told), "its values give")


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


def _same(one: object, other: object) -> bool:
    """Equal, but for what another processor's arithmetic may change."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other
