"""The measured passes of a run: duration, counters and OS noise."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lowlat.engine import _core
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.disturbance import DisturbanceReadings, DisturbanceWatch
from lowlat.probes.reading import Reading, known
from lowlat.reports.model import results


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass over the measured commands. Unavailable counters are None."""

    commands: int
    events: int
    wall_ns: int
    cpu_ns: int
    allocations: int | None
    minor_faults: int | None
    major_faults: int | None
    voluntary_switches: int | None
    involuntary_switches: int | None
    tail: bytes = b""
    """Its last events; empty if none are kept."""

    @classmethod
    def of_native(cls, native: _core.Pass, scale: TickScale, ticks: int | None = None) -> Pass:
        """`ticks`: its duration, if it differs from that of the native call."""
        return cls(
            commands=native.commands,
            events=native.events,
            wall_ns=max(scale.to_ns(native.ticks if ticks is None else ticks), 1),
            cpu_ns=native.cpu_ns,
            allocations=native.allocations if native.allocations >= 0 else None,
            minor_faults=native.minor_faults,
            major_faults=native.major_faults,
            voluntary_switches=native.voluntary_switches,
            involuntary_switches=native.involuntary_switches,
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
    """The passes of a run so far, each watched by the thread that runs it."""

    def __init__(self, cpu: int) -> None:
        self.done: list[Pass] = []
        self._watch = DisturbanceWatch(cpu)
        self._around: list[DisturbanceReadings] = []

    def run(self, measured: Callable[[], Pass]) -> Pass:
        """Run one more, and watch it."""
        self._watch.start()
        done = measured()
        self._around.append(_in_pass(self._watch.stop(), done))
        self.done.append(done)
        return done

    @property
    def disturbances(self) -> DisturbanceReadings:
        """The sums over all of them."""
        return functools.reduce(DisturbanceReadings.plus, self._around)


def _in_pass(around: DisturbanceReadings, done: Pass) -> DisturbanceReadings:
    """OS noise of the thread during the call. Counters read directly around the loop take precedence: the call also
    allocates memory outside the measured section."""

    def counted(value: int | None, seen: Reading[int]) -> Reading[int]:
        return seen if value is None else known(value, "counted around the loop")

    return dataclasses.replace(
        around,
        voluntary_switches=counted(done.voluntary_switches, around.voluntary_switches),
        involuntary_switches=counted(done.involuntary_switches, around.involuntary_switches),
        minor_faults=counted(done.minor_faults, around.minor_faults),
        major_faults=counted(done.major_faults, around.major_faults),
    )


def run_disturbances(
    seen: DisturbanceReadings, largest_gap_ns: int | None
) -> tuple[results.Disturbances, dict[str, str]]:
    """The OS noise in the report's form, and the reasons for each None."""
    named = {"migrations": seen.migrations, "timer_interrupts": seen.timer_interrupts, "steal_ms": seen.steal_ms}
    disturbances = results.Disturbances(
        involuntary_switches=seen.involuntary_switches.value,
        voluntary_switches=seen.voluntary_switches.value,
        migrations=seen.migrations.value,
        minor_faults=seen.minor_faults.value,
        major_faults=seen.major_faults.value,
        timer_interrupts=seen.timer_interrupts.value,
        steal_ns=None if seen.steal_ms.value is None else seen.steal_ms.value * 1_000_000,
        largest_gap_ns=largest_gap_ns,
        disturbed=seen.disturbed,
        reasons=seen.reasons,
    )
    return disturbances, {name: reading.text for name, reading in named.items() if reading.value is None}


def added(values: Iterable[int | None]) -> int | None:
    """The sum; None if any is."""
    listed = list(values)
    return None if None in listed else sum(value for value in listed if value is not None)
