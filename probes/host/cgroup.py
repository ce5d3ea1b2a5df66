"""The control group of this process: its cpuset and CPU quota."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from lowlat.errors import FormatError
from lowlat.probes.cpu.cpulist import parse_cpu_list
from lowlat.probes.host.host_tree import HostTree, parse_integer
from lowlat.probes.reading import Reading, known, not_applicable, unknown

_PATH_CHARS_MAX = 4096
"""No system call takes a longer path."""
_MOUNT_V2 = ("sys/fs/cgroup", "sys/fs/cgroup/unified")
_ROOTS = ("proc/self/cgroup", "sys/fs/cgroup")
PARTITION_DEPTH_MAX = 16
"""Partitions in partitions that are looked at; in practice there are one or two."""


@dataclass(frozen=True, slots=True)
class CpuQuota:
    """CPU time a control group may use: `quota_us` of every `period_us`, or no limit."""

    cpus: Annotated[float | None, Meta(description="Quota over period, in CPUs; null: no limit")]
    quota_us: Annotated[int | None, Meta(description="CPU time in each period, microseconds; null: no limit")]
    period_us: Annotated[int | None, Meta(description="The period, microseconds; null when the kernel does not tell")]


@dataclass(frozen=True, slots=True)
class Throttling:
    """How often the quota throttled the group since it was created."""

    throttled_periods: int
    throttled_us: int


def cgroup_paths(tree: HostTree) -> dict[str, str]:
    """Controller to group path, from `/proc/self/cgroup`; the unified hierarchy has the key ``""``."""
    paths: dict[str, str] = {}
    for line in (tree.text("proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, separator, path = rest.partition(":")
        if separator:
            for controller in controllers.split(","):
                paths[controller] = path
    return paths


def _folders(tree: HostTree, controller: str) -> Iterator[str]:
    """Folders of this process's group and its ancestors, nearest first.

    In a container, the process's own group may be mounted as the root, so the path in `/proc/self/cgroup` may not exist
    below the mount. Missing folders are skipped; the root of the mount always comes last.
    """
    paths = cgroup_paths(tree)
    mounts = _MOUNT_V2
    path = paths.get("")
    if controller in paths:
        mounts, path = (f"sys/fs/cgroup/{controller}", f"sys/fs/cgroup/cpu,{controller}"), paths[controller]
        if controller == "cpu":
            mounts = ("sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct")
    if path is None or len(path) > _PATH_CHARS_MAX:
        return
    for mount in mounts:
        if not tree.exists(mount):
            continue
        parts = [part for part in path.split("/") if part and part != ".."]
        for count in range(len(parts), -1, -1):
            yield "/".join((mount, *parts[:count]))


def cpu_groups(tree: HostTree) -> tuple[str, ...]:
    """Folders of this process's group and its ancestors that the cpu controller may have, nearest first."""
    return tuple(_folders(tree, "cpu"))


def memory_groups(tree: HostTree) -> tuple[str, ...]:
    """The same for the memory controller."""
    return tuple(_folders(tree, "memory"))


def effective_cpuset(tree: HostTree) -> Reading[tuple[int, ...]]:
    """CPUs that the cpuset controller allows to this process."""
    names = ("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus")
    for folder in _folders(tree, "cpuset"):
        for name in names:
            text = tree.text(f"{folder}/{name}")
            if text is None and tree.is_denied(f"{folder}/{name}"):
                return tree.absence(f"read from /{folder}/{name}", "", f"{folder}/{name}")
            if not text:
                continue
            try:
                return known(parse_cpu_list(text), f"read from /{folder}/{name}")
            except FormatError as error:
                return unknown(f"read from /{folder}/{name}", str(error))
    return tree.absence("read from /sys/fs/cgroup", "no cpuset controller is mounted here", *_ROOTS)


def isolated_partitions(tree: HostTree) -> Reading[tuple[int, ...]]:
    """CPUs that version 2 keeps from the scheduler's balancing: those of partitions whose state is `isolated`."""
    cpus: set[int] = set()
    sources = []
    for mount in _MOUNT_V2:
        path = f"{mount}/cpuset.cpus.isolated"  # since Linux 6.7, and for root only
        whole = _cpus(tree.text(path))
        for source, found in [(path, whole)] if whole else _partitions(tree, mount, PARTITION_DEPTH_MAX):
            cpus.update(found)
            sources.append(f"/{source}")
    if not cpus:
        return not_applicable("read from /sys/fs/cgroup", "no cpuset partition is isolated")
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    return known(tuple(sorted(cpus)), f"read from {sources[0]}{more}")


