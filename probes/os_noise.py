"""OS noise in a measured section: context switches, time off the CPU, page faults, stolen time, interrupts. Explains a
latency tail.

`NoiseWatch` reads the raw texts before and after the section and parses them later. It reads the thread's
counters last before the section and first after it, so they do not include the reading itself.
"""

from __future__ import annotations

import dataclasses
import mmap
import os
import re
import time
from dataclasses import dataclass
from typing import Any, Final

from lowlat.os_noise import is_noisy, reasons_of
from lowlat.probes import _core
from lowlat.probes.host.cgroup import Throttling, throttling
from lowlat.probes.host.host_tree import LIVE, HostTree, parse_integer
from lowlat.probes.reading import Reading, known, not_applicable, unknown

_STEAL_FIELD = 8  # of a /proc/stat line, the CPU's name being field 0
_TEST_SLEEP_S: Final = 0.0002


@dataclass(frozen=True, slots=True)
class NoiseReadings:
    """Counts over one measured section, on its thread and on its CPU.

    `noisy` is true if the thread lost its CPU or had to wait for memory: a context switch, a migration, elapsed
    time without CPU time, a page fault, stolen time, or throttling. The section must not sleep by itself: a voluntary
    switch then means that it was stopped or had to wait. Timer and other interrupts are counted but do not make a run
    noisy: without nohz_full, every host has the timer tick.
    """

    cpu: int
    wall_ns: int
    off_cpu_ns: Reading[int]
    voluntary_switches: Reading[int]
    involuntary_switches: Reading[int]
    minor_faults: Reading[int]
    major_faults: Reading[int]
    migrations: Reading[int]
    runqueue_wait_ns: Reading[int]
    steal_ms: Reading[int]
    timer_interrupts: Reading[int]
    other_interrupts: Reading[int]
    throttled_periods: Reading[int]
    throttled_us: Reading[int]

    @property
    def counts(self) -> dict[str, int | None]:
        """The counts by name; None for what is not available."""
        fields = (field.name for field in dataclasses.fields(self))
        return {name: reading.value for name in fields if isinstance(reading := getattr(self, name), Reading)}

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the section is noisy, one line each; empty if no reason is known."""
        return reasons_of(self.counts, self.wall_ns)

    def plus(self, other: NoiseReadings) -> NoiseReadings:
        """The sums over two sections on the same CPU; a count unknown for one section is unknown for the sum."""
        sums: dict[str, Any] = {"wall_ns": self.wall_ns + other.wall_ns}
        for field in dataclasses.fields(self):
            one, more = getattr(self, field.name), getattr(other, field.name)
            if isinstance(one, Reading):
                sums[field.name] = _sum(one, more)
        return dataclasses.replace(self, **sums)

    @property
    def noisy(self) -> bool | None:
        """Whether something took the CPU from the thread or made it wait for memory; None if nobody can know."""
        return is_noisy(self.counts, self.wall_ns)


@dataclass(frozen=True, slots=True)
class _Texts:
    """Raw texts read at one moment; parsed after the section."""

    stat: str | None
    interrupts: str | None
    sched: str | None
    schedstat: str | None
    throttling: Reading[Throttling]


@dataclass(frozen=True, slots=True)
class _ThreadCounters:
    """The thread's own counters at one moment; `cpu_ns` is None where its clock cannot be read."""

    wall_ns: int
    cpu_ns: int | None
    usage: _core.ThreadUsage

    @classmethod
    def now(cls) -> _ThreadCounters:
        try:
            cpu_ns: int | None = time.thread_time_ns()
        except OSError:
            cpu_ns = None
        return cls(time.perf_counter_ns(), cpu_ns, _core.read_thread_usage())


