"""Histograms are exported as V2 base64 and mean the same elsewhere; imported ones are not trusted."""

from __future__ import annotations

import base64
import contextlib
import struct
import zlib

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from lowlat.errors import FormatError, NotValidError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram import buckets, hdr_codec
from lowlat.reports.histogram.histogram import Histogram

FROM_JAVASCRIPT = "HISTFAAAAEB4nJNpmSzMwMAgy8DAwMjAwMDMAAGMDAwsDEiAkYHJnEmQTZBJlUmVaS8TE9NVbqa1AkwsGyNYLkYxAQCYOgbD"
"""Made by hdr-histogram-js 3.0.1 (64-bit buckets, 1 to 2**42, 3 digits) from the values below."""
VALUES = [1, 30, 40, 40, 40, 50, 70, 90, 250, 251, 999, 2047, 2048, 2049, 100_000, 100_031, 5_000_000]
JAVASCRIPT_PERCENTILES = {
    1: 1,
    10: 30,
    25: 40,
    40: 70,
    50: 250,
    60: 999,
    75: 2049,
    80: 2049,
    90: 100_031,
    95: 5_001_215,
    100: 5_001_215,
}


def histogram(*values: int) -> Histogram:
    recorder = Recorder()
    recorder.record_many(np.array(values, dtype=np.int64))
    return Histogram.from_native(recorder)


def blob_of(inner: bytes, cookie: int = 0x1C849314) -> bytes:
    packed = zlib.compress(inner)
    return base64.b64encode(struct.pack(">II", cookie, len(packed)) + packed)


def inner_of(blob: str) -> bytes:
    return zlib.decompress(base64.b64decode(blob)[8:])


def test_a_blob_from_javascript_gives_its_percentiles() -> None:
    read = hdr_codec.decode(FROM_JAVASCRIPT)
    assert np.array_equal(read.counts, histogram(*VALUES).counts)
    assert {p: read.percentile(p).value_ns for p in JAVASCRIPT_PERCENTILES} == JAVASCRIPT_PERCENTILES


def test_hdrhistogram_reads_what_is_written() -> None:
    ours = histogram(*VALUES)
    theirs = HdrHistogram.decode(hdr_codec.encode(ours))
    assert theirs.get_total_count() == ours.total
    assert np.array_equal(np.frombuffer(theirs.counts, dtype=np.uint64)[: buckets.COUNTS_LENGTH], ours.counts)


def test_what_hdrhistogram_writes_is_read() -> None:
    theirs = HdrHistogram(1, 3_600_000_000_000, 3)
    for value in VALUES:
        theirs.record_value(value)
    read = hdr_codec.decode(theirs.encode())
    assert np.array_equal(read.counts, histogram(*VALUES).counts)


def test_the_object_of_hdrhistogram_has_the_exact_bounds() -> None:
    hdr = hdr_codec.to_hdr(histogram(100_003, 5))
    assert (hdr.min_value, hdr.max_value, hdr.get_total_count()) == (5, 100_003, 2)


@given(st.lists(st.integers(0, buckets.HIGHEST_NS), min_size=1, max_size=50))
def test_there_and_back(values: list[int]) -> None:
    before = histogram(*values)
    after = hdr_codec.decode(hdr_codec.encode(before), before.bounds_ns)
    assert np.array_equal(after.counts, before.counts)
    assert after.bounds_ns == before.bounds_ns


def test_bounds_that_the_counts_deny_are_refused() -> None:
    with pytest.raises(FormatError, match="is not in bucket"):
        hdr_codec.decode(hdr_codec.encode(histogram(10, 20)), (10, 21))


def test_an_empty_histogram_is_not_written_but_can_be_read() -> None:
    with pytest.raises(NotValidError, match="empty histogram cannot be exported"):
        hdr_codec.encode(histogram())
    assert hdr_codec.decode(HdrHistogram(1, 2**42, 3).encode()).total == 0


@pytest.mark.parametrize(
    "other",
    [HdrHistogram(1, 2**42, 2), HdrHistogram(1024, 2**42, 3), HdrHistogram(1, 2**50, 3)],
    ids=["digits", "unit", "range"],
)
def test_a_histogram_that_does_not_fit_is_refused(other: HdrHistogram) -> None:
    other.record_value(2**41)
    other.record_value(2**49)
    with pytest.raises(FormatError, match=r"expected 3 digits|holds values above"):
        hdr_codec.decode(other.encode())


def test_a_decompression_bomb_is_refused() -> None:
    inner = inner_of(hdr_codec.encode(histogram(1)))
    with pytest.raises(FormatError, match="not an HdrHistogram in V2 base64"):
        hdr_codec.decode(blob_of(inner + bytes(50_000_000)))


@pytest.mark.parametrize("blob", ["", "AAAA", "not base64!", "é", "HISTFAAAAEB4", FROM_JAVASCRIPT[:-8]])
def test_text_that_is_no_blob_is_refused(blob: str) -> None:
    with pytest.raises(FormatError, match=r"not an HdrHistogram in V2 base64|cut short|damaged"):
        hdr_codec.decode(blob)


def test_a_blob_with_another_cookie_is_refused() -> None:
    with pytest.raises(FormatError, match="cookie"):
        hdr_codec.decode(blob_of(inner_of(FROM_JAVASCRIPT), cookie=0x1C849302))


@given(st.data())
def test_a_damaged_blob_is_read_or_refused_but_never_crashes(data: st.DataObject) -> None:
    inner = bytearray(inner_of(FROM_JAVASCRIPT))
    for _ in range(data.draw(st.integers(1, 3))):
        inner[data.draw(st.integers(0, len(inner) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(inner)))
    for damaged in (bytes(inner), bytes(inner[:cut])):
        with contextlib.suppress(FormatError):
            assert hdr_codec.decode(blob_of(damaged)).total < 2**63
