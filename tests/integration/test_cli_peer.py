"""`bench --listen` and `--peer` as two processes: only what crosses the network is measured, and both end cleanly."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lowlat.errors import ExitCode
from lowlat.reports.io.json_codec import from_text
from lowlat.reports.model.report import BudgetStage, Report
from tests.integration.conftest import clean_environment
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux stamps packets")

SHORT = ("bench", "--commands", "2k", "--runs", "1")


@contextmanager
def listener(start: Start, *more: str, number: signal.Signals = signal.SIGINT) -> Iterator[int]:
    """A listening process on a free port; it must exit cleanly on a signal."""
    with start("bench", "--listen", "0", *more) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.match(
            r"lowlat: listening on \S+:(\d+) \(UDP\), for 'lowlat bench --peer' only; press Ctrl-C to stop", said
        )
        assert found, said
        yield int(found[1])
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (ExitCode.OK, "")
    assert re.fullmatch(r"lowlat: answered [\d,]+ messages, ignored [\d,]+\n", err)


@pytest.fixture
def environment() -> dict[str, str]:
    """With the measurement of the kernel's part of the latency budget."""
    return clean_environment(kernel_path=True)


def stage(report: Report, name: str) -> BudgetStage:
    return next(row for row in report.budget if row.stage == name)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_peer_on_loopback_is_measured_and_is_no_network(start: Start, lowlat: Run, number: signal.Signals) -> None:
    with listener(start, number=number) as port:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"garbage", ("127.0.0.1", port))
        done = lowlat(*SHORT, "--json", "--peer", f"127.0.0.1:{port}")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    report = from_text(done.stdout)
    network = stage(report, "network")
    assert network.measured_ns is None
    assert network.basis == f"loopback: not a network; 127.0.0.1:{port} is this host"
    assert network.parts[0].name == "round trip" and network.parts[0].p99_ns
    assert report.budget_class is None or report.budget_class.leaves_out == ("network", "NIC")


def test_an_address_of_ipv6_is_a_peer_too(start: Start, lowlat: Run) -> None:
    if not Path("/proc/net/if_inet6").exists() or not Path("/proc/net/if_inet6").read_text():
        pytest.skip("this host has no IPv6")
    with listener(start) as port:
        done = lowlat(*SHORT, "--json", "--peer", f"[::1]:{port}")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    assert f"[::1]:{port} is this host" in stage(from_text(done.stdout), "network").basis


def test_every_bench_measures_the_kernels_part(lowlat: Run) -> None:
    done = lowlat(*SHORT, "--json")
    report = from_text(done.stdout)
    kernel = stage(report, "operating system")
    assert [part.name for part in kernel.parts] == ["system call", "wake-up", "loopback UDP", "loopback TCP"]
    tcp = kernel.parts[3]
    assert kernel.measured_ns == tcp.p99_ns
    if tcp.p99_ns is None:
        assert kernel.basis in tcp.basis
        assert report.budget_class is None
    else:
        application = stage(report, "application").measured_ns
        assert application is not None and report.budget_class is not None
        assert report.budget_class.total_ns == application + tcp.p99_ns
        assert report.budget_class.leaves_out == ("network", "NIC")


def test_the_parts_fit_a_terminal_of_80_columns(on_terminal: Callable[..., str]) -> None:
    lines = on_terminal(80, *SHORT, "-v").splitlines()
    assert max(map(len, lines)) <= 80
    shown = [line for line in lines if re.match(r"  (system call|wake-up|loopback UDP|loopback TCP) ", line)]
    assert len(shown) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--peer", "nonsense"), 2, "'nonsense' is not HOST:PORT; write 10.0.0.2:9000, or [::1]:9000"),
        (("--peer", f"{'x' * 70}:9"), 2, "cannot find host"),
        (("--listen", "70000"), 2, "70000 is outside 0..65535"),
        (("--listen", "0", "--runs", "2"), 2, "--listen only answers a peer; remove --runs"),
        (("--listen", "0", "--json"), 2, "--listen only answers a peer; remove --format"),
        (("--listen", "0", "--peer", "a:1"), 2, "--listen only answers a peer; remove --peer"),
        (("--bind", "::"), 2, "needs --listen PORT; add it"),
        (("--listen", "0", "--bind", "203.0.113.77"), 2, "cannot listen on 203.0.113.77"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(lowlat: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = lowlat("bench", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_settings_for_measuring_do_not_keep_from_listening(start: Start) -> None:
    with start("bench", "--listen", "0", env={"LOWLAT_RUNS": "3"}) as process:
        assert process.stderr is not None and "listening on" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == ExitCode.OK


def test_nobody_there_is_an_error_and_silence_is_not_valid(lowlat: Run, patched: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        done = patched(
            "from lowlat.probes.network import peer\npeer.CONTACT_S = 0.05", *SHORT, "--peer", f"127.0.0.1:{port}"
        )
        assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
        assert f"no answer from 127.0.0.1:{port}" in done.stderr and f"--listen {port}" in done.stderr
    done = lowlat(*SHORT, "--peer", f"127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert f"nothing listens at 127.0.0.1:{port}" in done.stderr


TWO_HOSTS = """
set -eu
ip link set lo up
unshare --net sleep 300 & other=$!
trap 'kill $other' EXIT
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
ip link add here type veth peer name there netns $other
ip addr add 192.0.2.1/24 dev here
ip link set here up
nsenter --target $other --net ip addr add 192.0.2.2/24 dev there
nsenter --target $other --net ip link set there up
nsenter --target $other --net "$1" bench --listen 9000 2>listener.txt & listener=$!
trap 'kill $listener $other' EXIT
until grep -q 'listening' listener.txt; do kill -0 $listener; sleep 0.05; done
echo ready >&2
"$1" bench --commands 2k --runs 1 --json --peer 192.0.2.2:9000
"""
"""Two network namespaces, with a cable between them."""


def test_over_a_cable_the_network_is_in_the_budget(tmp_path: Path, environment: dict[str, str]) -> None:
    if not all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip", "bash")):
        pytest.skip("needs unshare, nsenter and ip")
    lowlat = Path(sys.executable).with_name("lowlat")
    command = ["unshare", "--user", "--map-root-user", "--net", "bash", "-c", TWO_HOSTS, "two-hosts", str(lowlat)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if "ready" not in done.stderr:
        pytest.skip(f"two network namespaces are not to be had here: {done.stderr.strip()[-200:]}")
    assert done.returncode == ExitCode.OK, done.stderr
    report = from_text(done.stdout)
    network, card = stage(report, "network"), stage(report, "NIC")
    assert network.measured_ns is not None and network.measured_ns > 0
    assert "half a round trip to 192.0.2.2:9000" in network.basis
    trip = network.parts[0]
    assert trip.p99_ns is not None and 2 * network.measured_ns < trip.p99_ns
    assert (card.measured_ns, card.basis) == (None, "here does not timestamp packets in hardware")
    assert report.budget_class is None or report.budget_class.leaves_out == ("NIC",)
