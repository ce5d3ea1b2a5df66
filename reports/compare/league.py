"""Derives the figures of a league from the reports of its engines, and checks a league that was read."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from statistics import median
from typing import Literal

from lowlat import units
from lowlat.errors import NotValidError
from lowlat.reports.compare.compare import Samples, samples_of
from lowlat.reports.compare.derived import check_derived
from lowlat.reports.compare.interleaving import rounds_of
from lowlat.reports.compare.verdict import judge
from lowlat.reports.model.comparison import Compared, Metric
from lowlat.reports.model.league import (
    League,
    LeagueEngine,
    LeagueEntry,
    LeagueFigures,
    LeagueTable,
    Outcome,
)
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import whole

CPU = Metric(name="cpu", measure=None, op=None)
THRESHOLD_PERCENT = 10.0
"""Of a verdict that nobody sees: only ratio, interval and p are taken."""


def league_of(
    engines: Sequence[LeagueEngine],
    tables: Sequence[LeagueTable],
    *,
    command: Sequence[str],
    seed: int,
    rounds: int,
    interrupted: str | None,
) -> League:
    """The league of these tables, from `table_of`."""
    status, reasons = _status(tables, interrupted)
    return League(
        status=status,
        status_reasons=reasons,
        version=version("lowlat"),
        command=tuple(command),
        seed=seed,
        rounds=rounds,
        interrupted=interrupted,
        engines=tuple(engines),
        tables=tuple(tables),
    )


def table_of(profile: str, order: Sequence[Sequence[str]], entries: Sequence[LeagueEntry]) -> LeagueTable:
    """The table of these entries, whose figures are derived here."""
    judged = [_judged(entry) for entry in entries]
    base = next((entry for entry in judged if _has_figures(entry)), None)
    return LeagueTable(
        profile=profile,
        base=base.engine if base else None,
        order=tuple(map(tuple, order)),
        entries=tuple(_compared(entry, base) if base and _has_figures(entry) else entry for entry in judged),
    )


def without_report(engine: str, outcome: Outcome, reason: str | None) -> LeagueEntry:
    """The entry of an engine that gave no report."""
    return LeagueEntry(engine=engine, outcome=outcome, reason=reason, figures=None, report=None)


def with_report(engine: str, report: Report) -> LeagueEntry:
    """The entry of an engine with this report; `table_of` fills in the rest."""
    return LeagueEntry(engine=engine, outcome="unverified", reason=None, figures=None, report=report)


def check(league: League) -> None:
    """Raise `NotValidError` if a league contradicts its reports or itself."""
    names = [engine.name for engine in league.engines]
    if len(set(names)) < len(names):
        raise NotValidError(f"two engines of a league have the same name: {', '.join(names)}")
    for engine in league.engines:
        if (engine.memory_growth_bytes is None) != (engine.memory_absent is not None):
            raise NotValidError(f"the memory of {engine.name} is neither known nor absent for a reason")
    profiles = [table.profile for table in league.tables]
    if len(set(profiles)) < len(profiles):
        raise NotValidError(f"two tables of a league are of the same order flow: {', '.join(profiles)}")
    chance = random.Random(league.seed)
    for table in league.tables:
        _check_order(table, names, league.rounds, chance)
        _check_table(table, names)
        for entry, engine in zip(table.entries, league.engines, strict=True):
            if entry.report is not None:
                _check_report(f"{entry.engine} on {table.profile}", entry.report, engine, league)
    if (league.status, league.status_reasons) != _status(league.tables, league.interrupted):
        raise NotValidError(f"the status of a league is {league.status}, which is not that of its tables")


def _check_order(table: LeagueTable, names: Sequence[str], rounds: int, chance: random.Random) -> None:
    if len(table.order) != rounds or any(sorted(each) != sorted(names) for each in table.order):
        raise NotValidError(f"the order of {table.profile} does not name every engine once in each of {rounds} rounds")
    for number, (told, derived) in enumerate(zip(table.order, rounds_of(names, rounds, chance), strict=True), 1):
        if told != derived:
            raise NotValidError(
                f"the order of {table.profile} has {', '.join(told)} in round {number}, but the seed gives "
                f"{', '.join(derived)}"
            )


def _check_report(place: str, report: Report, engine: LeagueEngine, league: League) -> None:
    """It is of the league's runs, and of this engine."""
    if report.workload.seed != league.seed:
        raise NotValidError(f"{place} has a report of seed {report.workload.seed}; that of the league is {league.seed}")
    if len(report.runs) > league.rounds:
        runs = units.plural(len(report.runs), "run")
        raise NotValidError(f"{place} has a report of {runs}; there were {league.rounds} rounds")
    own = report.engine
    parts = {"library": own.library, "process": own.process} if own else {}
    for kind, part in parts.items():
        if (part is not None) != (engine.kind == kind):
            raise NotValidError(f"{place} is of kind {engine.kind}, which the engine of its report is not")
        if part is not None and part.version != engine.version:
            raise NotValidError(f"{place} has a report of version {part.version}; the league has {engine.version}")


def _check_table(table: LeagueTable, names: Sequence[str]) -> None:
    entries = [entry.engine for entry in table.entries]
    if entries != list(names):
        raise NotValidError(f"{table.profile} has entries of {', '.join(entries)}; the engines are {', '.join(names)}")
    again = table_of(table.profile, table.order, table.entries)
    if table.base != again.base:
        raise NotValidError(f"the base of {table.profile} is {table.base}, but the first with figures is {again.base}")
    for told, derived in zip(table.entries, again.entries, strict=True):
        _check_entry(table.profile, told, derived)


