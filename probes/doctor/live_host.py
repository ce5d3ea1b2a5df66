"""What only the running host can tell: rights that are tried and undone, and figures that are measured."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from lowlat.errors import NotValidError
from lowlat.probes import _core
from lowlat.probes.clock.counter import Calibration, CounterSkew, calibrate_quick, measure_skew
from lowlat.probes.cpu.affinity import affinity_of, pinned
from lowlat.probes.cpu.cpu_sets import Cpus
from lowlat.probes.doctor.other_source import CpuinfoProcess
from lowlat.probes.doctor.registers import read_register
from lowlat.probes.errors import AffinityError
from lowlat.probes.host.host_tree import explain_os_error
from lowlat.probes.host.kernel_log import kernel_log
from lowlat.probes.network import ethtool
from lowlat.probes.network.ethtool import Coalescing
from lowlat.probes.reading import Reading, known, not_applicable, unknown

SPEED_S: Final = 0.05
SPEED_TOTAL_S: Final = 0.4
SPEED_CPUS_MAX: Final = 64
"""How long a CPU's frequency is measured, all of them at most, and how many of them: with more, evenly chosen ones."""
FIFO_PRIORITY: Final = 1
LATENCY_REQUEST: Final = "/dev/cpu_dma_latency"


@dataclass(frozen=True, slots=True)
class CpuSpeed:
    """Cycles of a CPU per tick of its counter, and the frequency that follows from it."""

    cpu: int
    cycles_per_tick: float
    frequency_hz: float


@dataclass(frozen=True, slots=True)
class TimeState:
    """What the kernel says of its clock (adjtimex)."""

    synchronized: bool
    frequency_ppm: float
    max_error_us: int


