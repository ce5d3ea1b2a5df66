"""`lowlat league` as installed: right, wrong, crashing and limited engines in one table, and what ends it early."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.errors import ExitCode
from lowlat.reports.io.json_codec import league_from_document
from lowlat.reports.io.validation import check
from lowlat.reports.model.league import League, LeagueEntry
from tests.foreign import libraries
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]

FLOW = "live_orders = 300\n[mix]\nadd = 50\ncancel = 40\ntake = 10\n"
TWO_BOOKS = f"symbols = 2\n{FLOW}"
WRONG = "last-in-first-out"
ENGINES = ("native", "reference", "simple_book.so", f"{WRONG}.so", "crashes.so", "simple_book_in_c.so")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small flows: one of one book, one of two."""
    made = tmp_path_factory.mktemp("league")
    (made / "one.toml").write_text(FLOW)
    (made / "two.toml").write_text(TWO_BOOKS)
    return made


@pytest.fixture(scope="module")
def libraries_() -> list[str]:
    found = [libraries.simple_book(), libraries.broken(WRONG), libraries.bad("crashes"), libraries.simple_book_in_c()]
    return [str(each) for each in found]


@pytest.fixture(scope="module")
def played(once: Run, folder: Path, libraries_: list[str]) -> tuple[subprocess.CompletedProcess[str], League]:
    file = folder / "league.json"
    flows = f"{folder}/one.toml,{folder}/two.toml"
    words = ("league", "native", "reference", *libraries_, "-p", flows, "-n", "3k", "--runs", "2", "-o", str(file))
    done = once(*words)
    document = json.loads(file.read_text())
    jsonschema.Draft202012Validator(published("lowlat.league/1")).validate(document)
    return done, league_from_document(document)


def entry_of(league: League, profile: str, engine: str) -> LeagueEntry:
    (table,) = (table for table in league.tables if table.profile == profile)
    return next(entry for entry in table.entries if entry.engine == engine)


def test_right_engines_have_figures_and_every_event_was_compared(played: Any) -> None:
    league: League = played[1]
    for profile in ("one", "two"):
        for engine in ("native", "reference", "simple_book.so"):
            entry = entry_of(league, profile, engine)
            assert (entry.outcome, entry.reason) == ("verified", None)
            assert entry.figures is not None and entry.report is not None
            assert (entry.figures.commands, entry.figures.runs) == (3_000, 2)
            check(entry.report)
    book = entry_of(league, "one", "simple_book.so").figures
    assert book is not None and book.call_ns and book.batched_call_ns and book.ratio
    assert entry_of(league, "one", "native").figures.call_ns is None  # type: ignore[union-attr]


def test_a_wrong_engine_and_one_that_crashes_have_none(played: Any) -> None:
    done, league = played
    wrong, crashed = (entry_of(league, "one", f"{name}.so") for name in (WRONG, "crashes"))
    assert (wrong.outcome, wrong.figures) == ("other events", None)
    assert "executes other trades than the native engine from event " in (wrong.reason or "")
    assert (crashed.outcome, crashed.reason, crashed.report) == ("failed", "crashed (SIGSEGV) in execute()", None)
    assert (done.returncode, league.status) == (ExitCode.NOT_VALID, "invalid")
    assert done.stdout.startswith("INVALID: discard the figures of "), done.stdout
    assert "executes other trades from event " in done.stdout
    assert done.stderr.splitlines()[-1].startswith("lowlat: invalid: ")


def test_an_engine_that_lacks_something_is_named_with_it(played: Any) -> None:
    done, league = played
    assert entry_of(league, "one", "simple_book_in_c.so").outcome == "verified"
    lacking = entry_of(league, "two", "simple_book_in_c.so")
    assert (lacking.outcome, lacking.reason, lacking.report) == ("lacking", "SYMBOLS", None)
    assert any(" ".join(line.split()) == "simple_book_in_c.so lacks SYMBOLS" for line in done.stdout.splitlines())


def test_memory_per_order_is_known_or_says_why_not(played: Any) -> None:
    by_name = {engine.name: engine for engine in played[1].engines}
    assert tuple(by_name) == ENGINES
    # A resting order has an id, a price, a quantity and its neighbors; the largest is one of Python's objects.
    for name in ("native", "reference", "simple_book.so", "simple_book_in_c.so"):
        size = by_name[name].bytes_per_order
        assert size is not None and 24 < size < 4_096
    assert by_name["crashes.so"].memory_growth_bytes is None
    assert "crashed (SIGSEGV)" in str(by_name["crashes.so"].memory_absent)


def test_every_round_has_every_engine_in_an_order_of_its_own(played: Any) -> None:
    for table in played[1].tables:
        assert [sorted(each) for each in table.order] == [sorted(ENGINES)] * 2
    orders = {order for table in played[1].tables for order in table.order}
    assert len(orders) > 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("league", "missing argument 'ENGINE|FILE|PROCESS...'"),
        ("league cobol", "ENGINE|FILE|PROCESS...: 'cobol' is not one of 'native', 'reference'"),
        ("league ./gone.so", "ENGINE|FILE|PROCESS...: ./gone.so: no such file; build the library first"),
        ("league native native", "native is named twice; name each engine once"),
        ("league native -p nowhere", "profile 'nowhere' "),
        ("league native -p ,", "--profile ',' names no order flow"),
        ("league native -p steady,steady", "--profile names steady twice; name each once"),
        ("league native -o a.xml", "-o a.xml: no junit is written here; name it *.json, *.html, *.md, *.csv"),
    ],
)
def test_what_cannot_be_measured_is_one_line(lowlat: Run, arguments: str, line: str) -> None:
    done = lowlat(*arguments.split())
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr.startswith(f"lowlat: error: {line}") and done.stderr.count("\n") == 1, done.stderr


def test_a_league_that_no_engine_can_enter_is_refused(lowlat: Run, folder: Path) -> None:
    done = lowlat("league", libraries.simple_book_in_c(), "-p", folder / "two.toml", "-n", "100")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr.startswith("lowlat: error: no engine takes what a flow has: simple book in C on two: SYMBOLS")


def test_if_no_engine_gives_a_result_the_first_failure_is_the_error(lowlat: Run, folder: Path) -> None:
    done = lowlat("league", libraries.bad("crashes"), "-p", folder / "one.toml", "-n", "100", "--runs", "1")
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    assert "crashed (SIGSEGV) in execute()" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.slow
def test_ctrl_c_keeps_the_rounds_so_far(start: Start, tmp_path: Path, folder: Path) -> None:
    flows = f"{folder}/one.toml,{folder}/two.toml"
    with start("league", "native", "-p", flows, "-n", "500", "--runs", "100", "-v", "-o", "league.json") as process:
        assert process.stderr is not None
        for seen in process.stderr:
            if "one: round 3 of 100" in seen:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED
    league = league_from_document(json.loads((tmp_path / "league.json").read_text()))
    (entry,) = league.tables[0].entries
    assert (league.status, entry.outcome, len(league.tables)) == ("interrupted", "unverified", 1)
    assert entry.figures is not None and 2 <= entry.figures.runs < 100
    assert (league.interrupted or "").startswith("interrupted in one, round ")
    assert (league.interrupted or "").endswith("; not measured: two")
    assert out.startswith("INTERRUPTED: partial results: ") and "stopped early: interrupted in one" in err
