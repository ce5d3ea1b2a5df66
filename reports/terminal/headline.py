"""The lines of a report that fit one screen: what changes how to read the figures, and nothing that is as it should be.

`report_table` prints all the others with `-v`; the document and the page always have them.
"""

from __future__ import annotations

from collections.abc import Iterator

from lowlat import units
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run, Throughput
from lowlat.reports.terminal import recording_lines, text_lines

VERBOSE = "-v also shows placement, baselines, hot path, workload and latency budget"
"""What a screen leaves out."""


def subject(report: Report) -> str:
    """Engine, commands, seed and runs, shown after the name of the profile."""
    work = report.workload
    if report.recording is not None:
        return recording_lines.title(report)
    return text_lines.join(
        [
            f"{report.engine.name} engine" if report.engine else None,
            units.plural(work.commands or 0, "command"),
            f"seed {work.seed}" if work.seed is not None else None,
            units.plural(len(report.runs), "run"),
        ]
    )


def host(report: Report) -> str:
    """Processor, kind of host, measured CPU, and the clock's cost and resolution."""
    if report.recording is not None:
        return recording_lines.host(report.host)
    facts, clock = report.host, report.clock
    return text_lines.join(
        [
            facts.cpu or "processor unknown",
            facts.virtualization if facts.virtualization != "none" else "bare metal",
            units.cpus(facts.measured_cpus) if facts.measured_cpus else "not pinned",
            clock.source,
            f"timer cost {units.time(clock.read_cost_ns)}" if clock.read_cost_ns is not None else None,
            f"resolution {units.time(clock.step_ns)}" if clock.step_ns else None,
        ]
    )


def passes(report: Report) -> Iterator[tuple[str, str]]:
    """The throughput of each way of calling the engine that takes no timestamps, with its range over runs."""
    runs = report.runs
    closed = report.load.model == "closed"
    named = {
        "batched" if closed else "throughput": [run.throughput for run in runs if run.throughput],
        "one at a time": [run.one_at_a_time for run in runs if run.one_at_a_time] if closed else [],
    }
    for name, of_runs in named.items():
        if line := _pass(of_runs, busy=report.load.model != "open"):
            yield name, line


def _pass(passes: list[Throughput], *, busy: bool) -> str:
    singles = [each.ns_per_command for each in passes if each.ns_per_command is not None]
    if not singles:
        return ""
    over_runs = f" (runs {units.time_range(min(singles), max(singles))})" if len(singles) > 1 else ""
    rate, per_command = text_lines.typical(passes)
    return text_lines.join([rate, f"{per_command}{over_runs}", text_lines.cpu_time(passes, "CPU") if busy else None])


def noise(report: Report) -> tuple[str, str]:
    """What the operating system did to the runs, and the style that says how much it matters."""
    runs = report.runs
    noisy = [run for run in runs if run.os_noise.noisy]
    unknown = sum(run.os_noise.noisy is None for run in runs)
    if not noisy and unknown:
        return f"not known: nothing was counted in {unknown} of {units.plural(len(runs), 'run')}", "yellow"
    if not noisy:
        return f"quiet: {units.plural(len(runs), 'run')} without noise", "green"
    causes = ", ".join(_causes(noisy)) or noisy[0].os_noise.reasons[0]
    return f"noisy: {len(noisy)} of {units.plural(len(runs), 'run')}, {causes}", "bold yellow"


def _causes(noisy: list[Run]) -> Iterator[str]:
    """The sum of each cause over the noisy runs, or its largest value."""
    seen = [run.os_noise for run in noisy]
    if switches := sum(each.involuntary_switches or 0 for each in seen):
        yield f"preempted {units.plural(switches, 'time')}"
    if migrations := sum(each.migrations or 0 for each in seen):
        yield units.plural(migrations, "migration")
    if faults := sum(each.major_faults or 0 for each in seen):
        yield units.plural(faults, "major page fault")
    if steal_ns := sum(each.steal_ns or 0 for each in seen):
        yield f"steal {units.time(steal_ns)}"
    if off_cpu_ns := sum(each.off_cpu_ns or 0 for each in seen):
        yield f"off CPU {units.time(off_cpu_ns)}"
    if gaps := [each.largest_gap_ns for each in seen if each.largest_gap_ns is not None]:
        yield f"largest gap {units.time(max(gaps))}"


def hot_path(report: Report) -> str | None:
    """What the engine asked of the system during measured passes, and must not; None if it asked for nothing."""
    facts = report.hot_path
    counts = {
        "allocation": facts.allocations,
        "page fault": facts.page_faults,
        "command rejected on pool exhaustion": facts.pool_refusals,
        "pool growth": facts.pool_growths,
    }
    wrong = [f"{count:,} {name if count == 1 else _plural(name)}" for name, count in counts.items() if count]
    astray = "pages on another NUMA node" if facts.numa_verified is False else None
    return text_lines.join([*wrong, astray]) or None


def _plural(name: str) -> str:
    first, *rest = name.split(" ", 1)
    return " ".join([units.plural_of(first), *rest]) if first == "command" else units.plural_of(name)


def placement(report: Report) -> str | None:
    """What speaks against the CPUs of the run; None if nothing does."""
    facts = report.placement
    if facts is None:
        return None
    if facts.threads or facts.chosen_by == "system":
        return text_lines.placement(facts)
    return "; ".join(facts.compromises) or None


def notes(report: Report) -> tuple[str, ...]:
    """What was left out or changed of recorded orders. A profile's description is not news."""
    return report.workload.notes if report.workload.seed is None else ()


def verified(report: Report) -> str:
    """What was compared of the events: with a library's engine, all of them."""
    native = report.verification.native if report.verification else None
    return text_lines.compared(native) if native else text_lines.verification(report)


def whole_path(report: Report) -> bool:
    """Whether a peer was measured, so that the latency budget is what the user asked for."""
    return any(row.stage == "network" and row.parts for row in report.budget)
