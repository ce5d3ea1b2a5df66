"""The topology of a host as plain data. CPU sets are in ascending order; sizes in bytes; absence is None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Count, Positive
from lowlat.probes.cpu.cpu_sets import Cpus, CpuSets
from lowlat.probes.host.cgroup import CpuQuota
from lowlat.probes.host.virtualization import Virtualization
from lowlat.probes.host.vulnerabilities import Vulnerability
from lowlat.probes.reading import Reading

CacheType = Literal["Data", "Instruction", "Unified", "Unknown"]
_LETTERS: Final = {"Data": "d", "Instruction": "i"}
DeviceKind = Literal["network card", "NVMe drive"]
NodeKind = Literal["cpus and memory", "memory only", "no memory", "empty", "unknown memory"]

Label = Annotated[int | None, Meta(description="The kernel's id: a label, not unique; null where it gives none")]

UNREACHABLE = 255
"""NUMA distance that says: no path (ACPI SLIT)."""


@dataclass(frozen=True, slots=True)
class Core:
    """One core and its SMT siblings. `label` is the kernel's id, which repeats between packages."""

    label: Label
    cpus: Annotated[Cpus, Meta(description="Its CPUs: SMT siblings of each other")]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Cores that share something near, an L2 on most; `label` is None where the kernel gives no id."""

    label: Label
    cpus: Annotated[Cpus, Meta(description="CPUs of all its cores")]
    cores: Annotated[tuple[Core, ...], Meta(min_length=1, description="In order of their lowest CPU")]


@dataclass(frozen=True, slots=True)
class Die:
    """Cores on one die."""

    label: Label
    cpus: Annotated[Cpus, Meta(description="CPUs of all its cores")]
    clusters: Annotated[tuple[Cluster, ...], Meta(min_length=1, description="In order of their lowest CPU")]


@dataclass(frozen=True, slots=True)
class Package:
    """One socket. Packages are told apart by their CPUs; `label` may be missing, huge, or repeated."""

    label: Label
    cpus: Annotated[Cpus, Meta(description="CPUs of all its cores")]
    dies: Annotated[tuple[Die, ...], Meta(min_length=1, description="In order of their lowest CPU")]

    @property
    def cores(self) -> tuple[Core, ...]:
        """All cores of the package, in order of their lowest CPU."""
        return tuple(core for die in self.dies for cluster in die.clusters for core in cluster.cores)


@dataclass(frozen=True, slots=True)
class CoreKind:
    """Cores of one kind on a machine that has several: by name on Intel, by capacity (of 1,024) on Arm."""

    name: Annotated[str, Meta(description="The kind, e.g. performance, efficiency, capacity 446")]
    cpus: Annotated[Cpus, Meta(description="CPUs of these cores")]
    source: Annotated[str, Meta(description="What it was read from")]


@dataclass(frozen=True, slots=True)
class Cache:
    """All caches of one level, type and shape; each of `instances` is the set of CPUs that share one."""

    level: Annotated[Positive, Meta(description="1 is the nearest to the core")]
    type: Annotated[CacheType, Meta(description="What it holds")]
    size_bytes: Annotated[Positive | None, Meta(description="Size of one instance, bytes")]
    line_bytes: Annotated[Positive | None, Meta(description="Size of a line, bytes")]
    ways: Annotated[Positive | None, Meta(description="Lines of a set")]
    sets: Annotated[Positive | None, Meta(description="Sets of one instance")]
    instances: Annotated[
        tuple[Cpus, ...], Meta(min_length=1, description="For each cache of this shape the CPUs that share it")
    ]

    @property
    def name(self) -> str:
        """Its usual name, e.g. L1d, L2."""
        return f"L{self.level}{_LETTERS.get(self.type, '')}"


@dataclass(frozen=True, slots=True)
class HugePages:
    """Huge pages of one size, reserved and free."""

    size_bytes: Annotated[Positive, Meta(description="Size of one page, bytes")]
    total: Annotated[int | None, Meta(description="Pages reserved; null when it cannot be read")]
    free: Annotated[int | None, Meta(description="Of these, pages not in use; null when it cannot be read")]


@dataclass(frozen=True, slots=True)
class MemorySideCache:
    """A cache between the memory of a node and all its users, such as fast memory before slow."""

    level: Annotated[Positive, Meta(description="1 is the nearest to the memory")]
    size_bytes: Annotated[Positive | None, Meta(description="Its size, bytes")]
    line_bytes: Annotated[Positive | None, Meta(description="Size of a line, bytes")]
    direct_mapped: Annotated[bool | None, Meta(description="Whether each address has one place only")]
    write_back: Annotated[bool | None, Meta(description="Whether a write may wait in the cache; else it goes through")]


@dataclass(frozen=True, slots=True)
class MemoryAccess:
    """What firmware promises of a node's memory (ACPI HMAT); not measured."""

    initiators: Annotated[Cpus, Meta(description="The nodes nearest to it, for which the figures hold")]
    read_latency_ns: Annotated[Positive | None, Meta(description="Latency of a read, nanoseconds")]
    write_latency_ns: Annotated[Positive | None, Meta(description="Latency of a write, nanoseconds")]
    read_bytes_per_s: Annotated[Positive | None, Meta(description="Bandwidth of reads, bytes per second")]
    write_bytes_per_s: Annotated[Positive | None, Meta(description="Bandwidth of writes, bytes per second")]


