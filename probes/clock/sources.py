"""The counter's frequency and flags as declared by the processor, the hypervisor and the kernel.

The nominal MHz of the model name and CPUID leaf 0x16 are never used: both are marketing figures, rounded.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from lowlat.probes import _core
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.host.kernel_log import kernel_log
from lowlat.probes.host.runtime_facts import hypervisor_signature
from lowlat.probes.reading import Reading, known, not_applicable, unknown

FREQUENCY_MIN_HZ = 1e3
FREQUENCY_MAX_HZ = 1e12
"""Limits of what can be scaled; a source that declares less or more is not believed."""

_NOT_X86 = "this processor is not x86-64"
_KERNEL_LOG_TSC = re.compile(r"tsc: (Refined TSC clocksource calibration:|Detected) ([0-9.]+) MHz")
_TSC_FREQ_KHZ = "sys/devices/system/cpu/cpu0/tsc_freq_khz"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One source's opinion of the counter's frequency, in Hz."""

    name: Annotated[str, Meta(description="The source, e.g. cpuid-0x15 or measured")]
    frequency_hz: Annotated[Reading[float], Meta(description="Ticks in a second as it says")]


@dataclass(frozen=True, slots=True)
class CounterFlags:
    """What is promised about the counter."""

    invariant: Annotated[Reading[bool], Meta(description="Whether its rate is the same in every power state (CPUID)")]
    constant: Annotated[
        Reading[bool], Meta(description="Whether its rate is independent of the core's frequency (constant_tsc)")
    ]
    nonstop: Annotated[Reading[bool], Meta(description="Whether it counts on in deep sleep states (nonstop_tsc)")]
    known_frequency: Annotated[
        Reading[bool], Meta(description="Whether its frequency is declared, not measured (tsc_known_freq)")
    ]


def declared_frequencies(tree: HostTree = LIVE) -> tuple[Candidate, ...]:
    """All declared frequencies, best source first; an absent one has a reason."""
    candidates = [
        Candidate("cpuid-0x15", _cpuid_crystal()),
        Candidate("hypervisor-0x40000010", _hypervisor_leaf()),
        Candidate("kernel-tsc_freq_khz", _kernel_file(tree)),
        Candidate("kernel-perf", _kernel_perf_page()),
        Candidate("kernel-log", _kernel_log()),
    ]
    if _core.CLOCK_SOURCE == "cntvct_el0":
        candidates.insert(0, Candidate("cntfrq_el0", _believed(_core.counter_frequency_register(), "CNTFRQ_EL0")))
    return tuple(candidates)


def _believed(frequency_hz: float, source: str) -> Reading[float]:
    if FREQUENCY_MIN_HZ <= frequency_hz <= FREQUENCY_MAX_HZ:
        return known(frequency_hz, source)
    return unknown(source, f"{source} declares {frequency_hz:g} Hz, which is not plausible")


def _cpuid_crystal() -> Reading[float]:
    """Intel SDM vol. 2A, CPUID leaf 15H: frequency = crystal (ECX, Hz) * EBX / EAX."""
    source = "CPUID leaf 0x15"
    if _core.cpuid(0) is None:
        return not_applicable(source, _NOT_X86)
    leaf = _core.cpuid(0x15)
    if leaf is None:
        return not_applicable(source, "the processor's highest leaf is below 0x15")
    denominator, numerator, crystal_hz, _ = leaf
    if not denominator or not numerator:
        return not_applicable(source, "the leaf holds no ratio of counter to crystal")
    if not crystal_hz:
        return not_applicable(source, f"the leaf holds the ratio {numerator}/{denominator} but no crystal frequency")
    return _believed(crystal_hz * numerator / denominator, source)


