"""Kinds of cores on hybrid machines."""

from __future__ import annotations

from collections import defaultdict

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, Cpus, cpus_of_list
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.topology.model import CoreKind

_INTEL = (("performance", "cpu_core"), ("efficiency", "cpu_atom"), ("low-power efficiency", "cpu_lowpower"))


def read_core_kinds(tree: HostTree, online: Cpus) -> tuple[CoreKind, ...]:
    """Read the kinds of cores; empty if the kernel shows no difference between them."""
    named = []
    for name, device in _INTEL:
        path = f"sys/devices/{device}/cpus"
        cpus = tuple(sorted(set(online).intersection(cpus_of_list(tree.text(path) or "") or ())))
        if cpus:
            named.append(CoreKind(name, cpus, f"read from /{path}"))
    if len(named) > 1:
        return tuple(named)
    return _by_number(tree, online, "cpu_capacity", "capacity {}")


def _by_number(tree: HostTree, online: Cpus, name: str, text: str) -> tuple[CoreKind, ...]:
    groups: dict[int, list[int]] = defaultdict(list)
    for cpu in online:
        number = tree.integer(f"{CPU_FOLDER}/cpu{cpu}/{name}")
        if number is not None:
            groups[number].append(cpu)
    if len(groups) < 2:
        return ()
    source = f"read from /{CPU_FOLDER}/cpuN/{name}"
    return tuple(CoreKind(text.format(n), tuple(groups[n]), source) for n in sorted(groups, reverse=True))
