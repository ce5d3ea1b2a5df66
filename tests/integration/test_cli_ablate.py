"""`lowlat ablate`: figures that hold together, what cannot be done is refused, Ctrl-C keeps the rounds so far."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lowlat.engine.ablation.catalog import BY_NAME
from lowlat.engine.ablation.effect import significance_of
from lowlat.errors import ExitCode
from tests.foreign import libraries
from tests.integration.test_cli_interrupt import wait_for
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]

BRIEF = ("ablate", "--only", "counter", "--quick")


def test_a_technique_and_the_control_have_figures(document: Callable[..., dict[str, Any]]) -> None:
    found = document(*BRIEF)
    assert (found["status"], found["quick"], found["profile"]) == ("ok", True, "deep")
    assert [each["name"] for each in found["techniques"]] == ["counter", "control"]
    assert found["significance"] == significance_of(len(BY_NAME))
    for each in found["techniques"]:
        pairs = found["rounds"] * (2 if each["name"] == "control" else 1)
        assert each["pairs"] == len(each["first"]) == pairs >= 1
        decisive = each["effects"][0]
        assert (decisive["name"], decisive["gates"]) == ("cpu", True)
        assert 0 < decisive["base"]["min"] <= decisive["base"]["median"] <= decisive["base"]["max"]
        assert len(decisive["head"]["values"]) == pairs
        assert (each["counters_with"] is None) == (each["counters_absent"] is not None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", ""), "'' names no technique; write some"),
        (("--only", " , "), "' , ' names no technique; write some"),
        (("--only", "huge-page"), "'huge-page' is not one of look-ahead, batch, hints"),
        (("--only", "huge-page"), "; did you mean huge-pages?"),
        (("--profile", "stedy"), "stedy"),
        (("--cpu", "9999"), "9999"),
        (("--seed", "-1"), "'-1' is not an integer of 0 or more"),
        (("--format", "csv"), "csv"),
        (("--engine", "./none.so"), "no such file; build the library first"),
        (("--engine", "ndjson:./mine"), "is a process, whose memory, priority and CPU are its own to choose"),
        (("-o", "techniques.csv"), "no csv is written here; name it *.json, *.html, *.md"),
    ],
)
def test_what_cannot_be_done_is_refused(lowlat: Run, arguments: tuple[str, ...], said: str) -> None:
    done = lowlat("ablate", *arguments)
    assert done.returncode == ExitCode.USAGE
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_surroundings_of_a_library(lowlat: Run) -> None:
    only = ("--only", "pool,gc,counter", "--quick", "-p", "steady", "--no-lock", "--json")
    done = lowlat("ablate", "--engine", libraries.simple_book(), *only)
    assert done.returncode == ExitCode.OK, done.stderr
    found = json.loads(done.stdout)
    assert found["engine"] == "simple book"
    rows = {each["name"]: each for each in found["techniques"]}
    assert rows["counter"]["pairs"] == found["rounds"] >= 1 and rows["control"]["pairs"] == 2 * found["rounds"]
    assert rows["pool"]["reason"].endswith("because this is inside lowlat, and the measured engine is another")
    assert rows["gc"]["reason"].endswith("because the engine is not in Python, and no garbage collector stops it")


@pytest.mark.slow
def test_a_wrong_engine_is_not_measured(lowlat: Run) -> None:
    done = lowlat("ablate", "--engine", libraries.broken("last-in-first-out"), "-p", "steady", *BRIEF[1:], "--no-lock")
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    assert "simple book executes other trades than the native engine from event" in done.stderr.splitlines()[-1]
    assert "; lowlat verify --engine /" in done.stderr.splitlines()[-1]


def test_an_interruption_keeps_the_rounds_so_far(start: Start, tmp_path: Path) -> None:
    with start("ablate", "--only", "counter", "-v", "-o", "found.json") as process:
        wait_for(process, "round 2 of 20")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["status"] == "interrupted" and 1 <= found["rounds"] < 20
    assert out.startswith(f"INTERRUPTED: partial results: interrupted after {found['rounds']} round")


def test_an_interruption_of_the_first_round_writes_nothing(start: Start, tmp_path: Path) -> None:
    with start("ablate", "-v", "-o", "found.json") as process:
        wait_for(process, "round 1 of 20")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (ExitCode.INTERRUPTED, "")
    assert err.splitlines()[-1] == "lowlat: interrupted before any result"
    assert list(tmp_path.iterdir()) == []
