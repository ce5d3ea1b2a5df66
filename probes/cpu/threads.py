"""Threads of a running process: allowed CPUs, last CPU, and pinning all of them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Positive
from lowlat.errors import CommandStartError, ExitCode
from lowlat.probes.cpu.affinity import pin
from lowlat.probes.cpu.cpu_sets import Cpus, CpuSets
from lowlat.probes.cpu.cpulist import parse_cpu_list
from lowlat.probes.errors import AffinityError
from lowlat.probes.host.host_tree import LIVE, HostTree, explain_os_error, parse_integer
from lowlat.probes.reading import Reading

SCHEMA: Final = "lowlat.affinity/1"

PASSES_MAX = 10
"""Passes over a process that goes on making threads while they are pinned."""

_SCHEDULERS = {0: "other", 1: "fifo", 2: "rr", 3: "batch", 5: "idle", 6: "deadline", 7: "ext"}
_FIELD_AFTER_NAME = 3  # proc(5) numbers the fields of stat from 1; the name in parentheses is the second


@dataclass(frozen=True, slots=True)
class ThreadAffinity:
    """One thread: where it may run and where it ran last. `memory_nodes` are those the cpuset allows."""

    tid: Annotated[Positive, Meta(description="The kernel's id of the thread")]
    name: Annotated[str, Meta(description="Its name")]
    cpus: Annotated[Cpus, Meta(description="CPUs that it may run on")]
    last_cpu: Annotated[int | None, Meta(description="CPU that it ran on last")]
    scheduler: Annotated[str | None, Meta(description="Its scheduling policy, e.g. other or fifo")]
    realtime_priority: Annotated[int | None, Meta(description="0 without real-time scheduling")]
    memory_nodes: Annotated[Cpus, Meta(description="NUMA nodes that its cpuset allows")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCpuSets:
    """CPUs of the process that asks: what it may give to others."""

    online: Annotated[Reading[Cpus], Meta(description="CPUs that are online")]
    isolated: Annotated[
        Reading[Cpus], Meta(description="CPUs isolated from the scheduler (isolcpus, or an isolated cpuset partition)")
    ]
    cpuset: Annotated[Reading[Cpus], Meta(description="CPUs of its control group")]
    allowed: Annotated[Cpus, Meta(description="CPUs that it may use")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadsDocument:
    """The threads of a process, as read back from the kernel. CPUs are the kernel's numbers, in ascending order."""

    schema: Annotated[Literal["lowlat.affinity/1"], Meta(description="Kind and version of the document")] = SCHEMA
    pid: Annotated[Positive, Meta(description="The kernel's id of the process")]
    threads: Annotated[tuple[ThreadAffinity, ...], Meta(description="Its threads, by id")]
    cpu_sets: OwnCpuSets

    @classmethod
    def of(cls, pid: int, threads: Sequence[ThreadAffinity], sets: CpuSets) -> ThreadsDocument:
        """The document of a process; `sets` are those of the process that asks."""
        own = OwnCpuSets(online=sets.online, isolated=sets.isolated, cpuset=sets.cpuset, allowed=sets.allowed)
        return cls(pid=pid, threads=tuple(threads), cpu_sets=own)


def threads_of(pid: int, tree: HostTree = LIVE) -> tuple[ThreadAffinity, ...]:
    """Read all threads of a process, by id. Raises `AffinityError` if it has ended or may not be inspected."""
    folder = f"proc/{pid}/task"
    try:
        tree.read_bytes(f"proc/{pid}/stat")
    except FileNotFoundError:
        raise AffinityError(f"process {pid} does not exist; check the process ID") from None
    except OSError as error:
        raise AffinityError(explain_os_error(error, f"process {pid}")) from error
    found = (_thread(tree, folder, tid) for name in tree.names(folder) if (tid := parse_integer(name)) is not None)
    return tuple(sorted((thread for thread in found if thread is not None), key=lambda thread: thread.tid))


