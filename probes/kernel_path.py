"""The kernel's share of the order path on this host: system call, wake-up, loopback UDP and TCP.

One thread sends a message to another that is blocked in the kernel. The message carries the counter read right before
the send, and the receiver reads the counter as soon as it runs again. A loopback time thus includes the send call, the
network stack down and up, the wake-up of the receiver and the return from its receive call: one way out and one way in,
like an outgoing execution and an incoming order. It includes no driver and no interrupt, since loopback has neither,
and no application code.

The timer overhead is subtracted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from lowlat import units
from lowlat.probes import _core
from lowlat.probes.cache_line import choose_pair
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.latency_summary import SAMPLES_MIN, LatencySummary
from lowlat.probes.reading import Reading, known, unknown
from lowlat.probes.topology import Topology, read_topology

SYSTEM_CALLS = 10_000
MESSAGES = 1_000
"""Ten of them lie beyond the 99th percentile."""
WARM_UP = 50
PAUSE_S = 50e-6
"""Before each message, for the receiver to block: longer than a wake-up takes, too short for deep sleep of its CPU."""
LIMIT_S = 0.5
"""Of each measurement, on a host that is busy; 0.4 s for all four on one that is not."""


@dataclass(frozen=True, slots=True)
class KernelPath:
    """Times on this host's kernel. The CPUs are None if the scheduler chose them.

    `system_call`: getppid, entry to return. `wake_up`: from before FUTEX_WAKE until the woken thread runs. `udp`,
    `tcp`: 64 bytes over 127.0.0.1, from before the send until the blocked receiver returns from its receive call.
    """

    sender_cpu: int | None
    receiver_cpu: int | None
    system_call: Reading[LatencySummary]
    wake_up: Reading[LatencySummary]
    udp: Reading[LatencySummary]
    tcp: Reading[LatencySummary]

    @property
    def where(self) -> str:
        """The CPUs as text."""
        if self.receiver_cpu is None:
            return "on CPUs chosen by the scheduler"
        if self.sender_cpu == self.receiver_cpu:
            return f"both threads on CPU {self.receiver_cpu}, the only one"
        return f"CPU {self.sender_cpu} to CPU {self.receiver_cpu}"


def measure_kernel_path(
    frequency_hz: float, receiver_cpu: int | None = None, topology: Topology | None = None
) -> KernelPath:
    """Measure in about 0.4 s, at most 4 s, on dedicated threads, with the GIL released.

    `frequency_hz` is the counter's, from a calibration. The receiver waits on `receiver_cpu`; if that is not given or
    not allowed, one is chosen. The sender runs on another core if there is one.
    """
    sender, receiver = _pair(topology or read_topology(), receiver_cpu)
    path = _Measurement(frequency_hz, sender, receiver)
    return KernelPath(
        sender_cpu=sender,
        receiver_cpu=receiver,
        system_call=path.measured(_core.measure_system_call, "measured: getppid", SYSTEM_CALLS),
        wake_up=path.measured(_core.measure_wake_up, "measured: futex", MESSAGES),
        udp=path.measured(_core.measure_loopback_udp, "measured: UDP over 127.0.0.1", MESSAGES),
        tcp=path.measured(_core.measure_loopback_tcp, "measured: TCP over 127.0.0.1", MESSAGES),
    )


def _pair(topology: Topology, receiver_cpu: int | None) -> tuple[int | None, int | None]:
    """CPUs of sender and receiver."""
    chosen = choose_pair(topology, receiver_cpu)
    return (chosen[-1], chosen[0]) if chosen else (None, None)


@dataclass(frozen=True, slots=True)
class _Measurement:
    frequency_hz: float
    sender_cpu: int | None
    receiver_cpu: int | None

    def measured(
        self, measure: Callable[[_core.PathPlan], _core.PathSamples], source: str, samples: int
    ) -> Reading[LatencySummary]:
        plan = _core.PathPlan(
            samples, WARM_UP, round(PAUSE_S * 1e9), round(LIMIT_S * 1e9), self.sender_cpu, self.receiver_cpu
        )
        return spread_of(measure(plan), self.frequency_hz, source)


def spread_of(found: _core.PathSamples, frequency_hz: float, source: str) -> Reading[LatencySummary]:
    """Convert ticks to percentiles, or to the reason why there are none."""
    scale = TickScale.of_frequency(frequency_hz)
    if found.error:
        return unknown(source, f"{found.call}: {os.strerror(found.error)}")
    if found.backward:
        return unknown(
            source,
            f"{units.plural(found.backward, 'message')} arrived before being sent: the CPUs' counters are not "
            "synchronized",
        )
    if len(found.ticks) < SAMPLES_MIN:
        awake = f"; {found.awake} found the receiver awake" if found.awake else ""
        return unknown(source, f"{len(found.ticks)} of {SAMPLES_MIN} messages arrived in time{awake}")
    stamp = _core.measure_stamp_ticks()
    return known(LatencySummary.of([scale.to_ns(max(ticks - stamp, 0)) for ticks in found.ticks]), source)
