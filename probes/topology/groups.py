"""Packages, dies, clusters and cores, identified by the CPUs that share them.

The kernel's ids are only labels: `physical_package_id` is -1 or huge on some machines and repeats on others, and
`core_id` restarts in each package or die. Only the sibling masks are reliable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, Cpus, cpu_folders, cpus_of_list, cpus_of_mask
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.topology.model import Cluster, Core, Die, Package
from lowlat.probes.topology.warnings import Warn

_NO_ID = (-1, 65_535)
"""What the kernel prints for "no such id"; 65,535 where a cluster's id is 16 bits wide."""


def read_cpus(tree: HostTree, folder: str, mask_name: str, list_name: str, warn: Warn) -> Cpus | None:
    """Read a set that the kernel prints both as a mask and as a list; if they disagree, the mask wins."""
    mask_text, list_text = tree.text(f"{folder}/{mask_name}"), tree.text(f"{folder}/{list_name}")
    from_mask = cpus_of_mask(mask_text) if mask_text else None
    from_list = cpus_of_list(list_text) if list_text else None
    if mask_text and from_mask is None:
        warn(f"{mask_name} is damaged", f"/{folder}: {mask_text[:40]!r}")
    if list_text and from_list is None:
        warn(f"{list_name} is damaged", f"/{folder}: {list_text[:40]!r}")
    if from_mask is not None and from_list is not None and from_mask != from_list:
        warn(f"{mask_name} and {list_name} disagree; the mask is used", f"/{folder}")
    return from_mask if from_mask is not None else from_list


def group(cpus: Cpus, set_of: Callable[[int], Cpus | None], label_of: Callable[[int], int | None]) -> list[Cpus]:
    """Split CPUs by the set that each one reports, in order of the lowest CPU.

    CPUs without a set are grouped by label, and those without a label form one group. Every CPU is in exactly one
    group, even if the sets contradict each other: the set of the lowest CPU wins.
    """
    inside = set(cpus)
    sets = {cpu: set_of(cpu) for cpu in cpus}
    labels = {cpu: label_of(cpu) for cpu in cpus if sets[cpu] is None}
    alike: dict[int | None, list[int]] = defaultdict(list)
    for cpu, label in labels.items():
        alike[label].append(cpu)
    groups: list[Cpus] = []
    for cpu in cpus:
        if cpu not in inside:
            continue
        named = sets[cpu]
        members = inside.intersection(alike[labels[cpu]] if named is None else named)
        members.add(cpu)
        inside -= members
        groups.append(tuple(sorted(members)))
    return groups


class GroupReader:
    """Reads the groups of one tree, each file once."""

    def __init__(self, tree: HostTree, online: Cpus, warn: Warn) -> None:
        self._tree = tree
        self._online = online
        self._warn = warn
        self._sets: dict[tuple[int, str], Cpus | None] = {}
        self._folders = frozenset(cpu_folders(tree))

    def packages(self) -> tuple[Package, ...]:
        """All packages with their contents; each online CPU is in exactly one core."""
        found = []
        for cpus in self._split(self._online, "package", "core_siblings", "physical_package_id"):
            dies = tuple(map(self._die, self._whole_cores(cpus, "die")))
            found.append(Package(self._label(cpus[0], "physical_package_id"), cpus, dies))
        return tuple(found)

    def _die(self, cpus: Cpus) -> Die:
        clusters = tuple(map(self._cluster, self._whole_cores(cpus, "cluster")))
        return Die(self._label(cpus[0], "die_id"), cpus, clusters)

    def _whole_cores(self, cpus: Cpus, name: str) -> list[Cpus]:
        """The dies or clusters of these CPUs; one group if the kernel knows none, or if they would split a core.

        Kernels 5.2 to 5.16 print an id of -1 and each CPU as a die of its own on processors other than x86.
        """
        if self._tree.integer(f"{CPU_FOLDER}/cpu{cpus[0]}/topology/{name}_id") == -1:
            return [cpus]
        groups = self._split(cpus, name, None, f"{name}_id")
        split = next((each for each in groups if self._splits_a_core(each, cpus)), None)
        if split is None:
            return groups
        self._warn(f"a {name} holds a part of a core only; {name}s are left out", f"CPU {format_cpu_list(split)}")
        return [cpus]

    def _splits_a_core(self, group: Cpus, within: Cpus) -> bool:
        inside, around = set(group), set(within)
        siblings = (self._set(cpu, "core", "thread_siblings") or () for cpu in group)
        return any(not around.intersection(each) <= inside for each in siblings)

    def _cluster(self, cpus: Cpus) -> Cluster:
        cores = self._split(cpus, "core", "thread_siblings", "core_id")
        return Cluster(
            self._label(cpus[0], "cluster_id"),
            cpus,
            tuple(Core(self._label(group[0], "core_id"), group) for group in cores),
        )

    def _split(self, cpus: Cpus, name: str, older_name: str | None, id_name: str) -> list[Cpus]:
        def label(cpu: int) -> int | None:
            # Without masks, CPUs with the same id are one core; without an id, each CPU is a separate core.
            found = self._label(cpu, id_name)
            return -2 - cpu if found is None and name == "core" else found

        return group(cpus, lambda cpu: self._set(cpu, name, older_name), label)

    def _set(self, cpu: int, name: str, older_name: str | None) -> Cpus | None:
        if cpu not in self._folders:
            return None
        key = (cpu, name)
        if key not in self._sets:
            folder = f"{CPU_FOLDER}/cpu{cpu}/topology"
            found = read_cpus(self._tree, folder, f"{name}_cpus", f"{name}_cpus_list", self._warn)
            if not found and older_name is not None:
                found = read_cpus(self._tree, folder, older_name, f"{older_name}_list", self._warn)
            if found and cpu not in found:
                self._warn(f"a CPU is missing from its own {name} siblings; it was added", f"/{folder}")
            self._sets[key] = found or None
        return self._sets[key]

    def _label(self, cpu: int, id_name: str) -> int | None:
        if cpu not in self._folders:
            return None
        found = self._tree.integer(f"{CPU_FOLDER}/cpu{cpu}/topology/{id_name}")
        return None if found in _NO_ID else found
