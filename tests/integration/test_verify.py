"""`lowlat verify` finds what is wrong with an engine, and shows it in few commands."""

import contextlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, Popen
from typing import Any

import pytest

from lowlat.errors import ExitCode
from tests.foreign import libraries
from tests.waiting import PATIENCE_S

Lowlat = Callable[..., CompletedProcess[str]]
Start = Callable[..., Popen[str]]
COMMANDS_MAX = 6
"""A counterexample has at most so many."""


def verified(lowlat: Lowlat, library: Path, *options: str) -> tuple[int, dict[str, Any]]:
    done = lowlat("verify", "--engine", library, "--json", *options)
    assert done.returncode in (ExitCode.OK, ExitCode.GATE_FAILED, ExitCode.NOT_VALID), done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(
    "library", [libraries.simple_book, pytest.param(libraries.simple_book_in_c, marks=pytest.mark.slow)]
)
def test_right_engines_conform(lowlat: Lowlat, library: Callable[[], Path]) -> None:
    code, found = verified(lowlat, library(), "--worlds", "60", "-n", "1k")
    assert (code, found["status"], found["counterexample"]) == (ExitCode.OK, "conforms", None)
    examples, worlds, profiles = found["suites"]
    assert worlds["cases"] == worlds["of"] == 60
    assert examples["cases"] > 4 and examples["skipped"] and "STOPS" in examples["lacking"]
    assert profiles["cases"] >= 1 and profiles["events"] >= profiles["commands"]


@pytest.mark.parametrize("fault", libraries.BROKEN)
def test_wrong_engine_is_shown_in_few_commands(lowlat: Lowlat, fault: str) -> None:
    code, found = verified(lowlat, libraries.broken(fault))
    assert (code, found["status"]) == (ExitCode.GATE_FAILED, "differs")
    shown = found["counterexample"]
    assert len(shown["commands"]) <= COMMANDS_MAX, shown["commands"]
    assert shown["command"] == len(shown["commands"]) - 1
    assert shown["given"] != shown["expected"] and "instead of" in shown["difference"]


def test_a_bad_recording_is_told_before_the_work(lowlat: Lowlat, tmp_path: Path) -> None:
    """The work would take a day."""
    (tmp_path / "day.csv").write_text("34200.1,1,11,50,5850100,-1\n34200.2,9,12,70,5850100,-1\n")
    done = lowlat("verify", "--engine", "reference", "--worlds", "1M", "day.csv")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr == "lowlat: error: day.csv, row 2, column type: '9' is not a type from 1 to 7\n"


def test_a_recording_in_a_pipe_is_refused(lowlat: Lowlat) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"34200.1,1,11,50,5850100,-1\n")
    os.close(writing)
    done = lowlat("verify", "--engine", "reference", "/dev/stdin", stdin=reading)
    os.close(reading)
    assert (done.returncode, done.stderr) == (
        ExitCode.USAGE,
        "lowlat: error: /dev/stdin: a recording is read more than once; name a file in place of a pipe\n",
    )


def test_screen_shows_both_event_lists(lowlat: Lowlat) -> None:
    done = lowlat("verify", "--engine", libraries.broken("last-in-first-out"), env={"COLUMNS": "100"})
    first, *rest = done.stdout.splitlines()
    assert first.startswith("simple book gives other events from event")
    assert any(line.startswith("≠") and "maker 1" in line and "maker 2" in line for line in rest), done.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("crashes", "crashed (SIGSEGV) in execute()"),
        pytest.param(
            "writes_past_room", "wrote past the end of its room for events in process()", marks=pytest.mark.slow
        ),
        ("throws", "aborted (SIGABRT) in execute()"),
        pytest.param("exits_with_70", "in execute()", marks=pytest.mark.slow),
        ("creates_nothing", "create returned NULL"),
        pytest.param("counts_too_many", "by its own count", marks=pytest.mark.slow),
    ],
)
def test_engine_that_breaks_the_interface_has_failed(lowlat: Lowlat, name: str, said: str) -> None:
    code, found = verified(lowlat, libraries.bad(name), "--worlds", "10", "-n", "100")
    assert (code, found["status"]) == (ExitCode.NOT_VALID, "failed")
    assert said in found["counterexample"]["difference"]
    assert found["counterexample"]["given"] == [] and found["counterexample"]["expected"]


def test_books_that_a_reset_leaves_are_found(lowlat: Lowlat) -> None:
    code, found = verified(lowlat, libraries.bad("never_resets"))
    assert code == ExitCode.GATE_FAILED
    assert "after a reset" in found["counterexample"]["how"] and len(found["counterexample"]["commands"]) == 1


@pytest.mark.parametrize("name", ["skips_rejections", "swaps_events", "claims_fok", "dirty_zero"])
def test_engine_with_wrong_events_differs(lowlat: Lowlat, name: str) -> None:
    code, found = verified(lowlat, libraries.bad(name), "--worlds", "20", "-n", "100")
    assert (code, found["status"]) == (ExitCode.GATE_FAILED, "differs")
    assert len(found["counterexample"]["commands"]) <= COMMANDS_MAX


@pytest.mark.parametrize("name", [pytest.param("prints", marks=pytest.mark.slow), "prints_errors"])
def test_what_an_engine_prints_neither_stops_nor_spoils_the_comparison(lowlat: Lowlat, name: str) -> None:
    """More than a pipe holds."""
    code, found = verified(lowlat, libraries.bad(name), "--worlds", "30", "-n", "2k")
    assert (code, found["status"]) == (ExitCode.OK, "conforms")


def test_ctrl_c_shows_what_was_equal_so_far(start: Start, tmp_path: Path) -> None:
    library = libraries.simple_book()
    with start("verify", "--engine", library, "--worlds", "1M", "-v", "-o", "found.json") as process:
        assert process.stderr is not None
        for seen in process.stderr:
            if "random worlds: " in seen:
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED and out.startswith("interrupted: ")
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["status"], found["counterexample"]) == ("interrupted", None)


@pytest.mark.slow
def test_engines_that_never_return_are_ended(start: Start) -> None:
    """All at the same time, since each is waited for until its time is up."""
    names = ["hangs", "hangs_in_create", "never_stops_calling_back", "never_stops_draining"]
    with contextlib.ExitStack() as running:
        command = ["verify", "--worlds", "10", "-n", "100", "--json", "--engine"]
        started = [running.enter_context(start(*command, libraries.bad(name))) for name in names]
        printed = [process.communicate(timeout=PATIENCE_S)[0] for process in started]
    assert [process.returncode for process in started] == [ExitCode.NOT_VALID] * len(names)
    assert [json.loads(each)["status"] for each in printed] == ["failed"] * len(names)


@pytest.mark.parametrize(
    ("library", "said"),
    [
        (lambda: libraries.bad("no_symbol"), "has no function lowlat_get_engine_interface"),
        (lambda: libraries.bad("other_version"), "implements version 2 of the engine interface"),
        (lambda: "./nothing.so", "no such file"),
        (lambda: "native", "is what others are compared with"),
        (lambda: "nothing", "'nothing' is not one of 'native', 'reference'; write the path of a library"),
    ],
)
def test_what_is_no_engine_is_refused(lowlat: Lowlat, library: Callable[[], object], said: str) -> None:
    done = lowlat("verify", "--engine", library())
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert said in done.stderr and len(done.stderr.splitlines()) == 1