class NoiseWatch:
    """Watches one section of the calling thread on one CPU: `start()`, run the section, `stop()`."""

    def __init__(self, cpu: int, tree: HostTree = LIVE) -> None:
        self.cpu = cpu
        self._tree = tree
        self._before: _Texts | None = None
        # A dry run: loads imports, warms caches and faults in the pages of this code.
        self._read_texts()
        self._idle = _counters_that_do_not_count()
        self._counters = _ThreadCounters.now()

    def _read_texts(self) -> _Texts:
        return _Texts(
            stat=self._tree.text("proc/stat"),
            interrupts=self._tree.text("proc/interrupts"),
            throttling=throttling(self._tree),
            sched=self._tree.text("proc/thread-self/sched"),
            schedstat=self._tree.text("proc/thread-self/schedstat"),
        )

    def start(self) -> None:
        """Read the counters right before the section, the thread's own last."""
        self._before = self._read_texts()
        self._counters = _ThreadCounters.now()

    def stop(self) -> NoiseReadings:
        """Read the counters right after the section, the thread's own first, and return the differences."""
        counters = _ThreadCounters.now()
        after = self._read_texts()
        before = self._before
        if before is None:
            raise RuntimeError("NoiseWatch.stop() without start()")
        timer, other = _interrupts(before.interrupts, after.interrupts, self.cpu)
        periods, throttled_us = _throttled(before.throttling, after.throttling)
        return NoiseReadings(
            cpu=self.cpu,
            wall_ns=counters.wall_ns - self._counters.wall_ns,
            off_cpu_ns=self._off_cpu(counters),
            voluntary_switches=self._counted(counters, "voluntary_switches"),
            involuntary_switches=self._counted(counters, "involuntary_switches"),
            minor_faults=self._counted(counters, "minor_faults"),
            major_faults=self._counted(counters, "major_faults"),
            migrations=_migrations(before.sched, after.sched),
            runqueue_wait_ns=_runqueue_wait(before.schedstat, after.schedstat),
            steal_ms=_steal(before.stat, after.stat, self.cpu),
            timer_interrupts=timer,
            other_interrupts=other,
            throttled_periods=periods,
            throttled_us=throttled_us,
        )

    def _counted(self, after: _ThreadCounters, name: str) -> Reading[int]:
        source = "getrusage(RUSAGE_THREAD)"
        if error := after.usage.error or self._counters.usage.error:
            return not_applicable(source, f"this platform does not count per thread: {os.strerror(error)}")
        if name in self._idle:
            return not_applicable(source, "the counter stands still: a sleep or a new page does not move it")
        return known(getattr(after.usage, name) - getattr(self._counters.usage, name), source)

    def _off_cpu(self, after: _ThreadCounters) -> Reading[int]:
        source = "elapsed time minus CPU time of the thread"
        if after.cpu_ns is None or self._counters.cpu_ns is None or "cpu_ns" in self._idle:
            return not_applicable(
                source, "the thread's CPU clock cannot be read, stands still, or runs on while the thread sleeps"
            )
        wall_ns = after.wall_ns - self._counters.wall_ns
        return known(max(0, wall_ns - (after.cpu_ns - self._counters.cpu_ns)), source)


def _sum(one: Reading[int], other: Reading[int]) -> Reading[int]:
    if one.value is None or other.value is None:
        return one if one.value is None else other
    return known(one.value + other.value, one.source)


def _counters_that_do_not_count() -> frozenset[str]:
    """Which of the thread's counters do not count here: sleep once, touch a new page, and look.

    Some sandboxes show constant zeros, which must not be read as "nothing happened", or elapsed time as CPU time, by
    which a thread never loses its CPU.
    """
    before = _ThreadCounters.now()
    time.sleep(_TEST_SLEEP_S)
    with mmap.mmap(-1, mmap.PAGESIZE) as page:
        page[0] = 1
    after = _ThreadCounters.now()
    still = set()
    if after.usage.voluntary_switches == before.usage.voluntary_switches:
        still |= {"voluntary_switches", "involuntary_switches"}
    if after.usage.minor_faults == before.usage.minor_faults:
        still |= {"minor_faults", "major_faults"}
    if not _cpu_clock_stops_in_sleep(before, after):
        still.add("cpu_ns")
    return frozenset(still)


