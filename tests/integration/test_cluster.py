"""Tasks on a real cluster of processes: what fails, hangs or is lost is an outcome, and does not stop the others."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lowlat.errors import UsageError
from lowlat.fleet import cluster as fleet_cluster
from lowlat.fleet import connection
from lowlat.fleet.cluster import ConnectedCluster, connected
from lowlat.fleet.place import ClusterPlace
from lowlat.fleet.task import canceled
from lowlat.fleet.worker_environment import environment_of_host
from tests.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[ConnectedCluster]:
    with connected(ClusterPlace(local=2)) as found:
        yield found


def environment() -> dict[str, str]:
    return environment_of_host()


def fail() -> None:
    raise ValueError("as told")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for_cancel(folder: Path) -> None:
    (folder / "started").touch()
    deadline = time.monotonic() + PATIENCE_S
    while not canceled() and time.monotonic() < deadline:
        time.sleep(0.01)
    (folder / "canceled").touch()


def spans(folder: Path, number: int) -> None:
    """Leaves a file while it runs; fails if another one runs."""
    (folder / "running").touch(exist_ok=False)
    time.sleep(0.01)
    (folder / "running").unlink()
    (folder / f"{number}").touch()


def test_it_tells_its_workers_and_hosts(cluster: ConnectedCluster) -> None:
    assert len(cluster.workers) == 2
    assert cluster.refused == ()
    (host,) = cluster.hosts
    assert (host.name, len(host.workers)) == (socket.gethostname(), 2)
    assert {each.cpus for each in cluster.workers} == {len(os.sched_getaffinity(0))}
    assert all(each.address.startswith("tcp://127.0.0.1:") for each in cluster.workers)


def test_values_and_errors_come_as_they_are(cluster: ConnectedCluster) -> None:
    tasks = [cluster.submit(pow, 2, power, key=f"{power}") for power in range(4)]
    tasks.append(cluster.submit(fail, key="fails"))
    found = {outcome.task.key: outcome for outcome in cluster.finished(tasks, lambda: None)}
    assert [found[f"{power}"].value for power in range(4)] == [1, 2, 4, 8]
    assert repr(found["fails"].error) == repr(ValueError("as told"))
    assert {found[f"{power}"].worker for power in range(4)} <= {each.address for each in cluster.workers}


def test_arguments_that_look_like_keys_stay_what_they_are(cluster: ConnectedCluster) -> None:
    tasks = [cluster.submit(str, "a", key="b"), cluster.submit(str, "b", key="a")]
    assert {each.task.key: each.value for each in cluster.finished(tasks, lambda: None)} == {"b": "a", "a": "b"}


def test_one_at_a_time_on_a_host(cluster: ConnectedCluster, tmp_path: Path) -> None:
    (host,) = cluster.hosts
    tasks = [cluster.submit(spans, tmp_path, number, host=host, key=f"{number}") for number in range(8)]
    outcomes = list(cluster.finished(tasks, lambda: None))
    assert [(each.error, each.worker) for each in outcomes] == [(None, host.address)] * 8
    assert len(list(tmp_path.iterdir())) == 8


def test_a_task_that_waits_for_those_before_it_is_not_given_up(
    cluster: ConnectedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_cluster, "PRESENCE_S", 0.0)
    (host,) = cluster.hosts
    tasks = [cluster.submit(spans, tmp_path, number, host=host, key=f"{number}") for number in range(4)]
    assert [(each.error, each.worker) for each in cluster.finished(tasks, lambda: None)] == [(None, host.address)] * 4


def test_a_canceled_task_sees_it_and_the_next_one_runs(cluster: ConnectedCluster, tmp_path: Path) -> None:
    (host,) = cluster.hosts
    task = cluster.submit(wait_for_cancel, tmp_path, host=host, key="waits")
    after = cluster.submit(pow, 2, 3, host=host, key="after")
    wait_until((tmp_path / "started").exists, "the task starts")
    cluster.cancel([task])
    found = {each.task.key: each for each in cluster.finished([task, after], lambda: None)}
    wait_until((tmp_path / "canceled").exists, "it sees that it is canceled")
    assert found["waits"].unanswered
    assert found["after"].value == 8


def test_a_task_that_does_not_answer_in_time_is_given_up(
    cluster: ConnectedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_cluster, "PRESENCE_S", 0.05)
    task = cluster.submit(wait_for_cancel, tmp_path, key="late", timeout_s=0.1)
    wait_until((tmp_path / "started").exists, "the task starts")
    (outcome,) = cluster.finished([task], lambda: None)
    assert "did not answer within 0.1 s" in str(outcome.error)
    wait_until((tmp_path / "canceled").exists, "it sees that it is canceled")


def test_waiting_is_called_and_what_it_raises_gets_out(cluster: ConnectedCluster, tmp_path: Path) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    task = cluster.submit(wait_for_cancel, tmp_path, key="waits")
    with pytest.raises(KeyboardInterrupt):
        list(cluster.finished([task], interrupted))
    wait_until((tmp_path / "started").exists, "the task starts")
    cluster.cancel([task])
    wait_until((tmp_path / "canceled").exists, "it sees that it is canceled")


def test_it_listens_on_the_loopback_interface_only(cluster: ConnectedCluster) -> None:
    import psutil

    own = psutil.Process()
    processes = [own, *own.children(recursive=True)]
    listening = {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_lost_worker_is_an_outcome(cluster: ConnectedCluster, capfd: pytest.CaptureFixture[str]) -> None:
    """The last of those that share the cluster: its workers are others afterwards."""
    (host,) = cluster.hosts
    tasks = [cluster.submit(die, host=host, key="dies"), cluster.submit(pow, 2, 3, key="goes on")]
    found = {each.task.key: each for each in cluster.finished(tasks, lambda: None)}
    assert found["dies"].unanswered
    assert "was lost" in str(found["dies"].error)
    assert found["goes on"].value == 8
    (late,) = cluster.finished([cluster.submit(pow, 2, 3, host=host, key="after")], lambda: None)
    assert (late.unanswered, str(late.error)) == (True, f"its worker {host.address} was lost")
    assert capfd.readouterr() == ("", "")


def test_a_silent_scheduler_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        pytest.raises(UsageError, match="no scheduler answers at tcp:"),
        connected(ClusterPlace(scheduler=f"tcp://127.0.0.1:{listening.getsockname()[1]}")),
    ):
        pass


def test_another_server_is_no_scheduler() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        place = ClusterPlace(scheduler=f"tcp://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(UsageError, match="is no Dask scheduler"), connected(place):
            pass
        thread.join()


def test_tls_needs_certificates() -> None:
    with pytest.raises(UsageError, match="TLS"), connected(ClusterPlace(scheduler="tls://127.0.0.1:1")):
        pass


@pytest.mark.parametrize(("where", "module"), [({"local": 1}, "distributed"), ({"hosts": Path("hosts")}, "asyncssh")])
def test_without_dask_it_says_what_to_install(
    where: dict[str, Any], module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hosts").write_text("node-1\n")
    monkeypatch.chdir(tmp_path)
    place = ClusterPlace(**where)
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(UsageError, match=r"pip install 'lowlat\[cluster\]'"), connected(place):
        pass


def test_what_a_worker_starts_has_the_environment_of_its_host(
    cluster: ConnectedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A threshold of malloc that Dask sets for its workers costs a replay a seventh of its time."""
    task = cluster.submit(environment, key="environment")
    (outcome,) = cluster.finished([task], lambda: None)
    assert "MALLOC_TRIM_THRESHOLD_" not in outcome.value
    assert outcome.value["PATH"] == os.environ["PATH"]
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "4096")
    assert environment_of_host()["MALLOC_TRIM_THRESHOLD_"] == "4096", "that of the user stays"
