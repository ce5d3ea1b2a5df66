"""The kernel's CPU sets: present, online, isolated, and available to this process."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from lowlat.bounded import Count
from lowlat.documents import document_fields
from lowlat.errors import FormatError
from lowlat.probes.cpu.cpulist import format_cpu_list, parse_cpu_list, parse_cpu_mask
from lowlat.probes.host.cgroup import effective_cpuset, isolated_partitions
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.reading import Reading, known, not_applicable, unknown

CPU_FOLDER = "sys/devices/system/cpu"
_SYSTEM_CALL = "sched_getaffinity"

Cpus = Annotated[tuple[Count, ...], Meta(extra_json_schema={"uniqueItems": True})]
"""Numbers in ascending order."""


@document_fields(last=("offline", "allowed"))
@dataclass(frozen=True, slots=True)
class CpuSets:
    """CPU numbers in ascending order. A set that the kernel does not have is a reading without value."""

    possible: Annotated[Reading[Cpus], Meta(description="CPUs that could ever be online")]
    present: Annotated[Reading[Cpus], Meta(description="CPUs that the host has")]
    online: Annotated[Reading[Cpus], Meta(description="CPUs that are online")]
    isolated: Annotated[
        Reading[Cpus], Meta(description="CPUs isolated from the scheduler (isolcpus, or an isolated cpuset partition)")
    ]
    nohz_full: Annotated[Reading[Cpus], Meta(description="CPUs without a periodic timer interrupt")]
    affinity: Annotated[Reading[Cpus], Meta(description="CPUs in the affinity mask of this process")]
    cpuset: Annotated[Reading[Cpus], Meta(description="CPUs of this process's control group")]

    @property
    def offline(self) -> Cpus:
        """CPUs that are present but do not run."""
        return tuple(sorted(set(self.present.value or ()) - set(self.online.value or ())))

    @property
    def reachable(self) -> Reading[Cpus]:
        """CPUs of the affinity, plus isolated ones: no process inherits those, but any may move to them."""
        if self.affinity.value is None:
            return self.affinity
        cpus = tuple(sorted({*self.affinity.value, *(self.isolated.value or ())}))
        return known(cpus, self.affinity.source)

    @property
    def beyond_affinity(self) -> CpuSets:
        """The sets without the affinity: a thread may leave its inherited affinity, within its cpuset."""
        why = "a thread may leave the affinity that it inherited"
        return dataclasses.replace(self, affinity=not_applicable("sched_setaffinity", why))

    @property
    def of_another_process(self) -> CpuSets:
        """The sets without affinity and cpuset, which apply to this process; the kernel checks the other's."""
        why = "another process has a cpuset of its own"
        return dataclasses.replace(self.beyond_affinity, cpuset=not_applicable("sched_setaffinity", why))

    @property
    def allowed(self) -> Cpus:
        """CPUs this process may use: reachable, in the cpuset, and online, as far as these are known."""
        sets = [set(r.value) for r in (self.reachable, self.cpuset, self.online) if r.value is not None]
        return tuple(sorted(set.intersection(*sets))) if sets else ()


def cpu_sets(tree: HostTree = LIVE) -> CpuSets:
    """Read all sets; those that a kernel does not report are derived from the others.

    The affinity is the kernel's own answer to this process, while lxcfs and Sysbox print other sets in `/sys`: a set
    that lacks CPUs of the affinity is not used as it is.
    """
    affinity = _affinity(tree)
    online = _online(tree, affinity)
    present = _containing(_read_set(tree, "present") or _from_folders(tree) or online, online)
    return CpuSets(
        possible=_containing(_read_set(tree, "possible") or present, present),
        present=present,
        online=online,
        isolated=_isolated(tree),
        nohz_full=_optional_set(tree, "nohz_full", "the kernel is built without CONFIG_NO_HZ_FULL"),
        affinity=affinity,
        cpuset=_unless_masked(effective_cpuset(tree), affinity),
    )


def masked_cpus(tree: HostTree, sets: CpuSets) -> Cpus:
    """CPUs that run although `/sys` does not list them as online; a container's file system renumbers or hides them."""
    listed = _read_set(tree, "online")
    return () if listed is None else tuple(sorted(set(sets.online.value or ()) - set(listed.value or ())))


@functools.lru_cache(maxsize=1024)
def cpus_of_list(text: str) -> Cpus | None:
    """Parse a CPU list of the kernel, empty for the empty set; None when malformed."""
    try:
        return parse_cpu_list(text, allow_empty=True)
    except FormatError:
        return None


@functools.lru_cache(maxsize=1024)
def cpus_of_mask(text: str) -> Cpus | None:
    """Parse a CPU mask of the kernel; None when malformed."""
    try:
        return parse_cpu_mask(text)
    except FormatError:
        return None


def cpu_folders(tree: HostTree) -> Cpus:
    """Numbers N for which a folder cpuN exists."""
    names = (re.fullmatch(r"cpu([0-9]{1,5})", name) for name in tree.names(CPU_FOLDER))
    return tuple(sorted(int(match[1]) for match in names if match is not None))