def _hypervisor_leaf() -> Reading[float]:
    """Leaf 0x40000010, EAX = counter in kHz: VMware's definition, which KVM and others follow."""
    source = "hypervisor CPUID leaf 0x40000010"
    if _core.cpuid(0) is None:
        return not_applicable(source, _NOT_X86)
    range_leaf = _core.cpuid(0x40000000)
    if range_leaf is None:
        return not_applicable(source, "no hypervisor is reported")
    signature = hypervisor_signature() or ""
    if signature.startswith(("Microsoft Hv", "XenVMM")):
        return not_applicable(source, f"{signature} gives this leaf another meaning")
    leaf = _core.cpuid(0x40000010)
    if leaf is None:
        return not_applicable(source, f"{signature}'s highest leaf is {range_leaf[0]:#x}")
    if not leaf[0]:
        return not_applicable(source, f"{signature} leaves the value 0")
    return _believed(leaf[0] * 1e3, source)


def _kernel_file(tree: HostTree) -> Reading[float]:
    reading = tree.reading(_TSC_FREQ_KHZ)
    if reading.value is None:
        return Reading(None, reading.source, reading.reason, reading.applicable)
    khz = tree.integer(_TSC_FREQ_KHZ)
    if khz is None:
        return unknown(reading.source, f"{reading.value!r} is not a number")
    return _believed(khz * 1e3, reading.source)


def _kernel_perf_page() -> Reading[float]:
    """The kernel's tsc_khz, recovered from the multiplier and shift on the page of a perf event.

    The multiplier has 31 bits, so on x86 the kernel's whole number of kHz is recovered exactly.
    """
    source = "kernel's scale on a perf event's page (time_mult, time_shift)"
    scale = _core.read_perf_clock()
    if scale.error in (errno.EACCES, errno.EPERM):
        return unknown(source, "perf_event_open is forbidden (perf_event_paranoid, or the container's seccomp)")
    if scale.error in (errno.ENOSYS, errno.ENOENT, errno.EOPNOTSUPP):
        return not_applicable(source, "the kernel publishes no scale of the counter")
    if scale.error or not scale.multiplier:
        return unknown(source, os.strerror(scale.error) if scale.error else "the multiplier is 0")
    frequency_hz = 1e9 * 2.0**scale.shift / scale.multiplier
    return _believed(round(frequency_hz / 1e3) * 1e3 if _core.cpuid(0) else frequency_hz, source)


def _kernel_log() -> Reading[float]:
    """Read the frequency in the boot log, to 1 kHz: the refined calibration, else the detected frequency."""
    log = kernel_log()
    if log.value is None:
        return Reading(None, log.source, log.reason, log.applicable)
    found: dict[str, str] = {}
    for message in log.value:
        match = _KERNEL_LOG_TSC.search(message)
        if match is not None:
            found[match[1]] = match[2]
    megahertz = found.get("Refined TSC clocksource calibration:") or found.get("Detected")
    if megahertz is None:
        return unknown(log.source, "the log has no line about the TSC")
    return _believed(float(megahertz) * 1e6, log.source)


def counter_flags(tree: HostTree = LIVE) -> CounterFlags:
    """Read the counter's flags from CPUID and `/proc/cpuinfo`."""
    if os.uname().machine in ("aarch64", "arm64"):
        always = known(True, "Arm architecture: the generic timer counts at one rate in every power state")
        return CounterFlags(always, always, always, known(True, "CNTFRQ_EL0"))
    flags = _cpu_flags(tree)
    return CounterFlags(
        _invariant(),
        *(_flag(tree, flags, name) for name in ("constant_tsc", "nonstop_tsc", "tsc_known_freq")),
    )


def _invariant() -> Reading[bool]:
    """AMD APM vol. 3 and Intel SDM vol. 2A, CPUID leaf 80000007H: EDX bit 8."""
    source = "CPUID leaf 0x80000007, EDX bit 8"
    leaf = _core.cpuid(0x80000007)
    if leaf is None:
        return not_applicable(source, _NOT_X86 if _core.cpuid(0) is None else "the processor lacks the leaf")
    return known(bool(leaf[3] >> 8 & 1), source)


def _cpu_flags(tree: HostTree) -> frozenset[str] | None:
    for line in (tree.text("proc/cpuinfo") or "").splitlines():
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return None


def _flag(tree: HostTree, flags: frozenset[str] | None, name: str) -> Reading[bool]:
    source = f"flag {name} in /proc/cpuinfo"
    if flags is None:
        return tree.absence(source, "/proc/cpuinfo has no line of flags", "proc/cpuinfo")
    return known(name in flags, source)
