"""Kernel times are valid only if each message really slept and woke: plausible figures, their order, missing values."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from lowlat.engine.bench.kernel_stages import kernel_measured
from lowlat.probes import _core
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.kernel_path import KernelPath, measure_kernel_path, spread_of
from lowlat.probes.latency_summary import LatencySummary
from lowlat.probes.reading import known, unknown
from tests.waiting import PATIENCE_S

GIGAHERTZ = 1e9


def samples(**fields: object) -> Any:
    return SimpleNamespace(**({"ticks": [], "awake": 0, "backward": 0, "error": 0, "call": ""} | fields))


def plan(count: int = 100, **fields: object) -> _core.PathPlan:
    given: dict[str, Any] = {"warm_up": 1, "pause_ns": 50_000, "limit_ns": round(PATIENCE_S * 1e9)}
    given |= {"sender_cpu": None, "receiver_cpu": None} | fields
    return _core.PathPlan(samples=count, **given)


def test_percentiles_are_of_ceiling_rank() -> None:
    """Of 1 to 200, the 50th percentile is the 100th smallest, and the 99th is the 198th."""
    assert LatencySummary.of(range(200, 0, -1)) == LatencySummary(p50_ns=100, p99_ns=198, samples=200)
    assert LatencySummary.of([7]) == LatencySummary(7, 7, 1)


def test_the_cost_of_the_stamps_is_subtracted_and_never_below_zero() -> None:
    stamp = _core.measure_stamp_ticks()
    found = spread_of(samples(ticks=[1_000_000] * 99 + [0]), GIGAHERTZ, "x").value
    assert found is not None and 0 < 1_000_000 - found.p50_ns < 100 * max(stamp, 10)
    nothing = spread_of(samples(ticks=[0] * 100), GIGAHERTZ, "x").value
    assert nothing == LatencySummary(0, 0, 100)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"error": 1, "call": "socket"}, "socket: Operation not permitted"),
        (
            {"ticks": [1] * 1000, "backward": 1},
            "1 message arrived before being sent: the CPUs' counters are not synchronized",
        ),
        ({"ticks": [1] * 99}, "99 of 100 messages arrived in time"),
        ({"awake": 5}, "0 of 100 messages arrived in time; 5 found the receiver awake"),
    ],
)
def test_what_cannot_be_believed_has_no_value(fields: dict[str, object], reason: str) -> None:
    found = spread_of(samples(**fields), GIGAHERTZ, "x")
    assert (found.value, found.reason) == (None, reason)


@pytest.mark.parametrize("one_cpu", [False, True])
def test_messages_sleep_wake_and_arrive(one_cpu: bool) -> None:
    """A message takes at least two system calls and a wake-up, so it takes longer than a system call."""
    cpus = allowed_cpus() or (None,)
    where = {"sender_cpu": cpus[0] if one_cpu else cpus[-1], "receiver_cpu": cpus[0]}
    call = min(_core.measure_system_call(plan(1_000, **where)).ticks)
    for measure in (_core.measure_wake_up, _core.measure_loopback_udp, _core.measure_loopback_tcp):
        found = measure(plan(**where))
        if found.error:
            pytest.skip(f"not available here: {found.call}, error {found.error}")
        assert found.backward == 0
        assert len(found.ticks) == 100
        assert min(found.ticks) > call


def test_a_limit_of_time_ends_it() -> None:
    found = _core.measure_wake_up(plan(1_000_000, limit_ns=1))
    assert len(found.ticks) <= 1


def test_a_cpu_that_does_not_exist_is_a_fault_and_not_a_hang() -> None:
    for measure in (_core.measure_system_call, _core.measure_wake_up, _core.measure_loopback_tcp):
        found = measure(plan(sender_cpu=4095, receiver_cpu=4095))
        assert (found.call, found.ticks) == ("sched_setaffinity", [])
        assert found.error != 0


def in_a_process(before: str, *wrapped: str) -> dict[str, Any]:
    """Readings from a separate process, as text by name."""
    code = (
        "import json, resource, psutil\n"
        "from lowlat.probes.kernel_path import measure_kernel_path\n"
        "from lowlat.probes.topology import read_topology\n"
        f"topology = read_topology()\n{before}\n"
        "path = measure_kernel_path(1e9, None, topology)\n"
        "print(json.dumps({n: getattr(path, n).reason for n in ('system_call', 'wake_up', 'udp', 'tcp')}))\n"
    )
    command = [*wrapped, sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if wrapped and done.returncode != 0 and "unshare" in done.stderr:
        pytest.skip(f"not permitted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_without_descriptors_the_sockets_are_missing_and_the_rest_is_not() -> None:
    found = in_a_process("resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))")
    assert found["udp"] == found["tcp"] == "socket: Too many open files"
    assert "Too many" not in str(found["system_call"]) + str(found["wake_up"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs network namespaces")
def test_without_a_network_the_reason_is_the_kernels() -> None:
    found = in_a_process("", "unshare", "--user", "--map-root-user", "--net")
    assert found["udp"] == found["tcp"] == "connect to 127.0.0.1: Network is unreachable"


def path(**fields: object) -> KernelPath:
    spread = known(LatencySummary(10, 20, 1_000), "x")
    given: dict[str, Any] = {"sender_cpu": 0, "receiver_cpu": 1, "system_call": spread, "wake_up": spread}
    return KernelPath(**(given | {"udp": spread, "tcp": known(LatencySummary(30, 45, 1_000), "x")} | fields))


def test_the_stage_is_one_tcp_message_and_its_parts_are_not_added() -> None:
    stage = kernel_measured(path())
    assert stage.value_ns == 45
    assert "CPU 0 to CPU 1" in stage.basis
    assert [(part.name, part.p50_ns, part.p99_ns) for part in stage.parts] == [
        ("system call", 10, 20),
        ("wake-up", 10, 20),
        ("loopback UDP", 10, 20),
        ("loopback TCP", 30, 45),
    ]


def test_without_tcp_the_stage_is_not_measured_and_the_parts_still_are() -> None:
    stage = kernel_measured(path(tcp=unknown("x", "socket: Operation not permitted")))
    assert (stage.value_ns, stage.basis) == (None, "socket: Operation not permitted")
    assert stage.parts[0].p99_ns == 20
    assert (stage.parts[3].p99_ns, stage.parts[3].samples) == (None, 0)
    assert stage.parts[3].basis == "not available here, because socket: Operation not permitted"


def test_where_tells_of_one_cpu() -> None:
    assert path(sender_cpu=3, receiver_cpu=3).where == "both threads on CPU 3, the only one"
    assert path(sender_cpu=None, receiver_cpu=None).where == "on CPUs chosen by the scheduler"


def test_the_receiver_is_where_it_is_asked_to_be() -> None:
    cpus = allowed_cpus()
    if not cpus:
        pytest.skip("this platform does not pin threads")
    found = measure_kernel_path(GIGAHERTZ, cpus[0])
    assert found.receiver_cpu == cpus[0]
    assert (found.sender_cpu == cpus[0]) == (len(cpus) == 1)