def _cpu_clock_stops_in_sleep(before: _ThreadCounters, after: _ThreadCounters) -> bool:
    """Whether it moves, but not by the time that the thread slept."""
    if before.cpu_ns is None or after.cpu_ns is None:
        return False
    ran_ns, slept_ns = after.cpu_ns - before.cpu_ns, _TEST_SLEEP_S * 1e9
    return 0 < ran_ns < max(slept_ns, after.wall_ns - before.wall_ns - slept_ns / 2)


def _difference(before: int | None, after: int | None, source: str, absent: str) -> Reading[int]:
    if before is None or after is None:
        return not_applicable(source, absent)
    if after < before:
        return unknown(source, f"the counter went backwards, from {before} to {after}")
    return known(after - before, source)


def _migrations(before: str | None, after: str | None) -> Reading[int]:
    def count(text: str | None) -> int | None:
        match = re.search(r"^se\.nr_migrations\s*:\s*(\S+)", text or "", re.MULTILINE)
        return None if match is None else parse_integer(match[1])

    source = "read from /proc/thread-self/sched"
    return _difference(count(before), count(after), source, "the kernel is built without CONFIG_SCHED_DEBUG")


def _runqueue_wait(before: str | None, after: str | None) -> Reading[int]:
    """Time in ns that the thread was runnable but had no CPU: second field of schedstat."""

    def wait(text: str | None) -> int | None:
        fields = (text or "").split()
        return parse_integer(fields[1]) if len(fields) == 3 else None

    source = "read from /proc/thread-self/schedstat"
    return _difference(wait(before), wait(after), source, "the kernel is built without CONFIG_SCHED_INFO")


def _steal(before: str | None, after: str | None, cpu: int) -> Reading[int]:
    def ticks(text: str | None) -> int | None:
        match = re.search(rf"^cpu{cpu} (.*)$", text or "", re.MULTILINE)
        fields = match[1].split() if match is not None else []
        return parse_integer(fields[_STEAL_FIELD - 1]) if len(fields) >= _STEAL_FIELD else None

    found = _difference(ticks(before), ticks(after), "read from /proc/stat", f"/proc/stat has no steal of CPU {cpu}")
    if found.value is None:
        return found
    return known(found.value * 1000 // os.sysconf("SC_CLK_TCK"), found.source)


def _interrupts(before: str | None, after: str | None, cpu: int) -> tuple[Reading[int], Reading[int]]:
    source = "read from /proc/interrupts"
    absent = f"/proc/interrupts has no column of CPU {cpu}"
    timer_before, other_before = interrupt_counts(before or "", cpu) or (None, None)
    timer_after, other_after = interrupt_counts(after or "", cpu) or (None, None)
    return (
        _difference(timer_before, timer_after, source, absent),
        _difference(other_before, other_after, source, absent),
    )


def interrupt_counts(text: str, cpu: int) -> tuple[int, int] | None:
    """Timer interrupts and all other interrupts of one CPU, from `/proc/interrupts`; None if it has no column.

    Only online CPUs have columns. The timer is row LOC on x86, arch_timer on Arm.
    """
    header, _, rows = text.partition("\n")
    names = header.split()
    if f"CPU{cpu}" not in names:
        return None
    column = names.index(f"CPU{cpu}") + 1
    timer = other = 0
    for row in rows.splitlines():
        fields = row.split(maxsplit=len(names) + 1)
        count = parse_integer(fields[column]) if len(fields) > len(names) else None
        if count is None:
            continue  # rows such as ERR have one number for the whole machine
        if fields[0] == "LOC:" or "arch_timer" in fields[-1].split():
            timer += count
        else:
            other += count
    return timer, other


def _throttled(before: Reading[Throttling], after: Reading[Throttling]) -> tuple[Reading[int], Reading[int]]:
    if before.value is None or after.value is None:
        absent: Reading[int] = Reading(None, after.source, after.reason, after.applicable)
        return absent, absent
    return (
        known(after.value.throttled_periods - before.value.throttled_periods, after.source),
        known(after.value.throttled_us - before.value.throttled_us, after.source),
    )
