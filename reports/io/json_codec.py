"""The documents `lowlat.report/1`, `lowlat.sweep/1` and `lowlat.comparison/1`: the models as JSON values, and back."""

from __future__ import annotations

import json
from typing import Any, TextIO, TypeVar

import msgspec

from lowlat.reports.errors import ReportFormatError
from lowlat.reports.model import comparison, report, sweep
from lowlat.reports.model.comparison import Comparison
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep

_Kind = TypeVar("_Kind", Report, Sweep, Comparison)
_Decoded = TypeVar("_Decoded")


class _Named(msgspec.Struct):
    """Just enough of a document to tell what it is."""

    schema: str | None = None


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
    return _read(document, Report, report.SCHEMA)


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
    read = from_bytes(text.encode("utf-8", "surrogatepass"))
    if not isinstance(read, Report):
        raise ReportFormatError(f"not a {report.SCHEMA} document: its schema is {read.schema!r}")
    return read


def sweep_from_text(text: str) -> Sweep:
    """The sweep of a JSON text. Raises `ReportFormatError` for anything else."""
    read = from_bytes(text.encode("utf-8", "surrogatepass"))
    if not isinstance(read, Sweep):
        raise ReportFormatError(f"not a {sweep.SCHEMA} document: its schema is {read.schema!r}")
    return read


def from_bytes(data: bytes) -> Report | Sweep:
    """The report or the sweep of a JSON document in UTF-8. Fields that this version does not know are ignored.

    Nothing but the fields of the model is built from it, numbers that JSON does not know (NaN) are refused, and so is
    what is nested deeper than the interpreter's recursion limit. Raises `ReportFormatError` for anything else.
    """
    schema = _decoded(data, _Named, "lowlat document").schema
    if schema == report.SCHEMA:
        return _decoded(data, Report, report.SCHEMA)
    if schema == sweep.SCHEMA:
        read = _decoded(data, Sweep, sweep.SCHEMA)
        sweep.check(read)
        return read
    kind = str(schema).partition("/")[0]
    if kind in {known.partition("/")[0] for known in (report.SCHEMA, sweep.SCHEMA)}:
        raise ReportFormatError(f"its schema {schema!r} is of another version of lowlat; this one reads {kind}/1")
    raise ReportFormatError(f"not a {report.SCHEMA} or {sweep.SCHEMA} document: its schema is {schema!r}")


def write_json(report: Report | Sweep | Comparison, stream: TextIO) -> None:
    """Write the report as one JSON document, and nothing else."""
    stream.write(to_text(report))


def _decoded(data: bytes, kind: type[_Decoded], name: str) -> _Decoded:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise ReportFormatError(f"not a valid {name}: {error}") from error
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError and UnicodeDecodeError are of the former
        raise ReportFormatError(f"not a JSON document: {error}") from error


def _read(document: Any, kind: type[_Kind], schema: str) -> _Kind:
    named = document.get("schema") if isinstance(document, dict) else None
    if named != schema:
        raise ReportFormatError(f"not a {schema} document: its schema is {named!r}")
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise ReportFormatError(f"not a valid {schema} document: {error}") from error
