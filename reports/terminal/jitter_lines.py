"""Jitter in words, for the terminal and Markdown: the rows of its tables, and its notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from lowlat import units
from lowlat.reports.model.jitter import UNEXPLAINED, CpuJitter, Jitter, JitterCause

PERCENTS: Final = ("50", "99", "99.9")
CAUSE_COLUMNS: Final = ("cause", "gaps", "per s", "time lost", "typical", "max")


def title(found: Jitter) -> str:
    """What it is about, for a heading."""
    return "What takes the CPU" if found.mode == "gaps" else "How late a sleeping thread wakes up"


def timeline(cpu: CpuJitter) -> str:
    """Which gaps of a CPU the document holds one by one."""
    count, kept = cpu.series.count if cpu.series else 0, len(cpu.longest)
    if kept >= count:
        return f"Every gap of CPU {cpu.cpu} by the time at which it began."
    least = units.time(cpu.longest[-1].length_ns)
    return f"The {kept:,} longest of {count:,} gaps of CPU {cpu.cpu}, {least} or more, by the time at which they began."


def facts(found: Jitter) -> Iterator[tuple[str, str]]:
    """Where, what and how it was measured, each with its label."""
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


def after_runs(found: Jitter) -> str:
    """How the jitter of a report was measured."""
    return f"for {found.duration_s:g} s after the last run, not in it: gaps in which something else had the CPU"


def cpu_columns(found: Jitter) -> tuple[str, ...]:
    """The headings of `cpu_rows`."""
    counts = ("gaps", "per s", "time lost") if found.mode == "gaps" else ("wake-ups", "missed")
    return "CPU", *counts, *(f"p{percent}" for percent in PERCENTS), "max"


def cpu_rows(cpus: Iterable[CpuJitter]) -> Iterator[tuple[str, ...]]:
    """A row for each CPU, by number."""
    for cpu in sorted(cpus, key=lambda each: each.cpu):
        series = cpu.series
        count = series.count if series else 0
        times = [units.time(series.percentiles[p].value) for p in PERCENTS] if series else ["-"] * len(PERCENTS)
        yield str(cpu.cpu), units.short(count), *_losses(cpu, count), *times, units.time(series.max) if series else "-"


def worst_first(cpus: Iterable[CpuJitter]) -> list[CpuJitter]:
    """The CPUs by the time that they lost, most first; of wake-ups by the latest one."""
    return sorted(
        cpus, key=lambda cpu: -(cpu.lost_ns if cpu.lost_ns is not None else cpu.series.max if cpu.series else 0)
    )


def cause_rows(found: Jitter) -> list[tuple[str, ...]]:
    """A row for each cause over all CPUs, by the time that it took, most first."""
    by_cause: dict[str, list[JitterCause]] = defaultdict(list)
    for cpu in found.cpus:
        for each in cpu.causes:
            by_cause[each.cause].append(each)
    lost = {cause: sum(each.lost_ns for each in parts) for cause, parts in by_cause.items()}
    whole = sum(lost.values()) or 1
    watched_ns = sum(cpu.watched_ns or 0 for cpu in found.cpus) or 1
    rows: list[tuple[str, ...]] = []
    for cause in sorted(by_cause, key=lambda cause: -lost[cause]):
        parts = by_cause[cause]
        count = sum(each.gaps for each in parts)
        typical = max(parts, key=lambda each: each.gaps).p50_ns
        per_s = count * 1e9 * len(found.cpus) / watched_ns
        figures = units.short(count), units.short(per_s), units.share(lost[cause] / whole)
        rows.append((cause, *figures, units.time(typical), units.time(max(each.max_ns for each in parts))))
    return rows


def notes(found: Jitter) -> Iterator[str]:
    """What the figures do not say."""
    if sum(each.unexplained or 0 for each in found.cpus):
        yield (
            f"{UNEXPLAINED}: no counter of this kernel moved, so it did not run meanwhile; the hypervisor, firmware "
            "(SMI) or the hardware did"
        )
    if any(each.period_ns for cpu in found.cpus for each in cpu.causes):
        yield (
            f"{UNEXPLAINED}, every ...: these begin so regularly that a timer outside this system causes them, of the "
            "hypervisor or the firmware"
        )
    full = [str(each.cpu) for each in found.cpus if not each.complete]
    if full and found.mode == "gaps" and found.status == "ok":
        yield f"CPU {', '.join(full)} had too many gaps to keep and was watched for less time; raise --threshold"
    for each in found.missing:
        yield f"{each}: gaps that it would explain count as others"


def _losses(cpu: CpuJitter, count: int) -> tuple[str, ...]:
    if cpu.watched_ns is None:
        return (units.short(cpu.missed or 0),)
    per_s = count * 1e9 / cpu.watched_ns if cpu.watched_ns else 0.0
    return units.short(per_s), units.share(cpu.lost_share or 0.0)
