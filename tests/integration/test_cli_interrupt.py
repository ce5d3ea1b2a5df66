"""Ctrl-C: the first keeps what was measured, the second quits. Neither loses finished runs or leaves a partial file."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lowlat.errors import ExitCode
from lowlat.reports.io.json_codec import from_text

Start = Callable[..., subprocess.Popen[str]]

LONG = ("bench", "--commands", "20k", "--runs", "200", "--verbose")


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Read stderr until the progress shows this."""
    assert process.stderr is not None
    for seen in process.stderr:
        if line in seen:
            return
    pytest.fail(f"exited with code {process.wait()} before {line!r}")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.TERMINATED),
        (signal.SIGHUP, ExitCode.HUNG_UP),
    ],
)
def test_the_first_signal_keeps_the_finished_runs(
    start: Start, tmp_path: Path, number: signal.Signals, code: ExitCode
) -> None:
    with start(*LONG, "-o", "report.json", "--json") as process:
        wait_for(process, "run 3 of 200")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "") and code == 128 + number
    report = from_text((tmp_path / "report.json").read_text())
    assert (report.status, len(report.runs)) == ("interrupted", 2)
    assert err.splitlines()[-1].startswith("lowlat: stopped early: ")


def test_before_the_first_result_there_is_no_file_and_no_process_left(start: Start, tmp_path: Path) -> None:
    with start("bench", "--commands", "5M", "-v", "-o", "report.json") as process:
        wait_for(process, "run 1 of 5")
        workers = running_workers(process.pid)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (ExitCode.INTERRUPTED, "")
    assert err == "lowlat: interrupted before any result\n"
    assert list(tmp_path.iterdir()) == []
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive


def test_a_signal_to_a_run_is_a_failure_that_names_it_and_no_interruption(start: Start, tmp_path: Path) -> None:
    with start("bench", "--commands", "5M", "-v", "-o", "report.json") as process:
        wait_for(process, "run 1 of 5")
        (worker,) = running_workers(process.pid)
        worker.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=300)
    assert (process.returncode, out) == (ExitCode.NOT_VALID, "")
    assert err.startswith("lowlat: error: a run's process was killed by SIGTERM: ") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def running_workers(parent: int) -> list[psutil.Process]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        children = psutil.Process(parent).children(recursive=True)
        if workers := [child for child in children if "lowlat.engine.bench.worker" in child.cmdline()]:
            time.sleep(0.05)  # the parent still has to hear that the program was found
            return workers
        time.sleep(0.005)
    raise AssertionError("no process for the run was started")


DEAF = """
import lowlat.engine.bench.run, time
def measure(*_):
    try:
        print("measuring", file=sys.stderr, flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("going on", file=sys.stderr, flush=True)
        time.sleep(60)
lowlat.engine.bench.run.measure = measure
"""


def test_the_second_signal_quits(start: Start, tmp_path: Path) -> None:
    """Even if the first is handled otherwise, here by a verb that continues after it."""
    with start("bench", "-n", "1", "-o", "report.json", code=DEAF) as process:
        wait_for(process, "measuring")
        process.send_signal(signal.SIGINT)
        wait_for(process, "going on")
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    assert process.returncode == ExitCode.TERMINATED and time.monotonic() - begin < 5
    assert list(tmp_path.iterdir()) == []