def _read_set(tree: HostTree, name: str) -> Reading[Cpus] | None:
    """Read a set from its file; None when missing, empty or malformed."""
    path = f"{CPU_FOLDER}/{name}"
    cpus = cpus_of_list(tree.text(path) or "")
    return known(cpus, f"read from /{path}") if cpus else None


def _from_folders(tree: HostTree) -> Reading[Cpus] | None:
    folders = cpu_folders(tree)
    return known(folders, f"derived from the folders /{CPU_FOLDER}/cpuN") if folders else None


def _containing(larger: Reading[Cpus], smaller: Reading[Cpus]) -> Reading[Cpus]:
    """The larger set, with the CPUs of the smaller one that it lacks."""
    lacking = set(smaller.value or ()) - set(larger.value or ())
    if not lacking:
        return larger
    return known(tuple(sorted(lacking.union(larger.value or ()))), f"{larger.source}, and {smaller.source}")


def _unless_masked(cpuset: Reading[Cpus], affinity: Reading[Cpus]) -> Reading[Cpus]:
    """The cpuset, unless this process runs on CPUs outside it: then the file is of another group."""
    outside = set(affinity.value or ()) - set(cpuset.value or ())
    if cpuset.value is None or affinity.source != _SYSTEM_CALL or not outside:
        return cpuset
    why = f"it lacks CPU {format_cpu_list(outside)}, which this process may use: it is of another group"
    return unknown(cpuset.source, why)


def _isolated(tree: HostTree) -> Reading[Cpus]:
    at_boot = _optional_set(tree, "isolated", "the kernel prints no set of isolated CPUs")
    partitions = isolated_partitions(tree)
    if partitions.value is None:
        return at_boot
    return partitions if not at_boot.value else _containing(at_boot, partitions)


def _online(tree: HostTree, affinity: Reading[Cpus]) -> Reading[Cpus]:
    found = _read_set(tree, "online") or _online_by_folder(tree)
    missing = set(affinity.value or ()) - set(found.value or ())
    if affinity.source != _SYSTEM_CALL:  # /proc/self/status also names CPUs that are offline or do not exist
        missing = {cpu for cpu in missing if _has_topology(tree, cpu)}
    if not missing:
        return found
    by_folder = _online_by_folder(tree)
    cpus = missing.union(by_folder.value or found.value or ())
    return known(tuple(sorted(cpus)), f"{affinity.source} and {by_folder.source}")


def _has_topology(tree: HostTree, cpu: int) -> bool:
    """Whether a CPU runs; the kernel removes the topology of one that is switched off."""
    folder = f"{CPU_FOLDER}/cpu{cpu}"
    return tree.exists(f"{folder}/topology") and tree.text(f"{folder}/online") != "0"


def _online_by_folder(tree: HostTree) -> Reading[Cpus]:
    # A CPU that cannot go offline has no such file, and some kernels leave it empty.
    switched_on = [cpu for cpu in cpu_folders(tree) if tree.text(f"{CPU_FOLDER}/cpu{cpu}/online") != "0"]
    if switched_on:
        return known(tuple(switched_on), f"derived from /{CPU_FOLDER}/cpuN/online")
    numbers = re.findall(r"^processor\s*:\s*([0-9]{1,5})$", tree.text("proc/cpuinfo") or "", re.MULTILINE)
    if numbers:
        return known(tuple(sorted({int(number) for number in numbers})), "derived from /proc/cpuinfo")
    source = f"read from /{CPU_FOLDER}/online"
    denied = tree.absence(source, "", f"{CPU_FOLDER}/online", CPU_FOLDER, "proc/cpuinfo")
    return denied if denied.applicable else unknown(source, "neither /sys nor /proc/cpuinfo names a CPU")


def _optional_set(tree: HostTree, name: str, absent: str) -> Reading[Cpus]:
    path = f"{CPU_FOLDER}/{name}"
    text = tree.text(path)
    if text is None:
        return tree.absence(f"read from /{path}", absent, path)
    cpus = cpus_of_list(text)
    if cpus is None:
        return unknown(f"read from /{path}", f"{text[:80]!r} is not a CPU list")
    return known(cpus, f"read from /{path}")


def _affinity(tree: HostTree) -> Reading[Cpus]:
    fact = tree.fact("affinity")
    if fact is not None:
        return known(cpus_of_list(fact) or (), _SYSTEM_CALL)
    if tree.is_live and not hasattr(os, "sched_getaffinity"):
        return not_applicable(_SYSTEM_CALL, "this platform cannot pin threads to CPUs")
    source = "read from /proc/self/status"
    match = re.search(r"^Cpus_allowed_list:(.*)$", tree.text("proc/self/status") or "", re.MULTILINE)
    cpus = None if match is None else cpus_of_list(match[1].strip())
    absent = "sched_getaffinity is refused, and the file" if tree.is_live else "the snapshot"
    return known(cpus, source) if cpus else unknown(source, f"{absent} has no Cpus_allowed_list")