class LiveHost:
    """The running host. Nothing that it tries stays changed."""

    def __init__(self, cpuinfo: CpuinfoProcess | None = None) -> None:
        self._cpuinfo = cpuinfo

    def limit(self, name: str) -> Reading[int]:
        """The soft limit of a resource such as RLIMIT_MEMLOCK; -1 is unlimited."""
        import resource

        source = f"getrlimit({name})"
        number = getattr(resource, name, None)
        if number is None:
            return not_applicable(source, "this platform has no such limit")
        soft = resource.getrlimit(number)[0]
        return known(-1 if soft == resource.RLIM_INFINITY else soft, source)

    def try_fifo(self) -> Reading[bool]:
        """Whether this thread may run under SCHED_FIFO: tried at the lowest priority, and undone."""
        source = f"tried: sched_setscheduler(SCHED_FIFO, {FIFO_PRIORITY})"
        if not hasattr(os, "sched_setscheduler"):
            return not_applicable(source, "this platform has no such call")
        before, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIFO_PRIORITY))
        except PermissionError:
            return known(False, source)
        except OSError as error:
            return unknown(source, explain_os_error(error, "sched_setscheduler"))
        os.sched_setscheduler(0, before, parameter)
        return known(True, source)

    def try_affinity(self, cpus: Iterable[int]) -> Reading[dict[int, str | None]]:
        """By CPU, None if this thread can be pinned to it, else why not: tried, read back, and undone."""
        source = "tried: sched_setaffinity, read back"
        found: dict[int, str | None] = {}
        try:
            for cpu in cpus:
                try:
                    with pinned((cpu,)):
                        found[cpu] = None
                except AffinityError as error:
                    found[cpu] = str(error)
        except OSError as error:
            return unknown(source, explain_os_error(error, "sched_setaffinity"))
        return known(found, source) if found else unknown(source, "no CPU is known")

    def speeds(self, cpus: Cpus) -> Reading[tuple[CpuSpeed, ...]]:
        """The frequency of each CPU that this process may use, from a chain of dependent additions."""
        source = "measured by a chain of dependent additions"
        chosen = evenly(cpus, SPEED_CPUS_MAX)
        if not chosen:
            return unknown(source, "this process may use none of these CPUs")
        if self.calibration.value is None:
            return Reading(None, self.calibration.source, self.calibration.reason, self.calibration.applicable)
        each_ns = round(min(SPEED_S, SPEED_TOTAL_S / len(chosen)) * 1e9)
        found = []
        for cpu in chosen:
            try:
                with pinned((cpu,)):
                    speed = _core.measure_core_speed(each_ns)
            except (AffinityError, OSError):
                continue  # it went offline, or out of the cpuset
            if speed.cycles_per_tick > 0:
                frequency_hz = speed.cycles_per_tick * self.calibration.value.frequency_hz
                found.append(CpuSpeed(cpu, speed.cycles_per_tick, frequency_hz))
        return known(tuple(found), source) if found else unknown(source, "no CPU could be measured")

    @cached_property
    def calibration(self) -> Reading[Calibration]:
        """The counter's frequency and the cost of reading clocks."""
        source = "measured against CLOCK_MONOTONIC_RAW"
        try:
            return known(calibrate_quick(), source)
        except NotValidError as error:
            return unknown(source, str(error))

    @cached_property
    def skews(self) -> Reading[tuple[CounterSkew, ...]]:
        """The counters of all CPUs compared with that of the lowest one."""
        if self.calibration.value is None:
            return Reading(None, self.calibration.source, self.calibration.reason, self.calibration.applicable)
        return measure_skew(self.calibration.value.frequency_hz)

    def time_state(self) -> Reading[TimeState]:
        """What the kernel says of its clock."""
        slew = _core.read_slew()
        if slew.error:
            return not_applicable("adjtimex", os.strerror(slew.error))
        return known(TimeState(slew.synchronized, slew.frequency_ppm, slew.max_error_us), "adjtimex")

    def log(self) -> Reading[tuple[str, ...]]:
        """The kernel's log."""
        return kernel_log()

    def latency_request_us(self) -> Reading[int]:
        """The wake-up latency that processes allow at most, in microseconds: a number of 4 bytes in native order."""
        source = f"read from {LATENCY_REQUEST}"
        try:
            device = os.open(LATENCY_REQUEST, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return not_applicable(source, f"{LATENCY_REQUEST} does not exist")
        except OSError as error:
            return unknown(source, explain_os_error(error, LATENCY_REQUEST))
        try:
            content = os.read(device, 4)
        except OSError as error:
            return unknown(source, explain_os_error(error, LATENCY_REQUEST))
        finally:
            os.close(device)
        if len(content) != 4:
            return unknown(source, f"a read gives {len(content)} of 4 bytes")
        return known(int.from_bytes(content, sys.byteorder, signed=True), source)

    def register(self, cpu: int, register: int) -> Reading[int]:
        """A model-specific register of a CPU."""
        return read_register(cpu, register)

    def clock_resolution_ns(self) -> float:
        """The step of CLOCK_MONOTONIC as the kernel says, in ns."""
        return time.clock_getres(time.CLOCK_MONOTONIC) * 1e9

    def usable(self) -> Cpus:
        """The CPUs that this thread may run on."""
        try:
            return affinity_of()
        except AffinityError:
            return ()

    def coalescing(self, card: str) -> Reading[Coalescing]:
        """Interrupt coalescing of a network card."""
        return ethtool.coalescing(card)

    def merging(self, card: str) -> Reading[tuple[bool, bool]]:
        """Whether GRO and LRO are on."""
        gro, lro = ethtool.receive_offload(card), ethtool.large_receive_offload(card)
        if gro.value is None:
            return Reading(None, gro.source, gro.reason, gro.applicable)
        return known((gro.value, bool(lro.value)), gro.source)

    def link_settings(self, card: str) -> Reading[str]:
        """Ring, energy-efficient Ethernet and pause frames, as far as the driver tells them."""
        ring = ethtool.rings(card)
        switches = (("EEE", ethtool.energy_efficient_ethernet(card)), ("pause frames", ethtool.pause_frames(card)))
        said = [f"rx ring {ring.value.rx} of {ring.value.rx_max}"] if ring.value else []
        said += [f"{name} {'on' if each.value else 'off'}" for name, each in switches if each.value is not None]
        return known(", ".join(said), ring.source) if said else Reading(None, ring.source, ring.reason, ring.applicable)

    def cpuinfo(self) -> Reading[dict[str, Any]]:
        """What py-cpuinfo says of the processor."""
        if self._cpuinfo is None:
            return unknown("py-cpuinfo", "it was not asked")
        return self._cpuinfo.answer()


def evenly(cpus: Cpus, most: int) -> Cpus:
    """At most this many of the CPUs, evenly chosen."""
    if len(cpus) <= most:
        return cpus
    return tuple(cpus[index * len(cpus) // most] for index in range(most))
