"""Run as a program: a fleet of many simulated hosts, all workers in this process. Prints what each part cost.

A worker is a whole one of Dask, connected by TCP; its name is made up, and its report is one of eleven made before.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
from distributed import LocalCluster, get_worker, scheduler

from lowlat.fleet import cluster as fleet_cluster
from lowlat.fleet import dispatch, worker_facts
from lowlat.fleet.analysis import fleet_of
from lowlat.fleet.connection import silence
from lowlat.fleet.host_task import HostTask
from lowlat.fleet.place import ClusterPlace
from lowlat.fleet.store import FleetFolder
from tests.fleet_by_hand import FACTS, report_bytes

SLOW = 77
QUIET = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    # Each worker would do this several times a second, as if it had a process of its own.
    "distributed.admin.tick.interval": "60s",
    "distributed.admin.tick.cycle": "60s",
    "distributed.admin.system-monitor.interval": "60s",
}


def host_name() -> str:
    """In place of that of the host."""
    return f"node-{get_worker().name:04}"


def canned(_task: HostTask) -> dict[str, Any]:
    """In place of a measurement."""
    number = get_worker().name
    printed = report_bytes(200 if number == SLOW else 95 + number % 11)
    ending = {"ending": "ended", "why": "", "exit_code": 0, "started": "2026-11-29T00:00:00Z", "elapsed_s": 0.0}
    return {**ending, "printed": printed, "facts": FACTS}


@contextmanager
def timed(costs: dict[str, Any], what: str) -> Iterator[None]:
    """CPU and elapsed seconds of a block."""
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    yield
    costs[what] = {"cpu_s": time.process_time() - cpu_s, "wall_s": time.perf_counter() - wall_s}


def main(hosts: int) -> None:
    """Print one JSON object."""
    silence()
    fleet_cluster.ANSWER_S = 600.0  # on a busy machine, all of them in one process
    scheduler.heartbeat_interval = lambda _workers: 60.0  # or the slower this process, the more each host costs
    worker_facts.host_name, dispatch.run_on_host = host_name, canned
    for percent in (200, *range(95, 106)):
        report_bytes(percent)
    costs: dict[str, Any] = {}
    with dask.config.set(QUIET), tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": "127.0.0.1:0"}
        options |= {"processes": False, "threads_per_worker": 1, "memory_limit": 0, "worker_dashboard_address": None}
        with timed(costs, "start of the workers"):
            local = LocalCluster(n_workers=hosts, local_directory=folder, **options)
        with local:
            with timed(costs, "connect and ask"):
                connection = fleet_cluster.connected(ClusterPlace(scheduler=local.scheduler_address))
                cluster = connection.__enter__()
            kept = FleetFolder(Path(folder) / "fleet")
            kept.prepare("bench")
            with timed(costs, "dispatch and gather"):
                found = dispatch.measure_hosts(cluster, HostTask("bench", (), 600.0), {}, kept.keep, lambda *_: None)
            connection.__exit__(None, None, None)
        with timed(costs, "analysis"):
            fleet = fleet_of(found.runs, [], ())
    costs["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    costs["cpu_s"] = time.process_time()
    costs |= {"status": fleet.status, "hosts": len(fleet.hosts), "outliers": [host.name for host in fleet.outliers]}
    sys.stdout.write(json.dumps(costs, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]))
