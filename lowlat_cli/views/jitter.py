"""Jitter on the terminal: what each CPU loses, and to what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.probes.jitter.causes import UNEXPLAINED
from lowlat.reports.model.jitter import CpuJitter, Jitter, JitterCause
from lowlat.text import plain_text
from lowlat_cli.views import layout

CAUSES_SHOWN, CPUS_SHOWN, LONGEST_SHOWN = 8, 16, 5
_PERCENTS = ("50", "99", "99.9")


def jitter_view(found: Jitter, *, verbose: bool) -> Iterator[RenderableType]:
    """All parts, top to bottom; `verbose`: every CPU and cause, and the longest gaps."""
    yield layout.facts(_head(found))
    yield layout.spaced(_cpus(found, verbose=verbose))
    if found.mode == "gaps":
        yield layout.spaced(_causes(found, verbose=verbose))
        if verbose:
            yield layout.spaced(_longest(found))
    if notes := list(_notes(found, verbose=verbose)):
        yield layout.spaced(layout.facts(("note" if not at else "", note) for at, note in enumerate(notes)))


def _head(found: Jitter) -> Iterator[tuple[str, str | Text]]:
    yield "platform", found.platform
    priority = f"SCHED_FIFO {found.fifo}" if found.fifo else "normal priority"
    cpus = units.plural(len(found.cpus), "CPU")
    if found.mode == "wakeups":
        interval = units.time(found.interval_ns or 0)
        yield "wake-ups", f"{cpus} for {found.duration_s:g} s each, one every {interval} · {priority}"
        return
    least = min((each.threshold_ns or 0.0 for each in found.cpus), default=0.0)
    read = max((each.read_ns or 0.0 for each in found.cpus), default=0.0)
    yield "gaps", f"of {units.time(least)} or more · {cpus} for {found.duration_s:g} s each · {priority}"
    yield "resolution", f"a read of the clock every {units.time(read)}"


def _cpus(found: Jitter, *, verbose: bool) -> Table:
    gaps = found.mode == "gaps"
    columns = ("CPU", "gaps", "per s", "time lost") if gaps else ("CPU", "wake-ups", "missed")
    latencies = (*(f"p{percent}" for percent in _PERCENTS), "max")
    made = layout.table(*columns, *latencies, right=(*columns[1:], *latencies))
    shown = found.cpus if verbose else sorted(found.cpus, key=_badness)[:CPUS_SHOWN]
    for cpu in sorted(shown, key=lambda each: each.cpu):
        series = cpu.series
        count = series.count if series else 0
        first = [str(cpu.cpu), units.short(count)]
        if gaps:
            per_s = count * 1e9 / cpu.watched_ns if cpu.watched_ns else 0.0
            first += [units.short(per_s), units.share(cpu.lost_share or 0.0)]
        else:
            first.append(units.short(cpu.missed or 0))
        values = [units.time(series.percentiles[p].value) for p in _PERCENTS] if series else ["-"] * len(_PERCENTS)
        made.add_row(*first, *values, units.time(series.max) if series else "-")
    return made


def _badness(cpu: CpuJitter) -> float:
    return -(cpu.lost_ns or 0) if cpu.lost_ns is not None else -(cpu.series.max if cpu.series else 0)


def _causes(found: Jitter, *, verbose: bool) -> Table:
    by_cause: dict[str, list[JitterCause]] = defaultdict(list)
    for cpu in found.cpus:
        for each in cpu.causes:
            by_cause[each.cause].append(each)
    lost = {cause: sum(each.lost_ns for each in parts) for cause, parts in by_cause.items()}
    whole = sum(lost.values()) or 1
    numbers = ("gaps", "per s", "time lost", "typical", "max")
    made = layout.table("cause", *numbers, right=numbers, wrap=("cause",))
    watched_ns = sum(cpu.watched_ns or 0 for cpu in found.cpus) or 1
    ranked = sorted(by_cause, key=lambda cause: -lost[cause])
    for cause in ranked if verbose else ranked[:CAUSES_SHOWN]:
        parts = by_cause[cause]
        count = sum(each.gaps for each in parts)
        typical = max(parts, key=lambda each: each.gaps).p50_ns
        made.add_row(
            plain_text(cause, style="bold" if cause == UNEXPLAINED else ""),
            units.short(count),
            units.short(count * 1e9 * len(found.cpus) / watched_ns),
            units.share(lost[cause] / whole),
            units.time(typical),
            units.time(max(each.max_ns for each in parts)),
        )
    return made


def _longest(found: Jitter) -> Table:
    made = layout.table(
        "longest gaps",
        "CPU",
        "at",
        "cause",
        "counters that moved",
        right=("CPU", "at"),
        wrap=("cause", "counters that moved"),
    )
    gaps = sorted(((cpu.cpu, gap) for cpu in found.cpus for gap in cpu.longest), key=lambda pair: -pair[1].length_ns)
    for cpu, gap in gaps[: LONGEST_SHOWN * len(found.cpus)]:
        made.add_row(
            units.time(gap.length_ns),
            str(cpu),
            f"{gap.at_ns / 1e9:.3f} s",
            plain_text(gap.cause),
            plain_text(", ".join(gap.moved) or "none", style="dim"),
        )
    return made


def _notes(found: Jitter, *, verbose: bool) -> Iterator[str]:
    hidden = len(found.cpus) - CPUS_SHOWN
    if hidden > 0 and not verbose:
        yield f"{units.plural(hidden, 'more CPU')} that lost less; -v shows all"
    unexplained = sum(each.unexplained or 0 for each in found.cpus)
    if unexplained:
        yield (
            f"{UNEXPLAINED}: no counter of this kernel moved, so it did not run meanwhile; the hypervisor, firmware "
            "(SMI) or the hardware did"
        )
    full = [str(each.cpu) for each in found.cpus if not each.complete]
    if full and found.status == "ok":
        yield f"CPU {', '.join(full)} had too many gaps to keep and was watched for less time; raise --threshold"
    for each in found.missing:
        yield f"{each}: gaps that it would explain count as others"
