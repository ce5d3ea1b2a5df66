"""`lowlat verify` of an engine that runs as a process: its faults of matching, its end, and what refuses it."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, Popen
from typing import Any

import pytest

from lowlat.errors import ExitCode
from tests.foreign import processes
from tests.waiting import PATIENCE_S, wait_until

Lowlat = Callable[..., CompletedProcess[str]]
Start = Callable[..., Popen[str]]
COMMANDS_MAX = 6
"""A counterexample has at most so many."""


def verified(lowlat: Lowlat, engine: str, *options: str) -> tuple[int, dict[str, Any]]:
    done = lowlat("verify", "--engine", engine, "--json", *options)
    assert done.returncode in (ExitCode.OK, ExitCode.GATE_FAILED, ExitCode.NOT_VALID), done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_right_engine_conforms(lowlat: Lowlat) -> None:
    code, found = verified(lowlat, processes.simple_book(), "--worlds", "20", "-n", "10")
    assert (code, found["status"], found["counterexample"]) == (ExitCode.OK, "conforms", None)
    assert (found["engine"], found["version"], found["file"]) == (
        *("simple book in Python", "1.0"),
        processes.simple_book(),
    )
    examples, worlds, _ = found["suites"]
    assert worlds["cases"] == worlds["of"] == 20
    assert examples["cases"] > 4 and "STOPS" in examples["lacking"]


@pytest.mark.parametrize("fault", processes.BROKEN)
def test_wrong_engine_is_shown_in_few_commands(lowlat: Lowlat, fault: str, tmp_path: Path) -> None:
    code, found = verified(lowlat, processes.broken(fault, tmp_path), "-n", "10")
    assert (code, found["status"]) == (ExitCode.GATE_FAILED, "differs")
    shown = found["counterexample"]
    assert len(shown["commands"]) <= COMMANDS_MAX, shown["commands"]
    assert shown["given"] != shown["expected"] and "instead of" in shown["difference"]


def test_engine_that_crashes_has_failed(lowlat: Lowlat) -> None:
    code, found = verified(lowlat, processes.bad("crashes"), "--worlds", "3", "-n", "10")
    assert (code, found["status"]) == (ExitCode.NOT_VALID, "failed")
    shown = found["counterexample"]
    assert "was killed by SIGSEGV at command 5" in shown["difference"]
    assert len(shown["commands"]) == 6 and shown["given"] == [] and shown["expected"]


def test_engine_behind_rings_is_compared(lowlat: Lowlat) -> None:
    """Its crash is made as short as one of an engine that speaks in lines."""
    code, found = verified(lowlat, processes.ring_book("crashes"), "--worlds", "3", "-n", "10")
    assert (code, found["status"]) == (ExitCode.NOT_VALID, "failed")
    assert "was killed by SIGSEGV at command 5" in found["counterexample"]["difference"]
    assert len(found["counterexample"]["commands"]) == 6


@pytest.mark.slow
def test_right_engine_behind_rings_conforms(lowlat: Lowlat) -> None:
    code, found = verified(lowlat, processes.ring_book(), "--worlds", "20", "-n", "10")
    assert (code, found["status"], found["engine"]) == (ExitCode.OK, "conforms", "ring book")


@pytest.mark.slow
def test_ctrl_c_ends_the_engine_too(start: Start, tmp_path: Path) -> None:
    child = tmp_path / "child"
    engine = processes.bad("hangs_with_child")
    with start("verify", "--engine", engine, env={"TEST_ENGINE_CHILD": str(child)}) as process:
        wait_until(lambda: process.poll() is not None or (child.exists() and child.read_text()), "its child")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED
    wait_until(lambda: processes.has_ended(int(child.read_text())), "the end of the engine's child")


@pytest.mark.parametrize(
    ("engine", "code", "said"),
    [
        (lambda: "ndjson:./nothing", ExitCode.USAGE, "./nothing cannot be started: there is no such program"),
        (lambda: "ndjson:", ExitCode.USAGE, "names no program"),
        (lambda: processes.bad("ends_at_once"), ExitCode.NOT_VALID, "exited with code 0 at the hello"),
        (lambda: processes.bad("other_version"), ExitCode.NOT_VALID, "speaks lowlat.engine 2"),
    ],
)
def test_what_is_no_engine_is_refused(lowlat: Lowlat, engine: Callable[[], str], code: int, said: str) -> None:
    done = lowlat("verify", "--engine", engine())
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_projects_file_cannot_have_a_process_started(lowlat: Lowlat, tmp_path: Path) -> None:
    (tmp_path / "lowlat.toml").write_text('[bench]\nengine = "ndjson:touch started"\n')
    done = lowlat("bench")
    assert done.returncode == ExitCode.USAGE
    assert "'engine' names a library or a process, whose code a project's file cannot have run" in done.stderr
    assert not (tmp_path / "started").exists()
