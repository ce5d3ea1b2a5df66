"""Leagues made from a report, for tests of what is shown of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from random import Random

from lowlat.reports.compare.interleaving import rounds_of
from lowlat.reports.compare.league import league_of, table_of, with_report, without_report
from lowlat.reports.model.context import Library
from lowlat.reports.model.league import League, LeagueEngine
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import NativeCheck
from tests.scaled_reports import scaled, with_runs

ROUNDS = 6
SEED = 1
"""Of the flow of the report that leagues are made from, too."""
DIFFERENCE = "from event 7 on: price 101 instead of 100 in #3 TRADE order 9 5@100 maker 4 left 0/2"

LIBRARY = Library(
    file="wrong.so",
    version="1",
    events="callback",
    capabilities=(),
    call_ns=1.0,
    batched_call_ns=0.5,
    heap_growth_bytes=0,
)


def judged(report: Report) -> Report:
    """The report with six verified runs, each 1% slower than the one before."""
    made = with_runs(report, [scaled(report, 1 + Fraction(percent, 100)).runs[0] for percent in range(ROUNDS)])
    assert made.verification is not None
    return replace(made, verification=replace(made.verification, equal=True))


def wrong(report: Report) -> Report:
    """The report of an engine of a library that executes other trades."""
    assert report.verification is not None and report.engine is not None
    commands = report.workload.seeded + (report.workload.commands or 0)
    check = NativeCheck(commands=commands, events=6, difference=DIFFERENCE, not_compared=())
    return replace(
        report,
        status="invalid",
        status_reasons=(f"wrong executes other trades than the native engine {DIFFERENCE}",),
        engine=replace(report.engine, library=LIBRARY),
        verification=replace(report.verification, native=check),
    )


def engine(name: str, report: Report | None) -> LeagueEngine:
    """An engine of 64 bytes an order, with this report of one of the flows."""
    library = report.engine.library if report and report.engine else None
    return LeagueEngine(
        name=name,
        given=name,
        kind="library" if library else "compiled",
        version=library.version if library else None,
        memory_orders=1_000,
        memory_growth_bytes=64_000,
        memory_absent=None,
    )


def league_with(reports: Mapping[str, Mapping[str, Report | None]], *, interrupted: str | None = None) -> League:
    """The league of these reports by profile and engine; an engine without one lacks something."""
    names = [*next(iter(reports.values()))]
    tables, chance = [], Random(SEED)
    for profile, by_engine in reports.items():
        entries = [
            without_report(name, "lacking", "SYMBOLS")
            if made is None
            else with_report(name, replace(made, workload=replace(made.workload, profile=profile)))
            for name, made in by_engine.items()
        ]
        tables.append(table_of(profile, rounds_of(names, ROUNDS, chance), entries))
    return league_of(
        [engine(name, next(iter(reports.values()))[name]) for name in names],
        tables,
        command=("lowlat", "league", *names),
        seed=SEED,
        rounds=ROUNDS,
        interrupted=interrupted,
    )
