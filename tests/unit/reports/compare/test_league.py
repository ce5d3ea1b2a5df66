"""A league's figures are those of its reports, when it is made and when it is read, and no wrong engine has any."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.errors import FormatError, NotValidError
from lowlat.reports.io.json_codec import from_text, league_from_document, to_document
from lowlat.reports.model.league import League
from lowlat.reports.model.report import Report
from tests.leagues import judged, league_with, wrong
from tests.scaled_reports import scaled, with_runs

TWICE = Fraction(2)
TWO_RUNS = Path(__file__).parents[1] / "io/two_runs.json"


@pytest.fixture(scope="module")
def base() -> Report:
    """Six verified runs of a real report, whose CPU time rises by 1% from one to the next."""
    report = from_text(TWO_RUNS.read_text())
    return judged(replace(report, workload=replace(report.workload, profile="steady")))


@pytest.fixture(scope="module")
def league(base: Report) -> League:
    return league_with({"steady": {"first": base, "slow": scaled(base, TWICE), "wrong": wrong(base), "none": None}})


def entry_of(league: League, name: str) -> Any:
    return next(entry for entry in league.tables[0].entries if entry.engine == name)


def test_figures_are_those_of_the_reports(league: League, base: Report) -> None:
    first, slow = entry_of(league, "first").figures, entry_of(league, "slow").figures
    cpu_ns = sorted(run.throughput.cpu_ns / run.throughput.commands for run in base.runs if run.throughput)
    assert first.batched_cpu_ns == (cpu_ns[2] + cpu_ns[3]) / 2
    (whole,) = (series for series in base.summary if series.op == "all")
    assert first.p99_ns == whole.percentiles["99"].value
    assert (first.commands, first.runs) == (base.workload.commands, 6)
    assert (first.ratio, first.interval, first.p) == (None, None, None)
    assert slow.ratio == pytest.approx(2, rel=1e-3)
    assert slow.interval[0] <= slow.ratio <= slow.interval[1] and slow.p < 0.05
    assert league.tables[0].base == "first"


def test_a_wrong_engine_has_no_figures_and_is_no_base(base: Report) -> None:
    found = league_with({"steady": {"wrong": wrong(base), "right": base}})
    bad = entry_of(found, "wrong")
    assert (bad.outcome, bad.figures) == ("other events", None)
    assert bad.reason.startswith("wrong executes other trades than the native engine from event 7 on")
    assert (found.tables[0].base, found.status) == ("right", "invalid")
    assert found.status_reasons == (f"wrong on steady: {bad.reason}",)


def test_an_engine_that_lacks_something_makes_no_league_invalid(base: Report) -> None:
    found = league_with({"steady": {"first": base, "small": None}})
    assert (entry_of(found, "small").outcome, found.status, found.status_reasons) == ("lacking", "ok", ())


def test_what_was_not_checked_is_said(base: Report) -> None:
    assert base.verification is not None
    open_ = replace(base, verification=replace(base.verification, equal=None, native=None))
    assert entry_of(league_with({"steady": {"first": open_}}), "first").outcome == "unverified"


def test_an_interrupted_league_says_where(base: Report) -> None:
    found = league_with({"steady": {"first": base}}, interrupted="interrupted in steady, round 2 of 6")
    assert (found.status, found.status_reasons) == ("interrupted", ("interrupted in steady, round 2 of 6",))


def test_a_document_gives_the_league_again(league: League) -> None:
    document = to_document(league)
    jsonschema.Draft202012Validator(published(league.schema)).validate(document)
    assert league_from_document(json.loads(json.dumps(document))) == league


def _set(path: str, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *names, last = [int(name) if name.isdigit() else name for name in path.split(".")]
        for name in names:
            document = document[name]
        document[last] = value(document[last]) if callable(value) else value

    return change


FIGURES = "tables.0.entries.1.figures"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *(
            (_set(f"{FIGURES}.{name}", lambda told: told * 2), f"slow on steady: {name} is ")
            for name in ("batched_cpu_ns", "p50_ns", "p99_ns", "p999_ns", "commands", "runs", "ratio", "p")
        ),
        (_set(f"{FIGURES}.interval", [1.0, 1.5]), "slow on steady: interval is (1.0, 1.5), but its report gives"),
        (_set(f"{FIGURES}.call_ns", 3.0), "slow on steady: call_ns is 3.0, but its report gives None"),
        (_set("tables.0.entries.1.figures", None), "slow on steady is verified: figures go with a report that is"),
        (_set("tables.0.entries.2.outcome", "verified"), "wrong on steady is verified, but its report says other ev"),
        (_set("tables.0.entries.2.reason", "tired"), "wrong on steady is other events, but its report says"),
        (_set("tables.0.entries.1.report", None), "slow on steady is verified, and has no report"),
        (_set("tables.0.entries.1.report.workload.profile", "deep"), "slow on steady has a report of deep"),
        (_set("tables.0.base", "slow"), "the base of steady is slow, but the first with figures is first"),
        (_set("tables.0.order.0", ["first"]), "the order of steady does not name every engine once in each of 6"),
        (
            _set("tables.0.order.1", ["none", "wrong", "slow", "first"]),
            "the order of steady has none, wrong, slow, first in",
        ),
        (_set("seed", 2), "the order of steady has "),
        (
            _set("tables.0.entries.0.report.workload.seed", 2),
            "first on steady has a report of seed 2; that of the league",
        ),
        (_set("tables.0.entries.3.reason", None), "none on steady is lacking: a reason goes with what failed or"),
        (_set("engines.2.version", "2"), "wrong on steady has a report of version 1; the league has 2"),
        (
            _set("engines.0.kind", "process"),
            "first on steady is of kind process, which the engine of its report is not",
        ),
        (
            _set("tables.0.entries.1.report.runs.0.series.0.mean", 7.0),
            "the report of slow on steady: runs[0].series[0] (add, service): mean is 7.0, but its histogram says",
        ),
        (_set("tables.0.order", []), "the order of steady does not name every engine once in each of 6 rounds"),
        (_set("tables.0.entries.0.engine", "slow"), "steady has entries of slow, slow, wrong, none; the engines are"),
        (_set("engines.0.name", "slow"), "two engines of a league have the same name"),
        (_set("engines.0.memory_absent", "lost"), "the memory of first is neither known nor absent for a reason"),
        (_set("status", "ok"), "the status of a league is ok, which is not that of its tables"),
        (_set("status_reasons", []), "the status of a league is invalid, which is not that of its tables"),
        (_set("schema", "lowlat.league/2"), "not a lowlat.league/1 document: its schema is 'lowlat.league/2'"),
        (_set("rounds", "six"), "not a valid lowlat.league/1 document"),
    ],
)
def test_a_changed_document_is_refused(league: League, change: Callable[[Any], None], said: str) -> None:
    document = json.loads(json.dumps(to_document(league)))
    change(document)
    with pytest.raises(FormatError if said.startswith("not a") else NotValidError) as refused:
        league_from_document(document)
    assert said in str(refused.value)


def test_runs_of_an_interrupted_round_are_compared_as_far_as_both_have_them(base: Report) -> None:
    fewer = with_runs(scaled(base, Fraction(2)), base.runs[:5])
    found = league_with({"steady": {"first": base, "fewer": fewer}})
    assert entry_of(found, "fewer").figures.ratio == pytest.approx(1, rel=0.05)
