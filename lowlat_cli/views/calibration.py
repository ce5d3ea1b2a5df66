"""A calibration on the terminal: the frequency, the sources it was chosen from, and the cost of a read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.probes.clock.counter import Calibration, CounterSkew
from lowlat.probes.clock.read_costs import ReadCosts
from lowlat.probes.clock.sources import CounterFlags
from lowlat.probes.reading import Reading
from lowlat.text import plain_text
from lowlat_cli.views import layout

PAIRS_SHOWN_MAX = 8


def calibration_view(found: Calibration) -> Iterator[RenderableType]:
    """All parts, top to bottom."""
    yield _answer(found)
    yield layout.spaced(_candidates(found))
    yield layout.spaced(_costs(found))
    yield layout.spaced(layout.facts(_health(found)))


def _answer(found: Calibration) -> Table:
    frequency = plain_text(f"{hertz(found.frequency_hz)} ± {found.uncertainty_ppm:.2g} ppm", style="bold")
    where = f"CPU {found.cpu}" if found.cpu is not None else "an unpinned thread"
    window = (
        f"{units.time(found.window_s * 1e9)} on {where} · {units.plural(found.points, 'point')}, "
        f"each bracketed within {units.time(found.bracket_ns)}"
    )
    steered = (found.frequency_monotonic_hz / found.frequency_hz - 1) * 1e6
    return layout.facts(
        [
            ("frequency", frequency),
            ("counter", f"{found.clock_source} · {found.source}"),
            ("window", window),
            ("MONOTONIC", f"{hertz(found.frequency_monotonic_hz)} ({steered:+.4f} ppm against MONOTONIC_RAW)"),
            ("NTP slew", _slew(found)),
            ("kernel clock", layout.text_of(found.kernel_clocksource)),
            ("ticks to ns", f"ticks x {found.scale.multiplier} >> {found.scale.shift}, in 128 bits"),
        ]
    )


def hertz(frequency_hz: float) -> str:
    """A frequency with all digits, to a tenth of a hertz."""
    return f"{frequency_hz:,.1f} Hz"


def _slew(found: Calibration) -> str | Text:
    slew = found.slew.value
    if slew is None:
        return layout.missing(found.slew)
    tick = "" if slew.tick_us == 10_000 else f", a tick of {slew.tick_us} µs"
    return f"{slew.slew_ppm:+.3f} ppm{tick}, {'synchronized' if slew.synchronized else 'not synchronized'}"


def _candidates(found: Calibration) -> Table:
    made = layout.table("frequency from", "Hz", "ppm off", "", right=("Hz", "ppm off"), wrap=("",))
    for candidate in found.candidates:
        reading = candidate.frequency_hz
        if reading.value is None:
            made.add_row(plain_text(candidate.name), "-", "-", layout.missing(reading))
        else:
            off = (reading.value / found.frequency_hz - 1) * 1e6
            made.add_row(
                plain_text(candidate.name),
                f"{reading.value:,.1f}",
                f"{off:+.3f}",
                plain_text(reading.source, style="dim"),
            )
    return made


def _costs(found: Calibration) -> Table:
    costs = found.costs
    made = layout.table("clock read", "cost", "", right=("cost",), wrap=("",))
    rows: list[tuple[str, float | Reading[float], str]] = [
        ("plain", costs.plain_ns, "may be reordered with nearby instructions"),
        ("fenced", costs.fenced_ns, "ordered before later instructions: start timestamp"),
        ("rdtscp", costs.rdtscp_ns, "ordered after earlier instructions: end timestamp"),
        ("vDSO", costs.vdso_ns, _vdso(costs)),
        ("system call", costs.system_call_ns, "clock_gettime through the kernel"),
    ]
    for name, cost, what in rows:
        if isinstance(cost, float):
            made.add_row(name, units.time(cost), plain_text(what, style="dim"))
        elif cost.value is not None:
            made.add_row(name, units.time(cost.value), plain_text(what, style="dim"))
        else:
            made.add_row(name, "-", layout.missing(cost))
    return made


def _vdso(costs: ReadCosts) -> str:
    if costs.vdso_falls_back:
        return "clock_gettime of the C library, which enters the kernel too"
    return "clock_gettime of the C library" + ("" if costs.vdso_falls_back is None else " without entering the kernel")


def _health(found: Calibration) -> Iterator[tuple[str, str | Text]]:
    backward = f", {units.plural(found.backward_reads, 'read')} WENT BACKWARD" if found.backward_reads else ""
    step = f"{units.time(found.step_ns)} ({found.step_ticks:g} {'tick' if found.step_ticks == 1 else 'ticks'})"
    yield (
        "resolution",
        f"{step}, smallest difference seen {units.plural(found.smallest_difference_ticks, 'tick')}{backward}",
    )
    yield from _flags(found.flags)
    yield from _skews(found.skews)
    for at, warning in enumerate(found.warnings):
        yield "warning" if not at else "", plain_text(warning, style="yellow")
    for at, note in enumerate(found.notes):
        yield "note" if not at else "", note


def _flags(flags: CounterFlags) -> Iterator[tuple[str, str | Text]]:
    named = {
        "invariant": flags.invariant,
        "constant": flags.constant,
        "nonstop": flags.nonstop,
        "known frequency": flags.known_frequency,
    }
    yield "flags", " · ".join(f"{name} {_said(reading)}" for name, reading in named.items())
    for name, reading in named.items():
        if reading.value is None:
            yield "", plain_text(f"{name}: {reading.text}", style="dim")


def _said(reading: Reading[bool]) -> str:
    return {True: "yes", False: "NO", None: "?"}[reading.value]


def _skews(reading: Reading[tuple[CounterSkew, ...]]) -> Iterator[tuple[str, str | Text]]:
    skews = reading.value
    if skews is None:
        yield "skew", layout.missing(reading)
        return
    warps = sum(skew.warps for skew in skews)
    seen = [skew for skew in skews if abs(skew.offset_ns) > skew.bound_ns]
    verdict = (
        f"{len(seen)} of {units.plural(len(skews), 'pair')} outside the error bound"
        if seen
        else "none outside the error bound"
    )
    said = f"{verdict} · {units.plural(warps, 'warp')}"
    yield "skew", plain_text(said, style="bold red") if seen or warps else said
    for skew in _shown(skews):
        offset = f"CPU {skew.cpu} minus CPU {skew.reference_cpu}: {skew.offset_ns:+.1f} ns"
        yield "", f"{offset}, error bound ± {skew.bound_ns:.1f} ns from {units.plural(skew.rounds, 'round trip')}"
    if len(skews) > PAIRS_SHOWN_MAX:
        yield "", f"and {units.plural(len(skews) - PAIRS_SHOWN_MAX, 'more pair')} with smaller skew; --json has all"


def _shown(skews: Sequence[CounterSkew]) -> list[CounterSkew]:
    """All if there are few, otherwise those that are furthest off relative to their bound."""
    if len(skews) <= PAIRS_SHOWN_MAX:
        return list(skews)
    return sorted(skews, key=lambda skew: -abs(skew.offset_ns) / max(skew.bound_ns, 1e-9))[:PAIRS_SHOWN_MAX]
