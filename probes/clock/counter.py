"""The processor's counter as a clock: reading it, and calibrating its ticks.

`ticks()` is one native read. `calibrate()` measures the frequency against `CLOCK_MONOTONIC_RAW`, compares it with the
frequencies that the processor, the hypervisor and the kernel declare, and measures the cost of a read and the skew
between CPUs. Nothing is measured at import.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive
from lowlat.errors import NotValidError
from lowlat.probes import _core
from lowlat.probes._core import ticks
from lowlat.probes.clock.read_costs import ReadCosts, clocksource_warnings, measure_read_costs
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.clock.sources import (
    FREQUENCY_MAX_HZ,
    FREQUENCY_MIN_HZ,
    Candidate,
    CounterFlags,
    counter_flags,
    declared_frequencies,
)
from lowlat.probes.clock.window import WINDOWS_MAX, Window, measure_window
from lowlat.probes.cpu.affinity import allowed_cpus, check_cpus, pinned
from lowlat.probes.host.host_tree import LIVE
from lowlat.probes.reading import Reading, known, not_applicable, unknown

__all__ = [
    "Calibration",
    "CounterSkew",
    "NtpSlew",
    "TickScale",
    "calibrate",
    "calibrate_quick",
    "measure_skew",
    "ticks",
]

SCHEMA: Final = "lowlat.calibration/1"
Frequency: TypeAlias = Annotated[float, Meta(ge=FREQUENCY_MIN_HZ, le=FREQUENCY_MAX_HZ)]

DURATION_DEFAULT_S = 0.1
DURATION_QUICK_S = 0.05
DURATION_MIN_S = 0.01
DURATION_MAX_S = 60.0

UNCERTAINTY_MAX_PPM = 1.0
"""A measurement less certain than this gives way to a declared frequency; 20 times the aim of 0.05 ppm."""

STEP_READS = 10_000
SKEW_PAIR_S = 0.002
SKEW_PAIR_BUSY_S = 0.1
SKEW_TOTAL_S = 0.25
"""Time for the ping-pong of a pair of CPUs, of a busy pair, and of all: with many CPUs a pair gets less."""


@dataclass(frozen=True, slots=True)
class CounterSkew:
    """The counter of `cpu` less that of `reference_cpu`, known to within `bound_ns`.

    An offset smaller than its bound is no evidence of skew. `warps` counts reads that contradict causality.
    """

    reference_cpu: Annotated[Count, Meta(description="The CPU compared with")]
    cpu: Annotated[Count, Meta(description="The CPU compared")]
    offset_ns: Annotated[float, Meta(description="Counter of cpu less that of reference_cpu, nanoseconds")]
    bound_ns: Annotated[
        Amount, Meta(description="Uncertainty of the offset, nanoseconds; a smaller offset is no evidence of skew")
    ]
    rounds: Annotated[Positive, Meta(description="Rounds of the ping-pong")]
    warps: Annotated[Count, Meta(description="Reads that contradict causality")]


@dataclass(frozen=True, slots=True)
class NtpSlew:
    """How the kernel steers `CLOCK_MONOTONIC` away from `CLOCK_MONOTONIC_RAW` (adjtimex)."""

    slew_ppm: Annotated[float, Meta(description="How much faster CLOCK_MONOTONIC is made to run, parts per million")]
    tick_us: Annotated[int, Meta(description="Length of a kernel tick, microseconds")]
    synchronized: Annotated[bool, Meta(description="Whether the kernel's clock follows another")]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the counter's ticks are worth on this host, and how well that is known."""

    schema: Annotated[Literal["lowlat.calibration/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA, kw_only=True
    )
    frequency_hz: Annotated[Frequency, Meta(description="Ticks in a second of CLOCK_MONOTONIC_RAW")]
    uncertainty_ppm: Annotated[
        Amount,
        Meta(
            description="Half-width of about 95%, parts per million; for a declared frequency, its difference from the "
            "measurement"
        ),
    ]
    source: Annotated[str, Meta(description="How frequency_hz was found")]
    clock_source: Annotated[
        str,
        Meta(description="What a read is: rdtsc, cntvct_el0, or a system clock where the processor has no counter"),
    ]
    scale: TickScale
    frequency_monotonic_hz: Annotated[
        Frequency, Meta(description="Ticks in a second of CLOCK_MONOTONIC, which NTP steers")
    ]
    window_s: Annotated[float, Meta(gt=0, description="Length of the measurement, seconds")]
    points: Annotated[int, Meta(ge=3, description="Pairs of reads that the fitted line goes through")]
    bracket_ns: Annotated[
        Amount, Meta(description="Widest of these pairs, nanoseconds; the narrower, the less room for error")
    ]
    cpu: Annotated[Count | None, Meta(description="The CPU it was measured on; null where the scheduler chose")]
    candidates: Annotated[
        tuple[Candidate, ...], Meta(min_length=1, description="Every source of the frequency, the measurement last")
    ]
    flags: CounterFlags
    costs: ReadCosts
    step_ticks: Annotated[Amount, Meta(description="Smallest step of the counter, ticks")]
    step_ns: Annotated[Amount, Meta(description="The same in nanoseconds")]
    smallest_difference_ticks: Annotated[
        Count, Meta(description="Smallest difference between two successive reads, ticks")
    ]
    backward_reads: Annotated[Count, Meta(description="Reads lower than the previous read")]
    skews: Annotated[
        Reading[tuple[CounterSkew, ...]], Meta(description="Each CPU's counter compared with that of the lowest CPU")
    ]
    slew: Annotated[Reading[NtpSlew], Meta(description="How NTP steers the kernel's clock")]
    kernel_clocksource: Annotated[Reading[str], Meta(description="The kernel's clock source")]
    steps_ns: Annotated[
        tuple[float, ...],
        Meta(description="Steps of CLOCK_MONOTONIC_RAW, nanoseconds: each window with one was measured again"),
    ]
    warnings: Annotated[
        tuple[str, ...], Meta(description="What is wrong with the clock, and what follows, a line each")
    ]
    notes: Annotated[tuple[str, ...], Meta(description="What else to know of the figures, a line each")]

    @property
    def declared_hz(self) -> float | None:
        """The frequency by the best source that declares one."""
        declared = (candidate.frequency_hz.value for candidate in self.candidates[:-1])
        return next((value for value in declared if value is not None), None)

    def to_ns(self, ticks: int) -> int:
        """Nanoseconds, rounded down, of a difference of two reads."""
        return self.scale.to_ns(ticks)


def calibrate(duration_s: float = DURATION_DEFAULT_S, cpu: int | None = None) -> Calibration:
    """Measure the frequency for `duration_s` seconds (0.01 to 60), on `cpu` if given; then read costs and skew.

    Spins without the GIL for that time. Raises `NotValidError` for a duration outside the limits or a counter that does
    not advance, and `AffinityError` for a CPU that cannot be used.
    """
    return _calibrate(duration_s, cpu, with_skew=True)


def calibrate_quick(cpu: int | None = None) -> Calibration:
    """Calibrate in under 150 ms: a window of 50 ms, and no comparison between CPUs."""
    return _calibrate(DURATION_QUICK_S, cpu, with_skew=False)


def _calibrate(duration_s: float, cpu: int | None, *, with_skew: bool) -> Calibration:
    _check_request(duration_s, cpu)
    with nullcontext() if cpu is None else pinned((cpu,)):
        window = measure_window(duration_s)
        costs = measure_read_costs()
        step = _core.measure_counter_step(STEP_READS)
    measured = window.measured
    candidates = (*declared_frequencies(), Candidate("measured", _measurement(measured.raw)))
    frequency_hz, uncertainty_ppm, source = _choose(candidates, window.uncertainty_ppm)
    clocksource = LIVE.reading("sys/devices/system/clocksource/clocksource0/current_clocksource")
    return Calibration(
        frequency_hz=frequency_hz,
        uncertainty_ppm=uncertainty_ppm,
        source=source,
        clock_source=_core.CLOCK_SOURCE,
        scale=TickScale.of_frequency(frequency_hz),
        frequency_monotonic_hz=measured.monotonic.frequency_hz,
        window_s=measured.window_ns / 1e9,
        points=measured.raw.points_kept,
        bracket_ns=measured.raw.widest_kept_ticks * 1e9 / frequency_hz,
        cpu=cpu,
        candidates=candidates,
        flags=counter_flags(),
        costs=costs,
        step_ticks=step.step_ticks,
        step_ns=step.step_ticks * 1e9 / frequency_hz,
        smallest_difference_ticks=step.smallest_difference,
        backward_reads=step.backward,
        skews=measure_skew(frequency_hz) if with_skew else unknown("ping-pong", "a quick calibration skips it"),
        slew=read_slew(),
        kernel_clocksource=clocksource,
        steps_ns=window.steps_ns,
        warnings=(*clocksource_warnings(clocksource, costs), *_step_warnings(window)),
        notes=_notes(candidates, clocksource),
    )


def _check_request(duration_s: float, cpu: int | None) -> None:
    if not DURATION_MIN_S <= duration_s <= DURATION_MAX_S:
        raise NotValidError(
            f"a window of {duration_s:g} s is out of range; use "
            f"{DURATION_MIN_S:g} to {DURATION_MAX_S:g} s (0.1 s is enough)"
        )
    if cpu is not None:
        check_cpus((cpu,))


def _measurement(fit: _core.FrequencyFit) -> Reading[float]:
    source = "measured against CLOCK_MONOTONIC_RAW"
    if fit.frequency_hz <= 0.0:
        return unknown(source, "the counter did not advance")
    return known(fit.frequency_hz, source)


def _choose(candidates: Sequence[Candidate], uncertainty_ppm: float) -> tuple[float, float, str]:
    """Frequency, uncertainty and source: the measurement if it is good, else the best declared frequency."""
    *declared, measured = candidates
    if measured.frequency_hz.value is None:
        raise NotValidError(
            f"{_core.CLOCK_SOURCE} did not advance against CLOCK_MONOTONIC_RAW; it is not usable as a clock"
        )
    if uncertainty_ppm <= UNCERTAINTY_MAX_PPM:
        return measured.frequency_hz.value, uncertainty_ppm, measured.frequency_hz.source
    for candidate in declared:
        value = candidate.frequency_hz.value
        if value is not None:
            difference_ppm = abs(measured.frequency_hz.value / value - 1.0) * 1e6
            source = f"{candidate.frequency_hz.source}; the measurement was uncertain by {uncertainty_ppm:.2f} ppm"
            return value, difference_ppm, source
    return measured.frequency_hz.value, uncertainty_ppm, measured.frequency_hz.source


def measure_skew(frequency_hz: float) -> Reading[tuple[CounterSkew, ...]]:
    """Compare the counters of all CPUs this process may use with that of the lowest one, by ping-pong.

    `frequency_hz` converts offsets and bounds to ns. Each pair exchanges messages for 2 ms, less with many CPUs.
    """
    source = "measured by ping-pong between pinned threads"
    cpus = allowed_cpus()
    if not cpus:
        return not_applicable(source, "this platform does not pin threads to CPUs")
    reference, *others = cpus
    if not others:
        return not_applicable(source, f"this process may use CPU {reference} only; measuring skew needs two")
    pair_s = SKEW_TOTAL_S / len(others)
    quiet_ns, busy_ns = round(min(SKEW_PAIR_S, pair_s) * 1e9), round(min(SKEW_PAIR_BUSY_S, pair_s) * 1e9)
    skews = []
    for cpu in others:
        found = _core.measure_counter_skew(reference, cpu, quiet_ns, busy_ns)
        if found.error:
            return unknown(source, f"no threads on CPU {reference} and {cpu}: {os.strerror(found.error)}")
        if found.rounds == 0:
            return unknown(source, f"CPU {reference} and {cpu} were too busy for a single round")
        ns_per_tick = 1e9 / frequency_hz
        skews.append(
            CounterSkew(
                reference_cpu=reference,
                cpu=cpu,
                offset_ns=found.offset_ticks * ns_per_tick,
                bound_ns=found.bound_ticks * ns_per_tick,
                rounds=found.rounds,
                warps=found.warps,
            )
        )
    return known(tuple(skews), source)


def read_slew() -> Reading[NtpSlew]:
    """Read how much faster NTP makes `CLOCK_MONOTONIC` run than `CLOCK_MONOTONIC_RAW`, in ppm."""
    slew = _core.read_slew()
    if slew.error:
        return not_applicable("adjtimex", os.strerror(slew.error))
    return known(NtpSlew(slew.frequency_ppm, slew.tick_us, slew.synchronized), "adjtimex")


def _step_warnings(window: Window) -> Iterator[str]:
    if not window.steps_ns:
        return
    steps = ", ".join(f"{step:+.0f} ns" for step in window.steps_ns)
    again = f"; so it did in every one of {WINDOWS_MAX} windows" if window.is_stepped else "; it was measured again"
    yield f"CLOCK_MONOTONIC_RAW stepped while the counter was measured ({steps}){again}"


def _notes(candidates: Sequence[Candidate], clocksource: Reading[str]) -> tuple[str, ...]:
    notes = []
    if not _core.CLOCK_IS_HARDWARE:
        notes.append(f"this processor's counter is not readable here; {_core.CLOCK_SOURCE} is used instead")
    if clocksource.value == "tsc":
        notes.append(
            "the kernel derives CLOCK_MONOTONIC_RAW from this same counter: the frequency is exact against "
            "the kernel's clocks, while the crystal may be off by tens of ppm from true seconds"
        )
    measured = candidates[-1].frequency_hz.value
    for candidate in candidates[:-1]:
        value = candidate.frequency_hz.value
        if value is not None and measured and abs(value / measured - 1.0) * 1e6 > UNCERTAINTY_MAX_PPM:
            difference_ppm = (value / measured - 1.0) * 1e6
            notes.append(f"{candidate.name} declares {value:.0f} Hz, {difference_ppm:+.1f} ppm off the measurement")
    return tuple(notes)
