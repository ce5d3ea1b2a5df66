"""An interval log holds every sample once, is whole at any moment, and means the same to other readers."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from lowlat.errors import OutputPathError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports._core import IntervalHistograms
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram import hlog_writer as module
from lowlat.reports.histogram.hdr_codec import decode, encode
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.histogram.hlog_writer import IntervalLog, interval_log

MS = 10**6
PERCENTS = (0.1, 1, 5, 10, 25, 40, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100)
LEGEND = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'

# Prints, of every interval: begin and end in ms since the epoch, tag, total, minimum, maximum, percentiles.
JAVASCRIPT = """
const hdr = require("hdr-histogram-js");
const log = require("fs").readFileSync(process.argv[2], "utf8");
const reader = new hdr.HistogramLogReader(log);
const seen = [];
for (let h; (h = reader.nextIntervalHistogram()) !== null; ) {
  const percentiles = JSON.parse(process.argv[3]).map((p) => h.getValueAtPercentile(p));
  const times = [h.startTimeStampMsec, h.endTimeStampMsec];
  seen.push([...times, h.tag, h.totalCount, h.minNonZeroValue, h.maxValue, percentiles]);
}
console.log(JSON.stringify(seen));
"""


def histogram(*values: int) -> Histogram:
    recorder = Recorder()
    recorder.record_many(np.array(values, dtype=np.int64))
    return Histogram.from_native(recorder)


def lines_of(path: Path) -> list[str]:
    """Complete interval lines."""
    text = path.read_text(encoding="ascii")
    assert text.endswith("\n")
    return [line for line in text.splitlines() if not line.startswith(("#", '"'))]


def tags_of(path: Path) -> list[str]:
    return [re.fullmatch(r"(?:Tag=([^,]*),)?[\d.]+,[\d.]+,[\d.]+,\S+", line)[1] for line in lines_of(path)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.hlog"


def test_its_head_and_lines_are_those_of_version_1_3(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "time_ns", lambda: 1_795_413_600_250_499_999)
    some = histogram(40, 71_003)
    with interval_log(path) as log:
        log.write(12 * MS, 1_012 * MS, [("cancel", some), ("take", histogram()), ("", histogram(5_000_000_000))])
    assert path.read_text(encoding="ascii").splitlines() == [
        "#[Histogram log format version 1.3]",
        "#[StartTime: 1795413600.250 (seconds since epoch), 2026-11-23T06:00:00.250+00:00]",
        "#[BaseTime: 1795413600.250 (seconds since epoch)]",
        LEGEND,
        f"Tag=cancel,0.012,1.000,0.071003,{encode(some)}",
        f"0.012,1.000,5000.000000,{encode(histogram(5_000_000_000))}",
    ]


def test_an_interval_ends_where_the_next_begins(path: Path) -> None:
    with interval_log(path) as log:
        for begin_ns, end_ns in ((0, 333_600_000), (333_600_000, 666_400_000), (666_400_000, 1_000_000_000)):
            log.write(begin_ns, end_ns, [("a", histogram(1))])
    assert [line.split(",")[1:3] for line in lines_of(path)] == [
        ["0.000", "0.334"],
        ["0.334", "0.332"],
        ["0.666", "0.334"],
    ]


def test_what_a_tag_cannot_hold_is_written_as_in_a_url(path: Path) -> None:
    names = ["m.f.<locals>.g", "settle orders", "a,b", "50%", "line\nbreak", "é", "settle%20orders", "\ud800", "Tag=x"]
    with interval_log(path) as log:
        log.write(0, MS, [(name, histogram(1)) for name in names])
    tags = tags_of(path)
    assert tags == [
        "m.f.<locals>.g",
        "settle%20orders",
        "a%2Cb",
        "50%25",
        "line%0Abreak",
        "%C3%A9",
        "settle%2520orders",
        "%ED%A0%80",
        "Tag=x",
    ]
    assert len(set(tags)) == len(names)


def test_an_interval_without_samples_writes_nothing(path: Path) -> None:
    with interval_log(path) as log:
        before = path.read_bytes()
        log.write(0, MS, [("a", histogram()), ("b", histogram(-1))])
        assert path.read_bytes() == before


def test_a_total_that_javascript_cannot_count_is_several_lines(path: Path) -> None:
    counts = np.zeros(buckets.COUNTS_LENGTH, dtype=np.uint64)
    counts[[10, 2_048, 5_000]] = [2**33 + 1, 1, 7]
    whole = Histogram.from_buckets(counts)
    with interval_log(path) as log:
        log.write(0, MS, [("a", whole)])
    parts = [decode(line.rsplit(",", 1)[1]) for line in lines_of(path)]
    assert len(parts) == 4
    assert all(part.total < 2**32 for part in parts)
    assert np.array_equal(sum(part.counts for part in parts), whole.counts)


def test_an_interval_is_there_as_soon_as_it_is_written(path: Path) -> None:
    with interval_log(path) as log:
        assert path.read_text(encoding="ascii").splitlines()[-1] == LEGEND
        for count in (1, 2, 3):
            log.write(0, MS, [("a", histogram(1))])
            assert len(lines_of(path)) == count


def test_another_process_goes_on_with_the_log(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lowlat.reports.histogram.hlog_writer import IntervalLog\n"
        "from lowlat.reports._core import Histogram as R; from lowlat.reports.histogram.histogram import Histogram\n"
        "r = R(); r.record(7)\n"
        "IntervalLog(Path('run'), int(sys.argv[1]), 0).write(0, 10**6, [('child', Histogram.from_native(r))])\n"
    )
    with interval_log(path) as log:
        command = [sys.executable, "-P", "-c", code, str(log.descriptor)]
        subprocess.run(command, check=True, pass_fds=[log.descriptor])
        log.write(MS, 2 * MS, [("parent", histogram(1))])
    assert tags_of(path) == ["child", "parent"]


def test_a_file_that_is_there_is_replaced(path: Path) -> None:
    path.write_text("old")
    with path.open() as reader, interval_log(path):
        assert reader.read() == "old"
    assert lines_of(path) == []


@pytest.mark.parametrize("name", ["", "missing/run.hlog", "/dev/stdout"])
def test_a_path_that_cannot_be_written_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputPathError, match="cannot write"), interval_log(tmp_path / name):
        pass


@contextmanager
def files_no_longer_than(length: int) -> Iterator[None]:
    """A write beyond the limit is cut short, and the next one fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_whole_lines(path: Path) -> None:
    with interval_log(path) as log:
        log.write(0, MS, [("a", histogram(1))])
        whole = path.read_bytes()
        with (
            files_no_longer_than(len(whole) + 20),
            pytest.raises(OutputPathError, match=r"run\.hlog: .*the previous interval"),
        ):
            log.write(MS, 2 * MS, [("a", histogram(1)), ("b", histogram(2))])
        assert path.read_bytes() == whole


