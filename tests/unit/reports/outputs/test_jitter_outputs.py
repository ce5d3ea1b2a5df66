"""Jitter in other formats: each holds the samples of the document, and says what it could not read."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import numpy as np
import pytest

from lowlat.errors import NotValidError
from lowlat.reports import _core
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.histogram.hlog_reader import read_log
from lowlat.reports.model.jitter import CpuJitter, Jitter, JitterCause
from lowlat.reports.model.series import histogram_of, series_of
from lowlat.reports.outputs.registry import texts_of

STARTED = datetime(2026, 11, 23, 6, 0, 0, 250_000, tzinfo=UTC)


def watched(cpu: int, *lengths_ns: int) -> CpuJitter:
    recorder = _core.Histogram()
    recorder.record_many(np.array(lengths_ns, np.int64))
    lost = sum(lengths_ns)
    cause = JitterCause(
        cause="interrupt 36 (a|b)", gaps=max(len(lengths_ns), 1), lost_ns=lost, p50_ns=lost, max_ns=lost
    )
    return CpuJitter(
        cpu=cpu,
        complete=True,
        series=series_of(f"CPU {cpu}", "recorded", Histogram.from_native(recorder)) if lengths_ns else None,
        watched_ns=1_000_000_000,
        lost_ns=lost,
        lost_share=lost / 1e9,
        causes=(cause,) if lengths_ns else (),
    )


def of(*cpus: CpuJitter) -> Jitter:
    return Jitter(
        status="ok",
        mode="gaps",
        platform="KVM guest",
        started=STARTED.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        duration_s=1.0,
        interval_ns=None,
        fifo=None,
        clock_hz=1e9,
        sources=(),
        missing=("/proc/softirqs: Permission denied",),
        cpus=cpus,
    )


FOUND = of(watched(1, 500, 90_000), watched(3, 7_000), watched(5))


def test_the_log_holds_every_sample_of_every_cpu() -> None:
    log = read_log(texts_of(FOUND)["hlog"]().encode())
    assert log.begin == STARTED
    assert (log.end - log.begin).total_seconds() == 1
    found = [(each.series.op, each.series.count, each.series.hdr) for each in log.series]
    assert found == [(cpu.series.op, cpu.series.count, cpu.series.hdr) for cpu in FOUND.cpus if cpu.series]


def test_the_distribution_is_over_all_cpus() -> None:
    text = texts_of(FOUND)["hgrm"]()
    total = merge(histogram_of(cpu.series) for cpu in FOUND.cpus if cpu.series)
    assert total.total == 3
    assert f"Max     = {90_000:12.3f}, Total count    = {3:12d}" in text


def test_no_gap_has_no_distribution_but_a_log() -> None:
    texts = texts_of(of(watched(5)))
    with pytest.raises(NotValidError):
        texts["hgrm"]()
    assert texts["hlog"]().count("\n") == 4


def test_the_table_has_a_row_for_each_cpu() -> None:
    head, *rows = csv.reader(texts_of(FOUND)["csv"]().splitlines())
    found = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(row["op"], row["count"], row["max"]) for row in found] == [("CPU 1", "2", "90000"), ("CPU 3", "1", "7000")]
    assert {row["started"] for row in found} == {FOUND.started}


def test_the_summary_escapes_names_and_says_what_is_missing() -> None:
    text = texts_of(FOUND)["md"]()
    assert "| 1 | 2 | 2 | " in text
    assert "| 5 | 0 | 0 | " in text
    assert "interrupt 36 (a\\|b)" in text
    assert "- note: /proc/softirqs: Permission denied" in text
