"""Warnings about sets of CPUs that do not fit the cores, or the CPUs that this process runs on."""

from __future__ import annotations

from collections.abc import Sequence

from lowlat.probes.cpu.cpu_sets import CpuSets, masked_cpus
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.topology.model import Package
from lowlat.probes.topology.warnings import Warn


def warn_of_masked_cpus(tree: HostTree, sets: CpuSets, warn: Warn) -> None:
    """CPUs that run, but not according to the list of online CPUs."""
    masked = masked_cpus(tree, sets)
    if masked:
        what = "the list of online CPUs lacks some that run: the container renumbers or hides them (lxcfs, Sysbox)"
        warn(what, f"CPU {format_cpu_list(masked)}")


def warn_of_half_isolated_cores(packages: Sequence[Package], sets: CpuSets, warn: Warn) -> None:
    """Cores of which the scheduler still uses one SMT sibling, which slows the isolated one."""
    isolated = frozenset(sets.isolated.value or ())
    for core in (core for package in packages for core in package.cores):
        inside = isolated.intersection(core.cpus)
        if inside and len(inside) < len(core.cpus):
            outside = format_cpu_list(set(core.cpus) - inside)
            what = "an isolated CPU has an SMT sibling that is not isolated: the scheduler may run work on its core"
            warn(what, f"CPU {format_cpu_list(inside)}, sibling {outside}")
