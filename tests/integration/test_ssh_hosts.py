"""Workers on hosts of real OpenSSH servers: a host without one is named, and nothing but SSH listens on the network."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lowlat.errors import UsageError
from lowlat.fleet import ssh
from lowlat.fleet.cluster import connected
from lowlat.fleet.place import ClusterPlace
from tests.fleets import can_name_hosts
from tests.ssh_hosts import AS_IT_IS, SSHD, SshHosts, ssh_hosts
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(SSHD is None, reason="needs sshd (apt install openssh-server)"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
GOOD = ("127.0.0.2", "127.0.0.3")
FILTERS = dict.fromkeys(GOOD, AS_IT_IS) | {
    "127.0.0.4": "sed s|/bin/python|/none/python|",
    "127.0.0.5": "sed s/-P/-PS/",  # without the packages that are installed
    "127.0.0.6": AS_IT_IS,
    "127.0.0.7": AS_IT_IS,
    "127.0.0.8": AS_IT_IS,
}
SETTINGS = {"127.0.0.6": "AllowTcpForwarding no", "127.0.0.7": "AllowUsers nobody-of-this-name"}
WHY = {
    "127.0.0.4": "it has no /",
    "127.0.0.5": "it has no such lowlat (No module named 'lowlat'): pip install",
    "127.0.0.6": "its SSH server forwards no ports; set AllowTcpForwarding there",
    "127.0.0.7": "it accepts no key of yours; try: ssh 127.0.0.7 true",
    "127.0.0.8": "its host key is not a known one; try: ssh 127.0.0.8 true",
    "127.0.0.9": "no connection by SSH: Connection refused",
}


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshHosts]:
    """Two that work, and five that do not; the key of the last is another one than is known."""
    with ssh_hosts(tmp_path, FILTERS, SETTINGS) as found:
        known = tmp_path / ".ssh/known_hosts"
        known.write_text("".join(known.read_text().replace("*", number) for number in "234567"))
        monkeypatch.setenv("HOME", str(tmp_path))
        yield found


def listening(process: psutil.Process) -> set[str]:
    return {each.laddr.ip for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN}


@pytest.mark.slow  # starts processes that load Dask
def test_each_host_that_has_no_worker_is_named_and_the_others_take_part(hosts: SshHosts) -> None:
    with connected(ClusterPlace(hosts=hosts.file("127.0.0.9"))) as cluster:
        told = {each.host_name: each.why for each in cluster.refused if not each.reached}
        assert {host: why[: len(WHY[host])] for host, why in told.items()} == WHY
        assert len(cluster.workers) == len(GOOD)
        assert tuple(host.name for host in cluster.hosts) == (GOOD if can_name_hosts() else (socket.gethostname(),))
        tasks = [cluster.submit(os.getpid, host=host, key=host.name) for host in cluster.hosts]
        workers = [psutil.Process(each.value) for each in cluster.finished(tasks, lambda: None)]
        for process in (psutil.Process(), *workers):
            assert listening(process) == {ssh.LOOPBACK}
    wait_until(lambda: not any(each.is_running() for each in workers), "the workers end with the cluster")


@pytest.mark.slow  # starts processes that load Dask
def test_a_host_whose_connection_breaks_ends_its_worker_and_is_lost(hosts: SshHosts) -> None:
    with connected(ClusterPlace(hosts=hosts.file())) as cluster:
        doomed = cluster.workers[0].address
        pid = cluster.submit(os.getpid, key="pid")
        (outcome,) = cluster.finished([pid], lambda: None)
        doomed, worker = outcome.worker, psutil.Process(outcome.value)
        session = next(each for each in worker.parents() if each.name() == "sshd")
        session.kill()
        wait_until(lambda: not worker.is_running(), "the worker ends")
        wait_until(lambda: doomed not in cluster.client.nthreads(), "the scheduler sees it")
        (after,) = cluster.finished([cluster.submit(pow, 2, 3, key="after")], lambda: None)
        assert after.value == 8


def test_a_host_that_never_answers_is_named_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(ssh, "CONNECT_S", 0.2)
    (tmp_path / ".ssh").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (tmp_path / ".ssh/config").write_text(f"Host *\n  Port {silent.getsockname()[1]}\n")
        (tmp_path / "hosts").write_text("127.0.0.1\n")
        expected = r"can take part: 127\.0\.0\.1 \(it does not answer by SSH within 0\.2 s\)"
        with pytest.raises(UsageError, match=expected), connected(ClusterPlace(hosts=tmp_path / "hosts")):
            pass


def test_more_hosts_than_open_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh.resource, "getrlimit", lambda _kind: (64, 128))
    (tmp_path / "hosts").write_text("a\n")
    with pytest.raises(UsageError, match=r"1 hosts take 136 open files, and the limit is 128"):  # noqa: SIM117
        with connected(ClusterPlace(hosts=tmp_path / "hosts")):
            pass
