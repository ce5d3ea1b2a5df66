"""Fleets on this machine: a Dask scheduler, and workers that are hosts of their own by name."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.waiting import wait_until

_NAMED = 'hostname "$0" && exec "$@"'
_WITHOUT = """
import runpy, sys
sys.modules.update(lowlat=None, numpy=None)
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""
"""The scheduler is one of an environment that has Dask and nothing else."""
_PRELOAD = "import lowlat.fleet.worker_facts as facts\nfacts.host_name = lambda: {name!r}\n"


@dataclass(frozen=True)
class LocalFleet:
    """The address of the scheduler, and the processes of the workers by host name."""

    address: str
    workers: Mapping[str, subprocess.Popen[bytes]]


@cache
def can_name_hosts() -> bool:
    """Whether this user may give a process a host name of its own (a UTS namespace)."""
    done = subprocess.run(["unshare", "--uts", "sh", "-c", _NAMED, "a", "true"], capture_output=True, check=False)
    return done.returncode == 0


@contextlib.contextmanager
def local_fleet(folder: Path, hosts: Mapping[str, tuple[str, ...]]) -> Iterator[LocalFleet]:
    """Workers with these host names, for a `with` block; each is started by a command such as `taskset -c 0`, if any.

    Where there are no UTS namespaces, a preload of the worker answers with the name.
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        log = folder / "scheduler.log"
        processes.append(_started(log, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"))
        address = re.compile(r"Scheduler at: +(tcp://\S+)")
        wait_until(lambda: address.search(log.read_text()), log.read_text)
        found = address.search(log.read_text())
        assert found is not None
        workers = {name: _worker(folder, found[1], name, before) for name, before in hosts.items()}
        processes += workers.values()
        for name in hosts:
            own = folder / f"{name}.log"
            wait_until(lambda own=own: "Registered to" in own.read_text(), own.read_text)  # type: ignore[misc]
        yield LocalFleet(found[1], workers)
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def _worker(folder: Path, address: str, name: str, before: tuple[str, ...]) -> subprocess.Popen[bytes]:
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder / name)]
    if can_name_hosts():
        before = ("unshare", "--uts", "sh", "-c", _NAMED, name, *before)
    else:
        preload = folder / f"named_{name}.py"
        preload.write_text(_PRELOAD.format(name=name))
        options += ["--preload", str(preload)]
    return _started(folder / f"{name}.log", "worker", address, *options, before=before)


def _started(log: Path, what: str, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    module = f"distributed.cli.dask_{what}"
    run = ("-m", module) if what == "worker" else ("-c", _WITHOUT.format(module=module))
    command = [*before, sys.executable, "-P", *run, *arguments]
    with log.open("wb") as stream:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
