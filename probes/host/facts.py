"""The host facts in a report: read within milliseconds, each with its source or the reason why it is missing."""

from __future__ import annotations

import math
import os
import re
import sys
from dataclasses import dataclass

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, cpu_folders, cpu_sets
from lowlat.probes.host.arm_parts import arm_parts
from lowlat.probes.host.host_tree import LIVE, HostTree, explain_os_error, parse_integer
from lowlat.probes.host.virtualization import Virtualization, virtualization
from lowlat.probes.reading import Reading, known, unknown

NO_CPUFREQ = "the kernel does not control the frequency (in a guest, the host does)"


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The facts that put a host's latencies in context. CPU sets are in ascending order."""

    cpu_brand: Reading[str]
    logical_cpus: Reading[int]
    allowed_cpus: tuple[int, ...]
    kernel_release: Reading[str]
    kernel_cmdline: Reading[str]
    governor: Reading[str]
    turbo: Reading[bool]
    isolated_cpus: Reading[tuple[int, ...]]
    nohz_full_cpus: Reading[tuple[int, ...]]
    clocksource: Reading[str]
    virtualization: Virtualization
    steal_percent: Reading[float]
    load_average: Reading[tuple[float, float, float]]
    memory_total_bytes: Reading[int]
    transparent_huge_pages: Reading[str]


def host_facts(tree: HostTree = LIVE) -> HostFacts:
    """Read all facts; a missing one has a reason."""
    sets = cpu_sets(tree)
    return HostFacts(
        cpu_brand=cpu_brand(tree),
        logical_cpus=_logical_cpus(tree, sets.online),
        allowed_cpus=sets.allowed,
        kernel_release=kernel_release(tree),
        kernel_cmdline=tree.reading("proc/cmdline"),
        governor=_governor(tree),
        turbo=_turbo(tree),
        isolated_cpus=sets.isolated,
        nohz_full_cpus=sets.nohz_full,
        clocksource=tree.reading("sys/devices/system/clocksource/clocksource0/current_clocksource"),
        virtualization=virtualization(tree),
        steal_percent=_steal_percent(tree),
        load_average=_load_average(tree),
        memory_total_bytes=memory_total(tree),
        transparent_huge_pages=_chosen(tree, "sys/kernel/mm/transparent_hugepage/enabled"),
    )


def cpu_brand(tree: HostTree = LIVE) -> Reading[str]:
    """Read the processor's name; on Arm, whose kernel prints none, those of its kinds of cores."""
    if tree.is_live and sys.platform == "darwin":
        return _sysctl_brand()
    source = "read from /proc/cpuinfo"
    fields: dict[str, str] = {}
    for line in (tree.text("proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    for key in ("model name", "cpu", "Model", "Processor", "uarch"):
        if fields.get(key):
            return known(fields[key], source)
    if parts := arm_parts(tree.text("proc/cpuinfo") or ""):
        return known(", ".join(parts), source)
    denied = tree.absence(source, "", "proc/cpuinfo")
    return denied if denied.applicable else unknown(source, "/proc/cpuinfo names no processor")


def _sysctl_brand() -> Reading[str]:
    import subprocess

    name = "machdep.cpu.brand_string"
    source = f"sysctl {name}"
    try:
        done = subprocess.run(["/usr/sbin/sysctl", "-n", name], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return unknown(source, str(error))
    return known(done.stdout.decode().strip(), source)


def _logical_cpus(tree: HostTree, online: Reading[tuple[int, ...]]) -> Reading[int]:
    if online.value:
        return known(len(online.value), online.source)
    count = os.cpu_count() if tree.is_live else None
    return known(count, "os.cpu_count") if count else unknown(online.source, online.reason or "the set is empty")


def kernel_release(tree: HostTree = LIVE) -> Reading[str]:
    """Read the kernel's release."""
    release = tree.fact("kernel_release")
    return known(release, "uname") if release else tree.reading("proc/sys/kernel/osrelease")


def _governor(tree: HostTree) -> Reading[str]:
    """Governors of all CPUs: one name, or several joined by commas."""
    source = f"read from /{CPU_FOLDER}/cpu*/cpufreq/scaling_governor"
    names = {
        text for cpu in cpu_folders(tree) if (text := tree.text(f"{CPU_FOLDER}/cpu{cpu}/cpufreq/scaling_governor"))
    }
    if names:
        return known(", ".join(sorted(names)), source)
    files = (f"{CPU_FOLDER}/cpu{cpu}/cpufreq/scaling_governor" for cpu in cpu_folders(tree)[:1])
    return tree.absence(source, NO_CPUFREQ, *files)


def _turbo(tree: HostTree) -> Reading[bool]:
    switches = {f"{CPU_FOLDER}/intel_pstate/no_turbo": "0", f"{CPU_FOLDER}/cpufreq/boost": "1"}
    for path, on in switches.items():
        text = tree.text(path)
        if text in ("0", "1"):
            return known(text == on, f"read from /{path}")
    why = "the kernel shows no switch for it (in a guest, the host has it)"
    return tree.absence(f"read from {', '.join(f'/{path}' for path in switches)}", why, *switches)


def _steal_percent(tree: HostTree) -> Reading[float]:
    """Share of CPU time since boot that the hypervisor gave to others, over all CPUs."""
    source = "read from /proc/stat, since boot"
    first_line = (tree.text("proc/stat") or "").partition("\n")[0].split()
    # cpu user nice system idle iowait irq softirq steal guest guest_nice; guest time is within user and nice
    ticks = [tick for field in first_line[1:9] if (tick := parse_integer(field)) is not None and tick >= 0]
    if len(ticks) < 8 or not sum(ticks):
        return tree.absence(source, "/proc/stat has no column for stolen time", "proc/stat")
    return known(100.0 * ticks[7] / sum(ticks), source)


def _load_average(tree: HostTree) -> Reading[tuple[float, float, float]]:
    if tree.is_live:
        try:
            return known(os.getloadavg(), "getloadavg")
        except OSError as error:  # without /proc
            return unknown("getloadavg", str(error))
    reading = tree.reading("proc/loadavg")
    try:
        one, five, fifteen = (float(field) for field in (reading.value or "").split()[:3])
    except ValueError:
        return unknown(reading.source, reading.reason or f"{(reading.value or '')[:80]!r} does not have three numbers")
    if not all(map(math.isfinite, (one, five, fifteen))):
        return unknown(reading.source, "the load is not finite")
    return known((one, five, fifteen), reading.source)


def memory_total(tree: HostTree = LIVE) -> Reading[int]:
    """Read the host's memory that the kernel can use, in bytes."""
    source = "read from /proc/meminfo"
    match = re.search(r"^MemTotal:\s+([0-9]{1,15}) kB", tree.text("proc/meminfo") or "", re.MULTILINE)
    if match is not None:
        return known(int(match[1]) * 1024, source)
    if not tree.is_live:
        denied = tree.absence(source, "", "proc/meminfo")
        return denied if denied.applicable else unknown(source, "the snapshot has no MemTotal")
    import psutil

    try:
        return known(int(psutil.virtual_memory().total), "psutil")
    except OSError as error:
        return unknown("psutil", explain_os_error(error, "the host's memory"))


def _chosen(tree: HostTree, path: str) -> Reading[str]:
    """Read the selected value of a file that lists choices, with one in brackets."""
    reading = tree.reading(path)
    match = re.search(r"\[([^\]]+)\]", reading.value or "")
    return reading if match is None else known(match[1], reading.source)
