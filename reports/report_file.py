"""Report files as they are read: whole, one kind of document, and never more than memory holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from reports import units
from reports.document import from_text
from reports.errors import ReportFileError, ReportFormatError
from reports.model import Report

SIZE_MAX: Final = 256 << 20
"""Bytes. A report of 1,000 runs with nine series each is a third of that."""


def read_report(path: Path) -> Report:
    """The report in a file. Raises `ReportFileError` or `ReportFormatError`, both naming it."""
    try:
        with path.open("rb") as stream:
            data = stream.read(SIZE_MAX + 1)
    except OSError as error:
        raise ReportFileError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # a name with a NUL in it
        raise ReportFileError(f"{str(path)!r} is no name of a file: {error}") from error
    if len(data) > SIZE_MAX:
        raise ReportFileError(f"{path}: larger than {units.size(SIZE_MAX)}, which no report is; name a report")
    return report_of(data, str(path))


def read_reports(paths: Sequence[Path]) -> list[Report]:
    """The reports of several files. Raises as `read_report`, and for a file named twice: its runs would count twice."""
    real = [path.resolve() for path in paths]
    if twice := next((path for path, file in zip(paths, real, strict=True) if real.count(file) > 1), None):
        raise ReportFileError(f"{twice} is named twice, so its runs would count twice; name every file once")
    return [read_report(path) for path in paths]


def report_of(data: bytes, source: str) -> Report:
    """The report that bytes hold. Raises `ReportFormatError` naming the source."""
    try:
        return from_text(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ReportFormatError(f"{source}: not a JSON document: {error}") from error
    except ReportFormatError as error:
        raise ReportFormatError(f"{source}: {error}") from error
