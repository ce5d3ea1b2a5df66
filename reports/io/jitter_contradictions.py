"""Derives the figures of the jitter in a report again: of each CPU its gaps, their causes, and the longest of them."""

from __future__ import annotations

from lowlat.reports.io.contradictions import expect, require
from lowlat.reports.model.jitter import LONGEST_MAX, UNEXPLAINED, CpuJitter, Jitter, JitterCause


def check_kind(found: Jitter) -> None:
    """Raise `NotValidError`, naming the field, unless it is of gaps, on CPUs each of which is there once."""
    expect("jitter.mode", found.mode, "gaps", "beside a report it is")
    expect("jitter.interval_ns", found.interval_ns, None, "of gaps it is")
    numbers = [cpu.cpu for cpu in found.cpus]
    require(numbers == sorted(set(numbers)), "jitter.cpus: cpu", numbers, "each is there once, in order")


def check_cpu(place: str, cpu: CpuJitter, gaps: int) -> None:
    """Raise `NotValidError`, naming the field, if a CPU's figures contradict its so many gaps, or each other."""
    if cpu.series is not None:
        expect(f"{place}.series.op", cpu.series.op, f"CPU {cpu.cpu}", "it is of")
    expect(f"{place}.missed", cpu.missed, None, "of gaps it is")
    unexplained = sum(each.gaps for each in cpu.causes if each.cause.startswith(UNEXPLAINED))
    expect(f"{place}.causes: gaps", sum(each.gaps for each in cpu.causes), gaps, "its histogram holds")
    expect(f"{place}.lost_ns", cpu.lost_ns, sum(each.lost_ns for each in cpu.causes), "its causes took")
    expect(f"{place}.unexplained", cpu.unexplained, unexplained, "its causes have")
    share = min((cpu.lost_ns or 0) / cpu.watched_ns, 1.0) if cpu.watched_ns else 0.0
    require(cpu.lost_share == share, f"{place}.lost_share", cpu.lost_share, f"lost_ns of watched_ns is {share}")
    lost, names = [each.lost_ns for each in cpu.causes], [each.cause for each in cpu.causes]
    require(lost == sorted(lost, reverse=True), f"{place}.causes: lost_ns", lost, "the one that took most comes first")
    require(len(set(names)) == len(names), f"{place}.causes: cause", names, "each is there once")
    for index, cause in enumerate(cpu.causes):
        _check_cause(f"{place}.causes[{index}]", cause)
    _check_longest(place, cpu, gaps)


def _check_cause(place: str, cause: JitterCause) -> None:
    """Its median and its longest gap bound the sum: half of the gaps are no longer than the median, the others are."""
    shorter = (cause.gaps - 1) // 2
    longer = cause.gaps - 1 - shorter
    require(cause.p50_ns <= cause.max_ns, f"{place}.p50_ns", cause.p50_ns, f"the longest is {cause.max_ns}")
    least = cause.p50_ns + (cause.p50_ns * (longer - 1) + cause.max_ns if longer else 0)
    most = cause.p50_ns * (shorter + 1) + cause.max_ns * longer
    possible = f"its median and its longest allow {least} to {most}"
    require(least <= cause.lost_ns <= most, f"{place}.lost_ns", cause.lost_ns, possible)
    periodic = cause.cause.startswith(f"{UNEXPLAINED}, ")
    require((cause.period_ns is not None) == periodic, f"{place}.period_ns", cause.period_ns, f"it is {cause.cause}")


def _check_longest(place: str, cpu: CpuJitter, gaps: int) -> None:
    """They begin with the longest, and each cause's longest is among them, unless all that are kept are longer."""
    lengths, ends = [gap.length_ns for gap in cpu.longest], cpu.series and cpu.series.max
    expect(f"{place}.longest[0].length_ns", max(lengths, default=None), ends, "its histogram ends at")
    require(lengths == sorted(lengths, reverse=True), f"{place}.longest: length_ns", lengths, "the longest comes first")
    require(len(lengths) <= min(gaps, LONGEST_MAX), f"{place}.longest", len(lengths), f"it has {gaps} gaps")
    longest_of = {each.cause: each.max_ns for each in cpu.causes}
    for index, gap in enumerate(cpu.longest):
        limit_ns = longest_of.get(gap.cause, -1)
        here = f"{place}.longest[{index}]"
        require(limit_ns >= 0, f"{here}.cause", gap.cause, "it is none of the causes")
        require(
            gap.length_ns <= limit_ns, f"{here}.length_ns", gap.length_ns, f"the longest of its cause is {limit_ns}"
        )
    for index, cause in enumerate(cpu.causes):
        if len(lengths) == gaps or cause.max_ns > min(lengths, default=0):
            kept = max((gap.length_ns for gap in cpu.longest if gap.cause == cause.cause), default=None)
            expect(f"{place}.causes[{index}].max_ns", cause.max_ns, kept, "the longest gaps say")
