"""Leagues made from a report, for tests of what is shown of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lowlat.reports.compare.league import league_of, table_of, with_report, without_report
from lowlat.reports.model.league import League, LeagueEngine
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import NativeCheck, Run, Throughput
from tests.scaled_reports import with_runs

ROUNDS = 6
DIFFERENCE = "from event 7 on: price 101 instead of 100 in #3 TRADE order 9 5@100 maker 4 left 0/2"


def judged(report: Report) -> Report:
    """The report with six verified runs, each 1% slower than the one before."""
    runs = [_slower(report.runs[0], index) for index in range(ROUNDS)]
    made = with_runs(report, runs)
    assert made.verification is not None
    return replace(made, verification=replace(made.verification, equal=True))


def _slower(run: Run, percent: int) -> Run:
    done = run.throughput
    assert done is not None and done.cpu_ns is not None
    slower = Throughput.of(done.commands, done.wall_ns, done.cpu_ns * (100 + percent) // 100)
    return replace(run, throughput=slower, one_at_a_time=slower)


def wrong(report: Report) -> Report:
    """The report of an engine that executes other trades."""
    assert report.verification is not None
    check = NativeCheck(commands=100, events=6, difference=DIFFERENCE, not_compared=())
    return replace(
        report,
        status="invalid",
        status_reasons=(f"wrong executes other trades than the native engine {DIFFERENCE}",),
        verification=replace(report.verification, native=check),
    )


def engine(name: str) -> LeagueEngine:
    """An engine of 64 bytes an order."""
    return LeagueEngine(
        name=name,
        given=name,
        kind="compiled",
        version=None,
        memory_orders=1_000,
        memory_growth_bytes=64_000,
        memory_absent=None,
    )


def league_with(reports: Mapping[str, Mapping[str, Report | None]], *, interrupted: str | None = None) -> League:
    """The league of these reports by profile and engine; an engine without one lacks something."""
    names = [*next(iter(reports.values()))]
    tables = []
    for profile, by_engine in reports.items():
        entries = [
            without_report(name, "lacking", "SYMBOLS")
            if made is None
            else with_report(name, replace(made, workload=replace(made.workload, profile=profile)))
            for name, made in by_engine.items()
        ]
        tables.append(table_of(profile, [names] * ROUNDS, entries))
    return league_of(
        [engine(name) for name in names],
        tables,
        command=("lowlat", "league", *names),
        seed=1,
        rounds=ROUNDS,
        interrupted=interrupted,
    )
