"""What the kernel of this host adds to the way of an order: system call, wake-up, loopback UDP and TCP.

A message goes from one thread to another that is blocked in the kernel. It carries the counter as it stood right
before the send, and the receiver reads the counter as soon as it runs again. So a time over loopback holds the send
call, the network stack down and up, the wake-up of the receiver and the return from its receive call: once out and once
in, as an execution goes out and an order comes in. It holds no driver and no interrupt, which loopback does not have,
and no application, so that none is subtracted.

The cost of the stamps themselves is subtracted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from lowlat.probes import _core
from lowlat.probes.cache_line import choose_pair
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.latency_summary import SAMPLES_MIN, Spread
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
    """Times on this host's kernel. The CPUs are None where the scheduler chose.

    `system_call`: getppid, entry to return. `wake_up`: from before FUTEX_WAKE to the woken thread. `udp`, `tcp`: 64
    bytes over 127.0.0.1, from before the send to after the receive of a thread that was blocked in it.
    """

    sender_cpu: int | None
    receiver_cpu: int | None
    system_call: Reading[Spread]
    wake_up: Reading[Spread]
    udp: Reading[Spread]
    tcp: Reading[Spread]

    @property
    def where(self) -> str:
        """The CPUs in words."""
        if self.receiver_cpu is None:
            return "on CPUs of the scheduler's choice"
        if self.sender_cpu == self.receiver_cpu:
            return f"both threads on CPU {self.receiver_cpu}, the only one"
        return f"CPU {self.sender_cpu} to CPU {self.receiver_cpu}"


def measure_kernel_path(
    frequency_hz: float, receiver_cpu: int | None = None, topology: Topology | None = None
) -> KernelPath:
    """Measure in about 0.4 s, and in 4 s at most, on threads of its own; the GIL is free meanwhile.

    `frequency_hz` is the counter's, from a calibration. `receiver_cpu` is where messages are waited for; without it, or
    where it is not allowed, one is chosen. The sender is on another core if there is one.
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
    ) -> Reading[Spread]:
        plan = _core.PathPlan(
            samples, WARM_UP, round(PAUSE_S * 1e9), round(LIMIT_S * 1e9), self.sender_cpu, self.receiver_cpu
        )
        return spread_of(measure(plan), self.frequency_hz, source)


def spread_of(found: _core.PathSamples, frequency_hz: float, source: str) -> Reading[Spread]:
    """Turn ticks into percentiles, or into why there are none."""
    scale = TickScale.of_frequency(frequency_hz)
    if found.error:
        return unknown(source, f"{found.call}: {os.strerror(found.error)}")
    if found.backward:
        return unknown(source, f"{found.backward} messages came before they were sent: the CPUs' counters disagree")
    if len(found.ticks) < SAMPLES_MIN:
        awake = f"; {found.awake} found the receiver awake" if found.awake else ""
        return unknown(source, f"{len(found.ticks)} of {SAMPLES_MIN} messages came through in time{awake}")
    stamp = _core.measure_stamp_ticks()
    return known(Spread.of([scale.to_ns(max(ticks - stamp, 0)) for ticks in found.ticks]), source)
