"""The documents `lowlat.report/1`, `lowlat.sweep/1` and `lowlat.comparison/1`: the models as JSON values, and back."""

from __future__ import annotations

import json
import math
from typing import Any, TextIO, TypeVar

import msgspec

from reports import comparison, model, sweep
from reports.comparison import Comparison
from reports.errors import ReportFormatError
from reports.model import Report
from reports.sweep import Sweep

_Kind = TypeVar("_Kind", Report, Sweep, Comparison)


def to_document(report: Report | Sweep | Comparison) -> dict[str, Any]:
    """The report as dictionaries, lists, strings, numbers, booleans and None, in the order of the model.

    Raises `ReportFormatError` when a figure breaks the bounds of its field, or is NaN or infinite.
    """
    document: dict[str, Any] = msgspec.to_builtins(report, builtin_types=())
    if isinstance(report, Sweep):
        sweep_from_document(document)
    elif isinstance(report, Comparison):
        comparison_from_document(document)
    else:
        from_document(document)
    try:
        # Also turns tuples into lists, so that any reader sees what a parser of the text would.
        plain: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    except ValueError as error:
        raise ReportFormatError(f"a figure of the report is NaN or infinite: {error}") from error
    return plain


def from_document(document: Any) -> Report:
    """The report of a document. Fields that this version does not know are ignored.

    Raises `ReportFormatError`, naming the field, for anything that is no `lowlat.report/1`.
    """
    return _read(document, Report, model.SCHEMA)


def sweep_from_document(document: Any) -> Sweep:
    """The sweep of a document. Fields that this version does not know are ignored.

    Raises `ReportFormatError`, naming the field, for anything that is no `lowlat.sweep/1`.
    """
    read = _read(document, Sweep, sweep.SCHEMA)
    sweep.check(read)
    return read


def comparison_from_document(document: Any) -> Comparison:
    """The comparison of a document. Fields that this version does not know are ignored.

    Raises `ReportFormatError`, naming the field, for anything that is no `lowlat.comparison/1`.
    """
    return _read(document, Comparison, comparison.SCHEMA)


def to_text(report: Report | Sweep | Comparison) -> str:
    """The report as one JSON document with a newline at the end, the same bytes for the same report."""
    return json.dumps(to_document(report), indent=2, allow_nan=False) + "\n"


def from_text(text: str) -> Report:
    """The report of a JSON text. Raises `ReportFormatError` for anything else."""
    return from_document(_parsed(text))


def sweep_from_text(text: str) -> Sweep:
    """The sweep of a JSON text. Raises `ReportFormatError` for anything else."""
    return sweep_from_document(_parsed(text))


def write_json(report: Report | Sweep | Comparison, stream: TextIO) -> None:
    """Write the report as one JSON document, and nothing else."""
    stream.write(to_text(report))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise ReportFormatError(f"not a JSON document: {error}") from error


def _finite(text: str) -> float:
    """A number; JSON has no NaN or Infinity, though Python's parser takes them, and 1e999 too."""
    value = float(text)
    if not math.isfinite(value):
        raise ReportFormatError(f"not a JSON document: {text} is no finite number")
    return value


def _read(document: Any, kind: type[_Kind], schema: str) -> _Kind:
    named = document.get("schema") if isinstance(document, dict) else None
    if named != schema:
        raise ReportFormatError(f"not a {schema} document: its schema is {named!r}")
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise ReportFormatError(f"not a valid {schema} document: {error}") from error
