"""A task on each of four hosts, in workers of this process: who fails, is late, busy or lost is named."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lowlat import host_lock
from lowlat.fleet import cluster as fleet_cluster
from lowlat.fleet import dispatch, worker_facts
from lowlat.fleet.cluster import ConnectedCluster, connected
from lowlat.fleet.connection import silence
from lowlat.fleet.dispatch import FleetRuns, measure_hosts
from lowlat.fleet.host_task import HostTask, run_on_host
from lowlat.fleet.place import ClusterPlace
from lowlat.fleet.store import KeptRun
from lowlat.fleet.task import canceled
from lowlat.fleet.worker_facts import WorkerFacts
from tests.waiting import wait_until

HOSTS = ("node-0", "node-1", "node-2", "node-3")
OPTIONS = ("--duration", "10ms")
LAST: dict[str, Any] = {"ending": "ended", "why": "", "exit_code": 0, "facts": {"kernel": "6"}, "elapsed_s": 0.5}
REPORT = b'{"schema": "lowlat.calibration/1"}'


def named_by_dask() -> str:
    from distributed import get_worker

    return f"node-{get_worker().name}"


@pytest.fixture(scope="module")
def cluster() -> Iterator[ConnectedCluster]:
    import dask
    from distributed import LocalCluster

    config = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    silence()
    with pytest.MonkeyPatch.context() as patch, dask.config.set(config):
        patch.setattr(worker_facts, "host_name", named_by_dask)
        with (
            LocalCluster(
                n_workers=len(HOSTS),
                threads_per_worker=1,
                processes=False,
                protocol="tcp://",
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address=None,
            ) as local,
            connected(ClusterPlace(scheduler=local.scheduler_address)) as found,
        ):
            yield found


Measure = Callable[..., FleetRuns]


@pytest.fixture
def measure(cluster: ConnectedCluster, monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Run a function in place of the real task on each host."""

    def run(
        function: Callable[[HostTask], dict[str, Any]], kept: dict[str, KeptRun] | None = None, **more: Any
    ) -> FleetRuns:
        monkeypatch.setattr(dispatch, "run_on_host", function)
        task = HostTask("calibrate", OPTIONS, more.pop("time_limit_s", 60.0))
        return measure_hosts(cluster, task, kept or {}, more.pop("keep", ignore), more.pop("tell", ignore), **more)

    return run


def ignore(*_: object) -> None:
    pass


def outcomes(found: FleetRuns) -> dict[str, tuple[str, str | None]]:
    return {run.record.host: (run.record.run.outcome, run.record.run.reason) for run in found.runs}


def good(_task: HostTask) -> dict[str, Any]:
    return LAST | {"printed": REPORT, "started": "2026-11-29T00:00:00Z"}


def one_bad(_task: HostTask) -> dict[str, Any]:
    """Each host of the fleet but the first ends in a way of its own."""
    number = HOSTS.index(named_by_dask())
    if number == 1:
        return LAST | {"printed": b"", "exit_code": 2, "why": "CPU 9 is not there; name one of 0-1"}
    if number == 2:
        return LAST | {"ending": "busy", "why": "lowlat bench (process 7)", "printed": b""}
    if number == 3:
        raise RuntimeError("of the worker\nitself")
    return good(_task)


def test_hosts_are_told_apart_by_name(cluster: ConnectedCluster) -> None:
    assert tuple(host.name for host in cluster.hosts) == HOSTS