def test_a_reader_that_has_gone_is_an_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with pytest.raises(OutputPathError, match="pipe"):
        IntervalLog(Path("pipe"), write_end, 0).write(0, MS, [("a", histogram(1))])
    os.close(write_end)


def test_recorded_intervals_are_written_once_and_in_order(path: Path) -> None:
    intervals = IntervalHistograms(2, 1_000)
    names, to_ns = ("add", "take"), (lambda ticks: (ticks - 5_000) * 1_000)
    intervals.start(5_000)
    intervals.record(0, 40)
    intervals.record(1, 50)
    intervals.tick(6_000)
    intervals.record(1, 60)
    intervals.finish(6_500)
    with interval_log(path) as log:
        log.write_taken(intervals, names, to_ns)
        log.write_taken(intervals, names, to_ns)
    assert [line.rsplit(",", 1)[0] for line in lines_of(path)] == [
        "Tag=add,0.000,0.001,0.000040",
        "Tag=take,0.000,0.001,0.000050",
        "Tag=take,0.001,0.001,0.000060",
    ]
    assert [intervals.total(k).total for k in (0, 1)] == [1, 2]


def test_no_intervals_without_a_length_or_a_histogram() -> None:
    for count, interval_ticks in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="above 0"):
            IntervalHistograms(count, interval_ticks)
    with pytest.raises(IndexError):
        IntervalHistograms(2, 1).record(2, 1)


@pytest.fixture
def some_log(path: Path) -> tuple[Path, int, list[Histogram]]:
    """Three lines of two intervals, the base time in whole ms, and the contents of the lines."""
    random = np.random.default_rng(4)
    recorded = [
        Histogram.from_buckets(histogram(*(1 + random.lognormal(8, 2, count)).astype(np.int64)).counts)
        for count in (1_000, 1, 50_000)
    ]
    with interval_log(path) as log:
        log.write(0, 1_000 * MS, [("add", recorded[0]), ("take", recorded[1])])
        log.write(1_000 * MS, 1_500 * MS, [("add", recorded[2])])
    return path, round(log.base_ns / MS), recorded


def test_hdrhistogram_reads_the_log(some_log: tuple[Path, int, list[Histogram]]) -> None:
    path, base_ms, recorded = some_log
    reader = HistogramLogReader(str(path), HdrHistogram(1, buckets.HIGHEST_NS, buckets.SIGNIFICANT_DIGITS))
    read = [reader.get_next_interval_histogram() for _ in recorded]
    assert reader.get_next_interval_histogram() is None
    reader.close()
    assert [each.get_tag() for each in read] == ["add", "take", "add"]
    assert [round(each.get_start_time_stamp()) - base_ms for each in read] == [0, 0, 1_000]
    assert [round(each.get_end_time_stamp()) - base_ms for each in read] == [1_000, 1_000, 1_500]
    for theirs, ours in zip(read, recorded, strict=True):
        assert np.array_equal(np.frombuffer(theirs.counts, dtype=np.uint64)[: buckets.COUNTS_LENGTH], ours.counts)


def test_javascript_reads_the_log(some_log: tuple[Path, int, list[Histogram]], javascript: Callable[..., str]) -> None:
    path, base_ms, recorded = some_log
    read = json.loads(javascript(JAVASCRIPT, path, json.dumps(PERCENTS)))
    times = [(0, 1_000, "add"), (0, 1_000, "take"), (1_000, 1_500, "add")]
    expected = [
        [begin, end, tag, ours.total, ours.min_ns, ours.max_ns, [p.value_ns for p in ours.percentiles(PERCENTS)]]
        for (begin, end, tag), ours in zip(times, recorded, strict=True)
    ]
    assert [[round(begin) - base_ms, round(end) - base_ms, *rest] for begin, end, *rest in read] == expected