@dataclass(frozen=True, slots=True)
class Node:
    """One NUMA node. `distances` maps node to ACPI distance (10 is local, 255 unreachable)."""

    node: Annotated[Count, Meta(description="The kernel's number")]
    kind: Annotated[NodeKind, Meta(description="What it has")]
    cpus: Annotated[Cpus, Meta(description="CPUs next to its memory")]
    memory_total_bytes: Annotated[Count | None, Meta(description="Its memory, bytes; null when it cannot be read")]
    memory_free_bytes: Annotated[Count | None, Meta(description="Of this, free, bytes; null when it cannot be read")]
    distances: Annotated[dict[int, Count], Meta(description="ACPI distance by node: 10 is local, 255 unreachable")]
    huge_pages: Annotated[tuple[HugePages, ...], Meta(description="Huge pages of the node, by size")]
    memory_side_caches: Annotated[
        tuple[MemorySideCache, ...], Meta(description="Caches in front of its memory, by level; most hosts have none")
    ] = ()
    memory_access: Annotated[
        MemoryAccess | None, Meta(description="Speed of its memory as firmware tells it; null where it does not")
    ] = None


@dataclass(frozen=True, slots=True)
class FrequencyPolicy:
    """Frequency limits and governor of CPUs that have the same. A limit is null where the kernel does not tell it."""

    cpus: Annotated[Cpus, Meta(min_length=1, description="CPUs with exactly these values")]
    driver: Annotated[str | None, Meta(description="What sets the frequency (scaling_driver), e.g. intel_pstate")]
    governor: Annotated[str | None, Meta(description="What chooses it (scaling_governor), e.g. performance")]
    energy_preference: Annotated[
        str | None, Meta(description="Hint to the hardware (energy_performance_preference), e.g. performance")
    ]
    min_hz: Annotated[Positive | None, Meta(description="Lowest that is allowed now (scaling_min_freq), Hz")]
    max_hz: Annotated[Positive | None, Meta(description="Highest that is allowed now (scaling_max_freq), Hz")]
    hardware_min_hz: Annotated[Positive | None, Meta(description="Lowest of the hardware (cpuinfo_min_freq), Hz")]
    hardware_max_hz: Annotated[Positive | None, Meta(description="Highest of the hardware (cpuinfo_max_freq), Hz")]


@dataclass(frozen=True, slots=True)
class Interrupt:
    """One interrupt of a device, and where it may go."""

    number: Annotated[Count, Meta(description="The kernel's number")]
    name: Annotated[str | None, Meta(description="Its device, or devices; null where none has asked for it")]
    cpus: Annotated[Cpus, Meta(description="CPUs it may go to (smp_affinity)")]


