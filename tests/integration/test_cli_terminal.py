"""Color and progress appear only where requested: escape sequences in a log or a document break its readers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from lowlat_cli.console import Color, console, wants_color
from lowlat_cli.progress import shown_progress
from tests.waiting import PATIENCE_S

Start = Callable[..., subprocess.Popen[str]]
SHORT = ("bench", "--commands", "2k", "--runs", "1")


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """A pseudo-terminal: the end that the test reads, and the end that the program writes to."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def shown(ours: int) -> str:
    """Everything written to the terminal, once its other end is closed."""
    parts = []
    with contextlib.suppress(OSError):  # Linux reports a closed other end this way
        while part := os.read(ours, 65_536):
            parts.append(part)
    return b"".join(parts).decode()


@pytest.mark.parametrize(
    ("arguments", "env", "colored"),
    [((), {}, True), ((), {"NO_COLOR": "1"}, False), (("--color", "never"), {"FORCE_COLOR": "1"}, False)],
)
def test_a_table_on_a_terminal(start: Start, arguments: tuple[str, ...], env: dict[str, str], colored: bool) -> None:
    with terminal() as (ours, theirs):
        process = start(*SHORT, *arguments, env=env | {"TERM": "xterm"}, stdout=theirs)
        os.close(theirs)
        text = shown(ours)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")
    assert "equity" in text and ("\x1b[" in text) == colored


def test_progress_is_drawn_on_a_terminal_and_leaves_stdout_alone(start: Start) -> None:
    with terminal() as (ours, theirs):
        process = start(*SHORT, "--json", env={"TERM": "xterm"}, stderr=theirs)
        os.close(theirs)
        text = shown(ours)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert json.loads(out)["status"] == "ok"
    assert "generating the order flow" in text and "run 1 of 1" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1, "the cursor, once hidden, is shown again"


def test_forced_color_off_a_terminal_colors_the_table_and_animates_nothing(start: Start) -> None:
    out, err = start(*SHORT, env={"FORCE_COLOR": "1"}).communicate(timeout=PATIENCE_S)
    assert "\x1b[" in out and err == ""


def test_nothing_redraws_progress_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that refreshes the bar would take time from the measurement."""
    with terminal() as (ours, theirs):
        with os.fdopen(theirs, "w") as stream:
            monkeypatch.setattr(sys, "stderr", stream)
            monkeypatch.setenv("TERM", "xterm")
            others = set(threading.enumerate())  # another test of this process may have left one behind
            with shown_progress("auto", verbose=False) as progress:
                progress("run 1 of 2", 0.0)
                assert set(threading.enumerate()) <= others
        assert "run 1 of 2" in shown(ours)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "env", "on_terminal", "colored"),
    [
        ("auto", {"TERM": "xterm"}, True, True),
        ("auto", {"TERM": "xterm"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {}, True, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": ""}, False, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("always", {"TERM": "dumb"}, True, True),
        ("never", {"TERM": "xterm", "FORCE_COLOR": "1"}, True, False),
    ],
)
def test_who_decides_on_color(
    monkeypatch: pytest.MonkeyPatch, choice: Color, env: dict[str, str], on_terminal: bool, colored: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    stream = Terminal() if on_terminal else io.StringIO()
    assert wants_color(choice, stream) == colored
    console(stream, choice).print("[bold red]deep[/]")
    assert ("\x1b[" in stream.getvalue()) == colored
    assert "deep" in stream.getvalue()
