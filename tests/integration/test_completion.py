"""Tab completes command lines of lowlat in the shells themselves, each on a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.integration.conftest import LOWLAT
from tests.waiting import PATIENCE_S, wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(lowlat completion bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit; compinit -D; eval "$(lowlat completion zsh)"',
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "lowlat completion fish | source",
    ),
}
LINES = [
    ("cali\t", ["calibrate"]),
    ("bench --prof\tcanc\t", ["bench", "--profile", "cancel-storm"]),
    ("bench -p ./mi\t", ["bench", "-p", "./mine.toml"]),
    ("bench --format=js\t", ["bench", "--format=json"]),
    ("bench --on-exhaustion gr\t--qui\t", ["bench", "--on-exhaustion", "grow", "--quiet"]),
    ("journal ver\tda\t", ["journal", "verify", "day.journal"]),
    ("report --to openm\tfirst\t", ["report", "--to", "openmetrics", "first one.json"]),
    ("book --dir bo\t", ["book", "--dir", "books"]),
    ("profiles ste\t", ["profiles", "steady"]),
    ("help journal comp\t", ["help", "journal", "compact"]),
    ("affinity run --cpus 0 -- zzcom\tda\t", ["affinity", "run", "--cpus", "0", "--", "zzcommand", "day.journal"]),
    ("compare da\t-- --qui\t", ["compare", "day.journal", "--", "--qui"]),  # after --, there are no options
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with files, and a `lowlat` in bin/ that completes and otherwise only writes down its arguments."""
    (tmp_path / "bin").mkdir()
    recording = (
        f'case $1 in _complete|completion) exec "{LOWLAT}" "$@";; esac\nprintf "%s\\n" "$@" > ran && mv ran done'
    )
    for name, text in (("lowlat", recording), ("zzcommand", "")):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    for name in ("day.journal", "mine.toml", "first one.json"):
        (tmp_path / name).touch()
    (tmp_path / "books").mkdir()
    return tmp_path


def _lead() -> None:
    """Lead a session on the terminal that is stdin, as a shell does that a terminal starts."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def terminal(
    command: list[str], home: Path, environment: dict[str, str]
) -> Iterator[tuple[Callable[[str], None], Callable[[], str]]]:
    """A shell on a terminal: what types there, and what gives the screen so far."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    folders = {name: str(home / ".cache") for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    path = f"{home / 'bin'}:{environment['PATH']}"
    env = environment | folders | {"HOME": str(home), "PATH": path, "TERM": "xterm", "ZDOTDIR": str(home)}
    process = subprocess.Popen(
        command,
        cwd=home,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=_lead,  # noqa: PLW1509 (no threads here)
    )
    os.close(theirs)
    screen = bytearray()

    def shown() -> str:
        with suppress(OSError):
            while part := os.read(ours, 1 << 16):
                screen.extend(part)
        return screen.decode(errors="replace")

    try:
        yield (lambda text: (os.write(ours, text.encode()), None)[1]), shown
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        os.close(ours)


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes(home: Path, environment: dict[str, str], shell: str) -> None:
    command, prepare = SHELLS[shell]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{shell} is not installed")
    with terminal(command, home, environment) as (type_, shown):
        type_(f"{prepare}; touch prepared\r")
        wait_until((home / "prepared").exists, shown)
        for typed, arguments in LINES:
            type_(f"lowlat {typed}\r")
            wait_until((home / "done").exists, shown)
            given = (home / "done").read_text().splitlines()
            # zsh removes the slash behind a folder when the command starts.
            assert [word.rstrip("/") for word in given] == arguments, shown()[-2000:]
            (home / "done").unlink()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_valid(lowlat: Run, shell: str, tmp_path: Path) -> None:
    done = lowlat("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(done.stdout)
    subprocess.run([shell, "-n", "script"], cwd=tmp_path, check=True, timeout=PATIENCE_S)
