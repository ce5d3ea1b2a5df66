"""The processor's counter as a clock: reading it, and learning what its ticks are worth.

`ticks()` is one native read. `calibrate()` measures the frequency against `CLOCK_MONOTONIC_RAW`, sets it
beside what processor, hypervisor and kernel declare, and tells what a read costs and how CPUs agree.
Nothing is measured at import.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from lowlat.probes import _core
from lowlat.probes._core import ticks
from lowlat.probes.clock.scale import ClockError, TickScale
from lowlat.probes.clock.sources import Candidate, CounterFlags, counter_flags, declared_frequencies
from lowlat.probes.cpu.affinity import allowed_cpus, check_cpus, pinned
from lowlat.probes.host.host_tree import LIVE
from lowlat.probes.reading import Reading, known, not_applicable, to_document, unknown

__all__ = [
    "Calibration",
    "ClockError",
    "CounterSkew",
    "NtpSlew",
    "ReadCosts",
    "TickScale",
    "calibrate",
    "calibrate_quick",
    "calibration_document",
    "measure_skew",
    "ticks",
]

SCHEMA = "lowlat.calibration/1"

DURATION_DEFAULT_S = 0.1
DURATION_QUICK_S = 0.05
DURATION_MIN_S = 0.01
DURATION_MAX_S = 60.0

POINTS_PER_SECOND = 10_000
"""Points of the line: one in 100 us keeps some hundred brackets to choose the narrowest from."""

UNCERTAINTY_MAX_PPM = 1.0
"""A measurement less certain than this gives way to a declared frequency; 20 times the aim of 0.05 ppm."""

STEP_READS = 10_000
SKEW_PAIR_S = 0.002
SKEW_PAIR_BUSY_S = 0.1
SKEW_TOTAL_S = 0.25
"""Time for the ping-pong of a pair of CPUs, of a busy pair, and of all: with many CPUs a pair gets less."""


@dataclass(frozen=True, slots=True)
class ReadCosts:
    """Cost of one read, in ns: median over batches of the mean of back-to-back reads."""

    plain_ns: float
    fenced_ns: float
    rdtscp_ns: Reading[float]
    vdso_ns: float
    system_call_ns: Reading[float]


@dataclass(frozen=True, slots=True)
class CounterSkew:
    """The counter of `cpu` less that of `reference_cpu`, known to within `bound_ns`.

    An offset smaller than its bound is no evidence of skew. `warps` counts reads that contradict causality.
    """

    reference_cpu: int
    cpu: int
    offset_ns: float
    bound_ns: float
    rounds: int
    warps: int


@dataclass(frozen=True, slots=True)
class NtpSlew:
    """How the kernel steers `CLOCK_MONOTONIC` away from `CLOCK_MONOTONIC_RAW` (adjtimex)."""

    slew_ppm: float
    tick_us: int
    synchronized: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the counter's ticks are worth on this host, and how well that is known."""

    frequency_hz: float
    """Ticks in a second of `CLOCK_MONOTONIC_RAW`."""
    uncertainty_ppm: float
    """Half-width of about 95%; for a declared frequency, its difference from the measurement."""
    source: str
    """How `frequency_hz` was found."""
    clock_source: str
    """What a read is: rdtsc, cntvct_el0, or a system clock where the processor has no counter."""
    scale: TickScale
    frequency_monotonic_hz: float
    """Ticks in a second of `CLOCK_MONOTONIC`, which NTP steers."""
    window_s: float
    points: int
    bracket_ns: float
    """Widest bracket the line uses; the narrower, the less room for error."""
    cpu: int | None
    """The CPU it was measured on; None where the scheduler chose."""
    candidates: tuple[Candidate, ...]
    flags: CounterFlags
    costs: ReadCosts
    step_ticks: float
    step_ns: float
    smallest_difference_ticks: int
    backward_reads: int
    skews: Reading[tuple[CounterSkew, ...]]
    slew: Reading[NtpSlew]
    kernel_clocksource: Reading[str]
    notes: tuple[str, ...]

    def to_ns(self, ticks: int) -> int:
        """Nanoseconds, rounded down, of a difference of two reads."""
        return self.scale.to_ns(ticks)


def calibration_document(calibration: Calibration) -> dict[str, Any]:
    """Turn a calibration into JSON data, as `probes/schema/calibration.schema.json` describes it."""
    document: dict[str, Any] = to_document(calibration)
    return {"schema": SCHEMA, **document}


def calibrate(duration_s: float = DURATION_DEFAULT_S, cpu: int | None = None) -> Calibration:
    """Measure the counter for `duration_s` seconds (0.01 to 60), on one CPU if given; then costs and skew.

    Spins without the GIL for that time. Raises `ClockError` for a duration outside the limits or a counter
    that stands still, and `AffinityError` for a CPU that cannot be used.
    """
    return _calibrate(duration_s, cpu, with_skew=True)


def calibrate_quick(cpu: int | None = None) -> Calibration:
    """Calibrate in under 150 ms: a window of 50 ms, and no comparison between CPUs."""
    return _calibrate(DURATION_QUICK_S, cpu, with_skew=False)