def _partitions(tree: HostTree, folder: str, depth: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Isolated partitions in a group and below it; the parent of a partition is the root or another partition."""
    path = f"{folder}/cpuset.cpus.partition"
    state = tree.text(path)  # "isolated invalid (why)" is no partition; the root group has no such file
    if state == "isolated":
        yield path, _cpus(tree.text(f"{folder}/cpuset.cpus.effective"))
    if depth and state in (None, "root", "isolated"):
        for name in tree.names(folder):
            if tree.text(f"{folder}/{name}/cpuset.cpus.partition") in ("root", "isolated"):
                yield from _partitions(tree, f"{folder}/{name}", depth - 1)


def _cpus(text: str | None) -> tuple[int, ...]:
    try:
        return parse_cpu_list(text or "", allow_empty=True)
    except FormatError:
        return ()


def cpu_quota(tree: HostTree) -> Reading[CpuQuota]:
    """CPU bandwidth of this process's group: the tightest limit of the group and its ancestors."""
    folders = tuple(_folders(tree, "cpu"))
    found = (_quota_of_v2(tree, folder) or _quota_of_v1(tree, folder) for folder in folders)
    limits = [reading for reading in found if reading is not None and reading.value is not None]
    files = (f"{folder}/{name}" for folder in folders for name in ("cpu.max", "cpu.cfs_quota_us"))
    denied = tree.absence("read from /sys/fs/cgroup", "no cpu controller is mounted here", *_ROOTS, *files)
    if not limits or denied.applicable:  # the one that may not be read may be the tightest
        return denied
    return min(limits, key=lambda r: float("inf") if r.value is None or r.value.cpus is None else r.value.cpus)


def _quota_of_v2(tree: HostTree, folder: str) -> Reading[CpuQuota] | None:
    fields = (tree.text(f"{folder}/cpu.max") or "").split()
    if len(fields) != 2:
        return None
    return _quota(fields[0], fields[1], f"read from /{folder}/cpu.max")


def _quota_of_v1(tree: HostTree, folder: str) -> Reading[CpuQuota] | None:
    quota = tree.text(f"{folder}/cpu.cfs_quota_us")
    period = tree.text(f"{folder}/cpu.cfs_period_us")
    if not quota or not period:
        return None
    return _quota(quota, period, f"read from /{folder}/cpu.cfs_quota_us")


def _quota(quota_text: str, period_text: str, source: str) -> Reading[CpuQuota] | None:
    quota_us, period_us = parse_integer(quota_text), parse_integer(period_text)
    if quota_us is None or quota_us < 0 or not period_us:  # "max", or -1 in version 1
        return known(CpuQuota(None, None, period_us), source)
    return known(CpuQuota(quota_us / period_us, quota_us, period_us), source)


def throttling(tree: HostTree) -> Reading[Throttling]:
    """How often and how long this process's group was throttled by its quota, from `cpu.stat`."""
    for folder in _folders(tree, "cpu"):
        text = tree.text(f"{folder}/cpu.stat")
        if text is None:
            continue
        fields = dict(line.split()[:2] for line in text.splitlines() if len(line.split()) >= 2)
        if "nr_throttled" not in fields:
            continue  # the root group of version 2 has no limit and no such lines
        time_us = parse_integer(fields.get("throttled_usec", ""))
        if time_us is None:
            time_us = (parse_integer(fields.get("throttled_time", "")) or 0) // 1000  # version 1: ns
        periods = parse_integer(fields["nr_throttled"]) or 0
        return known(Throttling(periods, time_us), f"read from /{folder}/cpu.stat")
    files = [f"{folder}/cpu.stat" for folder in _folders(tree, "cpu")]
    why = "no group with a CPU limit contains this process"
    return tree.absence("read from /sys/fs/cgroup", why, *_ROOTS, *files)
