"""The latency budget: measured values next to a reference, and the resulting class.

The reference is a budget for the path of one order through a trading system, not a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lowlat.reports.model.report import BudgetClass, BudgetPart, BudgetStage

REFERENCE_NS: Final = {
    "network": 50_000,
    "application": 200_000,
    "operating system": 100_000,
    "NIC": 50_000,
}
"""Reference budget by stage, nanoseconds; 400 µs in all."""

KERNEL_PART: Final = "loopback TCP"
"""The part of the stage "operating system" whose p99 is the stage's figure."""

NOT_MEASURED: Final = {
    "network": "needs a second host: run 'lowlat bench --listen PORT' there, and add --peer HOST:PORT here",
    "application": "no run was measured",
    "operating system": "the run stopped before this was measured",
    "NIC": "needs --peer, and a network card with hardware timestamps",
}
"""Why a stage has no measured value unless one is given."""

CLASS_NEEDS: Final = ("application", "operating system")
"""Stages that every order passes on the host itself: without them, a sum says nothing about the host."""

CLASSES_NS: Final = (
    ("HFT", 100_000),
    ("professional", 1_000_000),
    ("retail", 10_000_000),
    ("mobile", 100_000_000),
)
"""Classes by the limit that a total must stay below, nanoseconds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The result for a stage: nanoseconds and their meaning (e.g. "p99 of service time"), or None and the reason."""

    value_ns: int | None
    basis: str
    parts: tuple[BudgetPart, ...] = ()


def budget(measured: Mapping[str, Measured]) -> tuple[BudgetStage, ...]:
    """The stages in order, then the total. `measured` is keyed as `REFERENCE_NS`.

    A stage not in `measured` gets the reason why it was not measured; the total is measured only if every stage is.
    The total is the sum of the values, which is not the same percentile of the sum of the stages.
    """
    rows = [_stage(name, reference, measured.get(name)) for name, reference in REFERENCE_NS.items()]
    missing = [row.stage for row in rows if row.measured_ns is None]
    total = BudgetStage(
        stage="total",
        reference_ns=sum(REFERENCE_NS.values()),
        measured_ns=None if missing else _sum(rows),
        basis=f"incomplete: {', '.join(missing)} not measured" if missing else "sum of the stages",
    )
    return (*rows, total)


def budget_class(stages: tuple[BudgetStage, ...]) -> BudgetClass | None:
    """The class of the measured stages' sum, with the stages it leaves out; None unless all of `CLASS_NEEDS` are there.

    A stage that could not be measured on a host that is too busy would otherwise improve the class.
    """
    rows = [row for row in stages if row.stage != "total"]
    if not {row.stage for row in rows if row.measured_ns is not None}.issuperset(CLASS_NEEDS):
        return None
    total_ns = _sum(rows)
    name, limit_ns = next(((name, limit) for name, limit in CLASSES_NS if total_ns < limit), ("none", None))
    leaves_out = tuple(row.stage for row in rows if row.measured_ns is None)
    return BudgetClass(name=name, total_ns=total_ns, limit_ns=limit_ns, leaves_out=leaves_out)


def _stage(name: str, reference_ns: int, measured: Measured | None) -> BudgetStage:
    return BudgetStage(
        stage=name,
        reference_ns=reference_ns,
        measured_ns=measured.value_ns if measured else None,
        basis=measured.basis if measured else NOT_MEASURED[name],
        parts=measured.parts if measured else (),
    )


def _sum(rows: list[BudgetStage]) -> int:
    return sum(row.measured_ns or 0 for row in rows)
