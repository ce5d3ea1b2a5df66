"""`lowlat jitter`: a planted cause is named, the figures hold together, and what cannot be done is refused."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import platform
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lowlat.engine.bench.jitter import of_gaps
from lowlat.errors import ExitCode
from lowlat.probes.clock.counter import calibrate_quick
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.jitter.gaps import GapPlan, GapRecording, watch_gaps
from lowlat.reports.histogram.hlog_reader import read_log
from lowlat.reports.model.jitter import LONGEST_MIN
from lowlat.reports.model.series import histogram_of
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
Document = Callable[..., dict[str, Any]]
Terminal = Callable[..., str]

PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
"""The number of the system call, by machine."""
CPU = allowed_cpus()[-1]
WATCH_S = 0.5


def realtime() -> int | None:
    """A real-time priority, so that other programs do not take the CPU, if one is allowed and a CPU is left to them."""
    if len(allowed_cpus()) < 2:
        return None
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return None
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return 1


def watched(duration_s: float = WATCH_S, fifo: int | None = None) -> GapRecording:
    plan = GapPlan(duration_s, calibrate_quick().frequency_hz, fifo=fifo)
    (found,), stopped = watch_gaps([CPU], plan, lambda _share: None)
    assert not stopped
    return found


def gaps_by(found: GapRecording, cause: str) -> int:
    return sum(found.cause_of(gap) == cause for gap in range(len(found.length_ns)))


@contextmanager
def in_background(work: Callable[[], object], cpu: int) -> Iterator[None]:
    """Repeat some work on a CPU."""
    done = threading.Event()

    def repeat() -> None:
        os.sched_setaffinity(0, {cpu})
        while not done.is_set():
            work()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextmanager
def timer(interval_ns: int) -> Iterator[None]:
    """A timer of the kernel that fires on `CPU` and wakes nobody: that of a perf event, which samples by the clock."""
    attributes = struct.pack("=IIQQ88x", 1, 112, 0, interval_ns)  # PERF_TYPE_SOFTWARE, size, PERF_COUNT_SW_CPU_CLOCK
    libc = ctypes.CDLL(None, use_errno=True)
    file = libc.syscall(PERF_EVENT_OPEN[platform.machine()], attributes, -1, CPU, -1, 8)
    if file < 0:
        pytest.skip(f"no timer can be planted: perf_event_open: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        os.close(file)


def test_a_competing_thread_is_named() -> None:
    busy = f"import os; os.sched_setaffinity(0, {{{CPU}}}); print('busy', flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        found = of_gaps(watched(), LONGEST_MIN)
        process.kill()
    causes = {each.cause: each for each in found.causes}
    assert causes["another thread"].lost_ns > 0.5 * (found.lost_ns or 0)
    assert found.causes[0].cause == "another thread"
    assert (found.lost_share or 0) > 0.2


@pytest.mark.parametrize("timers_per_s", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_timer_is_named(timers_per_s: int) -> None:
    """So many interrupts in each second; most of those that come while the watching thread has the CPU make a gap."""
    found = watched(fifo=realtime())
    with timer(1_000_000_000 // timers_per_s):
        with_timer = watched(fifo=realtime())
    per_s = [gaps_by(each, "timer interrupt") * 1e9 / own_ns(each) for each in (found, with_timer)]
    assert per_s[1] > per_s[0] + min(timers_per_s / 2, 1_000)


def own_ns(found: GapRecording) -> int:
    """The time in which the watching thread had the CPU."""
    return max(found.watched_ns - int(found.length_ns.sum()), 1)


@pytest.mark.skipif(len(allowed_cpus()) < 2, reason="a storm of page faults needs a second CPU")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the processor drops pages from other TLBs, uncounted")
def test_a_storm_of_page_faults_is_named() -> None:
    """A thread of this process maps and unmaps pages on another CPU, so that this one must drop them from its TLB."""

    def map_and_unmap() -> None:
        with mmap.mmap(-1, 64 * mmap.PAGESIZE) as pages:
            pages[:: mmap.PAGESIZE] = bytes(64)

    quiet = watched(fifo=realtime())
    with in_background(map_and_unmap, allowed_cpus()[0]):
        found = watched(fifo=realtime())
    named = [gaps_by(each, "TLB shootdown") for each in (quiet, found)]
    assert named[1] > named[0] + 20
    assert gaps_by(found, "function call interrupt") < named[1], "which each shootdown is too"


def test_causes_and_gaps_add_up(document: Document) -> None:
    found = document("jitter", "--duration", "300ms")
    assert found["status"] == "ok"
    assert [each["cpu"] for each in found["cpus"]] == list(allowed_cpus())
    for cpu in found["cpus"]:
        assert cpu["complete"]
        count = cpu["series"]["count"] if cpu["series"] else 0
        assert sum(each["gaps"] for each in cpu["causes"]) == count
        assert sum(each["lost_ns"] for each in cpu["causes"]) == cpu["lost_ns"]
        assert cpu["unexplained"] == sum(
            each["gaps"] for each in cpu["causes"] if each["cause"].startswith("unexplained")
        )
        assert cpu["watched_ns"] + cpu["reading_ns"] >= 0.3e9
        assert cpu["lost_ns"] <= cpu["watched_ns"]
        longest = [each["length_ns"] for each in cpu["longest"]]
        assert longest == sorted(longest, reverse=True)
        assert not longest or longest[0] == cpu["series"]["max"]


def test_the_histogram_holds_every_gap() -> None:
    recording = watched(0.3)
    found = of_gaps(recording, LONGEST_MIN)
    assert found.series is not None
    assert histogram_of(found.series).total == len(recording.length_ns)
    assert (found.series.min, found.series.max) == (recording.length_ns.min(), recording.length_ns.max())
    assert recording.length_ns.min() >= int(recording.threshold_ns)
    assert (recording.begin_ns[1:] >= recording.begin_ns[:-1] + recording.length_ns[:-1]).all()


@pytest.mark.parametrize("mode", [(), ("--wakeup",)])
def test_the_log_holds_every_sample(lowlat: Run, tmp_path: Path, mode: tuple[str, ...]) -> None:
    log = tmp_path / "gaps.hlog"
    done = lowlat("jitter", "--duration", "200ms", *mode, "--format", "json", "-o", str(log))
    assert done.returncode == ExitCode.OK, done.stderr
    cpus = [cpu for cpu in json.loads(done.stdout)["cpus"] if cpu["series"]]
    assert cpus
    read = [each.series for each in read_log(log.read_bytes()).series]
    assert [(each.op, each.count) for each in read] == [(f"CPU {cpu['cpu']}", cpu["series"]["count"]) for cpu in cpus]


def test_a_threshold_leaves_out_shorter_gaps(document: Document) -> None:
    found = document("jitter", "--duration", "200ms", "--threshold", "5us", "--cpus", str(CPU))
    (cpu,) = found["cpus"]
    assert cpu["threshold_ns"] == pytest.approx(5_000, rel=0.001)
    assert cpu["series"] is None or cpu["series"]["min"] >= 4_999


def test_wakeups_are_late_by_some_time(document: Document) -> None:
    found = document("jitter", "--wakeup", "--duration", "300ms", "--interval", "2ms", "--cpus", str(CPU))
    (cpu,) = found["cpus"]
    assert cpu["series"]["count"] + cpu["missed"] == 150
    assert cpu["series"]["percentiles"]["50"]["value"] > 0
    assert cpu["causes"] == []
    assert cpu["watched_ns"] is None


@pytest.mark.parametrize("columns", [80, 100])
def test_the_screen_fits(on_terminal: Terminal, columns: int) -> None:
    lines = on_terminal(columns, "jitter", "--duration", "200ms").splitlines()
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("cause") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--duration", "1ms"), "outside 0.01s..3600s"),
        (("--duration", "0"), "'0' is not a duration"),
        (("--threshold", "2s"), "outside 1e-09s..1s"),
        (("--cpus", "9999"), "9999"),
        (("--cpus", ""), "CPU"),
        (("--fifo", "0"), "outside 1..99"),
        (("--fifo", "1", "--cpus", "all"), "would leave none to anything else"),
        (("--wakeup", "--duration", "1h", "--interval", "10us"), "at most 10,000,000 wake-ups"),
        (("--wakeup", "--threshold", "1us"), "--threshold is for gaps"),
        (("--interval", "1ms"), "--interval is for wake-ups"),
        (("-o", "gaps.prom"), "no openmetrics is written here; name it *.json, *.html, *.md, *.csv, *.hgrm, *.hlog"),
    ],
)
def test_what_cannot_be_done_is_refused(lowlat: Run, arguments: tuple[str, ...], said: str) -> None:
    done = lowlat("jitter", *arguments)
    assert done.returncode == ExitCode.USAGE
    assert said in done.stderr
    assert done.stdout == ""


TELLS = """
import lowlat.probes._core as core
real = core.watch_gaps
def watch_gaps(*arguments):
    *others, waiting = arguments
    said = iter(["watching"])
    def tells():  # it is called while gaps are watched
        for line in said:
            print(line, file=sys.stderr, flush=True)
        waiting()
    return real(*others, tells)
core.watch_gaps = watch_gaps
"""


def test_ctrl_c_shows_the_part_that_was_watched(start: Start) -> None:
    with start("jitter", "--duration", "1h", "--cpus", str(CPU), "--json", code=TELLS) as process:
        assert process.stderr is not None
        assert "watching" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED
    assert '"status": "interrupted"' in out
