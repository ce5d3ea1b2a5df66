"""Caches from sysfs: the caches of each CPU, and the CPUs that share them.

The size is that of one instance, which a thread can use. CPUID leaf 0x80000006 and some versions of `getconf` report
the sum over a socket instead.
"""

from __future__ import annotations

import re
from collections import defaultdict

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, Cpus, cpu_folders
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.reading import Reading, known
from lowlat.probes.topology.groups import read_cpus
from lowlat.probes.topology.model import Cache, CacheType
from lowlat.probes.topology.warnings import Warn

_TYPES: dict[str, CacheType] = {"Data": "Data", "Instruction": "Instruction", "Unified": "Unified"}
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

_Shape = tuple[int, CacheType, int | None, int | None, int | None, int | None]


def read_caches(tree: HostTree, online: Cpus, warn: Warn) -> Reading[tuple[Cache, ...]]:
    """Read all caches of the online CPUs, by level and type; hybrid machines have several of one level."""
    reader = _CacheReader(tree, online, warn)
    for cpu in sorted(set(online).intersection(cpu_folders(tree))):
        folder = f"{CPU_FOLDER}/cpu{cpu}/cache"
        for index in tree.names(folder):
            if re.fullmatch(r"index[0-9]+", index):
                reader.read(f"{folder}/{index}", cpu)
    source = f"read from /{CPU_FOLDER}/cpuN/cache"
    if not reader.instances:
        return tree.absence(
            source, "the kernel shows no caches", *(f"{CPU_FOLDER}/cpu{cpu}/cache" for cpu in online[:1])
        )
    order = sorted(reader.instances.items(), key=lambda item: (item[0][:2], item[1][0]))
    return known(tuple(Cache(*shape, instances=tuple(groups)) for shape, groups in order), source)


class _CacheReader:
    """Collects the instances of each shape; a CPU has one cache of each level and type."""

    def __init__(self, tree: HostTree, online: Cpus, warn: Warn) -> None:
        self._tree = tree
        self._online = frozenset(online)
        self._warn = warn
        self._owner: dict[tuple[int, CacheType, int], Cpus] = {}
        self.instances: dict[_Shape, list[Cpus]] = defaultdict(list)

    def read(self, folder: str, cpu: int) -> None:
        """Add one `cpuN/cache/indexM`, unless a lower CPU that shares it has added it."""
        tree = self._tree
        level = tree.integer(f"{folder}/level")
        if level is None or level < 1:
            self._warn("a cache without a level was skipped", f"/{folder}")
            return
        kind = _TYPES.get(tree.text(f"{folder}/type") or "", "Unknown")
        shared = read_cpus(tree, folder, "shared_cpu_map", "shared_cpu_list", self._warn) or ()
        cpus = self._claim(level, kind, cpu, tuple(sorted(self._online.intersection(shared) | {cpu})), folder)
        if not cpus:
            return
        line_bytes, ways, sets = (
            _positive(tree.integer(f"{folder}/{name}"))
            for name in ("coherency_line_size", "ways_of_associativity", "number_of_sets")
        )
        size_bytes = parse_size(tree.text(f"{folder}/size") or "", line_bytes, ways, sets)
        self.instances[(level, kind, size_bytes, line_bytes, ways, sets)].append(cpus)

    def _claim(self, level: int, kind: CacheType, cpu: int, cpus: Cpus, folder: str) -> Cpus:
        """CPUs of a new instance; none if it is known already. If CPUs disagree, the lower one wins."""
        owner = self._owner.get((level, kind, cpu))
        free = tuple(c for c in cpus if (level, kind, c) not in self._owner)
        if cpus != (owner or free):
            self._warn("CPUs disagree about who shares a cache; the lower CPU's view is used", f"/{folder}")
        if owner is not None:
            return ()
        for member in free:
            self._owner[level, kind, member] = free
        return free


def _positive(value: int | None) -> int | None:
    """The value, or None for zero: zero ways, sets or bytes mean that the kernel does not know."""
    return value if value is not None and value > 0 else None


def parse_size(text: str, line_bytes: int | None, ways: int | None, sets: int | None) -> int | None:
    """Parse a cache size such as `32K`; None if missing, zero or malformed.

    Without a unit, some kernels mean bytes and some kilobytes. The geometry decides if it is known; else values below
    4,096 are kilobytes, since no cache is smaller than 4 kB.
    """
    match = re.fullmatch(r"([0-9]{1,15})\s*([KMG]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None or not int(match[1]):
        return None
    number, unit = int(match[1]), match[2].upper()
    if unit:
        return number * _UNITS[unit]
    if line_bytes and ways and sets:
        geometry = line_bytes * ways * sets
        if geometry in (number, number << 10):
            return geometry
    return number << 10 if number < 4096 else number
