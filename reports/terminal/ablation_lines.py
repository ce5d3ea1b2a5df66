"""What an ablation says, as lines and cells for a terminal, Markdown and a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lowlat import units
from lowlat.reports.compare.rank_test import SIGNIFICANT
from lowlat.reports.model.ablation import CONTROL, Ablation, Outcome, TechniqueEffect
from lowlat.reports.model.comparison import Compared
from lowlat.reports.model.results import HARDWARE_COUNTERS, HardwareCounters
from lowlat.reports.terminal import comparison_lines
from lowlat.reports.terminal.text_lines import join

COLUMNS = ("technique", "without", "with", "ratio", "interval", "verdict")
EFFECT_COLUMNS = ("figure", "without", "with", "ratio", "interval")
SHORT: dict[Outcome, str] = {"no difference seen": "no difference"}
"""Outcomes that a cell has no room for."""
_PHRASES: tuple[tuple[Outcome, str, str], ...] = (
    ("hurts", "hurts", "hurt"),
    ("no difference seen", "shows no difference", "show no difference"),
    ("inconclusive", "is inconclusive", "are inconclusive"),
    ("not available", "is not available", "are not available"),
)


def techniques(ablation: Ablation) -> list[TechniqueEffect]:
    """All but the control."""
    return [each for each in ablation.techniques if each.name != CONTROL]


def answer(ablation: Ablation) -> str:
    """How many techniques help, and what the others do."""
    if not techniques(ablation):
        return f"only the control was measured: {', '.join(each.outcome for each in ablation.techniques)}"
    found = Counter(each.outcome for each in techniques(ablation))
    helping, count = found["helps"], len(techniques(ablation))
    help_here = "helps here" if 1 in (helping, count) else "help here"
    others = [
        f"{found[outcome]} {one if found[outcome] == 1 else more}" for outcome, one, more in _PHRASES if found[outcome]
    ]
    rest = f"; {', '.join(others)}" if others else ""
    return f"{helping} of {units.plural(count, 'technique')} {help_here}{rest}"


def title(ablation: Ablation) -> str:
    """How much was measured, and where."""
    return join(
        [
            None if ablation.engine == "native" else f"engine {ablation.engine}",
            units.plural(ablation.rounds, "pair") + " of runs each",
            f"order flow {ablation.profile}",
            f"seed {ablation.seed}",
            _cpus(ablation),
            f"lowlat {ablation.tool.version}",
        ]
    )


def _cpus(ablation: Ablation) -> str | None:
    first, second = ablation.host.measured_cpus, ablation.other_cpu
    return None if first is None else f"CPU {first}" if second is None else f"CPU {first}, second thread {second}"


def warnings(ablation: Ablation) -> Iterator[str]:
    """What weakens it all, the worst first."""
    if ablation.status == "interrupted":
        yield f"INTERRUPTED: partial results: {'; '.join(ablation.status_reasons)}"
    if ablation.quick:
        yield "QUICK: fewer and shorter runs, for a first look; leave out --quick for results to quote"
    control = next((each for each in ablation.techniques if each.name == CONTROL), None)
    if control and control.outcome in ("helps", "hurts"):
        yield "the control differs from itself: this host is too noisy now, and no row is to be trusted"


def cells(effect: TechniqueEffect) -> tuple[str, ...]:
    """A row, as `COLUMNS` name it."""
    verdict = SHORT.get(effect.outcome, effect.outcome)
    decisive = effect.decisive
    if decisive is None:
        return (effect.title, "-", "-", "-", "-", verdict)
    return (effect.title, *_figures(decisive), verdict)


def effect_cells(effect: TechniqueEffect) -> list[tuple[str, ...]]:
    """A row for each figure, as `EFFECT_COLUMNS` name it."""
    return [(_figure(each), *_figures(each)) for each in effect.effects]


def _figures(found: Compared) -> tuple[str, ...]:
    return (
        comparison_lines.value(found, found.base.median),
        comparison_lines.value(found, found.head.median),
        ratio(found.ratio),
        "-" if found.interval is None else "-".join(map(ratio, found.interval)),
    )


def ratio(amount: float | None) -> str:
    """A ratio, with a figure left where it is tiny."""
    return f"{amount:.1g}" if amount is not None and 1e-4 <= amount < 0.0095 else comparison_lines.ratio(amount)


def _figure(found: Compared) -> str:
    return {"cpu": "CPU time", "wall": "elapsed time"}.get(found.name, found.name)


def notes(ablation: Ablation) -> Iterator[str]:
    """How to read the columns, and why rows have no figures."""
    by_figure: dict[str, list[str]] = {}
    for each in ablation.techniques:
        if (found := each.decisive) and found.name != "cpu":
            by_figure.setdefault(_figure(found), []).append(each.name)
    others = "".join(f"; {figure} of {', '.join(names)}" for figure, names in by_figure.items())
    yield f"CPU time an operation{others}; a ratio below 1 helps"
    if ablation.status == "ok" and ablation.rounds < ablation.rounds_max:
        rounds = units.plural(ablation.rounds_max, "round")
        few = ", too few to decide anything" if _too_few(ablation) else ""
        yield f"time for {ablation.rounds} of {rounds}{few}; fewer techniques (--only) have more"
    by_reason: dict[str, list[str]] = {}
    for each in ablation.techniques:
        if each.outcome == "not available":
            by_reason.setdefault(each.reason, []).append(each.name)
    yield from (f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())


def _too_few(ablation: Ablation) -> bool:
    """Whether no difference, however large, could have been significant."""
    measured = [found for each in techniques(ablation) if (found := each.decisive)]
    return bool(measured) and all(found.interval is None for found in measured)


def details(effect: TechniqueEffect) -> Iterator[tuple[str, str]]:
    """What a technique is, in labeled lines."""
    yield "why", effect.why
    yield "how", effect.mechanism
    yield "with", effect.with_it
    yield "without", effect.without
    yield "limits", effect.limits
    decided = f"; {_figure(found)} decides" if (found := effect.decisive) else ""
    yield "measured", f"{units.plural(effect.operations, 'operation')} a pass, each: {effect.operation}{decided}"
    if effect.reason:
        yield "verdict", f"{effect.outcome}: {effect.reason}"
    if effect.counters_with and effect.counters_without:
        yield from _counters(effect.counters_with, effect.counters_without)
    elif effect.counters_absent:
        yield "counters", effect.counters_absent


def _counters(with_it: HardwareCounters, without: HardwareCounters) -> Iterator[tuple[str, str]]:
    for name in HARDWARE_COUNTERS:
        counts = getattr(without, name), getattr(with_it, name)
        if None not in counts:
            yield (
                name.replace("_", " "),
                f"{units.per_command(counts[0])} without, {units.per_command(counts[1])} with",
            )


def level(ablation: Ablation) -> str:
    """At what level rows were judged."""
    confidence = f"{100 * (1 - ablation.significance):.4g}%"
    least = {found.threshold_percent for each in ablation.techniques if (found := each.decisive)}
    claimed = f", and no effect below {min(least):g}% is claimed" if least else ""
    return (
        f"intervals of {confidence}: the gate's {100 * SIGNIFICANT:g}% chance of a wrong claim is shared out among "
        f"all {SIGNIFICANT / ablation.significance:.0f} techniques there are{claimed}"
    )


def host(ablation: Ablation) -> str:
    """The host."""
    return join([ablation.host.cpu, ablation.host.virtualization, ablation.host.kernel])
