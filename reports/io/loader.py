"""Loads untrusted files: a report, a sweep or an interval log. Errors name the file.

Limits (`lowlat.limits`) bound the cost of a file before its content is trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from lowlat import inputs, units
from lowlat.errors import FormatError, InputError, naming
from lowlat.limits import REPORT_BYTES_MAX, VALUES_MAX
from lowlat.reports.histogram.hlog_reader import RecordedLog, is_log, read_log
from lowlat.reports.io.json_codec import from_bytes
from lowlat.reports.io.validation import check, check_distinct
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep

Document: TypeAlias = Report | Sweep | RecordedLog


def read(path: str | Path) -> Document:
    """The document in a file. Errors name it: `InputError` if it cannot be read or has another format, `NotValidError`
    for a sweep that contradicts itself.
    """
    data = read_bytes(Path(path))
    with naming(str(path)):
        return read_log(data) if is_log(data) else document_of(data)


def read_reports(
    paths: Sequence[str | Path], of_log: Callable[[RecordedLog, Path], Report] | None = None
) -> list[Report]:
    """The reports of several files, checked. `of_log` makes one of an interval log.

    Raises `NotValidError` for one that contradicts itself, `InputError` for one that cannot be read and for a run in
    two of them, which would count twice.
    """
    check_named_once(paths)
    reports = [_checked(Path(path), of_log) for path in paths]
    check_distinct([(str(path), report) for path, report in zip(paths, reports, strict=True)])
    return reports


def check_named_once(paths: Sequence[str | Path]) -> None:
    """Raise `InputError` if two paths lead to the same file."""
    real = [inputs.real_path(path) for path in paths]
    if twice := next((path for path, file in zip(paths, real, strict=True) if real.count(file) > 1), None):
        raise InputError(f"{twice} is given twice, so its runs would count twice; name each file once")


def _checked(path: Path, of_log: Callable[[RecordedLog, Path], Report] | None) -> Report:
    data = read_bytes(path)
    if of_log is not None and is_log(data):
        with naming(str(path)):
            log = read_log(data)
        report = of_log(log, path)
    else:
        report = report_of(data, str(path))
    with naming(str(path)):
        check(report)
    return report


def report_of(data: bytes, source: str) -> Report:
    """The report in bytes of bounded size. Raises `InputError`, naming the source, for anything else."""
    with naming(source):
        document = document_of(data)
        if not isinstance(document, Report):
            raise FormatError("not a lowlat.report/1 document: it is a sweep, a report for each rate")
        return document


def document_of(data: bytes) -> Report | Sweep:
    """The report or sweep of a JSON text of bounded size. Raises what `from_bytes` does."""
    values = sum(data.count(mark) for mark in (b",", b"[", b"{"))
    if values > VALUES_MAX:
        raise FormatError(f"it has {units.counted(values, 'value')}; at most {VALUES_MAX:,} are read")
    return from_bytes(data)


def read_bytes(path: Path) -> bytes:
    """The whole file, which may be a pipe. Raises `InputError` if it cannot be read or is too long."""
    try:
        return inputs.read_bytes(path, REPORT_BYTES_MAX)
    except InputError as error:
        if isinstance(error.__cause__, IsADirectoryError):
            raise InputError(f"{error}, or read all of them with --history") from error
        raise
