"""Ctrl-C: the first keeps what was measured, the second quits. Neither loses finished runs or leaves a partial file."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lowlat.errors import ExitCode
from lowlat.reports.io.json_codec import from_text
from tests.waiting import PATIENCE_S, wait_until

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
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (code, "") and code == 128 + number
    report = from_text((tmp_path / "report.json").read_text())
    assert report.status == "interrupted" and 2 <= len(report.runs) < 200  # two, and those done until the signal came
    assert err.splitlines()[-1].startswith("lowlat: stopped early: ")


def test_before_the_first_result_there_is_no_file_and_no_process_left(start: Start, tmp_path: Path) -> None:
    with start("bench", "--commands", "5M", "-v", "-o", "report.json") as process:
        wait_for(process, "run 1 of 5")
        workers = running_workers(process.pid)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (ExitCode.INTERRUPTED, "")
    assert err == "lowlat: interrupted before any result\n"
    assert list(tmp_path.iterdir()) == []
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
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
    def found() -> list[psutil.Process]:
        children = psutil.Process(parent).children(recursive=True)
        return [child for child in children if "lowlat.engine.bench.worker" in child.cmdline()]

    wait_until(found, "a process for the run")
    return found()


DEAF = """
import lowlat.engine.bench.run, time
def measure(*_):
    try:
        print("measuring", file=sys.stderr, flush=True)
        time.sleep(3_600)
    except KeyboardInterrupt:
        print("going on", file=sys.stderr, flush=True)
        time.sleep(3_600)
lowlat.engine.bench.run.measure = measure
"""


def test_the_second_signal_quits(start: Start, tmp_path: Path) -> None:
    """Even if the first is handled otherwise, here by a verb that continues after it."""
    with start("bench", "-n", "1", "-o", "report.json", code=DEAF) as process:
        wait_for(process, "measuring")
        process.send_signal(signal.SIGINT)
        wait_for(process, "going on")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE_S)  # far less than it would sleep
    assert process.returncode == ExitCode.TERMINATED
    assert list(tmp_path.iterdir()) == []
