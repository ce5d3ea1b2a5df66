"""Reports, interval logs, and the histograms in both."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path
from unittest import mock

import msgspec
import numpy as np

from lowlat.reports.histogram import buckets, hdr_codec, hlog_reader
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.histogram.hlog_reader import RecordedLog
from lowlat.reports.histogram.hlog_writer import head, interval
from lowlat.reports.io import json_codec, loader
from lowlat.reports.model.report import Report
from tests.fuzz.parsers.target import Target, written

ROOT = Path(__file__).parents[3]


def _histogram() -> Histogram:
    counts = np.zeros(buckets.COUNTS_LENGTH, np.uint64)
    counts[[3, 700, 5_000]] = 9, 2, 1
    return Histogram.from_buckets(counts)


# -- report ----------------------------------------------------------------------------------------------------------


def _read_report(data: bytes, folder: Path) -> None:
    path = written(folder, "report.json", data)
    document = loader.read(path)
    if isinstance(document, RecordedLog):
        return
    if isinstance(document, Report):
        assert loader.read_reports([path]) == [document], "it is the same report, checked"
    assert loader.document_of(msgspec.json.encode(json_codec.to_document(document))) == document, "a report reads back"


def report_bytes() -> bytes:
    """A report without spaces, which no change would matter in."""
    return msgspec.json.encode(msgspec.json.decode((ROOT / "tests/unit/reports/io/two_runs.json").read_bytes()))


def _plant_report() -> None:
    """A codec that lets the errors of its library through."""
    mock.patch.object(json_codec, "_decoded", lambda data, kind, _name: msgspec.json.decode(data, type=kind)).start()


REPORT = Target(
    "report",
    _read_report,
    lambda: [report_bytes()],
    _plant_report,
    ("reports/io/loader.py", "reports/io/json_codec.py", "reports/io/validation.py"),
)

# -- interval log ----------------------------------------------------------------------------------------------------


def _read_log(data: bytes, _folder: Path) -> None:
    log = hlog_reader.read_log(data)
    assert log.series and all(each.series.count > 0 for each in log.series), "a log has samples"


def _log_seeds() -> list[bytes]:
    begin = 1_700_000_000_000_000_000
    lines = [("service/limit", _histogram()), ("response/cancel", _histogram())]
    text = head(begin) + interval(begin, begin + 10**9, lines) + interval(begin + 10**9, begin + 2 * 10**9, lines)
    untagged = "".join(line.partition(",")[2] + "\n" for line in text.splitlines() if line.startswith("Tag="))
    return [text.encode(), untagged.encode()]


def _plant_log() -> None:
    """A reader that splits a line without looking at it."""
    mock.patch.object(hlog_reader, "_interval", _untyped_interval).start()


def _untyped_interval(number: int, line: str, base_s: float) -> tuple[str, tuple[float, float], Histogram]:
    tag, begin, length, _longest, blob = line.split(",")
    return tag, (base_s + float(begin), base_s + float(begin) + float(length)), hdr_codec.decode(blob)


HLOG = Target("hlog", _read_log, _log_seeds, _plant_log, ("reports/histogram/hlog_reader.py",))

# -- histogram -------------------------------------------------------------------------------------------------------

_OUTER = struct.Struct(">II")


def _read_blob(data: bytes, _folder: Path) -> None:
    """An even first byte: the rest is what was compressed, with right lengths; an odd one: the rest is the blob."""
    if not data or data[0] % 2:
        blob = data[1:]
    else:
        inner = bytearray(data[1:])
        inner[4:8] = struct.pack(">I", max(0, len(inner) - 40)) if len(inner) >= 40 else inner[4:8]
        packed = zlib.compress(inner, 1)
        blob = base64.b64encode(_OUTER.pack(hdr_codec._OUTER_COOKIE, len(packed)) + packed)
    histogram = hdr_codec.decode(blob)
    if histogram.total:
        assert np.array_equal(hdr_codec.decode(hdr_codec.encode(histogram)).counts, histogram.counts), "it reads back"


def _blob_seeds() -> list[bytes]:
    blob = hdr_codec.encode(_histogram()).encode()
    return [b"\0" + zlib.decompress(base64.b64decode(blob)[_OUTER.size :]), b"\1" + blob]


def _plant_blob() -> None:
    """A codec that trusts the header of what it decompressed."""
    mock.patch.object(hdr_codec, "_check_settings", lambda _inner: None).start()


HDR = Target("hdr", _read_blob, _blob_seeds, _plant_blob, ("reports/histogram/hdr_codec.py",))
