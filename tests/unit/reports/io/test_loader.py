"""Files from users are read, or rejected with the reason; they cannot exhaust the machine's memory or time."""

from __future__ import annotations

import base64
import copy
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowlat.errors import FormatError, InputError, NotValidError
from lowlat.reports.histogram.hlog_reader import RecordedLog
from lowlat.reports.io import loader, validation
from lowlat.reports.io.json_codec import from_document, to_document, to_text
from lowlat.reports.io.loader import read
from lowlat.reports.io.validation import check
from lowlat.reports.model.report import Report

Document = dict[str, Any]
TWO_RUNS = Path(__file__).with_name("two_runs.json")
"""What `lowlat bench -n 30k --runs 2 --json` printed: its figures hold together."""


@pytest.fixture
def report() -> Report:
    return from_document(json.loads(TWO_RUNS.read_text(encoding="utf-8")))


def blob_of(inner: bytes) -> str:
    packed = zlib.compress(inner)
    return base64.b64encode(struct.pack(">II", 0x1C849314, len(packed)) + packed).decode()


def empty_blob() -> str:
    return blob_of(struct.pack(">IIIIQQd", 0x1C849313, 0, 0, 3, 1, 2**42, 1.0))


def test_a_report_is_read(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(to_text(report))
    assert read(path) == report


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a JSON document: Input data was truncated"),
        (b'{"schema": "lowlat.report/1", "status"', "not a JSON document: Input data was truncated"),
        (b"\x00\xff" * 1000, "not a JSON document"),
        (b"[1, 2]", "not a valid lowlat document: Expected `object`, got `array`"),
        (b"{}", "not a lowlat.report/1 or lowlat.sweep/1 document: its schema is None"),
        (b'{"schema": 1}', "not a valid lowlat document"),
        (b'{"schema": "lowlat.topology/1"}', "its schema is 'lowlat.topology/1'"),
        (b'{"schema": "lowlat.report/2"}', "'lowlat.report/2' is from another version of lowlat; this one reads"),
        (b'{"schema": "lowlat.sweep/7"}', "another version of lowlat; this one reads lowlat.sweep/1"),
        (b'{"schema": "lowlat.report/1"}', "not a valid lowlat.report/1: Object missing required field"),
        (b'{"schema": "lowlat.report/1", "x": NaN}', "not a JSON document"),
        (b'{"a":' * 100_000, "not a JSON document: it is nested too deeply"),
        (b'{"a": ' + b"[" * 5_000_000, "it has 5,000,001 values; at most 4,000,000 are read"),
        (b"[" + b"0," * 5_000_000, "at most 4,000,000 are read"),
        (b'{"schema": "\xff"}', "not a"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ") and said in str(caught.value)


def test_a_file_that_is_too_long_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "REPORT_BYTES_MAX", 1 << 20)
    with (tmp_path / "long.json").open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(InputError, match=r"long\.json: it is larger than 1 MiB"):
        read(tmp_path / "long.json")
    with pytest.raises(InputError, match="/dev/zero: it is a device; name a regular file"):
        read(Path("/dev/zero"))


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a directory; name a file in it"):
        read(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.json")


def _series(document: Document) -> Document:
    found: Document = document["runs"][1]["series"][2]
    return found


def _edit(**changes: object) -> Callable[[Document], None]:
    return lambda document: _series(document).update(changes)


def _percentiles(**changes: object) -> Callable[[Document], None]:
    return lambda document: _series(document)["percentiles"].update(changes)


def _truncate(document: Document) -> None:
    series = _series(document)
    series["hdr"] = series["hdr"][:-8]


def _bomb(document: Document) -> None:
    _series(document)["hdr"] = blob_of(bytes(100_000_000))


def _date(document: Document) -> None:
    document["runs"][1]["started"] = "2026-13-41T10:00:00Z"


def _twice(document: Document) -> None:
    series = document["runs"][1]["series"]
    series.append(series[2])


def _no_summary(document: Document) -> None:
    document["summary"].pop()


def _summary_of_others(document: Document) -> None:
    document["summary"][2] = copy.deepcopy(document["summary"][2]) | {
        key: _series(document)[key] for key in ("count", "min", "max", "percentiles", "hdr")
    }


PLACE = r"runs\[1\]\.series\[2\] \(cancel, service\): "


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_edit(count=7_999), PLACE + "count is 7999, but its histogram holds 13812"),
        (_edit(min=0), PLACE + "minimum 0 ns is not in bucket"),
        (_edit(max=2**41), PLACE + "maximum 2199023255552 ns is not in bucket"),
        (_edit(hdr="HISTFAAAAEB4"), PLACE + "not an HdrHistogram"),
        (_edit(hdr=empty_blob()), PLACE + "count is 13812, but its histogram holds 0"),
        (_truncate, PLACE),
        (_bomb, PLACE),
        (
            _percentiles(**{"99": {"value": 1, "beyond": 138}}),
            PLACE + r"percentiles \(99\).value is 1, but its histogram says 159",
        ),
        (_percentiles(**{"101": {"value": 1, "beyond": 0}}), PLACE + "'101' is not a percentile"),
        (_percentiles(**{"1e999999999": {"value": 1, "beyond": 0}}), PLACE + "'1e999999999' is not a percentile"),
        (_date, "started '2026-13-41T10:00:00Z': month must be in"),
        (_twice, r"runs\[1\]: two series have the same operation and measure"),
        (_no_summary, "summary: its series are not those of the runs"),
        (_summary_of_others, r"summary \(cancel, service\): "),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(
    report: Report, change: Callable[[Document], None], said: str
) -> None:
    """All of these satisfy the schema."""
    document = to_document(report)
    change(document)
    with pytest.raises((FormatError, NotValidError), match=said):
        check(from_document(document))


def test_a_report_that_agrees_with_itself_passes(report: Report) -> None:
    check(report)


def test_series_are_limited(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "SERIES_MAX", 9)
    with pytest.raises(FormatError, match="10 series of 5 names; at most 9 of 256 are read"):
        check(report)


def test_a_damaged_document_is_read_or_refused_but_never_crashes(report: Report, tmp_path: Path) -> None:
    """Bytes changed and cut at random, seeded: only our own errors are raised."""
    random = np.random.default_rng(6)
    text = json.dumps(to_document(report)).encode()
    path = tmp_path / "a.json"
    refused = 0
    for _ in range(150):
        damaged = bytearray(text[: random.integers(1, len(text))] if random.random() < 0.3 else text)
        for place in random.integers(0, len(damaged), random.integers(1, 4)):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            found = read(path)
            assert isinstance(found, Report | RecordedLog)
            check(found)
        except (InputError, FormatError, NotValidError):
            refused += 1
    assert refused > 100
