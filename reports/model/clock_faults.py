"""Whether a clock contradicts another one, so that nanoseconds are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lowlat import units
from lowlat.reports.model.context import Clock
from lowlat.reports.model.results import Run

TOLERANCE: Final = 0.01
"""Share by which two clocks of a sound host never differ: crystals are off by some 100 ppm, NTP steers by at most 500.
What a declared frequency rounds, and a busy host adds to a measurement of 50 ms, is far less too."""
SLACK_NS: Final = 20_000_000
"""CPU time beyond the elapsed time that a kernel may charge which counts CPU time in ticks, of up to 10 ms."""


def clock_fault(clock: Clock) -> str | None:
    """Why the frequency cannot be right; None if nothing speaks against it."""
    declared, frequency = clock.declared_hz, clock.frequency_hz
    if declared and frequency and abs(frequency / declared - 1) > TOLERANCE:
        return (
            f"the clock is wrong: {units.frequency(frequency)} were measured, and {units.frequency(declared)} are "
            "declared; look for a faked or slewed system clock (lowlat calibrate)"
        )
    if clock.uncertainty_ppm is not None and clock.uncertainty_ppm > TOLERANCE * 1e6:
        return (
            f"the clock is wrong: its frequency is uncertain by {clock.uncertainty_ppm / 1e4:.0f}%; look for a faked "
            "or slewed system clock (lowlat calibrate)"
        )
    return None


def pass_faults(runs: Sequence[Run]) -> Iterator[str]:
    """Passes with more CPU time than elapsed time. Not of a pipeline, whose time ends in other
    threads, or of an engine that runs as a process, which may have several.
    """
    for run in runs:
        for name, done in (
            ("throughput", run.throughput),
            ("one_at_a_time", run.one_at_a_time),
            ("timed", run.timed),
        ):
            if done is None or done.cpu_ns is None:
                continue
            if done.cpu_ns > (1 + TOLERANCE) * done.wall_ns + SLACK_NS:
                yield (
                    f"the clock is wrong: in run {run.number}, the pass {name} took {units.time(done.wall_ns)} and "
                    f"{units.time(done.cpu_ns)} of CPU time"
                )
