"""Noise counters see what happened to the thread, and not what the counting itself causes."""

from __future__ import annotations

import dataclasses
import errno
import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from lowlat.documents import values
from lowlat.probes import _core
from lowlat.probes.cpu.affinity import pinned
from lowlat.probes.host.host_tree import FolderTree
from lowlat.probes.os_noise import NoiseReadings, NoiseWatch, interrupt_counts
from lowlat.probes.reading import known

INTERRUPTS = """\
           CPU0       CPU2
 24:          5          7  IO-APIC   5-edge      ACPI:Ged
NMI:          0          1   Non-maskable interrupts
LOC:        100        200   Local timer interrupts
ERR:          9
"""

ARM_INTERRUPTS = """\
           CPU0       CPU1
 11:         40         50     GICv3  27 Level     arch_timer
 12:          1          2     GICv3  33 Level     uart-pl011
IPI0:         3          4       Rescheduling interrupts
"""


def test_interrupts_of_one_cpu_by_its_column() -> None:
    assert interrupt_counts(INTERRUPTS, 0) == (100, 5)
    assert interrupt_counts(INTERRUPTS, 2) == (200, 8)
    assert interrupt_counts(INTERRUPTS, 1) is None
    assert interrupt_counts("", 0) is None


def test_arm_timer_is_a_row_of_its_own() -> None:
    assert interrupt_counts(ARM_INTERRUPTS, 1) == (50, 6)


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def fill(root: Path, count: int | str) -> None:
    """A host on which every counter is `count`, in its own unit."""
    write(root, "proc/stat", f"cpu  0\ncpu0 1 1 1 1 1 1 1 999 0 0\ncpu1 1 1 1 1 1 1 1 {count} 0 0\n")
    write(root, "proc/interrupts", f"  CPU0 CPU1\nLOC: 1 {count} Local\nRES: 1 {count} Resched\n")
    write(root, "proc/thread-self/sched", f"x (1)\nse.nr_migrations   :    {count}\n")
    write(root, "proc/thread-self/schedstat", f"5 {count} 7\n")
    write(root, "proc/self/cgroup", "0::/job\n")
    cpu_stat = f"nr_periods 99\nnr_throttled {count}\nthrottled_usec {count}\n"
    write(root, "sys/fs/cgroup/job/cpu.stat", cpu_stat)


def watched(root: Path, before: int, after: int) -> NoiseReadings:
    fill(root, before)
    watch = NoiseWatch(1, FolderTree(root))
    watch.start()
    fill(root, after)
    return watch.stop()


def test_every_source_is_a_difference(tmp_path: Path) -> None:
    found = watched(tmp_path, 10, 13)
    assert found.migrations.value == 3
    assert found.runqueue_wait_ns.value == 3
    assert found.steal_ms.value == 3 * 1000 // os.sysconf("SC_CLK_TCK")
    assert found.timer_interrupts.value == 3
    assert found.other_interrupts.value == 3
    assert found.throttled_periods.value == 3
    assert found.throttled_us.value == 3
    assert found.noisy
    assert "migrated to another CPU 3 times" in found.reasons
    assert "30 ms stolen by the hypervisor" in found.reasons
    assert "throttled by its CPU quota in 3 periods" in found.reasons
    assert values(found)["migrations"]["value"] == 3


