"""Commands without a right that they would use: they do without it, or say in one line what is refused."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from lowlat.errors import ExitCode
from tests.faults.commands import LOWLAT, Command
from tests.faults.judge import Outcome, problems
from tests.faults.rights import NO_PROCESSES, NO_THREADS, Denied, Drop, closed, limited, without_calls
from tests.faults.runner import environment

BENCH: Final = Command(("bench", "-n", "300", "--runs", "1", "--json"))
BRIEF: Final = Command((*BENCH.arguments, "--no-kernel-path"))
TOPOLOGY: Final = Command(("topology", "--json"))
OK, USAGE = ExitCode.OK, ExitCode.USAGE


def run(
    home: Path, command: Command, drop: Drop | None = None, within: Sequence[str] = (), **others: object
) -> Outcome:
    """Run a command without a right; `within`: a command that takes it away, and then starts this one."""
    for name in ("tmp", "run"):
        (home / name).mkdir()
    (home / "work").mkdir()
    done = subprocess.run(
        [*within, LOWLAT, *command.arguments],
        cwd=home / "work",
        env=environment(home) | {"HOME": str(home)},
        preexec_fn=drop,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **others,  # type: ignore[call-overload]
    )
    files = {file.name: file for file in (home / "work").iterdir()}
    return Outcome(done.returncode, done.stdout, done.stderr, files, tuple(os.listdir(home / "tmp")))  # noqa: PTH208


@pytest.mark.parametrize(
    ("drop", "command", "code", "line"),
    [
        (
            limited(resource.RLIMIT_NOFILE, 8),
            BENCH,
            USAGE,
            "Too many open files; raise the limit of open files (ulimit -n)",
        ),
        (limited(resource.RLIMIT_NOFILE, 8), TOPOLOGY, OK, ""),
        (without_calls(Denied("sched_getaffinity")), BRIEF, USAGE, "affinity of this thread cannot be read"),
        (without_calls(Denied("sched_getaffinity")), TOPOLOGY, OK, ""),
        (without_calls(Denied("setsid")), BRIEF, USAGE, "a run's process cannot be started: Operation not permitted"),
        (without_calls(Denied("sysinfo")), BRIEF, OK, ""),
        (without_calls(*NO_THREADS), BENCH, OK, ""),
        (without_calls(*NO_THREADS), Command(("topology", "--measure", "--json")), OK, ""),
        (without_calls(*NO_PROCESSES), BENCH, USAGE, "raise the limit of processes and threads (ulimit -u"),
        (limited(resource.RLIMIT_AS, 100 << 20), BRIEF, USAGE, "leaves no memory for numpy; raise it (ulimit -v"),
        (limited(resource.RLIMIT_AS, 150 << 20), BENCH, USAGE, "not enough memory"),
    ],
    ids=lambda value: None if callable(value) or isinstance(value, Command) else str(value)[:20],
)
def test_a_missing_right_is_done_without_or_named(
    tmp_path: Path, drop: Drop, command: Command, code: ExitCode, line: str
) -> None:
    outcome = run(tmp_path, command, drop)
    assert problems(command, None, outcome) == [], outcome.stderr
    assert outcome.exit_code == code, outcome.stderr
    assert line in outcome.stderr
    if code == OK:
        assert outcome.stderr == "" and json.loads(outcome.stdout)["schema"].startswith("lowlat.")


@pytest.mark.slow
def test_an_ablation_names_what_each_technique_lacks(tmp_path: Path) -> None:
    calls = ("perf_event_open", "mlock", "madvise", "sched_setscheduler")
    command = Command(("ablate", "--only", "lock,huge-pages,fifo", "--quick", "--no-lock", "--json"))
    outcome = run(tmp_path, command, without_calls(*map(Denied, calls)))
    assert problems(command, None, outcome) == [], outcome.stderr
    rows = {each["name"]: each for each in json.loads(outcome.stdout)["techniques"]}
    reasons = {name: row["reason"] for name, row in rows.items() if row["outcome"] == "not available"}
    assert reasons.keys() == {"lock", "huge-pages", "fifo"}
    assert all(reason.startswith("not available here, because ") for reason in reasons.values())
    assert "(ulimit -l)" in reasons["lock"] and "(ulimit -r 1)" in reasons["fifo"]
    assert reasons["huge-pages"].endswith("the kernel refuses to be asked for huge pages: Operation not permitted")
    assert "perf_event_open" in rows["control"]["counters_absent"]


@pytest.mark.parametrize(
    "streams", [*(pytest.param(each, marks=pytest.mark.slow) for each in ((0,), (0, 1))), (0, 1, 2), (2,)]
)
def test_closed_streams_change_nothing_else(tmp_path: Path, streams: tuple[int, ...]) -> None:
    command = Command((*BRIEF.arguments, "-o", "report.json"), "report.json")
    outcome = run(tmp_path, command, closed(*streams))
    assert outcome.exit_code == OK and list(outcome.files) == ["report.json"] and outcome.temporary == ()
    assert json.loads(outcome.files["report.json"].read_text())["status"] == "ok"


MASKED = 'mount -t tmpfs tmpfs "$1" && shift && exec "$@"'
READ_ONLY = """
for at in /tmp /var/tmp /dev/shm "$1"; do mount --bind "$at" "$at" && mount -o remount,bind,ro "$at"; done
shift; exec "$@"
"""


def in_namespace(script: str, folder: str) -> list[str]:
    """A command in a mount namespace of its own, where the kernel gives users one."""
    alone = ["unshare", "--map-root-user", "--mount"]
    try:
        subprocess.run([*alone, "true"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no mount namespace of one's own here: {error}")
    return [*alone, "sh", "-c", script, "sh", folder]


@pytest.mark.parametrize(
    ("folder", "command", "code"),
    [("/proc", TOPOLOGY, OK), ("/proc", BENCH, OK), ("/sys", TOPOLOGY, USAGE), ("/sys", BRIEF, OK)],
)
def test_without_proc_or_sys_it_does_without_or_says_so(
    tmp_path: Path, folder: str, command: Command, code: ExitCode
) -> None:
    outcome = run(tmp_path, command, within=in_namespace(MASKED, folder))
    assert problems(command, None, outcome) == [], outcome.stderr
    assert outcome.exit_code == code and ("has no readable sys/" in outcome.stderr) is (code == USAGE)


def test_read_only_folders_are_named(tmp_path: Path) -> None:
    outcome = run(tmp_path, BRIEF, within=in_namespace(READ_ONLY, str(tmp_path)))
    assert problems(BRIEF, None, outcome) == [], outcome.stderr
    assert outcome.exit_code == USAGE and "No usable temporary directory found" in outcome.stderr