def _thread(tree: HostTree, folder: str, tid: int) -> ThreadAffinity | None:
    """One thread; None if it has ended meanwhile."""
    status, stat = tree.text(f"{folder}/{tid}/status"), tree.text(f"{folder}/{tid}/stat")
    if status is None or stat is None:
        return None
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    # The name may contain blanks and parentheses: fields are counted from the last parenthesis.
    numbers = stat.rpartition(")")[2].split()

    def number(index: int) -> int | None:
        place = index - _FIELD_AFTER_NAME
        return parse_integer(numbers[place]) if place < len(numbers) else None

    policy = number(41)
    return ThreadAffinity(
        tid=tid,
        name=stat.partition("(")[2].rpartition(")")[0],
        cpus=parse_cpu_list(fields.get("Cpus_allowed_list", ""), allow_empty=True),
        last_cpu=number(39),
        scheduler=None if policy is None else _SCHEDULERS.get(policy, f"policy {policy}"),
        realtime_priority=number(40),
        memory_nodes=parse_cpu_list(fields.get("Mems_allowed_list", ""), allow_empty=True),
    )


def pin_process(pid: int, cpus: Iterable[int]) -> tuple[ThreadAffinity, ...]:
    """Pin every thread of a process, including those created meanwhile; return them as read back.

    Raises `AffinityError` if the process has ended, a thread may not be pinned, or new threads keep appearing.
    """
    wanted = tuple(sorted(set(cpus)))
    done: set[int] = set()
    for _ in range(PASSES_MAX):
        fresh = [thread.tid for thread in threads_of(pid) if thread.tid not in done]
        if not fresh:
            return threads_of(pid)
        for tid in fresh:
            _pin_or_gone(pid, tid, wanted)
            done.add(tid)
    raise AffinityError(f"process {pid} creates threads faster than they can be pinned; stop it first (SIGSTOP)")


def _pin_or_gone(pid: int, tid: int, cpus: Cpus) -> None:
    try:
        pin(cpus, tid)
    except AffinityError:
        if LIVE.exists(f"proc/{pid}/task/{tid}"):
            raise


def set_realtime(priority: int) -> None:
    """Give the calling thread SCHED_FIFO, priority 1 to 99. `AffinityError` names the missing permission."""
    if not 1 <= priority <= 99:
        raise AffinityError(f"real-time priority {priority} is outside 1..99")
    if not hasattr(os, "sched_setscheduler"):
        raise AffinityError("this platform has no SCHED_FIFO; run on Linux for real-time priority")
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        raise AffinityError(
            f"SCHED_FIFO priority {priority} is refused: {error.strerror}; it needs CAP_SYS_NICE or RLIMIT_RTPRIO"
        ) from error
    if os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK != os.SCHED_FIFO:
        raise AffinityError(f"SCHED_FIFO priority {priority} was requested, but the kernel kept another policy")


def become(command: Sequence[str], cpus: Iterable[int] = (), fifo_priority: int | None = None) -> None:
    """Replace this process by a command pinned to CPUs (exec): signals and exit code are then the command's.

    The command inherits this thread's memory policy (`numa_memory.set_thread_policy`). On success this does not return.
    Raises `AffinityError` when the kernel refuses a setting, and `CommandStartError`, with a shell's exit code, when
    the command cannot be started.
    """
    if not command:
        raise AffinityError("no command given; write it after --")
    cpus = tuple(cpus)
    if cpus:
        pin(cpus)
    if fifo_priority is not None:
        set_realtime(fifo_priority)
    # Python ignores these signals, and exec keeps ignored signals ignored: `yes | head` would not end.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(command[0], [*command], os.environ)  # as the user set it; see `lowlat.child_process`
    except (FileNotFoundError, NotADirectoryError) as error:
        why = f"{command[0]!r} cannot be started: {error.strerror}; check its name"
        raise CommandStartError(why, ExitCode.COMMAND_MISSING) from error
    except OSError as error:
        why = f"{command[0]!r} cannot be started: {error.strerror}"
        raise CommandStartError(why, ExitCode.COMMAND_REFUSED) from error


def end_with_parent(parent: int, by: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal, by default to kill it, when its parent ends for any reason. No effect
    outside Linux.

    `parent`: the parent's own view of its process id, which may be 1 in a container.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    pr_set_pdeathsig = 1  # linux/prctl.h
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, by)
    if os.getppid() != parent:  # the parent already ended; a reaper adopted us
        os.kill(os.getpid(), by)
