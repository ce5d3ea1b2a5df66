"""Signals at moments that are no good: while the result is written, in a destructor, after the verb has ended."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Callable
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lowlat.errors import ExitCode
from lowlat_cli import signals
from lowlat_cli.destination import Destination
from lowlat_cli.errors import Outcome
from lowlat_cli.session import Session
from lowlat_cli.stdio import to_stderr
from tests.waiting import PATIENCE_S

SIGNALS = [
    (signal.SIGINT, ExitCode.INTERRUPTED),
    (signal.SIGTERM, ExitCode.TERMINATED),
    (signal.SIGHUP, ExitCode.HUNG_UP),
]


def ended(folder: Path, verb: Callable[[], object], after: Callable[[], object] = lambda: None) -> tuple[int, str]:
    """The exit code and stderr of a process that runs a verb in its folder, as `lowlat_cli.main` does."""
    said = folder / "stderr"
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        sys.stdout, sys.stderr = Path(os.devnull).open("w"), said.open("w")  # noqa: SIM115 (until it ends)
        outcome = Outcome(Session())
        with outcome:
            signals.handle_interruptions()
            verb()
        after()
        os._exit(outcome.exit_code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.read_text()


def written(document: Callable[[], str], output: Path | None) -> None:
    Destination("json", output, "never").write(document, lambda _on: None)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_while_the_result_is_written_waits_for_it(
    tmp_path: Path, number: signal.Signals, code: ExitCode
) -> None:
    def document() -> str:
        os.kill(os.getpid(), number)
        return '{"whole": true}'

    output = tmp_path / "result.json"
    assert ended(tmp_path, lambda: written(document, output)) == (code, f"lowlat: wrote {output}\n")
    assert output.read_text() == '{"whole": true}'


def test_a_second_signal_does_not_wait_and_leaves_the_old_file(tmp_path: Path) -> None:
    def document() -> str:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
        return "new"

    output = tmp_path / "result.json"
    output.write_text("old")
    assert ended(tmp_path, lambda: written(document, output)) == (ExitCode.TERMINATED, "")
    assert output.read_text() == "old" and {each.name for each in tmp_path.iterdir()} == {"result.json", "stderr"}


def test_a_result_that_nobody_takes_does_not_keep_a_signal_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "DELIVERY_S", 0.01)

    def document() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE_S)
        return ""

    began = time.monotonic()
    assert ended(tmp_path, lambda: written(document, None)) == (
        ExitCode.TERMINATED,
        "lowlat: interrupted before any result\n",
    )
    assert time.monotonic() - began < PATIENCE_S


class Interrupted:
    """Its destructor, whose exceptions are lost, takes a signal."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_in_a_destructor_is_heard_after_it(tmp_path: Path) -> None:
    def verb() -> None:
        Interrupted()
        time.sleep(PATIENCE_S)

    assert ended(tmp_path, verb) == (ExitCode.INTERRUPTED, "lowlat: interrupted before any result\n")


def test_a_signal_while_a_native_module_is_loaded_waits_for_it(tmp_path: Path) -> None:
    """An exception of Python code that its initialization calls would end the process: nanobind aborts."""
    heard: list[str] = []

    def called_back(_module: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        heard.append("initialized")

    def verb() -> None:
        imp = sys.modules["_imp"]
        imp.exec_dynamic = called_back  # type: ignore[attr-defined]
        ExtensionFileLoader("it", "it.so").exec_module(ModuleType("it"))
        to_stderr(f"{heard}\n")
        time.sleep(PATIENCE_S)

    assert ended(tmp_path, verb) == (
        ExitCode.TERMINATED,
        "['initialized']\nlowlat: interrupted before any result\n",
    )


def test_a_result_whose_writing_loads_a_native_module_is_written_too(tmp_path: Path) -> None:
    def document() -> str:
        imp = sys.modules["_imp"]
        imp.exec_dynamic = lambda _module: os.kill(os.getpid(), signal.SIGINT)  # type: ignore[attr-defined]
        ExtensionFileLoader("it", "it.so").exec_module(ModuleType("it"))
        time.sleep(0.05)  # in which the signal comes again
        return "whole"

    output = tmp_path / "result.json"
    assert ended(tmp_path, lambda: written(document, output)) == (
        ExitCode.INTERRUPTED,
        f"lowlat: wrote {output}\n",
    )
    assert output.read_text() == "whole"


class Asked(io.FileIO):
    """Takes a signal when it is asked for its class."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        os.kill(os.getpid(), signal.SIGTERM)
        return io.FileIO


def test_a_signal_that_numpy_makes_another_error_of_is_no_internal_error(tmp_path: Path) -> None:
    """`tofile` asks whether it was given a path, and takes an exception for a yes."""

    def verb() -> None:
        with Asked(tmp_path / "array", "wb") as file, pytest.raises(TypeError) as other:
            np.zeros(3).tofile(file)
        raise other.value

    assert ended(tmp_path, verb) == (ExitCode.TERMINATED, "lowlat: interrupted before any result\n")


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_after_the_verb_ends_the_process_at_once(
    tmp_path: Path, number: signal.Signals, code: ExitCode
) -> None:
    def after() -> None:
        os.kill(os.getpid(), number)
        time.sleep(PATIENCE_S)

    assert ended(tmp_path, lambda: None, after) == (code, "")
    assert ended(tmp_path, lambda: None) == (ExitCode.OK, "")
