"""The CPUs that this process may use, and pinning to them: checked before, read back after."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator

from lowlat import units
from lowlat.probes.cpu.cpu_sets import CpuSets, cpu_sets
from lowlat.probes.cpu.cpulist import format_cpu_list, parse_cpu_list
from lowlat.probes.errors import AffinityError
from lowlat.probes.host.host_tree import LIVE, HostTree


def allowed_cpus(tree: HostTree = LIVE) -> tuple[int, ...]:
    """CPUs this process may use: `sched_getaffinity` and the cgroup's cpuset together, ascending."""
    return cpu_sets(tree).allowed


def requested_cpus(text: str, sets: CpuSets | None = None) -> tuple[int, ...]:
    """Parse and check a CPU list given by the user for this process; `all` means all allowed CPUs.

    Raises `FormatError` for text that is not a CPU list, and whatever `check_cpus` raises.
    """
    sets = sets or cpu_sets()
    if text.strip().lower() == "all":
        return sets.allowed
    known_cpus = sets.present.value or sets.online.value or sets.allowed
    cpus = parse_cpu_list(text, last_cpu=max(known_cpus, default=None))
    check_cpus(cpus, sets)
    return cpus


def check_cpus(cpus: Iterable[int], sets: CpuSets | None = None) -> None:
    """Raise `AffinityError`, naming CPUs and cause, unless all CPUs exist, are online and allowed to this process."""
    sets = sets or cpu_sets()
    wanted = set(cpus)
    if not wanted:
        raise AffinityError("no CPU given; name at least one")
    for reading, verbs, what in (
        (sets.present, ("does", "do"), "not exist on this host; it has CPUs"),
        (sets.online, ("is", "are"), "offline; online are CPUs"),
        (sets.cpuset, ("is", "are"), "outside this process's cgroup cpuset, CPUs"),
        (sets.reachable, ("is", "are"), "outside the affinity this process was started with, CPUs"),
    ):
        if reading.value is None:
            continue
        outside = wanted.difference(reading.value)
        if outside:
            has = format_cpu_list(reading.value)
            lost = f"{units.cpus(format_cpu_list(outside))} {verbs[len(outside) > 1]}"
            raise AffinityError(f"{lost} {what} {has} ({reading.source}); choose from them")


def affinity_of(tid: int = 0) -> tuple[int, ...]:
    """CPUs a thread may run on, ascending; 0 is the calling thread. `AffinityError` if it cannot be read."""
    if not hasattr(os, "sched_getaffinity"):
        raise AffinityError("this platform cannot pin threads to CPUs; run on Linux")
    try:
        return tuple(sorted(os.sched_getaffinity(tid)))
    except OSError as error:
        raise AffinityError(_explain_refusal(error, tid, None)) from error


def pin(cpus: Iterable[int], tid: int = 0) -> tuple[int, ...]:
    """Pin one thread to CPUs, read the mask back and compare; returns the mask read back.

    `tid` is a thread id, 0 the calling thread. Raises `AffinityError` with the cause when the kernel refuses, or when
    it silently drops some of the CPUs (those outside the cpuset).
    """
    wanted = tuple(sorted(set(cpus)))
    if not wanted:
        raise AffinityError("no CPU given; name at least one")
    affinity_of(tid)
    try:
        os.sched_setaffinity(tid, wanted)
    except OSError as error:
        raise AffinityError(_explain_refusal(error, tid, wanted)) from error
    got = affinity_of(tid)
    if got != wanted:
        raise AffinityError(
            f"requested CPU {format_cpu_list(wanted)}, the kernel allowed {format_cpu_list(got)}: "
            "the rest is offline or outside the cpuset"
        )
    return got


def _explain_refusal(error: OSError, tid: int, cpus: tuple[int, ...] | None) -> str:
    who = f"thread {tid}" if tid else "this thread"
    what = f"{who} cannot be pinned to CPU {format_cpu_list(cpus)}" if cpus else f"affinity of {who} cannot be read"
    if error.errno == errno.ESRCH:
        return f"{what}: no such thread; it has ended"
    if error.errno == errno.EPERM:
        return f"{what}: it belongs to another user; run as that user or with CAP_SYS_NICE"
    if error.errno == errno.EINVAL:
        return f"{what}: none of them is online and inside the thread's cpuset"
    return f"{what}: {error.strerror}"


@contextlib.contextmanager
def pinned(cpus: Iterable[int]) -> Iterator[tuple[int, ...]]:
    """Pin the calling thread to CPUs for the duration of a `with` block, then restore its affinity."""
    before = affinity_of()
    got = pin(cpus)
    try:
        yield got
    finally:
        os.sched_setaffinity(0, before)