@dataclass(frozen=True, slots=True)
class Device:
    """A network card or an NVMe drive, and what is near to it."""

    name: Annotated[str, Meta(description="The kernel's name, e.g. eth1 or nvme0")]
    kind: Annotated[DeviceKind, Meta(description="What it is")]
    pci_address: Annotated[str | None, Meta(description="Its place on the PCI bus; null where it is on another bus")]
    node: Annotated[Count | None, Meta(description="NUMA node that it is attached to; null where that is not told")]
    local_cpus: Annotated[Cpus, Meta(description="CPUs near to it; empty where that is not told")]
    interrupts: Annotated[tuple[Count, ...], Meta(description="Numbers of its interrupts")]
    interrupt_cpus: Annotated[
        Cpus, Meta(description="CPUs that its interrupts go to; where the kernel does not tell, may go to")
    ]


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything `lowlat topology` knows of a host without measuring."""

    root: str
    machine: Annotated[Reading[str], Meta(description="Hardware name, e.g. x86_64")]
    cpu_brand: Annotated[Reading[str], Meta(description="Processor brand")]
    kernel_release: Annotated[Reading[str], Meta(description="Release of the kernel")]
    virtualization: Virtualization
    cpu_sets: CpuSets
    cpu_quota: Annotated[Reading[CpuQuota], Meta(description="CPU time that the control group may use")]
    smt: Annotated[Reading[str], Meta(description="Simultaneous multithreading, as the kernel words it, e.g. on")]
    packages: Annotated[tuple[Package, ...], Meta(description="Sockets, in order of their lowest CPU")]
    core_kinds: Annotated[tuple[CoreKind, ...], Meta(description="Empty where all cores are alike")]
    frequencies: Annotated[
        Reading[tuple[FrequencyPolicy, ...]], Meta(description="Frequency limits and governors, CPUs alike together")
    ]
    microcode: Annotated[Reading[str], Meta(description="Revision of the microcode; several where CPUs disagree")]
    vulnerabilities: Annotated[
        Reading[tuple[Vulnerability, ...]], Meta(description="Flaws of the processor and their mitigations, by name")
    ]
    caches: Annotated[Reading[tuple[Cache, ...]], Meta(description="Caches by level, type and shape")]
    nodes: Annotated[Reading[tuple[Node, ...]], Meta(description="NUMA nodes, in order of their number")]
    memory_nodes: Annotated[Reading[Cpus], Meta(description="NUMA nodes whose memory this process may use")]
    memory_total_bytes: Annotated[Reading[int], Meta(description="Memory of the host, bytes")]
    huge_pages: Annotated[tuple[HugePages, ...], Meta(description="Huge pages of the host, by size")]
    interrupts: Annotated[Reading[tuple[Interrupt, ...]], Meta(description="Interrupts of devices, by number")]
    devices: Annotated[tuple[Device, ...], Meta(description="Network cards, then NVMe drives, by name")]
    warnings: Annotated[
        tuple[str, ...],
        Meta(description="What the host prints that contradicts itself or its isolation, and how it was read"),
    ]

    @property
    def guest_view(self) -> bool:
        """True under a hypervisor, which may invent what cores, caches and nodes share."""
        return self.virtualization.guest_view

    @property
    def cores(self) -> tuple[Core, ...]:
        """All cores of the host."""
        return tuple(core for package in self.packages for core in package.cores)

    def siblings_of(self, cpu: int) -> Cpus:
        """Online CPUs of the same core, including this one; only itself if the kernel does not report them."""
        return next((core.cpus for core in self.cores if cpu in core.cpus), (cpu,))

    def node_of(self, cpu: int) -> int | None:
        """NUMA node of a CPU; None if there are no nodes or no node lists it."""
        return next((node.node for node in self.nodes.value or () if cpu in node.cpus), None)
