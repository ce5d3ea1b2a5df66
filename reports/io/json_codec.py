"""The documents `lowlat.report/1`, `lowlat.sweep/1`, `lowlat.comparison/1` and `lowlat.league/1`: the models as JSON
values, and back.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, TypeVar

import msgspec

from lowlat import documents
from lowlat.errors import FormatError, naming
from lowlat.reports.compare.derived import check_comparison
from lowlat.reports.compare.league import check as check_league
from lowlat.reports.io.validation import check as check_report
from lowlat.reports.model import comparison, league, report, sweep
from lowlat.reports.model.comparison import Comparison
from lowlat.reports.model.league import League
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep

_Kind = TypeVar("_Kind", Report, Sweep, Comparison, League)
_Decoded = TypeVar("_Decoded")


_NOT_A_NUMBER: Final = re.compile(rb"[:,\[]\s{0,64}-?(?:NaN|Infinity)\b")


class _Named(msgspec.Struct):
    """The field that identifies a document."""

    schema: str | None = None


def to_document(report: Report | Sweep | Comparison | League) -> dict[str, Any]:
    """The report as dictionaries, lists, strings, numbers, booleans and None, in the order of the model.

    Raises `FormatError` when a figure breaks the bounds of its field, or is NaN or infinite.
    """
    document: dict[str, Any] = documents.values(report)
    if isinstance(report, Sweep):
        sweep_from_document(document)
    elif isinstance(report, Comparison):
        comparison.check(_read(document, Comparison, comparison.SCHEMA))  # its metrics have just been judged
    elif isinstance(report, League):
        check_league(_read(document, League, league.SCHEMA))  # its reports are those of the runs just made
    else:
        from_document(document)
    try:
        json.dumps(document, allow_nan=False)
    except ValueError as error:
        raise FormatError(f"a figure of the report is NaN or infinite: {error}") from error
    return document


def from_document(document: Any) -> Report:
    """The report of a document. Unknown fields are ignored.

    Raises `FormatError`, naming the field, for anything that is not a `lowlat.report/1`.
    """
    return _read(document, Report, report.SCHEMA)


def sweep_from_document(document: Any) -> Sweep:
    """The sweep of a document. Unknown fields are ignored.

    Raises `FormatError`, naming the field, for anything that is not a `lowlat.sweep/1`, and `NotValidError` if its
    answer or status is not that of its points.
    """
    read = _read(document, Sweep, sweep.SCHEMA)
    sweep.check(read)
    return read


def comparison_from_document(document: Any) -> Comparison:
    """The comparison of a document. Unknown fields are ignored.

    Raises `FormatError`, naming the field, for anything that is not a `lowlat.comparison/1`, and `NotValidError` for
    what others in it contradict: every metric is judged again.
    """
    read = _read(document, Comparison, comparison.SCHEMA)
    check_comparison(read)
    return read


def league_from_document(document: Any) -> League:
    """The league of a document. Unknown fields are ignored.

    Raises `FormatError`, naming the field, for anything that is not a `lowlat.league/1`, and `NotValidError` for
    figures that are not those of its reports, or of these of their histograms.
    """
    read = _read(document, League, league.SCHEMA)
    check_league(read)
    for table in read.tables:
        for entry in table.entries:
            if entry.report is not None:
                with naming(f"the report of {entry.engine} on {table.profile}"):
                    check_report(entry.report)
    return read


def to_text(report: Report | Sweep | Comparison | League) -> str:
    """The report as one JSON document with a trailing newline. Equal reports give equal bytes."""
    return documents.text(to_document(report))


def from_text(text: str) -> Report:
    """The report of a JSON text. Raises `FormatError` for anything else."""
    read = from_bytes(text.encode("utf-8", "surrogatepass"))
    if not isinstance(read, Report):
        raise FormatError(f"not a {report.SCHEMA} document: its schema is {read.schema!r}")
    return read


def sweep_from_text(text: str) -> Sweep:
    """The sweep of a JSON text. Raises what `sweep_from_document` does."""
    read = from_bytes(text.encode("utf-8", "surrogatepass"))
    if not isinstance(read, Sweep):
        raise FormatError(f"not a {sweep.SCHEMA} document: its schema is {read.schema!r}")
    return read


def from_bytes(data: bytes) -> Report | Sweep:
    """The report or the sweep of a JSON document in UTF-8. Unknown fields are ignored.

    Builds only the fields of the model. Rejects numbers that JSON does not support (NaN) and nesting deeper than the
    interpreter's recursion limit. Raises `FormatError` for anything else, and `NotValidError` for a sweep whose answer
    or status is not that of its points.
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
        raise FormatError(f"its schema {schema!r} is from another version of lowlat; this one reads {kind}/1")
    raise FormatError(f"not a {report.SCHEMA} or {sweep.SCHEMA} document: its schema is {schema!r}")


def _decoded(data: bytes, kind: type[_Decoded], name: str) -> _Decoded:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise FormatError(f"not a valid {name}: {error}") from error
    except RecursionError as error:
        raise FormatError("not a JSON document: it is nested too deeply") from error
    except ValueError as error:  # includes msgspec.DecodeError and UnicodeDecodeError
        if _NOT_A_NUMBER.search(data):
            raise FormatError("not a JSON document: it holds NaN or Infinity, which JSON does not have") from error
        raise FormatError(f"not a JSON document: {error}") from error


def _read(document: Any, kind: type[_Kind], schema: str) -> _Kind:
    named = document.get("schema") if isinstance(document, dict) else None
    if named != schema:
        raise FormatError(f"not a {schema} document: its schema is {named!r}")
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise FormatError(f"not a valid {schema} document: {error}") from error