def test_each_host_once_and_a_line_for_each(measure: Measure) -> None:
    told: list[tuple[str, int, int]] = []
    kept: list[KeptRun] = []
    found = measure(good, keep=kept.append, tell=lambda run, done, of: told.append((run.record.host, done, of)))
    assert outcomes(found) == dict.fromkeys(HOSTS, ("measured", None))
    assert [line[1:] for line in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert sorted(line[0] for line in told) == sorted(run.record.host for run in kept) == [*HOSTS]
    assert {(run.report, run.record.facts["kernel"], run.record.run.options) for run in kept} == {
        (REPORT, "6", OPTIONS)
    }


def test_each_way_to_fail_is_named_and_the_rest_goes_on(measure: Measure) -> None:
    assert outcomes(measure(one_bad)) == {
        "node-0": ("measured", None),
        "node-1": ("failed", "CPU 9 is not there; name one of 0-1"),
        "node-2": ("busy", "lowlat bench (process 7)"),
        "node-3": ("failed", "RuntimeError: of the worker\\nitself"),
    }


def test_a_host_that_joins_meanwhile_is_named_and_not_measured(
    measure: Measure, cluster: ConnectedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarted = WorkerFacts("tcp://127.0.0.1:1", HOSTS[0], cluster.hosts[0].boot_id, 1, None, {})
    joined = (*cluster.workers, restarted, WorkerFacts("tcp://127.0.0.1:2", "node-9", "", 1, None, {}))
    found = measure(good, tell=lambda *_: monkeypatch.setattr(cluster, "workers", joined))
    assert (found.late, outcomes(found)) == (("node-9",), dict.fromkeys(HOSTS, ("measured", None)))


@pytest.mark.parametrize("printed", [b"", b"no JSON", b"{}", b'{"schema": "other/1"}', b"[" * 100_000, b"\xff"])
def test_what_is_no_document_is_no_report(measure: Measure, printed: bytes) -> None:
    found = measure(lambda _: LAST | {"printed": printed})
    assert {run.record.run.outcome for run in found.runs} == {"failed"}
    assert {run.report for run in found.runs} == {None}


def test_hosts_with_a_report_of_the_same_options_are_not_measured_again(measure: Measure) -> None:
    kept = {run.record.host: run for run in measure(one_bad).runs}
    again: list[str] = []
    found = measure(good, kept, tell=lambda run, *_: again.append(run.record.host))
    assert sorted(again) == ["node-1", "node-2", "node-3"]
    assert outcomes(found) == dict.fromkeys(HOSTS, ("measured", None))


def test_a_host_that_answers_too_late_is_named(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "GRACE_S", 0.0)
    monkeypatch.setattr(fleet_cluster, "PRESENCE_S", 1e9)

    def look_once_the_others_answered(_run: KeptRun, ended: int, _hosts: int) -> None:
        if ended == 3:
            monkeypatch.setattr(fleet_cluster, "PRESENCE_S", 0.0)

    found = outcomes(measure(late_on_the_last, time_limit_s=0.01, tell=look_once_the_others_answered))
    assert found.pop("node-3") == ("lost", "it did not answer within 0.01 s")
    assert found == dict.fromkeys(HOSTS[:3], ("measured", None))


def late_on_the_last(task: HostTask) -> dict[str, Any]:
    while named_by_dask() == "node-3" and not canceled():
        time.sleep(0.01)
    return good(task)


def test_ctrl_c_ends_what_runs_on_the_hosts(
    cluster: ConnectedCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The real task: an hour of jitter, whose processes must be gone after Ctrl-C."""
    monkeypatch.setattr(host_lock, "FOLDERS", (tmp_path,))
    tmp_path.chmod(0o1777)

    def runs() -> bool:
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                if "--duration" in child.cmdline():
                    return True
        return False

    def interrupt_when_it_runs() -> None:
        if runs():
            raise KeyboardInterrupt

    task = HostTask("jitter", ("--duration", "1h", "--cpus", str(min(os.sched_getaffinity(0)))), 600.0)
    found = measure_hosts(cluster, task, {}, ignore, ignore, interrupt_when_it_runs)
    assert found.interrupted
    assert {run.record.run.outcome for run in found.runs} <= {"canceled", "busy"}
    wait_until(lambda: not runs(), "its process ends")


def test_two_runs_at_once_on_one_machine_are_refused_by_its_lock(
    cluster: ConnectedCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(host_lock, "FOLDERS", (tmp_path,))
    tmp_path.chmod(0o1777)
    with host_lock.measuring_alone("lowlat bench", 0.0, ignore):
        found = measure_hosts(cluster, HostTask("calibrate", OPTIONS, 60.0), {}, ignore, ignore)
    assert {run.record.run.outcome for run in found.runs} == {"busy"}
    assert all("lowlat bench (process" in str(run.record.run.reason) for run in found.runs)


def test_the_real_task_brings_a_report_and_the_facts_of_the_host(
    cluster: ConnectedCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With settings of the worker's own, which the plan does not have."""
    monkeypatch.setattr(host_lock, "FOLDERS", (tmp_path,))
    monkeypatch.setenv("LOWLAT_DURATION", "10min")
    task = cluster.submit(run_on_host, HostTask("calibrate", OPTIONS, 60.0), host=cluster.hosts[0], key="real")
    (outcome,) = cluster.finished([task], lambda: None)
    told = outcome.value
    assert (told["ending"], told["exit_code"], told["why"]) == ("ended", 0, "")
    assert b'"lowlat.calibration/1"' in told["printed"]
    assert told["facts"]["kernel"] == os.uname().release


def test_the_real_task_says_why_it_failed_and_ends_in_time(
    cluster: ConnectedCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(host_lock, "FOLDERS", (tmp_path,))
    tasks = {
        "fails": HostTask("calibrate", ("--cpu", "65000"), 60.0),
        "late": HostTask("calibrate", ("--duration", "60s"), 0.2),
    }
    submitted = [cluster.submit(run_on_host, task, host=cluster.hosts[0], key=key) for key, task in tasks.items()]
    found = {outcome.task.key: outcome.value for outcome in cluster.finished(submitted, lambda: None)}
    assert (found["fails"]["exit_code"], "65000" in found["fails"]["why"]) == (2, True)
    assert (found["late"]["ending"], found["late"]["why"]) == ("timed out", "it had not ended after 0.2 s")
