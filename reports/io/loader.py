"""Files as they come from people and machines: a report, a sweep or an interval log, or an error that names the file.

What a file may cost is bounded before it is believed: so many bytes, so many values, and what `hdr_codec`,
`validation` and `hlog_reader` state of histograms.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

from lowlat.reports.errors import InputError, ReportFormatError, naming
from lowlat.reports.histogram.hlog_reader import RecordedLog, is_log, read_log
from lowlat.reports.io.json_codec import from_bytes
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep

FILE_BYTES_MAX: Final = 128 << 20
"""Bytes of a file. A report of 1,000 runs of a pipeline has 80 MB."""
VALUES_MAX: Final = 4_000_000
"""Commas and opening brackets of a document, hence values in it: with its text they bound what it takes in memory."""

Document: TypeAlias = Report | Sweep | RecordedLog


def read(path: Path) -> Document:
    """What a file holds. Raises `InputError`, naming it, when it cannot be read or is none of these."""
    data = read_bytes(path)
    with naming(str(path)):
        return read_log(data) if is_log(data) else document_of(data)


def read_reports(paths: Sequence[Path]) -> list[Report]:
    """The reports of several files. Raises `InputError`, also for a file named twice: its runs would count twice."""
    real = [path.resolve() for path in paths]
    if twice := next((path for path, file in zip(paths, real, strict=True) if real.count(file) > 1), None):
        raise InputError(f"{twice} is named twice, so its runs would count twice; name every file once")
    return [report_of(read_bytes(path), str(path)) for path in paths]


def report_of(data: bytes, source: str) -> Report:
    """The report that bytes of bounded size hold. Raises `InputError`, naming the source, for anything else."""
    with naming(source):
        document = document_of(data)
        if not isinstance(document, Report):
            raise ReportFormatError("not a lowlat.report/1 document: it is a sweep, a report for each rate")
        return document


def document_of(data: bytes) -> Report | Sweep:
    """The report or sweep of a JSON text of bounded size. Raises `ReportFormatError` for anything else."""
    values = sum(data.count(mark) for mark in (b",", b"[", b"{"))
    if values > VALUES_MAX:
        raise ReportFormatError(f"it has {values:,} values; at most {VALUES_MAX:,} are read")
    return from_bytes(data)


def read_bytes(path: Path) -> bytes:
    """The whole file, a pipe too. Raises `InputError` when it cannot be read, or is too long."""
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except IsADirectoryError as error:
        raise InputError(
            f"{path}: it is a folder; name a file in it, or look over all of them with --history"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # a name with a NUL in it
        raise InputError(f"{str(path)!r} is no name of a file: {error}") from error
    if len(data) > FILE_BYTES_MAX:
        raise InputError(f"{path}: it is longer than {FILE_BYTES_MAX >> 20} MiB, the most that is read")
    return data
