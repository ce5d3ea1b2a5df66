"""The topology of a host: packages, dies, cores, caches, NUMA nodes, and the CPUs this process may use."""

from __future__ import annotations

from lowlat.probes.cpu.cpu_sets import cpu_sets
from lowlat.probes.host.cgroup import cpu_quota
from lowlat.probes.host.facts import cpu_brand, kernel_release, memory_total
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.host.noting_tree import NotingTree
from lowlat.probes.host.virtualization import virtualization
from lowlat.probes.host.vulnerabilities import Vulnerability, microcode, vulnerabilities
from lowlat.probes.reading import Reading, known, unknown
from lowlat.probes.topology.caches import read_caches
from lowlat.probes.topology.core_types import read_core_kinds
from lowlat.probes.topology.devices import read_devices
from lowlat.probes.topology.frequencies import read_frequencies
from lowlat.probes.topology.groups import GroupReader
from lowlat.probes.topology.interrupts import read_interrupts
from lowlat.probes.topology.model import (
    Cache,
    Cluster,
    Core,
    CoreKind,
    Device,
    Die,
    FrequencyPolicy,
    HugePages,
    Interrupt,
    MemoryAccess,
    MemorySideCache,
    Node,
    Package,
    Topology,
)
from lowlat.probes.topology.nodes import memory_nodes, read_huge_pages, read_nodes
from lowlat.probes.topology.set_warnings import warn_of_half_isolated_cores, warn_of_masked_cpus
from lowlat.probes.topology.warnings import Warnings

__all__ = [
    "Cache",
    "Cluster",
    "Core",
    "CoreKind",
    "Device",
    "Die",
    "FrequencyPolicy",
    "HugePages",
    "Interrupt",
    "MemoryAccess",
    "MemorySideCache",
    "Node",
    "Package",
    "Topology",
    "Vulnerability",
    "read_topology",
]


def read_topology(tree: HostTree = LIVE) -> Topology:
    """Read the topology of a host. Missing facts have a reason; `warnings` lists contradictory kernel output."""
    warnings, tree = Warnings(), NotingTree(tree)
    sets = cpu_sets(tree)
    online = sets.online.value or ()
    packages = GroupReader(tree, online, warnings.add).packages()
    warn_of_masked_cpus(tree, sets, warnings.add)
    warn_of_half_isolated_cores(packages, sets, warnings.add)
    return Topology(
        root=tree.root,
        machine=_machine(tree),
        cpu_brand=cpu_brand(tree),
        kernel_release=kernel_release(tree),
        virtualization=virtualization(tree),
        cpu_sets=sets,
        cpu_quota=cpu_quota(tree),
        smt=tree.reading("sys/devices/system/cpu/smt/control"),
        packages=packages,
        core_kinds=read_core_kinds(tree, online),
        frequencies=read_frequencies(tree, online),
        microcode=microcode(tree),
        vulnerabilities=vulnerabilities(tree),
        caches=read_caches(tree, online, warnings.add),
        nodes=read_nodes(tree, online, warnings.add),
        memory_nodes=memory_nodes(tree),
        memory_total_bytes=memory_total(tree),
        huge_pages=read_huge_pages(tree, "sys/kernel/mm/hugepages"),
        interrupts=read_interrupts(tree),
        devices=read_devices(tree),
        warnings=_with_denied(warnings, tree),  # once all else is read
    )


def _with_denied(warnings: Warnings, tree: NotingTree) -> tuple[str, ...]:
    for path in tree.denied:
        warnings.add("a file cannot be read: permission denied", f"/{path}")
    return warnings.lines()


def _machine(tree: HostTree) -> Reading[str]:
    machine = tree.fact("machine")
    if machine is not None:
        return known(machine, "uname")
    reading = tree.reading("proc/sys/kernel/arch")
    return reading if reading.value else unknown("uname", "the snapshot does not say")
