"""The `lowlat.report/1` document: a report as JSON values, and back."""

from __future__ import annotations

import json
from typing import Any, TextIO

import msgspec

from reports.errors import ReportFormatError
from reports.model import SCHEMA, Report


def to_document(report: Report) -> dict[str, Any]:
    """The report as dictionaries, lists, strings, numbers, booleans and None, in the order of the model.

    Raises `ReportFormatError` when a figure breaks the bounds of its field, or is NaN or infinite.
    """
    document: dict[str, Any] = msgspec.to_builtins(report, builtin_types=())
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
    kind = document.get("schema") if isinstance(document, dict) else None
    if kind != SCHEMA:
        raise ReportFormatError(f"not a {SCHEMA} document: its schema is {kind!r}")
    try:
        return msgspec.convert(document, Report)
    except msgspec.ValidationError as error:
        raise ReportFormatError(f"not a valid {SCHEMA} document: {error}") from error


def to_text(report: Report) -> str:
    """The report as one JSON document with a newline at the end, the same bytes for the same report."""
    return json.dumps(to_document(report), indent=2, allow_nan=False) + "\n"


def from_text(text: str) -> Report:
    """The report of a JSON text. Raises `ReportFormatError` for anything else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportFormatError(f"not a JSON document: {error}") from error
    return from_document(document)


def write_json(report: Report, stream: TextIO) -> None:
    """Write the report as one JSON document, and nothing else."""
    stream.write(to_text(report))
