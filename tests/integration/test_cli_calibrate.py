"""`lowlat calibrate`: the same frequency each time, in under a second, and correct about everything else."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from lowlat.errors import ExitCode
from lowlat.probes.cpu.affinity import allowed_cpus
from tests.effort import cpu_s
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
Document = Callable[..., dict[str, Any]]
Terminal = Callable[..., str]


def test_calibrations_agree_and_so_does_the_kernel(document: Document) -> None:
    """As certainly as they say; how certain that is, tests/unit/probes/clock/test_counter.py looks at."""
    found = [document("calibrate") for _ in range(3)]
    frequencies = [calibration["frequency_hz"] for calibration in found]
    spread_ppm = (max(frequencies) / min(frequencies) - 1) * 1e6
    assert spread_ppm <= 4 * max(calibration["uncertainty_ppm"] for calibration in found)
    for candidate in found[0]["candidates"]:
        declared = candidate["frequency_hz"]["value"]
        if declared and candidate["name"].startswith("kernel-"):
            # The kernel says whole kilohertz, and 10 MHz counters have few of them.
            assert declared == pytest.approx(frequencies[0], abs=1_000, rel=1e-6)


@pytest.mark.slow
def test_default_costs_little_more_than_its_windows(cold: Run, document: Document) -> None:
    """Everything but the window is the same at the shortest duration."""
    window_s = document("calibrate")["window_s"]
    shortest_s = min(cpu_s(lambda: cold("calibrate", "--duration", "10ms")) for _ in range(3))
    assert min(cpu_s(lambda: cold("calibrate")) for _ in range(3)) < shortest_s * 1.5 + 2 * window_s


TELLS = """
import lowlat.probes.clock.counter as counter
real = counter._core.measure_frequency
def measure_frequency(duration_ns, slots):
    print(f"measuring for {duration_ns} ns", file=sys.stderr, flush=True)
    return real(duration_ns, slots)
counter._core.measure_frequency = measure_frequency
"""
"""A window is as long as asked, or longer where the machine is busy: what was asked is told."""


def test_ticks_to_ns_is_the_frequency(patched: Run) -> None:
    done = patched(TELLS, "calibrate", "--duration", "20ms", "--json")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "measuring for 20000000 ns\n")
    found = json.loads(done.stdout)
    second = round(found["frequency_hz"])
    ns = (second * found["scale"]["multiplier"]) >> found["scale"]["shift"]
    assert ns == pytest.approx(1e9, abs=2)  # a second of ticks, rounded to a whole tick
    assert found["window_s"] >= 0.02


def test_cpu_is_the_one_asked_for(document: Document, lowlat: Run) -> None:
    cpu = allowed_cpus()[-1]
    assert document("calibrate", "--cpu", cpu)["cpu"] == cpu
    assert document("calibrate")["cpu"] is None
    assert document("calibrate", "--cpu", "auto")["cpu"] in allowed_cpus()
    assert f"on CPU {cpu} " in lowlat("calibrate", "--cpu", cpu).stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_table_on_a_terminal_has_all_parts_and_fits(on_terminal: Terminal, columns: int) -> None:
    text = on_terminal(columns, "calibrate")
    assert max(map(len, text.splitlines())) <= columns
    assert "…" not in text
    for label in (
        "frequency",
        "counter",
        "NTP slew",
        "kernel clock",
        "plain",
        "vDSO",
        "system call",
        "resolution",
        "flags",
        "skew",
    ):
        assert re.search(rf"^{label} ", text, re.MULTILINE), label
    assert re.search(r"^frequency +[\d,]+\.\d Hz ± \S+ ppm *$", text, re.MULTILINE)


def test_candidates_have_a_source_or_a_reason(document: Document, lowlat: Run) -> None:
    candidates = document("calibrate")["candidates"]
    assert candidates[-1]["name"] == "measured"
    text = lowlat("calibrate").stdout
    for candidate in candidates:
        reading = candidate["frequency_hz"]
        said = reading["source"] if reading["value"] else f"not available here, because {reading['reason']}"
        assert re.search(rf"^{re.escape(candidate['name'])} .*{re.escape(said)}$", text, re.MULTILINE)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this platform does not pin")
def test_one_cpu_has_no_skew_and_says_why(lowlat: Run) -> None:
    cpu = allowed_cpus()[0]
    itself = (sys.executable, "-P", "-m", "lowlat_cli.main", "calibrate")
    text = lowlat("affinity", "run", "--cpus", cpu, "--", *itself).stdout
    assert f"not available here, because this process may use CPU {cpu} only; measuring skew needs two" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--duration", "1"], "--duration: '1' is not a duration; write 250us, 10s or 5min"),
        (["--duration", "-1s"], "--duration: '-1s' is not a duration"),
        (["--duration", "1ms"], "--duration: 1ms is outside 0.01s..60s"),
        (["--duration", "2min"], "--duration: 2min is outside 0.01s..60s"),
        (["--cpu", "4095"], "CPU 4095 does not exist on this host"),
        (["--cpu", "3-1"], "'3-1' as a CPU list is reversed; write 1-3"),
        (["--cpu", "a"], "'a' as a CPU list is not a CPU number or range"),
        (["-o", "/nope/file"], "there is no directory /nope; create it first"),
    ],
)
def test_bad_input_is_one_line_with_what_to_do(lowlat: Run, arguments: list[str], words: str) -> None:
    done = lowlat("calibrate", *arguments)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr.startswith("lowlat: error: ") and done.stderr.count("\n") == 1
    assert words in done.stderr


def test_several_cpus_are_too_many(lowlat: Run) -> None:
    if len(allowed_cpus()) < 2:
        pytest.skip("only one CPU is available to this process")
    done = lowlat("calibrate", "--cpu", "all")
    assert done.returncode == ExitCode.USAGE
    assert "calibration runs on one; name one CPU" in done.stderr


def test_ctrl_c_ends_a_long_calibration_at_once(start: Start) -> None:
    with start("calibrate", "--duration", "60s", "--json", code=TELLS) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "measuring for 60000000000 ns\n"
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - sent < 50  # of the 60 s that were asked; it looks ten times a second
    assert (process.returncode, out) == (ExitCode.INTERRUPTED, "")
    assert err == "lowlat: interrupted before any result\n"


def test_duration_comes_from_the_settings_too(patched: Run) -> None:
    done = patched(TELLS, "calibrate", "--json", env={"LOWLAT_DURATION": "30ms"})
    assert (done.returncode, done.stderr) == (ExitCode.OK, "measuring for 30000000 ns\n")
    assert json.loads(done.stdout)["window_s"] >= 0.03