def _check_entry(profile: str, told: LeagueEntry, derived: LeagueEntry) -> None:
    place = f"{told.engine} on {profile}"
    if told.report is not None and told.report.workload.profile != profile:
        raise NotValidError(f"{place} has a report of {told.report.workload.profile}")
    if told.report is None and told.outcome not in ("failed", "lacking", "not run"):
        raise NotValidError(f"{place} is {told.outcome}, and has no report")
    if told.report is None and (told.reason is None) != (told.outcome == "not run"):
        raise NotValidError(f"{place} is {told.outcome}: a reason goes with what failed or is lacking")
    if told.report is None and told.figures is not None:
        raise NotValidError(f"{place} is {told.outcome}: figures go with a report that is valid")
    if (told.outcome, told.reason) != (derived.outcome, derived.reason):
        raise NotValidError(f"{place} is {told.outcome}, but its report says {derived.outcome}: {derived.reason}")
    if (told.figures is None) != (derived.figures is None):
        raise NotValidError(f"{place} is {told.outcome}: figures go with a report that is valid")
    if told.figures and derived.figures:
        check_derived(place, told.figures, derived.figures, "its report gives")


def _status(
    tables: Sequence[LeagueTable], interrupted: str | None
) -> tuple[Literal["ok", "interrupted", "invalid"], tuple[str, ...]]:
    wrong = tuple(_wrong(tables))
    stopped = (interrupted,) if interrupted else ()
    return "invalid" if wrong else "interrupted" if stopped else "ok", (*wrong, *stopped)


def _wrong(tables: Sequence[LeagueTable]) -> Iterator[str]:
    for table in tables:
        for entry in table.entries:
            if entry.outcome in ("other events", "invalid", "failed"):
                yield f"{entry.engine} on {table.profile}: {entry.reason}"


# -- one engine -----------------------------------------------------------------------------------------------------


def _has_figures(entry: LeagueEntry) -> bool:
    return entry.figures is not None


def _judged(entry: LeagueEntry) -> LeagueEntry:
    """The entry with outcome, reason and own figures as its report has them."""
    report = entry.report
    if report is None:
        return entry
    outcome = _outcome(report)
    if outcome not in ("verified", "unverified"):
        reason = report.status_reasons[0] if report.status_reasons else "no reason given"
        return replace(entry, outcome=outcome, reason=reason, figures=None)
    return replace(entry, outcome=outcome, reason=None, figures=_figures(report))


def _outcome(report: Report) -> Outcome:
    told = report.verification
    golden = told.golden if told else None
    differs = bool(
        told
        and (
            (told.native and told.native.difference)
            or told.equal is False
            or (golden and golden.digest != golden.expected)
        )
    )
    if report.status == "invalid":
        return "other events" if differs else "invalid"
    whole_golden = golden is not None and golden.commands == report.workload.commands
    checked = told is not None and (told.native is not None or told.equal or whole_golden)
    return "verified" if checked else "unverified"


def _figures(report: Report) -> LeagueFigures | None:
    series, library = whole(report.summary), report.engine.library if report.engine else None
    process = report.engine.process if report.engine else None
    if not report.workload.commands or not report.runs:
        return None
    percentiles = {percent: value.value for percent, value in series.percentiles.items()} if series else {}
    batched = _values(_samples(report))
    single = [
        done.cpu_ns / done.commands for run in report.runs if (done := run.one_at_a_time) and done.cpu_ns is not None
    ]
    return LeagueFigures(
        commands=report.workload.commands,
        runs=len(report.runs),
        batched_cpu_ns=median(batched) if batched else None,
        one_at_a_time_cpu_ns=median(single) if len(single) == len(report.runs) else None,
        p50_ns=percentiles.get("50"),
        p99_ns=percentiles.get("99"),
        p999_ns=percentiles.get("99.9"),
        call_ns=library.call_ns if library else process.echo_cpu_ns if process else None,
        batched_call_ns=library.batched_call_ns if library else process.batched_echo_cpu_ns if process else None,
        ratio=None,
        interval=None,
        p=None,
    )


def _compared(entry: LeagueEntry, base: LeagueEntry) -> LeagueEntry:
    """The entry with its ratio to the base."""
    if entry.engine == base.engine or entry.figures is None or entry.report is None or base.report is None:
        return entry
    found = _ratio(base.report, entry.report)
    if found is None:
        return entry
    return replace(entry, figures=replace(entry.figures, ratio=found.ratio, interval=found.interval, p=found.p))


def _ratio(base: Report, head: Report) -> Compared | None:
    """CPU time per command; runs of the same round are a pair. None unless it is known of every run."""
    sides = [_values(_samples(report)) for report in (base, head)]
    pairs = min(map(len, sides))
    if not pairs:
        return None
    before, after = (side[:pairs] for side in sides)
    return judge(CPU, before, after, threshold_percent=THRESHOLD_PERCENT, gates=False, paired=True)


def _samples(report: Report) -> Samples:
    return samples_of([report], report.engine.name if report.engine else "", ())


def _values(samples: Samples) -> list[float]:
    """CPU time per command of each run; empty unless every run knows it."""
    known = [run[CPU] for run in samples.runs if CPU in run]
    return known if len(known) == len(samples.runs) else []
