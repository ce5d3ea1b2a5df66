"""Kinds of cores on hybrid machines."""

from __future__ import annotations

from collections import defaultdict

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, Cpus, cpu_folders, cpus_of_list
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.topology.model import CoreKind

_INTEL = (("performance", "cpu_core"), ("efficiency", "cpu_atom"), ("low-power efficiency", "cpu_lowpower"))

SAME_KIND_RATIO = 0.85
"""AMD ranks cores of one kind within a few percent of each other (166, 171, ... 236); its dense cores reach 132 of 196.
"""


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
    return _by_number(tree, online, "cpu_capacity", "capacity", 1.0) or _by_number(
        tree, online, "acpi_cppc/highest_perf", "highest_perf", SAME_KIND_RATIO
    )


def _by_number(tree: HostTree, online: Cpus, name: str, text: str, same_kind: float) -> tuple[CoreKind, ...]:
    """Kinds by a number, fastest first; a number above `same_kind` times the next larger one is of the same kind."""
    cpus_of: dict[int, list[int]] = defaultdict(list)
    for cpu in sorted(set(online).intersection(cpu_folders(tree))):
        number = tree.integer(f"{CPU_FOLDER}/cpu{cpu}/{name}")
        if number is not None and number > 0:
            cpus_of[number].append(cpu)
    kinds: list[list[int]] = []
    for number in sorted(cpus_of, reverse=True):
        if kinds and number > same_kind * kinds[-1][-1]:
            kinds[-1].append(number)
        else:
            kinds.append([number])
    if len(kinds) < 2:
        return ()
    source = f"read from /{CPU_FOLDER}/cpuN/{name}"
    return tuple(
        CoreKind(
            f"{text} {'-'.join(map(str, sorted({numbers[0], numbers[-1]})))}",
            tuple(sorted(cpu for number in numbers for cpu in cpus_of[number])),
            source,
        )
        for numbers in kinds
    )
