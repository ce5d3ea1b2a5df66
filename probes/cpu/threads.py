"""Threads of a running process: where they may run, where they ran last; and pinning all of them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lowlat.errors import ExitCode
from lowlat.probes.cpu.affinity import AffinityError, pin
from lowlat.probes.cpu.cpu_sets import Cpus, CpuSets
from lowlat.probes.cpu.cpulist import parse_cpu_list
from lowlat.probes.host.host_tree import LIVE, HostTree, explain_os_error, parse_integer
from lowlat.probes.reading import to_document

SCHEMA = "lowlat.affinity/1"

PASSES_MAX = 10
"""Passes over a process that goes on making threads while they are pinned."""

_SCHEDULERS = {0: "other", 1: "fifo", 2: "rr", 3: "batch", 5: "idle", 6: "deadline", 7: "ext"}
_FIELD_AFTER_NAME = 3  # proc(5) numbers the fields of stat from 1; the name in parentheses is the second


class CommandMissingError(AffinityError):
    """A command to be started that does not exist; the exit code is a shell's."""

    exit_code = ExitCode.COMMAND_MISSING


class CommandRefusedError(AffinityError):
    """A command to be started that exists and cannot be; the exit code is a shell's."""

    exit_code = ExitCode.COMMAND_REFUSED


@dataclass(frozen=True, slots=True)
class ThreadAffinity:
    """One thread: where it may run and where it ran last. `memory_nodes` are those the cpuset allows."""

    tid: int
    name: str
    cpus: Cpus
    last_cpu: int | None
    scheduler: str | None
    realtime_priority: int | None
    memory_nodes: Cpus


def threads_document(pid: int, threads: Sequence[ThreadAffinity], sets: CpuSets) -> dict[str, Any]:
    """Turn the threads of a process into JSON data, as `probes/schema/affinity.schema.json` describes it.

    `sets` are those of the process that asks: what it may give to others.
    """
    listed = {"online": sets.online, "isolated": sets.isolated, "cpuset": sets.cpuset, "allowed": sets.allowed}
    return {"schema": SCHEMA, "pid": pid, "threads": to_document(list(threads)), "cpu_sets": to_document(listed)}


def threads_of(pid: int, tree: HostTree = LIVE) -> tuple[ThreadAffinity, ...]:
    """Read all threads of a process, by id. `AffinityError` when it has ended or may not be looked at."""
    folder = f"proc/{pid}/task"
    try:
        tree.read_bytes(f"proc/{pid}/stat")
    except FileNotFoundError:
        raise AffinityError(f"process {pid} does not exist; it has ended, or was never there") from None
    except OSError as error:
        raise AffinityError(explain_os_error(error, f"process {pid}")) from error
    found = (_thread(tree, folder, tid) for name in tree.names(folder) if (tid := parse_integer(name)) is not None)
    return tuple(sorted((thread for thread in found if thread is not None), key=lambda thread: thread.tid))


def _thread(tree: HostTree, folder: str, tid: int) -> ThreadAffinity | None:
    """One thread; None when it ended while the others were read."""
    status, stat = tree.text(f"{folder}/{tid}/status"), tree.text(f"{folder}/{tid}/stat")
    if status is None or stat is None:
        return None
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    # The name may hold blanks and parentheses: fields are counted from the last parenthesis.
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
    """Bind every thread of a process, those it makes meanwhile too; return them as read back.

    Raises `AffinityError` when the process has ended, a thread may not be bound, or new ones never end.
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
    raise AffinityError(f"process {pid} makes threads faster than they can be bound; stop it first (SIGSTOP)")


def _pin_or_gone(pid: int, tid: int, cpus: Cpus) -> None:
    try:
        pin(cpus, tid)
    except AffinityError:
        if LIVE.exists(f"proc/{pid}/task/{tid}"):
            raise


def set_realtime(priority: int) -> None:
    """Give the calling thread SCHED_FIFO, priority 1 to 99. `AffinityError` names the missing right."""
    if not 1 <= priority <= 99:
        raise AffinityError(f"real-time priority {priority} does not exist; 1 to 99 do")
    if not hasattr(os, "sched_setscheduler"):
        raise AffinityError("this platform has no SCHED_FIFO; run on Linux for real-time priority")
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        raise AffinityError(
            f"SCHED_FIFO priority {priority} is refused: {error.strerror}; it needs CAP_SYS_NICE or RLIMIT_RTPRIO"
        ) from error
    if os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK != os.SCHED_FIFO:
        raise AffinityError(f"SCHED_FIFO priority {priority} was asked for, the kernel keeps another policy")


def become(command: Sequence[str], cpus: Iterable[int] = (), fifo_priority: int | None = None) -> None:
    """Replace this process by a command, bound to CPUs: signals and exit code are then the command's.

    Memory policy set on this thread before (`numa_memory.set_thread_policy`) is inherited. Returns only by raising
    `AffinityError` when something is refused, `CommandMissingError` or `CommandRefusedError` when the command cannot
    be started.
    """
    if not command:
        raise AffinityError("no command is given; write it after --")
    cpus = tuple(cpus)
    if cpus:
        pin(cpus)
    if fifo_priority is not None:
        set_realtime(fifo_priority)
    # The interpreter ignores these, and what is ignored stays so in the command: `yes | head` would not end.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], [*command])
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CommandMissingError(f"{command[0]!r} cannot be started: {error.strerror}; check its name") from error
    except OSError as error:
        raise CommandRefusedError(f"{command[0]!r} cannot be started: {error.strerror}") from error


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however it ends. Does nothing but on Linux.

    `parent`: process id of the parent as it knows itself, which in a container may be 1.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    pr_set_pdeathsig = 1  # linux/prctl.h
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked; a reaper has taken us over
        os.kill(os.getpid(), signal.SIGKILL)
