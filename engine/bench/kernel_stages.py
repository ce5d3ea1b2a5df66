"""The stages of the latency budget around the application, from the probes' measurements."""

from __future__ import annotations

from typing import Final

from lowlat import units
from lowlat.engine.bench.protocol import RunOutcome
from lowlat.probes.kernel_path import KernelPath, measure_kernel_path
from lowlat.probes.latency_summary import LatencySummary
from lowlat.probes.network.peer import PeerPath
from lowlat.probes.reading import Reading, known
from lowlat.probes.topology import Topology
from lowlat.reports.model.budget import KERNEL_PART, Measured
from lowlat.reports.model.report import BudgetPart

KERNEL_LEFT_OUT: Final = {"operating system": Measured(None, "left out, as --no-kernel-path says")}
"""The stage of a run without that measurement."""


def kernel_stage(outcome: RunOutcome, topology: Topology) -> dict[str, Measured]:
    """Measure the kernel's part in about 0.4 s, with a run's clock; messages are received on the run's CPU."""
    assert outcome.clock.frequency_hz is not None, "a run calibrates its clock"
    path = measure_kernel_path(outcome.clock.frequency_hz, outcome.cpu, topology)
    return {"operating system": kernel_measured(path)}


def kernel_measured(path: KernelPath) -> Measured:
    """The stage is one TCP message over loopback: it includes the system calls, stack and wake-up listed with it.

    They are not added to it. There is no application between that send and receive, so none is subtracted. Only the
    timer overhead is subtracted, unlike in the application's times.
    """
    parts = (
        _part("system call", path.system_call, "getppid"),
        _part("wake-up", path.wake_up, "thread blocked in a futex"),
        _part("loopback UDP", path.udp, "64 bytes, send to receive"),
        _part(KERNEL_PART, path.tcp, "64 bytes, send to receive"),
    )
    basis = f"p99 of one message over loopback TCP: send, stack, wakeup, receive; no driver; {path.where}"
    return _stage(path.tcp, basis, parts)


def peer_stages(path: PeerPath | None) -> dict[str, Measured]:
    """The network and NIC stages, if a peer was measured."""
    if path is None:
        return {}
    lost = f"{path.lost:,} of {path.sent:,} lost"
    if path.lost:
        lost += f", counted at the limit of {units.time(path.limit_ns)}"
    by = path.half_trip.source.removeprefix("measured: ")
    parts = (
        _part("round trip", known(path.seen, "measured"), f"as an application sees it; {lost}"),
        _part("peer processing", path.stay, "the part spent inside the peer"),
    )
    basis = f"p99 of half a round trip to {path.peer}, minus peer processing; {by}; {lost}"
    return {
        "network": _stage(path.network, basis, parts),
        "NIC": _stage(path.nic, "p99 between driver and wire, one way", ()),
    }


def _stage(reading: Reading[LatencySummary], basis: str, parts: tuple[BudgetPart, ...]) -> Measured:
    if reading.value is None:
        return Measured(None, str(reading.reason), parts)
    return Measured(reading.value.p99_ns, basis, parts)


def _part(name: str, reading: Reading[LatencySummary], basis: str) -> BudgetPart:
    spread = reading.value
    if spread is None:
        return BudgetPart(name=name, p50_ns=None, p99_ns=None, samples=0, basis=reading.text)
    return BudgetPart(name=name, p50_ns=spread.p50_ns, p99_ns=spread.p99_ns, samples=spread.samples, basis=basis)