def _calibrate(duration_s: float, cpu: int | None, *, with_skew: bool) -> Calibration:
    if not DURATION_MIN_S <= duration_s <= DURATION_MAX_S:
        raise ClockError(
            f"a window of {duration_s:g} s cannot be used; "
            f"{DURATION_MIN_S:g} to {DURATION_MAX_S:g} s can, 0.1 s is plenty"
        )
    if cpu is not None:
        check_cpus((cpu,))
    with nullcontext() if cpu is None else pinned((cpu,)):
        measured = _core.measure_frequency(round(duration_s * 1e9), round(duration_s * POINTS_PER_SECOND))
        costs = _core.measure_read_costs()
        step = _core.measure_counter_step(STEP_READS)
    measurement = _measurement(measured.raw)
    candidates = (*declared_frequencies(), Candidate("measured", measurement))
    frequency_hz, uncertainty_ppm, source = _choose(candidates, measured.raw)
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
        costs=_costs(costs),
        step_ticks=step.step_ticks,
        step_ns=step.step_ticks * 1e9 / frequency_hz,
        smallest_difference_ticks=step.smallest_difference,
        backward_reads=step.backward,
        skews=measure_skew(frequency_hz) if with_skew else unknown("ping-pong", "a quick calibration skips it"),
        slew=read_slew(),
        kernel_clocksource=clocksource,
        notes=_notes(candidates, clocksource),
    )


def _uncertainty_ppm(fit: _core.FrequencyFit) -> float:
    """Twice the larger of two standard errors: that of the residuals, and that seen between the halves.

    The slopes of two halves of a window differ with four times the standard error of the whole one's slope,
    when errors are independent; when they are not, as under drift, the halves tell and the residuals do not.
    """
    return 2.0 * max(fit.standard_error_ppm, abs(fit.halves_difference_ppm) / 4.0)


def _measurement(fit: _core.FrequencyFit) -> Reading[float]:
    source = "measured against CLOCK_MONOTONIC_RAW"
    if fit.frequency_hz <= 0.0:
        return unknown(source, "the counter did not advance")
    return known(fit.frequency_hz, source)


def _choose(candidates: Sequence[Candidate], fit: _core.FrequencyFit) -> tuple[float, float, str]:
    """Frequency, uncertainty and source: the measurement if it is good, else the best that is declared."""
    *declared, measured = candidates
    uncertainty_ppm = _uncertainty_ppm(fit)
    if measured.frequency_hz.value is None:
        raise ClockError(f"{_core.CLOCK_SOURCE} did not advance against CLOCK_MONOTONIC_RAW; it is no clock here")
    if uncertainty_ppm <= UNCERTAINTY_MAX_PPM:
        return measured.frequency_hz.value, uncertainty_ppm, measured.frequency_hz.source
    for candidate in declared:
        value = candidate.frequency_hz.value
        if value is not None:
            difference_ppm = abs(measured.frequency_hz.value / value - 1.0) * 1e6
            source = f"{candidate.frequency_hz.source}; the measurement was uncertain by {uncertainty_ppm:.2f} ppm"
            return value, difference_ppm, source
    return measured.frequency_hz.value, uncertainty_ppm, measured.frequency_hz.source


def _costs(costs: _core.ReadCosts) -> ReadCosts:
    has_rdtscp = _core.CLOCK_SOURCE == "rdtsc"
    rdtscp: Reading[float] = not_applicable("rdtscp; lfence", "this processor is no x86-64")
    call: Reading[float] = not_applicable("syscall(clock_gettime)", "only Linux has it as a system call")
    return ReadCosts(
        plain_ns=costs.plain_ns,
        fenced_ns=costs.fenced_ns,
        rdtscp_ns=known(costs.ordered_end_ns, "measured: rdtscp; lfence") if has_rdtscp else rdtscp,
        vdso_ns=costs.library_ns,
        system_call_ns=known(costs.system_call_ns, "measured: syscall(clock_gettime)")
        if costs.system_call_ns > 0.0
        else call,
    )


def measure_skew(frequency_hz: float) -> Reading[tuple[CounterSkew, ...]]:
    """Compare the counters of all CPUs this process may use with that of the lowest one, by ping-pong.

    Offsets and bounds are in ns of a counter of `frequency_hz`. Each pair plays 2 ms, less with many CPUs.
    """
    source = "measured by ping-pong between pinned threads"
    cpus = allowed_cpus()
    if not cpus:
        return not_applicable(source, "this platform does not pin threads to CPUs")
    reference, *others = cpus
    if not others:
        return not_applicable(source, f"this process may use CPU {reference} only; a comparison needs two")
    pair_s = SKEW_TOTAL_S / len(others)
    quiet_ns, busy_ns = round(min(SKEW_PAIR_S, pair_s) * 1e9), round(min(SKEW_PAIR_BUSY_S, pair_s) * 1e9)
    skews = []
    for cpu in others:
        found = _core.measure_counter_skew(reference, cpu, quiet_ns, busy_ns)
        if found.error:
            return unknown(source, f"pinning to CPU {reference} and {cpu} failed: {os.strerror(found.error)}")
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
    """Read by how much NTP makes `CLOCK_MONOTONIC` run faster than `CLOCK_MONOTONIC_RAW`, in ppm."""
    slew = _core.read_slew()
    if slew.error:
        return not_applicable("adjtimex", os.strerror(slew.error))
    return known(NtpSlew(slew.frequency_ppm, slew.tick_us, slew.synchronized), "adjtimex")


def _notes(candidates: Sequence[Candidate], clocksource: Reading[str]) -> tuple[str, ...]:
    notes = []
    if not _core.CLOCK_IS_HARDWARE:
        notes.append(f"this processor's counter is not readable here; {_core.CLOCK_SOURCE} stands in for it")
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
