"""Runs the installed command like a user: in a separate process, in an empty folder, without our settings.

Most tests are about what a command does, not about its start, and run it in a fork of a process that has loaded its
modules (`tests/zygote.py`).
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat.documents import published
from tests.waiting import PATIENCE_S
from tests.warm_start import Zygote, decided_at_start

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]

Document = Callable[..., dict[str, Any]]
Terminal = Callable[..., str]

LOWLAT = Path(sys.executable).with_name("lowlat")
_ABOUT_COLOR = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "LINES")


def clean_environment(*, kernel_path: bool = False) -> dict[str, str]:
    """The caller's environment without variables that would change a result; warnings are errors, as in the tests.
    A bench measures the `kernel_path` only for tests of the latency budget: that takes longer than a short run.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOWLAT_")}
    return (
        {name: value for name, value in kept.items() if name not in _ABOUT_COLOR}
        | {
            "PYTHONWARNINGS": "error",
            "LOWLAT_NO_LOCK": "1",
        }
        | ({} if kernel_path else {"LOWLAT_NO_KERNEL_PATH": "1"})
    )


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a command that a test runs."""
    return clean_environment()


def _hear_signals() -> None:
    """Scripts start background jobs with SIGINT ignored, and nohup its command with SIGHUP; children inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Start:
    """Start `lowlat` with these arguments; with `code`, after Python code that changes the program."""

    def started(
        *arguments: object, env: dict[str, str] | None = None, code: str | None = None, **options: object
    ) -> subprocess.Popen[str]:
        program = [str(LOWLAT)] if code is None else _patched(code)
        command = [*program, *[str(argument) for argument in arguments]]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment | (env or {}),
            text=True,
            preexec_fn=_hear_signals,  # noqa: PLW1509 (no threads here)
            **(pipes | options),  # type: ignore[arg-type]
        )

    return started


@pytest.fixture
def cold(start: Start) -> Run:
    """Run `lowlat` with these arguments to the end, started by a new interpreter."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        with start(*arguments, **options) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """The process that `lowlat` runs in forks of."""
    zygote = Zygote(clean_environment())
    yield zygote
    zygote.close()


@pytest.fixture
def lowlat(zygote: Zygote, cold: Run, tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run `lowlat` with these arguments to the end, started only if `code` or its environment asks for a start."""

    def run(
        *arguments: object, env: dict[str, str] | None = None, code: str | None = None, **streams: object
    ) -> subprocess.CompletedProcess[str]:
        if code is not None or decided_at_start(env or {}):
            return cold(*arguments, env=env, code=code, **streams)
        return zygote.run(arguments, folder=tmp_path, environment=environment | (env or {}), **streams)

    return run


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Run:
    """Run `lowlat` with these arguments once, in a folder of its own, for all tests of a worker that only read what it
    prints.
    """

    @functools.cache
    def run(*arguments: str, kernel_path: bool = False) -> subprocess.CompletedProcess[str]:
        environment = clean_environment(kernel_path=kernel_path)
        return zygote.run(arguments, folder=tmp_path_factory.mktemp("once"), environment=environment)

    return run


@pytest.fixture
def patched(cold: Run) -> Run:
    """Run `lowlat` after Python code that changes the program, for results that a correct one never has."""

    def run(code: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return cold(*arguments, code=code, **options)

    return run


@pytest.fixture
def document(lowlat: Run) -> Document:
    """Run a verb of `probes` with --json; return the single document it prints, valid by its published schema."""

    def printed(*arguments: object, **options: object) -> dict[str, Any]:
        done = lowlat(*arguments, "--json", **options)
        assert (done.returncode, done.stderr) == (0, "")
        found: dict[str, Any] = json.loads(done.stdout)
        jsonschema.Draft202012Validator(published(found["schema"], closed=True)).validate(found)
        return found

    return printed


@pytest.fixture
def on_terminal(zygote: Zygote, tmp_path: Path, environment: dict[str, str]) -> Terminal:
    """Run `lowlat` on a terminal this many columns wide until it succeeds; return its output, without colors unless
    `raw`.
    """

    def run(columns: int, *arguments: object, raw: bool = False) -> str:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        # stdin too, since rich reads the width there first.
        terminal = environment | {"TERM": "xterm-256color"}
        process = zygote.start(arguments, folder=tmp_path, environment=terminal, streams=[theirs] * 3)
        os.close(theirs)
        parts = []
        with contextlib.suppress(OSError):  # Linux reports a closed other end this way
            while part := os.read(ours, 1 << 16):
                parts.append(part)
        os.close(ours)
        assert process.wait() == 0
        text = b"".join(parts).decode().replace("\r\n", "\n")
        return text if raw else re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    return run


def _patched(code: str) -> list[str]:
    return [sys.executable, "-P", "-c", f"import sys\n{code}\nfrom lowlat_cli.main import main\nsys.exit(main())"]
