"""A league's figures hold together: changed one at a time, every leaf beside its reports is contradicted by others on
reading, except those named here. `tests/integration/test_report_leaves.py` does the same to the leaves of reports.
"""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from lowlat.errors import FormatError, NotValidError
from lowlat.reports.compare.league import league_of, table_of, without_report
from lowlat.reports.io import json_codec
from lowlat.reports.io.json_codec import from_text, league_from_document, to_document
from lowlat.reports.model.league import League
from tests.leagues import judged, league_with, wrong
from tests.leaves import Steps, accepted_leaves, beyond
from tests.scaled_reports import scaled

NAMED = (
    "version",
    "command*",
    "engines.*.given",
    "engines.*.version",  # of an engine without a report
    "engines.*.memory_orders",
    "engines.*.memory_growth_bytes",
    "tables.*.entries.*.reason",  # of an engine without a report
)
"""Names, words, and figures that nothing else in a league follows from."""
DERIVED = ("status*", "seed", "rounds", "engines.*.name", "tables.*.base", "tables.*.order.*", "tables.*.figures.*")
"""Some that must be contradicted, whatever the list above says."""


@pytest.fixture(scope="module")
def league() -> League:
    """A right engine, a slower one, a wrong one, one that lacks something and one that failed."""
    report = from_text((Path(__file__).parents[1] / "io/two_runs.json").read_text())
    base = judged(replace(report, workload=replace(report.workload, profile="steady")))
    slow = scaled(base, Fraction(2))
    made = league_with({"steady": {"first": base, "slow": slow, "wrong": wrong(base), "none": None, "gone": None}})
    table = made.tables[0]
    entries = [*table.entries[:-1], without_report("gone", "failed", "crashed")]
    again = table_of(table.profile, table.order, entries)
    return league_of(made.engines, [again], command=(), seed=made.seed, rounds=made.rounds, interrupted=None)


@pytest.fixture(autouse=True)
def quick_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports, which do not change, are not held to their histograms each time."""
    monkeypatch.setattr(json_codec, "check_report", lambda _report: None)


def is_accepted(document: Any) -> bool:
    try:
        league_from_document(document)
    except (NotValidError, FormatError) as error:
        assert str(error)
        return False
    return True


def beside_reports(path: Steps) -> bool:
    return "report" not in path or path[-1] == "report"


def test_every_leaf_that_others_tell_is_told_by_them(league: League) -> None:
    document = json.loads(json.dumps(to_document(league)))
    assert is_accepted(document)
    accepted, unnoticed = accepted_leaves(document, is_accepted, counts=beside_reports)
    assert beyond(accepted, NAMED) == set()
    assert unnoticed - beyond(unnoticed, DERIVED) == set()
    assert "version" in accepted  # the list is not empty because nothing is ever accepted
