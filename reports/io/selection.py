"""Selects series of a document by name: an operation, a measure, or `measure/operation`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from lowlat.errors import UsageError
from lowlat.reports.histogram.hlog_reader import RecordedLog
from lowlat.reports.io.loader import Document
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Series
from lowlat.reports.model.sweep import Sweep

_Series = TypeVar("_Series", bound=Series)


def select(document: Document, name: str) -> Document:
    """The document with only the series of this name. Raises `UsageError`, listing the names, if there is none."""
    match document:
        case Report():
            return _of_report(document, name)
        case Sweep(points=points):
            return dataclasses.replace(document, points=tuple(_of_report(point, name) for point in points))
        case RecordedLog(series=recorded):
            kept = _selected([each.series for each in recorded], name)
            return dataclasses.replace(document, series=tuple(each for each in recorded if each.series in kept))


def matching(series: Sequence[_Series], name: str) -> list[_Series]:
    """The series of this name."""
    return [each for each in series if name in (each.op, each.measure, f"{each.measure}/{each.op}")]


def whole(series: Sequence[_Series]) -> _Series | None:
    """The first series over all operations, else the first series; None if there are none."""
    return next((each for each in series if each.op == "all"), next(iter(series), None))


def _of_report(report: Report, name: str) -> Report:
    runs = tuple(dataclasses.replace(run, series=tuple(matching(run.series, name))) for run in report.runs)
    return dataclasses.replace(report, runs=runs, summary=tuple(_selected(report.summary, name)))


def _selected(series: Sequence[_Series], name: str) -> list[_Series]:
    found = matching(series, name)
    if not found:
        there = ", ".join(f"{each.measure}/{each.op}" for each in series) or "none"
        raise UsageError(f"there is no series {name!r}; available: {there}")
    return found
