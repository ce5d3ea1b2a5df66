"""The topology of a host as plain data. CPU sets are in ascending order; sizes in bytes; absence is None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lowlat.probes.cpu.cpu_sets import Cpus, CpuSets
from lowlat.probes.host.cgroup import CpuQuota
from lowlat.probes.host.virtualization import Virtualization
from lowlat.probes.reading import Reading

CacheType = Literal["Data", "Instruction", "Unified", "Unknown"]
NodeKind = Literal["cpus and memory", "memory only", "no memory", "empty", "unknown memory"]

UNREACHABLE = 255
"""NUMA distance that says: no path (ACPI SLIT)."""


@dataclass(frozen=True, slots=True)
class Core:
    """One core and its SMT siblings. `label` is the kernel's id, which repeats between packages."""

    label: int | None
    cpus: Cpus


@dataclass(frozen=True, slots=True)
class Cluster:
    """Cores that share something near, an L2 on most; `label` is None where the kernel gives no id."""

    label: int | None
    cpus: Cpus
    cores: tuple[Core, ...]


@dataclass(frozen=True, slots=True)
class Die:
    """Cores on one die."""

    label: int | None
    cpus: Cpus
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """One socket. Packages are told apart by their CPUs; `label` may be missing, huge, or repeated."""

    label: int | None
    cpus: Cpus
    dies: tuple[Die, ...]

    @property
    def cores(self) -> tuple[Core, ...]:
        """All cores of the package, in order of their lowest CPU."""
        return tuple(core for die in self.dies for cluster in die.clusters for core in cluster.cores)


@dataclass(frozen=True, slots=True)
class CoreKind:
    """Cores of one kind on a machine that has several: by name on Intel, by capacity (of 1,024) on Arm."""

    name: str
    cpus: Cpus
    source: str


@dataclass(frozen=True, slots=True)
class Cache:
    """All caches of one level, type and shape; each of `instances` is the set of CPUs that share one."""

    level: int
    type: CacheType
    size_bytes: int | None
    line_bytes: int | None
    ways: int | None
    sets: int | None
    instances: tuple[Cpus, ...]


@dataclass(frozen=True, slots=True)
class HugePages:
    """Huge pages of one size, reserved and free."""

    size_bytes: int
    total: int | None
    free: int | None


@dataclass(frozen=True, slots=True)
class Node:
    """One NUMA node. `distances` maps node to ACPI distance (10 is local, 255 unreachable)."""

    node: int
    kind: NodeKind
    cpus: Cpus
    memory_total_bytes: int | None
    memory_free_bytes: int | None
    distances: dict[int, int]
    huge_pages: tuple[HugePages, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything `lowlat topology` knows of a host without measuring."""

    root: str
    machine: Reading[str]
    cpu_brand: Reading[str]
    kernel_release: Reading[str]
    virtualization: Virtualization
    cpu_sets: CpuSets
    cpu_quota: Reading[CpuQuota]
    smt: Reading[str]
    packages: tuple[Package, ...]
    core_kinds: tuple[CoreKind, ...]
    caches: Reading[tuple[Cache, ...]]
    nodes: Reading[tuple[Node, ...]]
    memory_total_bytes: Reading[int]
    huge_pages: tuple[HugePages, ...]
    warnings: tuple[str, ...]

    @property
    def guest_view(self) -> bool:
        """True under a hypervisor, which may invent what cores, caches and nodes share."""
        return self.virtualization.hypervisor.value is not None

    @property
    def cores(self) -> tuple[Core, ...]:
        """All cores of the host."""
        return tuple(core for package in self.packages for core in package.cores)

    def siblings_of(self, cpu: int) -> Cpus:
        """Online CPUs of the same core, this one included; only itself where the kernel does not tell."""
        return next((core.cpus for core in self.cores if cpu in core.cpus), (cpu,))

    def node_of(self, cpu: int) -> int | None:
        """NUMA node of a CPU; None where there are no nodes or none claims it."""
        return next((node.node for node in self.nodes.value or () if cpu in node.cpus), None)
