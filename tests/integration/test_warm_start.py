"""A command in a fork of the zygote finds what it would find if it were started: the two are compared."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from lowlat.errors import ExitCode
from lowlat.probes.cpu.affinity import allowed_cpus
from tests.integration.conftest import Document, Run
from tests.waiting import wait_until
from tests.warm_start import Zygote, decided_at_start

SHOW = """
import json, os, pathlib, resource, sys
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
limits = {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")}
print(json.dumps({
    "environment": dict(os.environ), "folder": os.getcwd(), "arguments": sys.argv, "limits": limits,
    "cpus": sorted(os.sched_getaffinity(0)), "group": os.getpgrp(), "session": os.getsid(0),
    "streams": [os.path.basename(os.readlink(f"/proc/self/fd/{n}")).split(":")[0] for n in range(3)],
    "descriptors": len(os.listdir("/proc/self/fd")),
    "status": {name: status[name].strip() for name in ("SigIgn", "SigBlk", "Umask", "Threads", "NoNewPrivs")},
}))
"""
"""What a program that takes a command's place inherits from it."""


def shown(run: Run, **options: object) -> dict[str, Any]:
    done = run("affinity", "run", "--cpus", "all", "--", sys.executable, "-c", SHOW, "a b", "\udcff", **options)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("env", [{}, {"LOWLAT_FORMAT": "table", "COLUMNS": "70", "HOME": "/nowhere"}], ids=["", "env"])
def test_a_fork_inherits_what_a_start_inherits(lowlat: Run, cold: Run, env: dict[str, str]) -> None:
    warm = shown(lowlat, env=env)
    assert warm == shown(cold, env=env)
    assert warm["environment"].items() >= env.items()


def test_a_fork_is_on_the_cpus_of_the_test(document: Document) -> None:
    cpus = allowed_cpus()
    os.sched_setaffinity(0, cpus[:1])
    try:
        assert document("topology")["cpu_sets"]["allowed"] == list(cpus[:1])
    finally:
        os.sched_setaffinity(0, cpus)
    assert document("topology")["cpu_sets"]["allowed"] == list(cpus)


def test_commands_run_beside_one_another_and_end_as_they_end(zygote: Zygote, environment: dict[str, str]) -> None:
    program = ("affinity", "run", "--cpus", "all", "--")
    with open(os.devnull, "r+b") as null:  # noqa: PTH123
        options: dict[str, Any] = {"folder": Path("/"), "environment": environment, "streams": [null.fileno()] * 3}
        waiting = [zygote.start((*program, "sleep", "3600"), **options) for _ in range(2)]
        assert zygote.start((*program, "sh", "-c", "exit 7"), **options).wait() == 7
        assert zygote.start(("bogus",), **options).wait() == ExitCode.USAGE
        for each, number in zip(waiting, (signal.SIGKILL, signal.SIGTERM), strict=True):
            wait_until(lambda each=each: psutil.Process(each.pid).name() == "sleep", "it runs")  # type: ignore[misc]
            os.kill(each.pid, number)
            assert each.wait() == -number


def test_an_interruption_is_heard(zygote: Zygote, tmp_path: Path, environment: dict[str, str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    with open(os.devnull, "r+b") as null:  # noqa: PTH123
        command, streams = ("record", "--from", tmp_path / "pipe"), [null.fileno()] * 3
        started = zygote.start(command, folder=tmp_path, environment=environment, streams=streams)
    with (tmp_path / "pipe").open("wb"):  # once the command has opened it too
        os.kill(started.pid, signal.SIGINT)
        assert started.wait() == ExitCode.INTERRUPTED


def test_what_is_decided_at_a_start_is_told_apart() -> None:
    assert not decided_at_start({"LOWLAT_RUNS": "3", "COLUMNS": "70", "TERM": "xterm", "NO_COLOR": "1", "PATH": "/bin"})
    assert all(decided_at_start({name: ""}) for name in ("PYTHONPATH", "LD_PRELOAD", "LANG", "OPENBLAS_NUM_THREADS"))
