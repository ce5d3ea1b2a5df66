"""A profiler's log holds every call once, whatever happens meanwhile, and does not change its summary."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lowlat.errors import OutputPathError, UsageError
from lowlat.reports.histogram.hdr_codec import decode
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.histogram.hlog_writer import IntervalLog
from lowlat.reports.profiler.background import in_background
from lowlat.reports.profiler.profiler import Profiler
from tests.waiting import wait_until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.hlog"


def call(profiler: Profiler, name: str, times: int = 1) -> None:
    for _ in range(times):
        with profiler.span(name):
            pass


def intervals(path: Path) -> list[tuple[str, Histogram]]:
    whole = path.read_text(encoding="ascii").rpartition("\n")[0]  # what is being written meanwhile may end in a line
    lines = [line for line in whole.splitlines() if line.startswith("Tag=")]
    return [(line[4 : line.index(",")], decode(line.rsplit(",", 1)[1])) for line in lines]


def logged(path: Path) -> dict[str, int]:
    """The calls in a log, by name."""
    calls: Counter[str] = Counter()
    for name, histogram in intervals(path):
        calls[name] += histogram.total
    return dict(calls)


def test_intervals_appear_while_the_block_runs(path: Path) -> None:
    profiler = Profiler()
    with profiler.log_to(path, interval_s=0.01):
        for seen in range(1, 4):
            call(profiler, "encode")
            wait_until(lambda seen=seen: len(intervals(path)) == seen, f"interval {seen}")
    assert logged(path) == {"encode": 3}


def test_the_rest_is_written_at_the_end(path: Path) -> None:
    profiler = Profiler()
    call(profiler, "before", 5)
    with profiler.log_to(path, interval_s=3_600):
        call(profiler, "before", 2)
        call(profiler, "settle orders", 3)
        assert intervals(path) == []
    assert logged(path) == {"before": 2, "settle%20orders": 3}
    assert [(row.name, row.calls) for row in profiler.summary()] == [("before", 7), ("settle orders", 3)]


def test_the_rest_is_written_when_the_block_raises(path: Path) -> None:
    profiler = Profiler()
    with pytest.raises(KeyError), profiler.log_to(str(path), interval_s=3_600), profiler.span("fails"):
        raise KeyError("x")
    assert logged(path) == {"fails": 1}


def test_without_calls_nothing_is_written(path: Path) -> None:
    profiler = Profiler()
    call(profiler, "before")
    with profiler.log_to(path, interval_s=0.001):
        time.sleep(0.02)
    assert intervals(path) == []


def test_the_intervals_of_threads_sum_to_the_summary(path: Path) -> None:
    profiler = Profiler()
    with profiler.log_to(path, interval_s=0.005), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: call(profiler, f"thread{n % 2}", 3_000), range(4)))
    assert logged(path) == {"thread0": 6_000, "thread1": 6_000}
    for name in ("thread0", "thread1"):
        summed = merge(histogram for tag, histogram in intervals(path) if tag == name)
        assert np.array_equal(summed.counts, profiler.histogram(name).counts)


def test_a_reset_loses_no_call_of_the_log(path: Path) -> None:
    profiler = Profiler()
    call(profiler, "encode", 10)
    with profiler.log_to(path, interval_s=3_600):
        call(profiler, "encode", 3)
        profiler.reset()
        call(profiler, "encode", 20)
        call(profiler, "new")
        profiler.reset()
        call(profiler, "encode", 1)
    assert logged(path) == {"encode": 24, "new": 1}
    assert [(row.name, row.calls) for row in profiler.summary()] == [("encode", 1)]


def test_resets_at_any_moment_lose_no_call_of_the_log(path: Path) -> None:
    profiler = Profiler()
    with profiler.log_to(path, interval_s=0.001):
        for _ in range(300):
            call(profiler, "encode", 10)
            profiler.reset()
    assert logged(path) == {"encode": 3_000}


def test_every_log_gets_everything(tmp_path: Path) -> None:
    profiler = Profiler()
    with profiler.log_to(tmp_path / "a", interval_s=3_600):
        call(profiler, "encode")
        with profiler.log_to(tmp_path / "b", interval_s=0.001):
            call(profiler, "encode")
            profiler.reset()
        call(profiler, "encode")
    assert (logged(tmp_path / "a"), logged(tmp_path / "b")) == ({"encode": 3}, {"encode": 1})


@pytest.mark.parametrize("interval_s", [0, -1, 0.0009, 86_401, float("nan"), float("inf")])
def test_an_interval_that_is_none_is_an_error(path: Path, interval_s: float) -> None:
    with pytest.raises(UsageError, match="interval"), Profiler().log_to(path, interval_s):
        pass
    assert not path.exists()


def test_a_file_that_cannot_be_written_is_an_error_before_the_block(tmp_path: Path) -> None:
    with pytest.raises(OutputPathError, match="it is a directory"), Profiler().log_to(tmp_path):
        pytest.fail("the block ran")


def refuse(*_: object) -> None:
    raise OutputPathError("cannot continue writing calls.hlog: No space left on device")


def test_a_log_that_could_not_go_on_is_an_error_after_the_block(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IntervalLog, "write", refuse)
    profiler = Profiler()
    with pytest.raises(OutputPathError, match="No space left"), profiler.log_to(path, interval_s=3_600):
        call(profiler, "encode")
    assert profiler.histogram("encode").total == 1


def test_it_does_not_hide_the_block_s_own_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IntervalLog, "write", refuse)
    with pytest.raises(KeyError) as raised, Profiler().log_to(path, interval_s=3_600):
        raise KeyError("x")
    assert raised.value.__notes__ == ["also: cannot continue writing calls.hlog: No space left on device"]


def test_background_work_has_returned_when_the_block_ends() -> None:
    steps = []

    def work(over: threading.Event) -> None:
        over.wait()
        steps.append(threading.current_thread().daemon)

    with in_background(work):
        steps.append(threading.current_thread().daemon)
    assert steps == [False, True]
