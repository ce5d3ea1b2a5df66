"""What is tried on the running host is undone, and what is measured is plausible."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from lowlat.probes import _core
from lowlat.probes.cpu.affinity import affinity_of
from lowlat.probes.doctor import live_host
from lowlat.probes.doctor.live_host import LiveHost, evenly
from lowlat.probes.doctor.other_source import CpuinfoProcess

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this platform cannot pin threads")


def test_the_scheduling_policy_is_as_before() -> None:
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    tried = LiveHost().try_fifo()
    assert isinstance(tried.value, bool) or tried.reason
    assert (os.sched_getscheduler(0), os.sched_getparam(0)) == before


def test_a_refusal_of_the_policy_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert LiveHost().try_fifo().value is False


def test_the_affinity_is_as_before_and_a_refusal_is_named() -> None:
    before = affinity_of()
    tried = LiveHost().try_affinity((before[0], 60_000)).value
    assert tried is not None and tried[before[0]] is None and "CPU 60000" in str(tried[60_000])
    assert affinity_of() == before


def test_the_speed_of_a_cpu_is_near_what_its_counter_counts() -> None:
    """A cycle takes 0.1 to 10 ticks on any processor: its frequency is 1 GHz and more, that of counters up to 5 GHz."""
    before = affinity_of()
    speeds = LiveHost().speeds(before[:2]).value
    assert speeds is not None and [speed.cpu for speed in speeds] == list(before[:2])
    assert all(0.1 < speed.cycles_per_tick < 100 for speed in speeds)
    assert affinity_of() == before


def test_speed_does_not_depend_on_how_long_it_is_measured() -> None:
    """The chain of additions is counted in cycles: twice the time gives the same ratio, within what turbo moves."""
    short, long = _core.measure_core_speed(5_000_000), _core.measure_core_speed(20_000_000)
    assert short.slices and long.slices
    assert 0.3 < short.cycles_per_tick / long.cycles_per_tick < 3


def test_many_cpus_are_sampled_evenly() -> None:
    assert evenly(tuple(range(1_000)), 4) == (0, 250, 500, 750)
    assert evenly((1, 2), 4) == (1, 2)
    assert live_host.SPEED_TOTAL_S < 1


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import time; time.sleep(600)", "it was not done within"),
        ("print('no document')", "it failed with exit code 0"),
        ("print([1])", "it failed with exit code 0"),
        ("raise SystemExit(3)", "it failed with exit code 3"),
    ],
)
def test_py_cpuinfo_that_does_not_answer_is_unknown(monkeypatch: pytest.MonkeyPatch, code: str, why: str) -> None:
    monkeypatch.setattr("lowlat.probes.doctor.other_source.PATIENCE_S", 0.2 if "sleep" in code else 60)
    process = CpuinfoProcess((sys.executable, "-c", code))
    answer = process.answer()
    assert answer.status == "unknown" and why in str(answer.reason)
    process.stop()


def test_a_program_that_it_started_does_not_outlive_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it waited for, though it holds the output open: it may hang."""
    monkeypatch.setattr("lowlat.probes.doctor.other_source.PATIENCE_S", 0.1)  # over before it is asked, on a busy host
    started = "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
    process = CpuinfoProcess((sys.executable, "-c", started))
    assert process._process is not None and process._process.stdout is not None
    own = psutil.Process(int(process._process.stdout.readline()))
    assert "it was not done within" in str(process.answer().reason)
    psutil.wait_procs([own], timeout=60)
    assert not own.is_running() or own.status() == psutil.STATUS_ZOMBIE


def test_a_program_that_is_missing_is_unknown() -> None:
    answer = CpuinfoProcess(("/nowhere/python",)).answer()
    assert answer.reason == "it cannot be started: No such file or directory"


def test_py_cpuinfo_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lowlat.probes.doctor.other_source.PATIENCE_S", 120)
    answer = CpuinfoProcess().answer()
    assert answer.value is not None and answer.value["arch"]
