"""Some series of what was read: those of one operation, or of one measure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from reports.errors import ConversionError
from reports.measures import Series
from reports.model import Report
from reports.reading import Document
from reports.recorded import RecordedLog
from reports.sweep import Sweep

_Series = TypeVar("_Series", bound=Series)


def select(document: Document, op: str | None, measure: str | None) -> Document:
    """The document with only the series of an operation and a measure; None takes all.

    Raises `ConversionError`, naming what there is, when no series is left.
    """
    if op is None and measure is None:
        return document
    match document:
        case Report():
            return _of_report(document, op, measure)
        case Sweep(points=points):
            return dataclasses.replace(document, points=tuple(_of_report(point, op, measure) for point in points))
        case RecordedLog(series=recorded):
            kept = _selected([each.series for each in recorded], op, measure)
            return dataclasses.replace(document, series=tuple(each for each in recorded if each.series in kept))


def matching(series: Sequence[_Series], op: str | None, measure: str | None) -> list[_Series]:
    """Those of an operation and a measure; None takes all."""
    return [each for each in series if op in (None, each.op) and measure in (None, each.measure)]


def whole(series: Sequence[_Series]) -> _Series | None:
    """The series over all operations that stands first, else the first; None where there are none."""
    return next((each for each in series if each.op == "all"), next(iter(series), None))


def _of_report(report: Report, op: str | None, measure: str | None) -> Report:
    runs = tuple(dataclasses.replace(run, series=tuple(matching(run.series, op, measure))) for run in report.runs)
    return dataclasses.replace(report, runs=runs, summary=tuple(_selected(report.summary, op, measure)))


def _selected(series: Sequence[_Series], op: str | None, measure: str | None) -> list[_Series]:
    found = matching(series, op, measure)
    if not found:
        there = ", ".join(f"{each.op} ({each.measure})" for each in series) or "none"
        wanted = " ".join(part for part in (op, measure) if part is not None)
        raise ConversionError(f"there is no series {wanted!r}; there are {there}")
    return found
