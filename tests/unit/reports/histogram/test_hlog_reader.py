"""An interval log read back holds what was recorded, from any library; anything else is rejected."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogWriter
from rich.console import Console

from lowlat.errors import FormatError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram import hlog_reader
from lowlat.reports.histogram.hdr_codec import encode
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.histogram.hlog_reader import is_log, read_log
from lowlat.reports.histogram.hlog_writer import head, interval, interval_log
from lowlat.reports.model.recording import RECORDED
from lowlat.reports.model.series import histogram_of
from lowlat.reports.terminal.hlog_table import render_log

MS = 10**6
BASE_NS = 1_795_413_600 * 10**9


def histogram(*values: int) -> Histogram:
    recorder = Recorder()
    recorder.record_many(np.array(values, dtype=np.int64))
    return Histogram.from_buckets(Histogram.from_native(recorder).counts)


def text_of(*lines: str) -> bytes:
    return (head(BASE_NS) + "".join(lines)).encode()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    a, b, c = histogram(10, 20), histogram(30), histogram(5_000, 70_000)
    path = tmp_path / "run.hlog"
    with interval_log(path) as log:
        log.write(0, 1_000 * MS, [("service/add", a), ("service/take", c)])
        log.write(1_000 * MS, 2_500 * MS, [("service/add", b), ("settle, 50%", c)])
    read = read_log(path.read_bytes())
    assert [(each.series.op, each.series.measure, each.intervals) for each in read.series] == [
        ("add", "service", 2),
        ("take", "service", 1),
        ("settle, 50%", RECORDED, 1),
    ]
    assert np.array_equal(histogram_of(read.series[0].series).counts, merge([a, b]).counts)
    assert (read.end - read.begin).total_seconds() == 2.5
    assert abs(read.begin.timestamp() - log.base_ns / 1e9) < 0.001


def test_a_line_without_a_tag_is_all() -> None:
    (only,) = read_log(text_of(interval(0, MS, [("", histogram(7))]))).series
    assert (only.series.op, only.series.count, only.series.max) == ("all", 1, 7)


def test_a_log_of_hdrhistogram_is_read() -> None:
    """Version 1.2, no tags, start times since 1970."""
    theirs = HdrHistogram(1, 3_600_000_000_000, 3)
    for value in (40, 40, 71_003):
        theirs.record_value(value)
    theirs.set_start_time_stamp(1_700_000_000_000)
    theirs.set_end_time_stamp(1_700_000_001_000)
    stream = io.StringIO()
    writer = HistogramLogWriter(stream)
    writer.output_log_format_version()
    writer.output_legend()
    writer.output_interval_histogram(theirs)
    data = stream.getvalue().encode()
    assert is_log(data)
    read = read_log(data)
    assert np.array_equal(histogram_of(read.series[0].series).counts, histogram(40, 40, 71_003).counts)


def test_a_json_document_is_no_log() -> None:
    assert not is_log(b'{"schema": "lowlat.report/1"}')
    assert not is_log(b"# A heading of Markdown\n\nText") and not is_log(b"#!/bin/sh\necho")
    assert is_log(b"# a comment of a user\n#1\n#[Histogram log format version 1.3]\n")
    assert is_log(head(0).encode())


BLOB = encode(histogram(1))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "an interval log without samples"),
        ("Tag=a,0.000,1.000,0.000001\n", "line 5 is not a log interval: 'Tag=a"),
        (f"Tag=a b,0.000,1.000,0.000001,{BLOB}\n", "line 5 is not a log interval"),
        (f"0.000,1e300,0.000001,{BLOB}\n", "line 5 is not a log interval"),
        (f"NaN,1.000,0.000001,{BLOB}\n", "line 5 is not a log interval"),
        (f"999999999999.0,1.000,0.000001,{BLOB}\n", "seconds since 1970"),
        (f"0.000,1.000,0.000001,{BLOB[:-4]}\n", "line 5: "),
        ("0.000,1.000,0.000001,@@@@\n", "line 5: not an HdrHistogram in V2 base64"),
        (f"0.000,1.000,0.000001,{BLOB}\nfurther\n", "line 6 is not a log interval"),
    ],
)
def test_a_damaged_log_is_refused(line: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_log(text_of(line))


def test_a_log_that_is_no_text_is_refused() -> None:
    with pytest.raises(FormatError, match="not an interval log"):
        read_log(b"#\xff\xfe")


def test_tags_and_intervals_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = text_of(*(interval(0, MS, [(tag, histogram(1))]) for tag in "abc"))
    monkeypatch.setattr(hlog_reader, "TAGS_MAX", 2)
    with pytest.raises(FormatError, match="2 tags"):
        read_log(lines)
    monkeypatch.setattr(hlog_reader, "TAGS_MAX", 3)
    assert len(read_log(lines).series) == 3
    monkeypatch.setattr(hlog_reader, "INTERVALS_MAX", 2)
    with pytest.raises(FormatError, match="more than 2 intervals"):
        read_log(lines)


def test_its_table_has_a_row_for_each_series() -> None:
    stream = io.StringIO()
    lines = [interval(0, MS, [("service/add", histogram(40, 50))]), interval(MS, 2 * MS, [("b", histogram(1_000_000))])]
    render_log(read_log(text_of(*lines)), Console(file=stream, width=80))
    rows = [line.split() for line in stream.getvalue().splitlines()]
    assert [
        "add",
        "(service)",
        "1",
        "2",
        "40",
        "ns*",
        "50",
        "ns*",
        "50",
        "ns*",
        "50",
        "ns*",
        "50",
        "ns*",
        "50",
        "ns",
    ] in rows
    assert "interval log  2.00 ms from 2026-11-23 06:00:00 UTC" in stream.getvalue()
