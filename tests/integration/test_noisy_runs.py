"""A run whose process was stopped, or starved of its CPU, says so, with the reason; also where counters are denied.

The control of each: the same run left alone does not give that reason.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from lowlat.engine import _core
from lowlat.engine.bench.passes import Pass, WatchedPasses, run_noise
from lowlat.engine.bench.protocol import ClosedLoop, Load, OpenLoop
from lowlat.engine.bench.run import RunPlan, measure, settings_of
from lowlat.engine.flow.profile import Arrivals, load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.native import Engine
from lowlat.probes.clock.counter import calibrate_quick
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.cpu.affinity import affinity_of, pin
from lowlat.reports.model.results import OsNoise
from tests.waiting import ran_ns, wait_until

FLOW = synthetic_flow(load_profile("steady"), 1_000_000, 1)
STOP_S = 0.012
"""Each stop; passes take some 30 ms or more, so that with as long a pause every pass has one."""


@contextmanager
def stopping_workers() -> Iterator[None]:
    """Stop and continue the processes of runs, time and again."""
    over = threading.Event()

    def stop_and_continue() -> None:
        while not over.wait(STOP_S):
            for worker in _workers():
                stop_for(worker, STOP_S)

    thread = threading.Thread(target=stop_and_continue)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def stop_for(process: psutil.Process, seconds: float) -> None:
    """Stop a process for so long from when it stands: where it waits for its CPU, it takes the signal late."""
    try:
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE), "the process stands")
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)
    except psutil.NoSuchProcess:
        return


def _workers() -> list[psutil.Process]:
    def is_worker(child: psutil.Process) -> bool:
        try:
            return any("lowlat.engine.bench.worker" in word for word in child.cmdline())
        except psutil.Error:
            return False

    return [child for child in psutil.Process().children() if is_worker(child)]


def os_noise(load: Load) -> OsNoise:
    (run,) = measure(FLOW, RunPlan(runs=1, load=load, reference_commands=1_000, kernel_path=False)).runs
    return run.os_noise


@pytest.mark.slow
@pytest.mark.parametrize("load", [ClosedLoop(), OpenLoop(Arrivals(process="constant", rate=2_000_000))])
def test_a_stopped_run_is_noisy_and_says_why(load: Load) -> None:
    quiet = os_noise(load)
    assert not any("stopped" in reason for reason in quiet.reasons)
    with stopping_workers():
        seen = os_noise(load)
    assert seen.noisy
    assert seen.voluntary_switches and any(reason.startswith("stopped or blocked ") for reason in seen.reasons)
    assert seen.largest_gap_ns is not None and seen.largest_gap_ns >= 0.8 * STOP_S * 1e9
    assert any(reason.startswith("a gap of ") for reason in seen.reasons)
    assert any(reason.startswith("off its CPU for ") for reason in seen.reasons)


def untimed_pass() -> None:
    """In a process of its own: one untimed pass on the first CPU, once a line arrives, and what it says."""
    cpu = pin(affinity_of()[:1])[0]
    flow = synthetic_flow(load_profile("steady"), 4_000_000, 1)
    engine = Engine.of(settings_of(flow, RunPlan()))
    scale = TickScale(*_factors())
    _core.run_batched(engine.matcher, flow.commands[: flow.seeded])
    passes = WatchedPasses(cpu)
    _say("ready")
    sys.stdin.readline()
    passes.run("batched", lambda: Pass.of_native(_core.run_batched(engine.matcher, flow.measured), scale))
    seen, _ = run_noise(passes.os_noise, None)
    _say(f"{seen.noisy}|{seen.voluntary_switches}|{'; '.join(seen.reasons)}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _factors() -> tuple[int, int]:
    scale = calibrate_quick().scale
    return scale.multiplier, scale.shift


@pytest.mark.parametrize("stopped", [False, True])
def test_the_untimed_pass_too_knows_that_it_was_stopped(stopped: bool) -> None:
    with _child() as process:
        assert _line(process) == "ready"
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        if stopped:
            begun_ns = ran_ns(process.pid)
            wait_until(lambda: ran_ns(process.pid) > begun_ns + 30_000_000, "a tenth of the pass")
            stop_for(psutil.Process(process.pid), 0.05)
        noisy, switches, reasons = _line(process).split("|")
    assert ("stopped or blocked" in reasons) is stopped
    if stopped:
        assert noisy == "True" and int(switches) >= 1 and "off its CPU for " in reasons


@contextmanager
def busy_neighbors(cpu: int) -> Iterator[None]:
    """Four processes that want the same CPU."""
    code = f"import os\nos.sched_setaffinity(0, [{cpu}])\nwhile True: pass"
    neighbors = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    try:
        wait_until(lambda: all(os.sched_getaffinity(each.pid) == {cpu} for each in neighbors), "they are on it")
        yield
    finally:
        for each in neighbors:
            each.kill()
            each.wait()


def deny_getrusage(*, cpu_clock: bool) -> None:
    """Let getrusage fail with EPERM in this process, as a sandbox does, by a seccomp filter; with `cpu_clock`, also
    clock_gettime of CLOCK_THREAD_CPUTIME_ID.
    """
    getrusage, clock_gettime = {"x86_64": (98, 228), "aarch64": (165, 113)}[platform.machine()]
    load, jump_if_equal, give = 0x20, 0x15, 0x06
    errno_eperm, allow, first_argument = 0x0005_0001, 0x7FFF_0000, 16
    steps = [(load, 0, 0, 0), (jump_if_equal, 0, 1, getrusage), (give, 0, 0, errno_eperm)]
    if cpu_clock:
        steps += [(jump_if_equal, 0, 3, clock_gettime), (load, 0, 0, first_argument)]
        steps += [(jump_if_equal, 0, 1, time.CLOCK_THREAD_CPUTIME_ID), (give, 0, 0, errno_eperm)]
    steps.append((give, 0, 0, allow))
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    filter_of = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    assert libc.prctl(no_new_privileges, 1, 0, 0, 0) == 0
    assert libc.prctl(set_seccomp, filter_mode, filter_of, 0, 0) == 0, os.strerror(ctypes.get_errno())


@pytest.mark.parametrize("busy", [pytest.param(False, marks=pytest.mark.slow), True])
def test_without_getrusage_counters_are_not_available_and_starvation_is_still_seen(busy: bool) -> None:
    cpu = min(os.sched_getaffinity(0))
    with _child("denied") as process:
        assert _line(process) == "ready"
        assert process.stdin is not None
        with busy_neighbors(cpu) if busy else _nobody():
            process.stdin.write("go\n")
            process.stdin.flush()
            noisy, switches, reasons = _line(process).split("|")
    assert switches == "None"
    assert "preempted" not in reasons and "page fault" not in reasons
    if busy:
        assert noisy == "True" and "off its CPU for " in reasons


def test_with_nothing_to_count_nobody_knows_whether_a_run_was_quiet() -> None:
    """An untimed pass keeps no timestamps either: neither true nor, beside busy processes, false."""
    cpu = min(os.sched_getaffinity(0))
    with _child("all denied") as process:
        assert _line(process) == "ready"
        assert process.stdin is not None
        with busy_neighbors(cpu):
            time.sleep(0.2)
            process.stdin.write("go\n")
            process.stdin.flush()
            noisy, switches, reasons = _line(process).split("|")
    assert switches == "None" and "off its CPU" not in reasons
    assert noisy == ("True" if reasons else "None")


@contextmanager
def _nobody() -> Iterator[None]:
    yield


@contextmanager
def _child(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", __file__, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


if __name__ == "__main__":
    if sys.argv[1:]:
        deny_getrusage(cpu_clock=sys.argv[1] == "all denied")
    untimed_pass()
