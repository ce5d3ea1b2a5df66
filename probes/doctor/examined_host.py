"""The host that is examined: its files, what is known of it at once, and the CPUs whose latency counts."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from lowlat import units
from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, Cpus, CpuSets, cpu_sets, cpus_of_list
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.doctor.counters import CounterWindow
from lowlat.probes.doctor.live_host import LiveHost
from lowlat.probes.host.host_tree import HostTree, clean_text, explain_os_error
from lowlat.probes.host.virtualization import Virtualization, virtualization
from lowlat.probes.reading import Reading, known, not_applicable, unknown

Purpose: TypeAlias = Literal["latency", "repeatable-benchmark"]

NOT_CAPTURED: Final = "not available in a capture; run it on the host"
CARDS_MAX: Final = 256
"""Network interfaces that are looked at."""
GROUPS_MAX: Final = 500
GROUP_DEPTH_MAX: Final = 4
"""Control groups that are searched for isolated partitions, and levels of them."""
_CGROUP_MOUNTS: Final = ("sys/fs/cgroup", "sys/fs/cgroup/unified")


@dataclass(frozen=True, slots=True)
class PerCpu:
    """The values of one file of each CPU, and why those that are missing are."""

    values: dict[int, str]
    unread: dict[int, str]

    @property
    def text(self) -> str:
        """The values with their CPUs; one value alone if all CPUs have it."""
        return grouped(self.values)

    @property
    def gap(self) -> str | None:
        """Which CPUs could not be read, and why; None if all were."""
        if not self.unread:
            return None
        return f"CPU {format_cpu_list(self.unread)}: {next(iter(self.unread.values()))}"


def grouped(values: dict[int, str], most: int = 3) -> str:
    """Values by CPU as text, e.g. `powersave on CPU 0-2, performance on CPU 3`."""
    by_value: dict[str, list[int]] = {}
    for cpu, value in values.items():
        by_value.setdefault(value, []).append(cpu)
    if len(by_value) == 1:
        return next(iter(by_value))
    parts = [f"{value} on CPU {format_cpu_list(cpus)}" for value, cpus in list(by_value.items())[:most]]
    return ", ".join(
        [*parts, *([f"and {units.counted(len(by_value) - most, 'more value')}"] if len(by_value) > most else [])]
    )


class ExaminedHost:
    """A live or captured host. `live` is what only a running host can do; None for a capture."""

    def __init__(
        self,
        tree: HostTree,
        *,
        purpose: Purpose = "latency",
        chosen: Cpus = (),
        counters: CounterWindow | None = None,
        live: LiveHost | None = None,
    ) -> None:
        self.tree = tree
        self.purpose = purpose
        self.chosen = chosen
        self.live = live
        self.counters = counters

    @cached_property
    def sets(self) -> CpuSets:
        """The kernel's CPU sets."""
        return cpu_sets(self.tree)

    @cached_property
    def virtualization(self) -> Virtualization:
        """Hypervisor and container."""
        return virtualization(self.tree)

    @property
    def is_guest(self) -> bool:
        """Whether a hypervisor was found."""
        return self.virtualization.guest_view

    @property
    def is_container(self) -> bool:
        """Whether a container was found."""
        return self.virtualization.container.value is not None

    @property
    def online(self) -> Cpus:
        """CPUs that run, as far as is known."""
        return self.sets.online.value or ()

    @cached_property
    def kernel_isolated(self) -> Cpus:
        """CPUs that the kernel keeps out of load balancing: isolcpus, and isolated partitions of control groups."""
        found = set(self.sets.isolated.value or ())
        for mount in _CGROUP_MOUNTS:
            found.update(cpus_of_list(self.tree.text(f"{mount}/cpuset.cpus.isolated") or "") or ())
        for folder in self._control_groups():
            if self.tree.text(f"{folder}/cpuset.cpus.partition") == "isolated":
                found.update(cpus_of_list(self.tree.text(f"{folder}/cpuset.cpus.effective") or "") or ())
        return tuple(sorted(found))

    @cached_property
    def isolated(self) -> Cpus:
        """CPUs whose latency counts: those the kernel isolates, and those chosen by the user."""
        return tuple(sorted({*self.kernel_isolated, *self.chosen}))

    @property
    def judged(self) -> Cpus:
        """The CPUs that counters are compared on: the isolated ones, or all where there are none."""
        return self.isolated or self.online

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The kernel's command line by name; a name without value has the empty one. The last of a name wins."""
        words = (self.tree.text("proc/cmdline") or "").split(" -- ")[0].split()
        return {name: value for name, _, value in (word.partition("=") for word in words)}

    def per_cpu(self, name: str, cpus: Iterable[int] | None = None, *, root: str = CPU_FOLDER) -> Reading[PerCpu]:
        """One file of each online CPU. Not applicable if no CPU has it; unknown if none can be read.

        A CPU that goes offline answers EBUSY, which is no value and no fault.
        """
        source = f"read from /{root}/cpuN/{name}"
        found, tree = PerCpu({}, {}), self.tree
        for cpu in self.online if cpus is None else cpus:
            path = f"{root}/cpu{cpu}/{name}"
            try:
                text = clean_text(tree.read_bytes(path))
            except OSError as error:
                if not isinstance(error, FileNotFoundError) and error.errno != errno.EBUSY:
                    found.unread[cpu] = explain_os_error(error, f"/{path}")
                continue
            if text:
                found.values[cpu] = text
            else:
                found.unread[cpu] = f"/{path} is empty"
        if found.values:
            return known(found, source)
        if found.unread:
            return unknown(source, next(iter(found.unread.values())))
        return not_applicable(source, f"no CPU has the file {name}")

    def has_capability(self, bit: int) -> bool | None:
        """Whether this process has a capability; None if that cannot be read."""
        match = re.search(r"^CapEff:\s*([0-9a-f]{1,16})$", self.tree.text("proc/self/status") or "", re.MULTILINE)
        return None if match is None else bool(int(match[1], 16) >> bit & 1)

    def cards(self) -> tuple[str, ...]:
        """Network interfaces with a device behind them."""
        names = self.tree.names("sys/class/net")[:CARDS_MAX]
        return tuple(name for name in names if self.tree.exists(f"sys/class/net/{name}/device"))

    def node_cpus(self, node: int) -> Cpus:
        """The CPUs of a NUMA node; none if they cannot be read."""
        return cpus_of_list(self.tree.text(f"sys/devices/system/node/node{node}/cpulist") or "") or ()

    def window(self, path: str) -> Reading[CounterWindow]:
        """The compared counters, if a file was read at both ends of the window."""
        source = f"read from /{path}, twice"
        if self.counters is None:
            return unknown(source, NOT_CAPTURED)
        if self.counters.pair(path) is None:
            missing = self.tree.reading(path)
            return absent(missing) if missing.value is None else unknown(source, "it was read only once")
        return known(self.counters, f"{source} within {self.counters.seconds:.2g} s")

    def on_live(self) -> Reading[LiveHost]:
        """What only a running host can do; unknown for a capture."""
        return unknown("the running host", NOT_CAPTURED) if self.live is None else known(self.live, "the running host")

    def _control_groups(self) -> Iterator[str]:
        """Folders of control groups below the mounts, breadth first, as many as `GROUPS_MAX`."""
        level = [mount for mount in _CGROUP_MOUNTS if self.tree.exists(f"{mount}/cgroup.controllers")]
        left = GROUPS_MAX
        for _ in range(GROUP_DEPTH_MAX):
            below: list[str] = []
            for folder in level:
                for name in self.tree.names(folder):
                    path = f"{folder}/{name}"
                    if self.tree.exists(f"{path}/cgroup.procs"):
                        left -= 1
                        if left < 0:
                            return
                        below.append(path)
                        yield path
            level = below


def absent(reading: Reading[Any]) -> Reading[Any]:
    """The same absence, for a reading of another type."""
    return Reading(None, reading.source, reading.reason, reading.applicable)
