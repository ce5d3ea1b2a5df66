"""`lowlat profile`: the list, the TOML to start from, a profile fitted to a recording and checked against it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.engine import load_profile, profile_names, synthetic_flow
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.records import SyncPolicy
from tests.recorded_day import recorded_day

Run = Callable[..., subprocess.CompletedProcess[str]]
Document = Callable[..., dict[str, object]]
COMMANDS = 100_000


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of the flow of `equity`: a recording as lowlat itself makes it."""
    path = tmp_path / "day.journal"
    flow = synthetic_flow(load_profile("equity"), COMMANDS, seed=3)
    with JournaledEngine.create(path, orders=50_000, sync=SyncPolicy.NONE) as engine:
        engine.process(flow.commands)
    return path


@pytest.fixture
def lobster(tmp_path: Path) -> Path:
    path = tmp_path / "day.csv"
    path.write_text(recorded_day()[0])
    return path


# -- list and show ---------------------------------------------------------------------------------------------------


def test_list_names_every_profile(lowlat: Run, document: Document) -> None:
    done = lowlat("profile", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == profile_names()
    listed = document("profile", "list")
    assert [each["name"] for each in listed["profiles"]] == profile_names()  # type: ignore[attr-defined]


def test_show_prints_what_bench_takes(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat("profile", "show", "burst", "-o", "mine.toml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "lowlat: wrote mine.toml\n")
    assert lowlat("profile", "show", "burst").stdout == (tmp_path / "mine.toml").read_text()
    assert lowlat("profile", "show", "mine.toml").stdout == (tmp_path / "mine.toml").read_text()
    measured = lowlat("bench", "--profile", "mine.toml", "-n", "500", "--runs", "1", "--json")
    assert json.loads(measured.stdout)["workload"]["profile"] == "mine"


def test_show_names_the_nearest_profile(lowlat: Run) -> None:
    done = lowlat("profile", "show", "stedy")
    assert done.returncode == 2
    assert done.stderr.startswith("lowlat: error: profile 'stedy' is unknown; did you mean steady? available: ")


# -- fit and check ---------------------------------------------------------------------------------------------------


def test_a_profile_fitted_to_a_journal_fits_it(lowlat: Run, document: Document, journal: Path) -> None:
    done = lowlat("profile", "fit", "day.journal", "-o", "mine.toml")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr.splitlines()[:2] == [
        "lowlat: wrote mine.toml",
        "lowlat: the flow has no arrival times: [arrivals] is left out, and a run is a closed loop",
    ]
    check = document("profile", "check", "mine.toml", "day.journal")
    figures = {each["figure"]: each for each in check["figures"]}  # type: ignore[attr-defined]
    cost = figures.pop("CPU time per command, ns")  # its verdict is the machine's
    assert cost["flow"] > 0 and cost["profile"] > 0
    # The journal's first commands build the book, which the recording does not say: its far orders look younger.
    assert {name for name, each in figures.items() if each["verdict"] == "poor"} <= {
        "share that a reduce takes, percent",
        "price levels, mean",
    }
    assert check["notes"] == ["arrivals are not compared: the flow has no arrival times"]


def test_a_profile_of_another_flow_fits_poorly(lowlat: Run, journal: Path) -> None:
    done = lowlat("profile", "check", "steady", "day.journal")
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = (line for line in done.stdout.splitlines() if line.startswith("cancels that remove their level"))
    assert row.endswith("poor")
    assert "fit poorly" in done.stdout.splitlines()[-1]
    assert lowlat("profile", "check", "steady", "day.journal", "--strict").returncode == 1


def test_arrivals_of_a_recording_are_fitted(lowlat: Run, lobster: Path) -> None:
    done = lowlat("profile", "fit", "day.csv", "--format", "lobster")
    assert done.returncode == 0, done.stderr
    assert '[arrivals]\nprocess = "' in done.stdout
    assert "day.csv" not in done.stdout


def test_output_is_checked_before_the_work(lowlat: Run, journal: Path) -> None:
    before = journal.read_bytes()
    for verb in (["fit"], ["check", "steady"]):
        done = lowlat("profile", *verb, "day.journal", "-o", "missing/mine.toml")
        assert done.returncode == 2 and "missing" in done.stderr
        done = lowlat("profile", *verb, "day.journal", "-o", "day.journal")
        assert (done.returncode, done.stderr) == (
            2,
            "lowlat: error: -o names day.journal itself, which is read; name another file\n",
        )
    assert journal.read_bytes() == before


@pytest.mark.parametrize(("purpose", "verb"), [("fit", ["fit"]), ("compare", ["check", "steady"])])
def test_a_short_recording_is_refused(lowlat: Run, tmp_path: Path, purpose: str, verb: list[str]) -> None:
    (tmp_path / "day.csv").write_text("34200.1,1,11,50,5850100,-1\n34200.2,1,12,70,5850100,-1\n")
    done = lowlat("profile", *verb, "day.csv", "-o", "mine.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"lowlat: error: the flow is too short to {purpose}: 2 commands, of which 2 add an order that rests; "
        "use one with at least 1,000 and 200\n"
    )
    assert not (tmp_path / "mine.toml").exists()


def test_contradictory_keys_are_named(lowlat: Run, journal: Path, tmp_path: Path) -> None:
    lowlat("profile", "fit", "day.journal", "-o", "mine.toml")
    text = (tmp_path / "mine.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("[quantity]\n", "[quantity]\nresting_max = 5\n"))
    done = lowlat("profile", "check", "mine.toml", "day.journal")
    assert done.returncode == 2
    assert "profile mine.toml: quantity.resting_max has no meaning beside quantity.resting" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("list",), ("show",), ("fit",), ("check",)])
def test_help_opens_with_examples(lowlat: Run, arguments: tuple[str, ...]) -> None:
    done = lowlat("profile", *arguments, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.index("Examples:\n    lowlat profile ") < done.stdout.index("Usage: lowlat profile")


def test_a_profile_without_a_rate_is_a_closed_loop_until_a_rate_is_given(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[mix]\nadd = 5\ncancel = 4\n\n[arrivals]\nprocess = "burst"\n')
    command = ["bench", "--profile", "mine.toml", "-n", "500", "--runs", "1", "--json"]
    closed, paced = (json.loads(lowlat(*command, *more).stdout) for more in ([], ["--rate", "100k"]))
    assert closed["load"]["model"] == "closed"
    assert (paced["load"]["model"], paced["load"]["arrivals"]) == ("open", "burst")
    refused = lowlat(*command, "--arrivals", "poisson")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--arrivals needs a rate; add --rate, such as --rate 1M" in refused.stderr
