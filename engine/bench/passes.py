"""The measured passes of a run, each made once or several times: duration, counters and OS noise."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from lowlat.engine import _core
from lowlat.os_noise import is_noisy, reasons_of
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.os_noise import NoiseReadings, NoiseWatch
from lowlat.probes.reading import known, not_applicable
from lowlat.reports.model import results

PassName = Literal["batched", "one at a time", "timed"]

_COUNTERS: Final = ("voluntary_switches", "involuntary_switches", "minor_faults", "major_faults")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass over the measured commands. Unavailable counters are None.

    `off_cpu_ns`: elapsed time in which the measuring thread had no CPU.
    """

    commands: int
    events: int
    wall_ns: int
    cpu_ns: int | None
    off_cpu_ns: int | None
    allocations: int | None
    minor_faults: int | None
    major_faults: int | None
    voluntary_switches: int | None
    involuntary_switches: int | None
    tail: bytes = b""
    """Its last events; empty if none are kept."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """The processor's events by name, in user mode; empty if they were not counted."""

    @classmethod
    def of_native(cls, native: _core.Pass, scale: TickScale, ticks: int | None = None) -> Pass:
        """`ticks`: its duration, if it differs from that of the native call."""
        cpu_ns = _known(native.cpu_ns)
        return cls(
            commands=native.commands,
            events=native.events,
            wall_ns=max(scale.to_ns(native.ticks if ticks is None else ticks), 1),
            cpu_ns=cpu_ns,
            off_cpu_ns=None if cpu_ns is None else max(0, scale.to_ns(native.ticks) - cpu_ns),
            allocations=_known(native.allocations),
            minor_faults=_known(native.minor_faults),
            major_faults=_known(native.major_faults),
            voluntary_switches=_known(native.voluntary_switches),
            involuntary_switches=_known(native.involuntary_switches),
            tail=native.tail,
        )

    @property
    def throughput(self) -> results.Throughput:
        """The pass as a whole."""
        return results.Throughput.of(self.commands, self.wall_ns, self.cpu_ns)

    @property
    def page_faults(self) -> int | None:
        """Minor and major page faults."""
        return added([self.minor_faults, self.major_faults])


class WatchedPasses:
    """The passes of a run so far, by name, each watched by the thread that runs it."""

    def __init__(self, cpu: int, waits: str | None = None) -> None:
        """`waits`: why the thread leaves its CPU by itself, if it does; None for one that runs all the time."""
        self._waits = waits
        self.done: dict[PassName, list[Pass]] = {}
        self._watch = NoiseWatch(cpu)
        self._around: list[NoiseReadings] = []

    def run(self, name: PassName, measured: Callable[[], Pass]) -> Pass:
        """Run one more, and watch it."""
        self._watch.start()
        done = measured()
        around = self._watch.stop()
        done = _without_unavailable(done, around)
        self.done.setdefault(name, []).append(done)
        seen = _in_pass(around, done)
        if self._waits:
            waits = not_applicable("a thread that waits", self._waits)
            seen = dataclasses.replace(seen, voluntary_switches=waits, off_cpu_ns=waits)
        self._around.append(seen)
        return done

    @property
    def all(self) -> list[Pass]:
        """All of them."""
        return [each for repeated in self.done.values() for each in repeated]

    def typical(self, name: PassName) -> Pass | None:
        """Of the passes with this name, the one of median duration; of two in the middle, the shorter. None without
        any.
        """
        repeated = sorted(self.done.get(name, ()), key=lambda done: done.wall_ns)
        return repeated[(len(repeated) - 1) // 2] if repeated else None

    def least_cpu_ns(self, name: PassName) -> int | None:
        """The least CPU time of a pass with this name; None if it is not known of each."""
        times = [done.cpu_ns for done in self.done.get(name, ()) if done.cpu_ns is not None]
        return min(times) if times and len(times) == len(self.done[name]) else None

    @property
    def os_noise(self) -> NoiseReadings:
        """The sums over all of them."""
        return functools.reduce(NoiseReadings.plus, self._around)


def _without_unavailable(done: Pass, around: NoiseReadings) -> Pass:
    """The pass without counters that do not count on this host, and would show a zero."""
    unavailable: dict[str, Any] = {name: None for name in _COUNTERS if getattr(around, name).value is None}
    if around.off_cpu_ns.value is None:
        unavailable |= {"cpu_ns": None, "off_cpu_ns": None}
    return dataclasses.replace(done, **unavailable)


def _in_pass(around: NoiseReadings, done: Pass) -> NoiseReadings:
    """OS noise of the thread during the call. Counters read directly around the loop take precedence: the call also
    allocates memory and records latencies outside the measured section."""
    counted = {name: getattr(done, name) for name in (*_COUNTERS, "off_cpu_ns")}
    readings: dict[str, Any] = {
        name: known(value, "counted around the loop") for name, value in counted.items() if value is not None
    }
    return dataclasses.replace(around, wall_ns=done.wall_ns, **readings)


def run_noise(seen: NoiseReadings, largest_gap_ns: int | None) -> tuple[results.OsNoise, dict[str, str]]:
    """The OS noise in the report's form, and the reasons for each None."""
    names = (*_COUNTERS, "migrations", "timer_interrupts", "off_cpu_ns", "throttled_periods")
    steal_ms, counts = seen.steal_ms.value, seen.counts | {"largest_gap_ns": largest_gap_ns}
    os_noise = results.OsNoise(
        wall_ns=seen.wall_ns,
        **{name: counts[name] for name in names},
        steal_ns=None if steal_ms is None else steal_ms * 1_000_000,
        largest_gap_ns=largest_gap_ns,
        noisy=is_noisy(counts, seen.wall_ns),
        reasons=reasons_of(counts, seen.wall_ns),
    )
    readings = {name: getattr(seen, name) for name in names} | {"steal_ns": seen.steal_ms}
    absent = {name: reading.text for name, reading in readings.items() if reading.value is None}
    if os_noise.noisy is None:
        absent["noisy"] = "not available here, because neither context switches nor time off the CPU were counted"
    return os_noise, absent


def _known(count: int) -> int | None:
    """A native counter, which is negative if it is not known."""
    return count if count >= 0 else None


def added(values: Iterable[int | None]) -> int | None:
    """The sum; None if any is."""
    listed = list(values)
    return None if None in listed else sum(value for value in listed if value is not None)