def test_interrupts_alone_are_no_noise(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    watch = NoiseWatch(1, FolderTree(tmp_path))
    watch.start()
    write(tmp_path, "proc/interrupts", "  CPU0 CPU1\nLOC: 1 99 Local\n")
    found = watch.stop()
    assert found.timer_interrupts.value == 89
    assert not any("CPU" in reason or "stolen" in reason for reason in found.reasons)


def test_version_1_counts_throttling_in_nanoseconds(tmp_path: Path) -> None:
    for count, moment in ((0, "before"), (4_000, "after")):
        write(tmp_path, "proc/self/cgroup", "1:cpu,cpuacct:/\n")
        text = f"nr_periods 9\nnr_throttled {count // 1000}\nthrottled_time {count}\n"
        write(tmp_path, "sys/fs/cgroup/cpu,cpuacct/cpu.stat", text)
        if moment == "before":
            watch = NoiseWatch(0, FolderTree(tmp_path))
            watch.start()
    found = watch.stop()
    assert (found.throttled_periods.value, found.throttled_us.value) == (4, 4)


def test_kernel_that_shows_nothing_gives_reasons(tmp_path: Path) -> None:
    watch = NoiseWatch(1, FolderTree(tmp_path))
    watch.start()
    found = watch.stop()
    for reading in (found.migrations, found.runqueue_wait_ns, found.steal_ms, found.timer_interrupts):
        assert reading.value is None
        assert reading.reason
    assert found.throttled_periods.value is None


@pytest.mark.parametrize("count", ["9" * 5_000, "x", "\u0663", "-"])
def test_counter_that_is_no_number_is_not_available(tmp_path: Path, count: str) -> None:
    """More digits than a counter has are none either: `int` would refuse them."""
    fill(tmp_path, count)
    watch = NoiseWatch(1, FolderTree(tmp_path))
    watch.start()
    found = watch.stop()
    for reading in (found.migrations, found.runqueue_wait_ns, found.steal_ms):
        assert reading.value is None
        assert reading.reason
    assert interrupt_counts(f"  CPU0 CPU1\nLOC: 1 {count} Local\n 36: 1 7 chip\n", 1) == (0, 7)


def test_counter_that_runs_backwards_is_unknown(tmp_path: Path) -> None:
    found = watched(tmp_path, 10, 3)
    assert found.migrations.status == "unknown"
    assert "backwards, from 10 to 3" in str(found.migrations.reason)


def test_watching_an_empty_section_faults_no_page() -> None:
    cpu = min(os.sched_getaffinity(0))
    with pinned([cpu]):
        watch = NoiseWatch(cpu)
        faults = []
        for _ in range(5):
            watch.start()
            found = watch.stop()
            faults.append((found.minor_faults.value, found.major_faults.value))
    assert min(faults) == (0, 0)


def test_first_touch_of_pages_is_seen() -> None:
    pages = 64
    watch = NoiseWatch(min(os.sched_getaffinity(0)))
    with mmap.mmap(-1, pages * mmap.PAGESIZE) as memory:
        watch.start()
        for page in range(pages):
            memory[page * mmap.PAGESIZE] = 1
        found = watch.stop()
    assert found.minor_faults.value is not None
    assert found.minor_faults.value >= 1  # huge pages may map them all at once
    assert found.noisy


def test_a_sleep_is_a_voluntary_switch_and_time_off_the_cpu() -> None:
    watch = NoiseWatch(min(os.sched_getaffinity(0)))
    watch.start()
    time.sleep(0.02)
    found = watch.stop()
    assert found.voluntary_switches.value
    assert "stopped or blocked" in found.reasons[0]
    assert found.off_cpu_ns.value is not None and found.off_cpu_ns.value >= 15_000_000
    assert any(reason.startswith("off its CPU for ") for reason in found.reasons)


@pytest.mark.parametrize(
    ("wall_ms", "off_ms", "noisy"), [(50, 1, False), (50, 2, True), (10_000, 90, False), (10_000, 110, True)]
)
def test_elapsed_time_without_cpu_time_is_noise_beyond_a_millisecond_and_a_percent(
    tmp_path: Path, wall_ms: int, off_ms: int, noisy: bool
) -> None:
    quiet = watched(tmp_path, 10, 10)
    zeros = {name: known(0, "x") for name in ("voluntary_switches", "involuntary_switches", "minor_faults")}
    found = dataclasses.replace(
        quiet, **zeros, major_faults=known(0, "x"), wall_ns=wall_ms * 10**6, off_cpu_ns=known(off_ms * 10**6, "x")
    )
    assert found.noisy is noisy


@pytest.mark.parametrize("counter", ["voluntary_switches", "minor_faults"])
def test_counters_that_stand_still_are_not_available(monkeypatch: pytest.MonkeyPatch, counter: str) -> None:
    """A sandbox shows constant zeros; the other counters go on as they are."""
    real = _core.read_thread_usage

    def frozen() -> SimpleNamespace:
        usage = real()
        names = ("voluntary_switches", "involuntary_switches", "minor_faults", "major_faults", "error")
        return SimpleNamespace(**({name: getattr(usage, name) for name in names} | {counter: 0}))

    monkeypatch.setattr(_core, "read_thread_usage", frozen)
    watch = NoiseWatch(0)
    watch.start()
    found = watch.stop()
    still, moving = (
        (found.voluntary_switches, found.minor_faults)
        if counter == "voluntary_switches"
        else (found.minor_faults, found.voluntary_switches)
    )
    assert still.value is None and "stands still" in still.text
    assert moving.value is not None


@pytest.mark.parametrize("elapsed", [lambda: 5, time.perf_counter_ns], ids=["stands still", "counts elapsed time"])
def test_a_cpu_clock_that_is_none_is_no_evidence(monkeypatch: pytest.MonkeyPatch, elapsed: Callable[[], int]) -> None:
    """By elapsed time as CPU time a thread would never be off its CPU. Nothing else is counted here."""
    names = ("voluntary_switches", "involuntary_switches", "minor_faults", "major_faults")
    denied = SimpleNamespace(**dict.fromkeys(names, 0), error=errno.EPERM)
    monkeypatch.setattr(_core, "read_thread_usage", lambda: denied)
    for clock, known_here in ((time.thread_time_ns, True), (elapsed, False)):
        monkeypatch.setattr(time, "thread_time_ns", clock)
        watch = NoiseWatch(0)
        watch.start()
        found = watch.stop()
        assert (found.off_cpu_ns.value is not None) is known_here
    assert found.noisy is None or found.reasons


def test_stop_needs_start() -> None:
    with pytest.raises(RuntimeError, match="without start"):
        NoiseWatch(0).stop()


@pytest.mark.parametrize(
    ("count", "reasons"),
    [
        (1, ("migrated to another CPU 1 time", "throttled by its CPU quota in 1 period")),
        (2, ("migrated to another CPU 2 times", "throttled by its CPU quota in 2 periods")),
    ],
)
def test_reasons_agree_with_their_counts(tmp_path: Path, count: int, reasons: tuple[str, ...]) -> None:
    found = watched(tmp_path, 10, 10 + count).reasons
    others = ("stolen", "fault", "preempted", "off its CPU")  # of this host, which may be busy
    assert tuple(reason for reason in found if not any(each in reason for each in others)) == reasons
