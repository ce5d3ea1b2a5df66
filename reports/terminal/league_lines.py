"""What a league says, as lines and cells for a terminal, Markdown and a page."""

from __future__ import annotations

from collections.abc import Iterator

from lowlat import units
from lowlat.reports.model.league import League, LeagueEngine, LeagueEntry, LeagueFigures, LeagueTable
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run
from lowlat.reports.terminal import headline
from lowlat.reports.terminal.text_lines import join

COLUMNS = ("batched", "single", "p50", "p99", "p99.9", "ratio", "95%")
"""Figures of an engine on a flow, after its name."""
NOTE = "CPU time per command, batched and single (one at a time); ratio of batched"
"""What the columns mean."""
_MEANING = {
    "lacking": "lacks",
    "failed": "FAILED:",
    "invalid": "INVALID:",
    "other events": "INVALID:",
    "not run": "not run",
}


def title(league: League) -> str:
    """How much was measured, and where."""
    report = _first_report(league)
    return join(
        [
            units.plural(len(league.engines), "engine"),
            units.plural(league.rounds, "round"),
            units.plural(most, "command") if (most := max(map(most_commands, league.tables))) else None,
            f"seed {league.seed}",
            f"CPU {report.host.measured_cpus}" if report and report.host.measured_cpus else None,
            f"lowlat {league.version}",
        ]
    )


def status(league: League) -> str | None:
    """What is wrong with the league as a whole; None if nothing is."""
    if league.status == "ok":
        return None
    if league.status == "interrupted":
        return f"INTERRUPTED: partial results: {league.interrupted}"
    wrong = dict.fromkeys(
        entry.engine
        for table in league.tables
        for entry in table.entries
        if entry.outcome in ("other events", "invalid", "failed")
    )
    told = f"; {league.interrupted}" if league.interrupted else ""
    return f"INVALID: discard the figures of {', '.join(wrong)}{told}"


def host(league: League) -> str | None:
    """The host, as in the first report."""
    report = _first_report(league)
    return headline.host(report) if report else None


def _first_report(league: League) -> Report | None:
    return next((entry.report for table in league.tables for entry in table.entries if entry.report), None)


def most_commands(table: LeagueTable) -> int:
    """Commands of a run, of the engine that had most."""
    return max((entry.figures.commands for entry in table.entries if entry.figures), default=0)


def ranked(table: LeagueTable) -> list[LeagueEntry]:
    """Engines with figures, least CPU time first; then the others."""
    return sorted(table.entries, key=_rank)


def _rank(entry: LeagueEntry) -> float:
    figures = entry.figures
    if figures is None:
        return float("inf")
    return 1e300 if figures.batched_cpu_ns is None else figures.batched_cpu_ns


def cells(entry: LeagueEntry, table: LeagueTable) -> list[str]:
    """The figures of `COLUMNS`, for an entry that has them."""
    figures = entry.figures
    assert figures is not None, "only entries with figures have a row of them"
    times = (figures.batched_cpu_ns, figures.one_at_a_time_cpu_ns, figures.p50_ns, figures.p99_ns, figures.p999_ns)
    return [*(_time(value) for value in times), *_ratio(figures, base=entry.engine == table.base)]


def _time(value_ns: float | None) -> str:
    return "-" if value_ns is None else units.time(value_ns)


def _ratio(figures: LeagueFigures, *, base: bool) -> tuple[str, str]:
    if base:
        return "base", ""
    interval = figures.interval
    return _times(figures.ratio), "-" if interval is None else f"{_factor(interval[0])}-{_factor(interval[1])}"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{_factor(ratio)}x"


def _factor(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def name(entry: LeagueEntry, table: LeagueTable) -> str:
    """The engine, marked if its run had fewer commands than others."""
    fewer = entry.figures is not None and entry.figures.commands < most_commands(table)
    return f"{entry.engine}*" if fewer else entry.engine


def instead(entry: LeagueEntry, *, whole: bool) -> str:
    """Why an entry has no figures. Unless `whole`, of a difference only where it begins."""
    reason = entry.reason or ""
    native = entry.report.verification.native if entry.report and entry.report.verification else None
    if native and native.difference and not whole:
        reason = f"executes other trades {native.difference.partition(':')[0]}"
    return f"{_MEANING[entry.outcome]} {reason}".strip()


def fewer(league: League) -> str | None:
    """How many commands the marked engines had."""
    told = dict.fromkeys(
        f"{entry.engine} {entry.figures.commands:,}"
        for table in league.tables
        for entry in table.entries
        if entry.figures and entry.figures.commands < most_commands(table)
    )
    return f"* fewer commands of the same flow, to end in time: {', '.join(told)}" if told else None


ENGINE_COLUMNS = ("engine", "events", "per order", "call, batched", "call, single")


def engine_rows(league: League) -> Iterator[list[str]]:
    """For each engine what holds on every flow: whether its events are right, its memory, what calling it costs."""
    for engine in league.engines:
        entries = [entry for table in league.tables for entry in table.entries if entry.engine == engine.name]
        yield [engine.name, _events(entries), _memory(engine), *_calls(engine, entries)]


def _events(entries: list[LeagueEntry]) -> str:
    """Of the worst outcome on any flow."""
    outcomes = [entry.outcome for entry in entries]
    for outcome in ("other events", "failed", "invalid", "unverified", "verified"):
        if outcome in outcomes:
            return {"other events": "WRONG", "failed": "FAILED", "invalid": "INVALID"}.get(outcome, outcome)
    return "none"


def _memory(engine: LeagueEngine) -> str:
    size = engine.bytes_per_order
    return "not available" if size is None else units.size(round(size))


def _calls(engine: LeagueEngine, entries: list[LeagueEntry]) -> tuple[str, str]:
    """What a call costs that does nothing: the least of all flows."""
    if engine.kind == "compiled":
        return "none", "none"
    known = [entry.figures for entry in entries if entry.figures]
    batched = [each.batched_call_ns for each in known if each.batched_call_ns is not None]
    single = [each.call_ns for each in known if each.call_ns is not None]
    return _time(min(batched, default=None)), _time(min(single, default=None))


def notes(league: League) -> Iterator[str]:
    """What else one has to know, one line each."""
    for engine in league.engines:
        if engine.memory_absent:
            yield f"memory per order of {engine.name}: {engine.memory_absent}"
    noisy = sum(bool(run.os_noise.noisy) for run in _runs(league))
    if noisy:
        yield f"{noisy} of {units.plural(len(_runs(league)), 'run')} noisy"


def _runs(league: League) -> list[Run]:
    return [run for table in league.tables for entry in table.entries if entry.report for run in entry.report.runs]
